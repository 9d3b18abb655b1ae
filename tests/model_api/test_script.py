"""The language in which a prompt tells the model API what to answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.conformance.script import (
    DONE,
    TOKENS,
    Call,
    Failing,
    Fault,
    Say,
    Shell,
    Turn,
    Write,
    holds_directive,
    read_script,
)
from orchestrator.core.types import Tokens

ONE_TURN = [
    pytest.param("STUB:TEXT two words", Say(text="two words"), id="text to the end of the line"),
    pytest.param('STUB:TEXT "two\\nlines"', Say(text="two\nlines"), id="text as a JSON string"),
    pytest.param("  - STUB:TEXT in a list", Say(text="in a list"), id="in a list"),
    pytest.param("> STUB:TEXT quoted", Say(text="quoted"), id="quoted"),
    pytest.param("before\r\nSTUB:TEXT a line of Windows\r\nafter", Say(text="a line of Windows"), id="CRLF"),
    pytest.param("STUB:SHELL echo 'a b' | wc", Shell(command="echo 'a b' | wc"), id="a command"),
    pytest.param("STUB:LOOP", Shell(command="true"), id="a loop of nothing"),
    pytest.param("STUB:WRITE a/b.md some text", Write(path="a/b.md", content="some text"), id="a file"),
    pytest.param("STUB:WRITE empty.md", Write(path="empty.md", content=""), id="an empty file"),
    pytest.param('STUB:TOOL Read {"a": 1}', Call(name="Read", arguments={"a": 1}), id="a tool"),
    pytest.param("STUB:TOOL Read", Call(name="Read", arguments={}), id="a tool without arguments"),
]


@pytest.mark.parametrize(("text", "act"), ONE_TURN)
def test_a_directive_is_a_turn_of_the_model(text: str, act: object) -> None:
    assert holds_directive(text)
    assert read_script(text).turn(0).act == act


def test_turns_come_in_order_and_then_it_is_done() -> None:
    script = read_script("STUB:SHELL one\nsome words\nSTUB:TEXT two")
    assert [script.turn(number).act for number in range(4)] == [
        Shell(command="one"), Say(text="two"), Say(text=DONE), Say(text=DONE),
    ]  # fmt: skip


def test_a_loop_goes_no_further() -> None:
    script = read_script("STUB:TEXT first\nSTUB:LOOP date\nSTUB:TEXT never")
    assert script.turn(0).act == Say(text="first")
    assert {script.turn(number).act for number in range(1, 50)} == {Shell(command="date")}


def test_delay_and_failures_are_of_the_next_turn_and_usage_is_of_all_later_ones() -> None:
    script = read_script("STUB:USAGE input=5 cache_read=7\nSTUB:DELAY 0.5\nSTUB:HANG times=1\nSTUB:TEXT a\nSTUB:TEXT b")
    tokens = Tokens(input=5, cache_read=7, output=TOKENS.output)
    hang = Fault(failing=Failing.HANG, times=1)
    assert script.turn(0) == Turn(act=Say(text="a"), delay=0.5, faults=(hang,), tokens=tokens)
    assert script.turn(1) == Turn(act=Say(text="b"), tokens=tokens)
    assert script.turn(2).tokens == tokens


def test_failures_come_as_often_as_they_say_one_after_the_other() -> None:
    turn = read_script("STUB:STATUS 429 retry-after=7 times=2\nSTUB:TORN times=1\nSTUB:TEXT at last").turn(0)
    failing = [(fault.failing, fault.status, fault.retry_after) if (fault := turn.fault(n)) else None for n in range(5)]
    limited = (Failing.STATUS, 429, 7)
    assert failing == [limited, limited, (Failing.TORN, 200, None), None, None]


def test_a_failure_without_a_number_comes_always() -> None:
    turn = read_script("STUB:STATUS 529").turn(0)
    assert all((fault := turn.fault(number)) is not None and fault.status == 529 for number in (0, 1, 1000))


def test_a_failure_of_one_model_leaves_the_others_alone() -> None:
    turn = read_script("STUB:STATUS 429 model=a retry-after=9\nSTUB:TEXT well").turn(0)
    assert (fault := turn.fault(0, "a")) is not None
    assert (fault.status, fault.retry_after) == (429, 9)
    assert turn.fault(0, "b") is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("STUB:NONSENSE x", "there is no such directive; there are TEXT", id="unknown"),
        pytest.param("STUB:STATUS", "the status is a number", id="a status that is missing"),
        pytest.param("STUB:STATUS 200", "400 to 599", id="a status that is no failure"),
        pytest.param("STUB:STATUS 429 after=7", "it takes retry-after, times", id="an option that is not there"),
        pytest.param("STUB:DELAY soon", "the delay is a number from 0 to 600", id="a delay in words"),
        pytest.param("STUB:DELAY nan", "the delay is a number", id="a delay that is no number"),
        pytest.param("STUB:HUGE -1", "the size is a number", id="a size below nothing"),
        pytest.param("STUB:TOOL Read [1]", "a JSON object", id="arguments that are no object"),
        pytest.param("STUB:TOOL Read {", "the arguments are a JSON object", id="arguments that are torn"),
        pytest.param('STUB:TEXT "torn', "is a JSON string", id="a string that is torn"),
        pytest.param("STUB:SHELL", "it needs a command", id="no command"),
        pytest.param("STUB:WRITE", "it needs a path", id="no path"),
    ],
)
def test_what_cannot_be_read_is_answered_with_what_is_wrong(text: str, words: str) -> None:
    act = read_script(f"STUB:TEXT fine\n{text}").turn(0).act
    assert isinstance(act, Say)
    assert act.text.startswith("stub-error: STUB:")
    assert words in act.text


@given(st.text(max_size=200), st.integers(0, 5))
def test_any_text_is_a_script(text: str, number: int) -> None:
    for given_text in (text, f"STUB:{text}", f"STUB:TOOL x {text}", f"STUB:STATUS {text}"):
        turn = read_script(given_text).turn(number)
        assert isinstance(turn.act, Say | Shell | Write | Call)
