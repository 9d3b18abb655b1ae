"""What a tool printed, turned into what it means."""

import pytest

from orchestrator.adapters.readers import READERS, read_output
from orchestrator.core.settings import Tool
from orchestrator.core.types import ErrorKind
from orchestrator.core.verdict import Ending, Ran


def ran(text: str, errors: str = "") -> Ran:
    return Ran(ending=Ending.EXITED, exit_code=0, text=text, errors=errors)


@pytest.mark.parametrize(
    ("printed", "means"),
    [
        ("answer\n", "answer"),
        ("\n\n# Title\n\n    code\n", "# Title\n\n    code"),
        ("\x1b[1;31mred\x1b[0m and \x1b]0;title\x07plain", "red and plain"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("tab\tstays, bell\x07 goes, NUL\x00 too, and \x9b", "tab\tstays, bell goes, NUL too, and "),
        ("Grüße 日本", "Grüße 日本"),
    ],
)
def test_plain_text_is_the_answer_without_what_is_for_terminals(printed: str, means: str) -> None:
    assert READERS["text"](ran(printed, printed)).text == means


def test_a_tool_names_its_reader() -> None:
    tool = Tool(name="x", binary="x", command=("x",))
    assert read_output(tool, ran("a\n", "\x1b[1mb\x1b[0m")) == ran("a", "b")


@pytest.mark.parametrize("output", ["json-of-the-future", {"text": "/result"}])
def test_a_reader_that_nobody_has_is_a_failure_that_names_the_key(output: object) -> None:
    tool = Tool(name="x", binary="x", command=("x",), output=output)
    read = read_output(tool, ran("a"))
    assert read.failure is ErrorKind.BAD_OUTPUT
    assert "tools.x.output" in read.errors
