Feature: Money and routes
  The cheapest tool that will do is taken, another one where it cannot run, and no run goes over a limit.

  Scenario Outline: Small tasks go to cheap models
    Given an agent that prefers the model claude-sonnet-5-5
    And a policy that sends tasks of up to 1500 tokens to the model claude-haiku-5-5
    When a prompt of <tokens> tokens is executed
    Then the exit code is 0
    And the model <model> ran, and the reason is <reason>

    Examples:
      | tokens | model             | reason            |
      | 800    | claude-haiku-5-5  | cost_optimization |
      | 3000   | claude-sonnet-5-5 | above_threshold   |

  Scenario: The next tool of the chain runs where the preferred one is missing
    Given an agent that prefers the tool cursor, which is not installed
    And its fallback chain goes on with the tool codex, which is
    When a prompt of 20 tokens is executed
    Then the exit code is 0
    And it says "Primary tool cursor unavailable, trying fallback"
    And the tool codex ran, and the reason is fallback

  Scenario: No tool of the chain can run
    Given an agent that prefers the tool cursor, which is not installed
    And its fallback chain goes on with the tool aider, which is not installed either
    When a prompt of 20 tokens is executed
    Then the exit code is 1
    And it says "No available tools in fallback chain"
    And it names cursor and aider, each with its reason
    And nothing ran

  Scenario: What a run cost is computed from its tokens
    Given a model that costs $0.01 for 1,000 tokens in and $0.03 for 1,000 tokens out
    And a tool that reports 1500 tokens in and 800 tokens out
    When a prompt of 20 tokens is executed
    Then the exit code is 0
    And the cost that is recorded is $0.039, computed
    And the tokens that are recorded are 2300 in total
    And its latency and its status are recorded

  Scenario: Near a limit a person is asked
    Given a limit of $10.00 a day with a warning at 80 percent
    And a run that is estimated at $0.50
    And $8.10 were spent today
    When it is executed at a terminal
    Then it shows "81 % used ($8.10 / $10.00)" and "estimated at $0.50", and waits
    And nothing ran
    When the person answers y
    Then the exit code is 0
    And the tool paid ran, and the reason is preferred

  Scenario: Over a hard limit nothing runs
    Given a limit of $10.00 a day with a warning at 80 percent
    And a run that is estimated at $0.50
    And $9.80 were spent today
    When a prompt of 20 tokens is executed
    Then the exit code is 1
    And it says "($10.30 / $10.00)"
    And it says what can be done: a cheaper model, to wait or to raise the limit, and --force with a reason
    And nothing ran
