"""The claims at the end of an answer."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.adapters.answers import read_claims
from orchestrator.core import answer
from orchestrator.core.claims import Claims


def fenced(body: str, fence: str = "```", kind: str = "yaml") -> str:
    return f"{fence}{kind}\n{body}\n{fence}\n"


WHOLE = """\
result:
  summary: The cache layer is in.
  next_agent: reviewer
  next_task_title: Review the cache layer
  next_artefacts: [src/cache.py, tests/test_cache.py]
  next_task_notes: |
    Look at eviction.
  artefacts_not_created: [docs/cache.md]
  metrics: {tokens: 3}
"""


def test_every_claim_is_taken_over() -> None:
    assert read_claims(f"I am done.\n\n{fenced(WHOLE)}") == Claims(
        summary="The cache layer is in.",
        next_agent="reviewer",
        next_task_title="Review the cache layer",
        next_artefacts=("src/cache.py", "tests/test_cache.py"),
        next_task_notes="Look at eviction.",
        artefacts_not_created=("docs/cache.md",),
    )


def test_an_answer_without_a_block_claims_nothing() -> None:
    assert read_claims("just words\n\n```yaml\nother: 1\n```\n") == Claims()


def test_the_last_block_with_a_result_counts() -> None:
    text = fenced("result: {summary: first}") + fenced("result: {summary: second}") + fenced("tools: {a: 1}")
    assert read_claims(text).summary == "second"


@pytest.mark.parametrize("kind", ["yaml", "yml", "YAML"])
@pytest.mark.parametrize("fence", ["```", "~~~~"])
def test_any_fence_of_yaml_is_read(fence: str, kind: str) -> None:
    assert read_claims(fenced("result: {summary: yes it is}", fence, kind)).summary == "yes it is"


def test_a_block_that_is_cut_off_is_read_as_far_as_it_goes() -> None:
    assert read_claims("```yaml\nresult:\n  summary: nearly").summary == "nearly"


def test_a_block_inside_a_longer_fence_is_only_text() -> None:
    assert read_claims(f"````text\n{fenced('result: {summary: quoted}')}````\n") == Claims()


def test_a_block_in_another_language_is_only_text() -> None:
    assert read_claims(fenced("result: {summary: x}", kind="python")) == Claims()


@pytest.mark.parametrize(
    ("body", "words"),
    {
        "broken YAML": ("result: {summary: [", "ignored"),
        "an alias bomb": ("a: &a [x]\nresult: {summary: *a}", "ignored"),
        "no mapping": ("result: [1]", "not a mapping"),
        "too long": ("result:\n  summary: " + "x" * answer.LONGEST_BLOCK, "at most"),
        "very deep": ("result: " + "[" * 5000, "ignored"),
    }.values(),
)
def test_a_bad_block_is_ignored_and_named(body: str, words: str) -> None:
    claims = read_claims(fenced(body))
    assert claims == Claims(problems=claims.problems)
    assert words in claims.problems[0]


def test_after_a_bad_block_an_earlier_good_one_counts() -> None:
    claims = read_claims(fenced("result: {summary: good}") + fenced("result: {summary: ["))
    assert claims.summary == "good"
    assert len(claims.problems) == 1


def test_values_of_the_wrong_type_are_ignored_and_named() -> None:
    claims = read_claims(fenced("result: {summary: 3, next_agent: [a], next_artefacts: {a: b}}"))
    assert claims == Claims(problems=claims.problems)
    assert [problem.split(" ")[0] for problem in claims.problems] == [
        "result.summary",
        "result.next_agent",
        "result.next_artefacts",
    ]


def test_long_texts_are_cut_and_named() -> None:
    claims = read_claims(fenced(f"result:\n  summary: {'x' * 3000}\n  next_task_notes: {'y' * 20_000}"))
    assert len(claims.summary) == 2_000
    assert len(claims.next_task_notes) == 10_000
    assert len(claims.problems) == 2


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "../x", "a/../../x", "~/x", ".git/hooks/x", "a/.GIT/x", "-rf", "a\\b", "a\u202eb", "", " a", 3],
)
def test_what_is_no_path_inside_the_repository_is_left_out(path: object) -> None:
    claims = answer.parse_claims(
        fenced("result: x"), read_yaml=lambda _: {"result": {"next_artefacts": ["src/a.py", path]}}
    )
    assert claims.next_artefacts == ("src/a.py",)
    assert "1 entries were ignored" in claims.problems[0]


def test_no_claim_starts_a_second_line_or_hides_a_character() -> None:
    claims = answer.parse_claims(
        fenced("result: x"),
        read_yaml=lambda _: {"result": {"next_task_title": "a\nTask-Id: b\u202e", "summary": "c\x1b[2J\nd"}},
    )
    assert claims.next_task_title == "a Task-Id: b"
    assert claims.summary == "c[2J\nd"


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(["```", "```yaml", "~~~", "````", "result:", "  summary: x", "- [", "\x00", "é: &a *a"]))
)
def test_no_answer_raises(lines: list[str]) -> None:
    claims = read_claims("\n".join(lines))
    assert len(claims.summary) <= 2_000
