"""Where text goes."""

import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.cli.screen import Colour, Paint, Screen, plain, plain_lines, wants_colour
from orchestrator.errors import OrchestratorError


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Full(io.StringIO):
    """A stream whose disk is full."""

    def write(self, text: str, /) -> int:
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("choice", "environ", "on_a_terminal", "elsewhere"),
    [
        (Colour.AUTO, {}, True, False),
        (Colour.AUTO, {"NO_COLOR": "1"}, False, False),
        (Colour.AUTO, {"NO_COLOR": ""}, True, False),
        (Colour.AUTO, {"CLICOLOR": "0"}, False, False),
        (Colour.AUTO, {"CLICOLOR_FORCE": "1"}, True, True),
        (Colour.AUTO, {"CLICOLOR_FORCE": "0"}, True, False),
        (Colour.AUTO, {"NO_COLOR": "1", "CLICOLOR_FORCE": "1"}, False, False),
        (Colour.AUTO, {"TERM": "dumb"}, False, False),
        (Colour.ALWAYS, {"NO_COLOR": "1"}, True, True),
        (Colour.NEVER, {"CLICOLOR_FORCE": "1"}, False, False),
    ],
)
def test_colour_is_a_matter_of_option_environment_and_terminal(
    choice: Colour, environ: dict[str, str], on_a_terminal: bool, elsewhere: bool
) -> None:
    assert wants_colour(Terminal(), choice, environ) is on_a_terminal
    assert wants_colour(io.StringIO(), choice, environ) is elsewhere


def test_a_table_is_cut_to_a_terminal_and_to_nothing_else() -> None:
    rows = [["done", "a", "x" * 100], ["in_progress", "longer", "y"]]
    terminal, pipe = Terminal(), io.StringIO()
    Screen(terminal, Colour.NEVER, {"COLUMNS": "40"}).table(rows)
    Screen(pipe, Colour.NEVER, {"COLUMNS": "40"}).table(rows)
    assert [len(line) for line in terminal.getvalue().splitlines()] == [40, 24]
    assert terminal.getvalue().splitlines()[0].endswith("…")
    assert pipe.getvalue().splitlines() == [f"  done         a       {'x' * 100}", "  in_progress  longer  y"]


def test_paint_is_around_the_first_cell_only() -> None:
    out = Terminal()
    Screen(out, Colour.ALWAYS, {"COLUMNS": "80"}).table([["done", "a"]], paints=[Paint.GOOD])
    assert out.getvalue() == "  \x1b[32mdone\x1b[0m  a\n"


def test_a_sentence_is_folded_on_a_terminal_and_whole_elsewhere() -> None:
    text = "one two three four " + "f" * 30
    terminal, pipe = Terminal(), io.StringIO()
    Screen(terminal, Colour.NEVER, {"COLUMNS": "24"}).wrapped(text, indent="    ")
    Screen(pipe, Colour.NEVER, {}).wrapped(text, indent="    ")
    assert all(len(line) <= 24 for line in terminal.getvalue().splitlines())
    assert terminal.getvalue().replace("\n", "").replace(" ", "") == text.replace(" ", "")
    assert pipe.getvalue() == f"    {text}\n"


@given(st.text())
@settings(max_examples=100)
def test_no_text_can_move_a_cursor_or_turn_a_line_around(text: str) -> None:
    shown = plain(text)
    assert shown.isprintable() or "\N{NO-BREAK SPACE}" in shown
    assert "\x1b" not in shown
    assert "\n" not in shown


def test_ordinary_text_of_any_script_is_left_alone() -> None:
    assert plain("Fähre, 渡し船, паром") == "Fähre, 渡し船, паром"
    assert plain("a\x1b[31mb\u202ec\x07") == "a\\x1b[31mb\\u202ec\\x07"
    assert plain_lines("a\tb\nc\x08") == ["a\tb", "c\\x08"]


def test_an_envelope_is_ascii_and_names_its_schema() -> None:
    out = io.StringIO()
    Screen(out, Colour.NEVER, {}).envelope("show", {"title": "Fähre \udc80"})
    assert out.getvalue().isascii()
    assert json.loads(out.getvalue()) == {"schema": "orchestrator.show/1", "data": {"title": "Fähre \udc80"}}


def test_an_output_that_is_full_is_an_expected_failure() -> None:
    with pytest.raises(OrchestratorError, match="No space left"):
        Screen(Full(), Colour.NEVER, {}).line("x")


def test_nothing_moves_off_a_terminal_or_in_a_build() -> None:
    assert Screen(Terminal(), Colour.NEVER, {}).may_move
    assert not Screen(io.StringIO(), Colour.NEVER, {}).may_move
    assert not Screen(Terminal(), Colour.NEVER, {"CI": "true"}).may_move
    assert not Screen(Terminal(), Colour.NEVER, {"TERM": "dumb"}).may_move
