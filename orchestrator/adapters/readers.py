"""Readers: what a tool printed, turned into what it means. A tool's stanza names its reader (`output:`)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from orchestrator.core.settings import Tool
from orchestrator.core.types import ErrorKind
from orchestrator.core.verdict import Ran

Reader = Callable[[Ran], Ran]

# Colours, cursor movements and titles that programs write for a terminal (ECMA-48 CSI and OSC, and two-byte escapes).
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def text(ran: Ran) -> Ran:
    """The answer is all that was printed, as plain text: no terminal codes, newlines as newlines."""
    return replace(ran, text=_plain(ran.text).strip("\n"), errors=_plain(ran.errors))


READERS: Mapping[str, Reader] = {"text": text}


def read_output(tool: Tool, ran: Ran) -> Ran:
    """What the tool's run means, by the reader that its stanza names; one that nobody has is a failure of the run."""
    reader = READERS.get(tool.output) if isinstance(tool.output, str) else None
    if reader is not None:
        return reader(ran)
    known = ", ".join(sorted(READERS))
    words = f"tools.{tool.name}.output: no reader for {tool.output!r}; this version has {known}"
    return replace(ran, failure=ErrorKind.BAD_OUTPUT, errors=f"{ran.errors.rstrip()}\n{words}".lstrip())


def _plain(raw: str) -> str:
    return _CONTROLS.sub("", _ESCAPES.sub("", raw).replace("\r\n", "\n").replace("\r", "\n"))
