Feature: Statistics
  What the runs of a day used and cost, and who had them done.

  Scenario: The daily report
    Given 50 invocations today at $3.45 together
    And another one yesterday
    When the daily report is asked for
    Then it says 50 invocations, $3.45 in total and $0.069 on average
    And by agent it says
      | name   | invocations | cost  | percent |
      | coder  | 20          | $2.10 | 60.9    |
      | writer | 30          | $1.35 | 39.1    |
    And by model it says
      | name   | invocations | cost  | percent |
      | sonnet | 20          | $2.10 | 60.9    |
      | haiku  | 30          | $1.35 | 39.1    |
