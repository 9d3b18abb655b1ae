"""Where text goes: one stream, with colour only where somebody can see it, and no control character from outside."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TextIO

from orchestrator.errors import OrchestratorError


class Colour(StrEnum):
    """What `--color` says."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Paint(StrEnum):
    """The few paints, by what they mean. Never the only sign: the word is always there too."""

    GOOD = "32"
    BAD = "31"
    WARN = "33"
    BUSY = "36"
    FAINT = "2"
    STRONG = "1"


def wants_colour(stream: TextIO, choice: Colour, environ: Mapping[str, str]) -> bool:
    """--color, then NO_COLOR, then CLICOLOR_FORCE, then CLICOLOR, then whether it is a terminal."""
    if choice is not Colour.AUTO:
        return choice is Colour.ALWAYS
    if environ.get("NO_COLOR"):
        return False
    if environ.get("CLICOLOR_FORCE", "0") != "0":
        return True
    return environ.get("CLICOLOR") != "0" and environ.get("TERM") != "dumb" and stream.isatty()


class Screen:
    """One of the two streams."""

    def __init__(self, stream: TextIO, colour: Colour, environ: Mapping[str, str]) -> None:
        self._stream = stream
        self._colour = wants_colour(stream, colour, environ)
        self.is_terminal = stream.isatty()
        self.width = _width(stream, environ) if self.is_terminal else 0  # 0: nothing is ever cut
        self.may_move = self.is_terminal and not environ.get("CI") and environ.get("TERM") != "dumb"

    def paint(self, text: str, paint: Paint | None) -> str:
        """The text, painted where this stream takes colour."""
        return f"\x1b[{paint.value}m{text}\x1b[0m" if self._colour and paint and text else text

    def line(self, text: str = "") -> None:
        """One line. What comes from outside goes through `plain` before."""
        self._write(text + "\n")

    def again(self, text: str) -> None:
        """Replaces the line that the cursor is on; '' clears it. For a terminal only."""
        self._write(f"\r\x1b[K{text[: max(self.width - 1, 20)]}")
        self.flush()

    def clear(self) -> None:
        """An empty screen. For a terminal only."""
        self._write("\x1b[H\x1b[2J")

    def table(self, rows: Sequence[Sequence[str]], *, paints: Sequence[Paint | None] = (), indent: str = "  ") -> None:
        """Columns as wide as they need be. `paints` colours the first cell of each row. The last cell is cut to the
        width of a terminal, and to nothing elsewhere."""
        cells = [[plain(cell) for cell in row] for row in rows]
        widths = [max((len(row[n]) for row in cells if n < len(row) - 1), default=0) for n in range(_longest(cells))]
        for number, row in enumerate(cells):
            shown = [cell.ljust(widths[n]) for n, cell in enumerate(row[:-1])] + [row[-1]]
            whole = indent + "  ".join(shown).rstrip()
            if self.width and len(whole) > self.width:
                whole = whole[: self.width - 1] + "…"
            paint = paints[number] if number < len(paints) else None
            head = len(indent) + len(row[0])
            self.line(whole[: len(indent)] + self.paint(whole[len(indent) : head], paint) + whole[head:])

    def wrapped(self, text: str, *, indent: str, paint: Paint | None = None) -> None:
        """A sentence below something: in as many lines as a terminal needs, in one line elsewhere."""
        room = max(self.width - len(indent), 20) if self.width else 0
        for line in _folded(plain(text), room) if room else [plain(text)]:
            self.line(indent + self.paint(line, paint))

    def envelope(self, schema: str, data: object) -> None:
        """A `--json` answer: ASCII, so that no encoding of a terminal or a pipe can break it."""
        self.line(json.dumps({"schema": f"orchestrator.{schema}/1", "data": data}, indent=2, default=str))

    def answer(self, text: str) -> None:
        """A tool's answer: as it is into a file or a pipe; on a terminal with every control character made visible."""
        if not text:
            return
        shown = "\n".join(plain_lines(text)) if self.is_terminal else text
        self._write(shown if shown.endswith("\n") else shown + "\n")

    def piece(self, text: str) -> None:
        """A part of a longer text as it comes, made safe; it need not end with a line."""
        self._write("\n".join("\t".join(map(plain, line.split("\t"))) for line in text.split("\n")))

    def flush(self) -> None:
        """Raises OrchestratorError where what was written cannot arrive, BrokenPipeError where nobody reads it."""
        self._write("")

    def _write(self, text: str) -> None:
        try:
            if text:
                self._stream.write(text)
            else:
                self._stream.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OrchestratorError(f"the output cannot be written: {error.strerror}; make room for it") from error


def plain(text: str) -> str:
    """The text on one line, with everything that could move a cursor or turn text around made visible."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible(character) for character in text)


def plain_lines(text: str) -> list[str]:
    """The lines of a longer text, each made safe. Tabs stay."""
    return ["\t".join(plain(part) for part in line.split("\t")) for line in text.splitlines()]


def _folded(text: str, room: int) -> list[str]:
    """Lines of at most `room` characters, broken between words where that can be."""
    lines = [""]
    for word in text.split(" "):
        rest = word
        if lines[-1] and len(lines[-1]) + 1 + len(rest) > room:
            lines.append("")
        while len(rest) > room:
            lines[-1:] = [rest[:room], ""]
            rest = rest[room:]
        lines[-1] += f" {rest}" if lines[-1] else rest
    return lines


def _visible(character: str) -> str:
    if character in "\n\r\t":
        return " "
    if character.isprintable() or character == "\N{NO-BREAK SPACE}":
        return character
    return character.encode("unicode_escape").decode()


def _longest(rows: Sequence[Sequence[str]]) -> int:
    return max((len(row) for row in rows), default=0)


def _width(stream: TextIO, environ: Mapping[str, str]) -> int:
    columns = environ.get("COLUMNS", "")
    if columns.isdigit() and int(columns) > 0:
        return int(columns)
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def forgive_encodings() -> None:
    """Lets both streams take any text: what their encoding lacks is shown by its number."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
