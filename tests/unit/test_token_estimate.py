"""How many tokens a text may be."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.task import Task
from orchestrator.core.token_estimate import estimate, for_model, of_task
from orchestrator.core.types import TaskId


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("   \n", 0),
        ("word", 1),
        ("longer words", 2),
        ("wonderful", 2),
        ("f(x) = 1.5", 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1),
        ("caf\u00e9", 1),
        ("\u4f60\u597d\u4e16\u754c", 4),  # three bytes each
        ("\u043f\u0440\u0438\u0432\u0435\u0442", 4),  # six letters of two bytes
        ("\U0001f600" * 3, 4),
        ("a" * 41, 14),  # no word
        (" " * 160, 10),
        ("\x00\x1b\x7f", 3),
    ],
)
def test_words_signs_and_other_scripts_are_counted_each_in_its_way(text: str, tokens: int) -> None:
    assert estimate(text) == tokens


def test_english_prose_comes_near_what_a_tokenizer_says() -> None:
    prose = (
        "The daemon claims the task, plans which tool and model may do it under the policy, holds the money, runs the"
        " tool in a workspace of its own, and judges what really came of it."
    )
    assert 35 <= estimate(prose) <= 50  # o200k: 38


@pytest.mark.parametrize(
    "text",
    [
        "a" * 300_000,
        "a " * 150_000,
        "\n" * 300_000,
        "\ud800" * 100_000,
        "{[(<" * 75_000,
        "\u0301" * 200_000,
        "\u200d\U0001f468" * 60_000,
        "a\u4f60" * 100_000,
    ],
)
def test_hostile_text_is_neither_free_nor_absurd(text: str) -> None:
    size = len(text.encode("utf-8", "surrogatepass"))
    assert size / 20 <= estimate(text) <= size


@settings(max_examples=100)
@given(st.text(max_size=200), st.text(max_size=200))
def test_two_texts_are_together_about_as_large_as_each_for_itself(one: str, other: str) -> None:
    together = estimate(f"{one} \n{other}")
    apart = estimate(one) + estimate(other)
    assert apart - 2 <= together <= apart + len(one) // 16 + len(other) // 16 + 2


@settings(max_examples=100)
@given(st.text(max_size=300))
def test_an_estimate_is_never_more_than_the_bytes(text: str) -> None:
    assert 0 <= estimate(text) <= len(text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize(
    ("model", "tokens"),
    [
        ("claude-opus-5-5", 130),
        ("claude-opus-4-7", 130),
        ("claude-opus-4-5-20250929", 100),
        ("claude-sonnet-5-5", 130),
        ("claude-sonnet-4-5", 100),
        ("anthropic/claude-haiku-5-5", 130),
        ("claude-3-5-sonnet-20241022", 100),
        ("claude-fable-5-2", 130),
        ("sonnet", 130),
        ("gpt-6.1-sol", 100),
        ("gemini-4-argon", 100),
        ("", 100),
    ],
)
def test_the_newer_claude_models_make_more_tokens_of_a_text(model: str, tokens: int) -> None:
    assert for_model(100, model) == tokens


def test_a_task_is_as_large_as_its_prompt_or_as_the_fields_that_it_is_made_from() -> None:
    fields = {"title": "word", "description": "word word", "context": {"notes": "word"}, "artefacts": ("word",)}
    assert of_task(Task(id=TaskId("x"), **fields)) == 5  # type: ignore[arg-type]  # a table of fields of several types
    assert of_task(Task(id=TaskId("x"), prompt="one two", **fields)) == 2  # type: ignore[arg-type]  # as above
