"""Readers: what a tool printed, turned into what it means. A tool's stanza names its reader (`output:`)."""

from collections.abc import Mapping
from dataclasses import replace

from orchestrator.adapters.readers import (
    claude,
    codex,
    copilot,
    cursor,
    declared,
    failures,
    gemini,
    goose,
    opencode,
    terminal,
)
from orchestrator.adapters.readers.printed import LINE, Output
from orchestrator.adapters.readers.telling import Reader, live_event, live_nothing
from orchestrator.core.pointers import Pointers
from orchestrator.core.settings import Tool
from orchestrator.core.types import ErrorKind
from orchestrator.core.verdict import Ending, Printed, Ran, Reported

__all__ = ["READERS", "Reader", "live_text", "read_output"]

READERS: Mapping[str, Reader] = {
    "aider": Reader(read=terminal.read_aider, live=terminal.live),
    "claude-json": Reader(read=claude.read, live=live_nothing),
    "claude-stream-json": Reader(read=claude.read, live=live_event(claude.live)),
    "codex": Reader(read=codex.read, live=live_event(codex.live)),
    "copilot": Reader(read=copilot.read, live=live_event(copilot.live)),
    "cursor": Reader(read=cursor.read, live=live_event(cursor.live)),
    "gemini": Reader(read=gemini.read, live=live_nothing),
    "gemini-stream": Reader(read=gemini.read_stream, live=live_event(gemini.live)),
    "goose": Reader(read=goose.read, live=goose.live),
    "llm": Reader(read=terminal.read_llm, live=terminal.live),
    "ollama": Reader(read=terminal.read_ollama, live=terminal.live),
    "opencode": Reader(read=opencode.read, live=live_event(opencode.live)),
    "text": Reader(read=terminal.read_text, live=terminal.live),
}


def read_output(tool: Tool, ran: Ran, printed: Printed, previous: Reported | None = None) -> Ran:
    """What the tool's run means: what the operating system said of it, and what lies in its two files.

    Args:
        ran: The operating system's part. What it has in `errors` (a limit that was passed) stays, as the last words.
        previous: What the session had added up to before this run, where this run goes on with one.
    """
    if ran.ending is Ending.NOT_STARTED:
        return ran
    output = Output(printed=printed)
    said = output.errors().strip("\n")
    begun = replace(ran, errors="\n".join(words for words in (said, ran.errors) if words))
    if isinstance(tool.output, Pointers):
        read = declared.read(tool.output, begun, output)
    elif (reader := READERS.get(tool.output)) is not None:
        read = reader.read(begun, output, previous)
    else:
        return _unread(tool, begun)
    if ran.failure is not None or ran.ending is Ending.OVER_LIMIT:
        return replace(read, failure=ran.failure)  # the engine saw it; what was printed up to then explains less
    if read.exit_code != 0 and not read.problem and read.ending is Ending.EXITED:
        return replace(read, problem=failures.complaint(said))
    return read


def live_text(tool: Tool, line: bytes) -> str:
    """What a person should see of one line of stdout while the tool runs, to be written as it is; '' is nothing.

    It ends with a newline where the line is complete; gemini-stream comes in parts of lines.
    """
    if len(line) > LINE:
        return ""
    if isinstance(tool.output, Pointers):
        return declared.live(tool.output, line)
    reader = READERS.get(tool.output)
    return reader.live(line) if reader is not None else ""


def _unread(tool: Tool, ran: Ran) -> Ran:
    known = ", ".join(sorted(READERS))
    words = f"tools.{tool.name}.output: no reader for {tool.output!r}; this version has {known}"
    return replace(ran, failure=ErrorKind.BAD_OUTPUT, problem=words, errors=f"{ran.errors.rstrip()}\n{words}".lstrip())
