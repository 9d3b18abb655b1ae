"""What `exec` is given: prompt and context, from words, files and stdin, as the arguments of the command."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from orchestrator.errors import OrchestratorError, UsageError

LARGEST = 1 << 20  # bytes: prompt and context together
STDIN = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The call's words about the task."""

    prompt: str | None
    prompt_file: str | None
    context: Sequence[str]
    words: Mapping[str, object]
    forced: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The arguments, and the digest of each context with its name: it may be the answer of an earlier task."""

    arguments: Mapping[str, object]
    digests: Mapping[str, str]


def gather(given: Given, *, root: Path, stdin: BinaryIO, is_terminal: bool) -> Asked:
    """Reads all of it.

    Raises:
        UsageError: nothing says what to do; OrchestratorError: a file cannot be read, or all is too much.
    """
    sources = tuple(dict.fromkeys(given.context))
    takes_stdin = (given.prompt_file == STDIN) + (STDIN in sources)
    from_stdin = given.prompt is None and given.prompt_file is None
    if takes_stdin + from_stdin > 1:
        raise UsageError("stdin can be the prompt or a context, not both; give the prompt with --prompt TEXT")
    if is_terminal and (from_stdin or takes_stdin):
        raise UsageError("say what to do: --prompt TEXT, --prompt-file FILE, or a prompt on stdin")
    read = _Reading(stdin)
    if given.prompt is not None:
        prompt = given.prompt
    else:
        prompt = read(STDIN if given.prompt_file is None else given.prompt_file)
    if not prompt.strip():
        raise UsageError("the prompt is empty; give one with --prompt TEXT, --prompt-file FILE, or on stdin")
    contexts = {source: read(source) for source in sources}
    inside = {source: _inside(source, root) for source in sources if source != STDIN}
    arguments: dict[str, object] = {**given.words, "prompt": _whole(prompt, contexts), "title": _title(prompt)}
    arguments["files"] = [path for path in inside.values() if path]
    arguments["outside"] = [_plain_name(source) for source in sources if not inside.get(source)]
    if given.forced:
        arguments["forced"] = True
    from orchestrator.executing import answer_digest

    return Asked(arguments=arguments, digests={answer_digest(text): name for name, text in contexts.items()})


class _Reading:
    """Reads sources, together no more than the bound."""

    def __init__(self, stdin: BinaryIO) -> None:
        self._stdin = stdin
        self._left = LARGEST

    def __call__(self, source: str) -> str:
        name = "stdin" if source == STDIN else source
        raw = self._stdin.read(self._left + 1) if source == STDIN else self._file(source)
        if len(raw) > self._left:
            raise OrchestratorError(
                f"{name}: with it, prompt and context are more than 1 MiB; leave it out, or name it in the prompt for "
                "the tool to read"
            )
        self._left -= len(raw)
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            raise OrchestratorError(f"{name}:{line}: not UTF-8; save it as UTF-8, or leave it out") from error
        if "\0" in text:
            raise OrchestratorError(f"{name}: holds a NUL and is no text; leave it out")
        return text.removeprefix("\N{BOM}")

    def _file(self, source: str) -> bytes:
        path = Path(source)
        try:
            if not path.is_file():  # a folder; and a pipe with no writer would wait for ever
                what = "is a folder" if path.is_dir() else "is no file" if path.exists() else "there is no such file"
                raise UsageError(f"{source}: {what}; name a file that can be read (a prompt goes to --prompt TEXT)")
            with path.open("rb") as file:
                return file.read(self._left + 1)
        except OSError as error:
            raise UsageError(f"{source}: {error.strerror}; name a file that can be read") from error


def _inside(source: str, root: Path) -> str:
    """The path within the repository; empty where it is not in it."""
    real = os.path.realpath(source)
    top = os.path.realpath(root)
    return Path(os.path.relpath(real, top)).as_posix() if real.startswith(top + os.sep) else ""


def _plain_name(source: str) -> str:
    return "stdin" if source == STDIN else Path(source).name  # where a person keeps files is nobody's business


def _whole(prompt: str, contexts: Mapping[str, str]) -> str:
    parts = [prompt.rstrip("\n")]
    for source, text in contexts.items():
        fence = "`" * max(3, _longest_run(text) + 1)
        name = " ".join(_plain_name(source).split())
        parts.append(f"## Context: {name}\n\n{fence}\n{text.rstrip(chr(10))}\n{fence}")
    return "\n\n".join(parts) + "\n"


def _longest_run(text: str) -> int:
    longest = run = 0
    for character in text if "```" in text else "":
        run = run + 1 if character == "`" else 0
        longest = max(longest, run)
    return longest


def _title(prompt: str) -> str:
    lines = (line.strip(" #\t") for line in prompt.splitlines())
    return next((line for line in lines if line), "")[:120]
