"""Readers: what a tool printed, turned into what it means. A tool's stanza names its reader (`output:`)."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib import import_module

from orchestrator.adapters.readers import failures
from orchestrator.adapters.readers.printed import LINE, Output
from orchestrator.adapters.readers.telling import Reader
from orchestrator.core.pointers import Pointers
from orchestrator.core.settings import Tool
from orchestrator.core.types import ErrorKind
from orchestrator.core.verdict import Ending, Printed, Ran, Reported

__all__ = ["READERS", "Reader", "get_ready", "live_text", "read_output"]

# The name in a tool's stanza -> the module that reads it, and the name of the Reader there.
_WHERE = {
    "aider": ("terminal", "AIDER"),
    "claude-json": ("claude", "JSON"),
    "claude-stream-json": ("claude", "STREAM"),
    "codex": ("codex", "READER"),
    "copilot": ("copilot", "READER"),
    "cursor": ("cursor", "READER"),
    "gemini": ("gemini", "WHOLE"),
    "gemini-stream": ("gemini", "STREAM"),
    "goose": ("goose", "READER"),
    "llm": ("terminal", "LLM"),
    "ollama": ("terminal", "OLLAMA"),
    "opencode": ("opencode", "READER"),
    "text": ("terminal", "TEXT"),
}


class _Readers(Mapping[str, Reader]):
    """Readers by name; each is loaded when it is asked for, because a run needs one of them."""

    def __getitem__(self, name: str) -> Reader:
        module, called = _WHERE[name]
        reader = getattr(import_module(f"{__name__}.{module}"), called)
        assert isinstance(reader, Reader)
        return reader

    def __contains__(self, name: object) -> bool:
        return name in _WHERE

    def __iter__(self) -> Iterator[str]:
        return iter(_WHERE)

    def __len__(self) -> int:
        return len(_WHERE)


READERS: Mapping[str, Reader] = _Readers()


def get_ready(tool: Tool) -> None:
    """Loads what reads this tool's output, so that it is there when the tool ends."""
    if isinstance(tool.output, Pointers):
        import_module(f"{__name__}.declared")
    else:
        READERS.get(tool.output)


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
        from orchestrator.adapters.readers import declared

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
        from orchestrator.adapters.readers import declared

        return declared.live(tool.output, line)
    reader = READERS.get(tool.output)
    return reader.live(line) if reader is not None else ""


def _unread(tool: Tool, ran: Ran) -> Ran:
    known = ", ".join(sorted(READERS))
    words = f"tools.{tool.name}.output: no reader for {tool.output!r}; this version has {known}"
    return replace(ran, failure=ErrorKind.BAD_OUTPUT, problem=words, errors=f"{ran.errors.rstrip()}\n{words}".lstrip())
