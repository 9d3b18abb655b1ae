"""What a model API is asked and what it answers, the same for every dialect of HTTP."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from orchestrator.conformance.script import Act, Call, Say, Script, Shell, Turn, Write, holds_directive, read_script
from orchestrator.core.types import Tokens

_PIECE = 1 << 16  # characters of text in one event of a stream
_FOLDER = re.compile(r"(?:Primary working directory: |<cwd>|workspace directory: )([^<\n]+)")
_SHELLS = ("Bash", "bash", "exec_command", "shell", "local_shell", "run_shell_command", "shell_command")
_COMMANDS = ("command", "cmd")
_WRITERS = ("Write", "write", "write_file", "create")
_PATHS = ("file_path", "filePath", "path")
_CONTENTS = ("content", "file_text")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """A tool that the request offers to the model."""

    name: str
    schema: Mapping[str, object]  # of its arguments; empty where it takes plain text
    is_code: bool = False  # it takes a program, from which the other tools are called


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request for an answer."""

    model: str
    streams: bool
    said: Sequence[str | None]  # in order: a text of the user, or None for an answer of the model
    tools: tuple[Offered, ...] = ()
    folder: str = ""  # where the program works, if it says so: paths are taken from there

    @property
    def prompt(self) -> str:
        """The last text of the user that holds a directive, else the last one."""
        texts = [text for text in self.said if text is not None]
        return next((text for text in reversed(texts) if holds_directive(text)), texts[-1] if texts else "")

    @property
    def answered(self) -> int:
        """How often the model has answered since the prompt."""
        count = 0
        for text in reversed(self.said):
            if text is None:
                count += 1
            elif text == self.prompt:
                break
        return count

    def turn(self) -> Turn:
        """What the prompt's script says for now."""
        prompt = self.prompt
        script = read_script(prompt) if holds_directive(prompt) else Script(turns=())
        return script.turn(self.answered)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the model answers: words, or the call of a tool."""

    model: str
    number: int  # of the request: ids are made of it
    act: Say | Call
    tokens: Tokens

    def pieces(self) -> Iterator[str]:
        """Its words, a bounded piece at a time."""
        if isinstance(self.act, Call):
            return
        text, left = self.act.text, self.act.size or len(self.act.text)
        block = (text * (_PIECE // max(1, len(text)) + 1))[:_PIECE] if self.act.size else ""
        for start in range(0, left, _PIECE):
            length = min(_PIECE, left - start)
            yield block[:length] if self.act.size else text[start : start + length]

    @property
    def words(self) -> str:
        """All of its words."""
        return "".join(self.pieces())


class Dialect(Protocol):
    """One model API over HTTP."""

    def read(self, body: Mapping[str, object]) -> Asked:
        """What a request asks."""

    def whole(self, answer: Answer) -> Mapping[str, object]:
        """The answer as one JSON object."""

    def stream(self, answer: Answer) -> Iterator[bytes]:
        """The answer as server-sent events, one at a time."""

    def failure(self, status: int, message: str) -> Mapping[str, object]:
        """The body of a request that failed."""


def answer_to(asked: Asked, act: Act, tokens: Tokens, number: int) -> Answer:
    """The answer in which an act becomes a call of a tool that the request offers."""
    return Answer(model=asked.model, number=number, act=_done(asked, act), tokens=tokens)


def folder_in(text: str) -> str:
    """The folder that a program says it works in, somewhere in its instructions."""
    found = _FOLDER.search(text)
    return found[1].strip() if found else ""


def event(data: Mapping[str, object], name: str = "") -> bytes:
    """A server-sent event."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


# --- JSON from outside, looked at with care ---


def mapping(value: object) -> Mapping[str, object]:
    """The object, or an empty one."""
    return value if isinstance(value, dict) else {}


def objects(value: object) -> list[Mapping[str, object]]:
    """The objects of a list; those of anything else: none."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def texts(content: object, kinds: Sequence[str] = ("text", "input_text", "output_text")) -> str:
    """The words of a message: a string, or blocks of which some are text."""
    if isinstance(content, str):
        return content
    found = (block.get("text") for block in objects(content) if block.get("type") in kinds)
    return "\n".join(text for text in found if isinstance(text, str))


# --- acts and the tools that are offered ---


def _done(asked: Asked, act: Act) -> Say | Call:
    match act:
        case Shell():
            return _shell(asked, act.command)
        case Write():
            return _write(asked, act)
        case Say() | Call():
            return act


def _shell(asked: Asked, command: str) -> Say | Call:
    tool = _first(asked.tools, _SHELLS)
    if tool is None:
        coding = next((offered for offered in asked.tools if offered.is_code), None)
        return _in_code(coding, command) if coding else _nothing_offered(asked, "runs a command")
    wanted = _properties(tool)
    key = next((name for name in _COMMANDS if name in wanted), "command")
    listed = mapping(wanted.get(key)).get("type") == "array"
    value: object = ["bash", "-c", command] if listed else command
    more: dict[str, object] = {"yield_time_ms": 30000} if "yield_time_ms" in wanted else {}
    return Call(name=tool.name, arguments=_filled(tool, {key: value, **more}))


def _in_code(tool: Offered, command: str) -> Call:
    """A program that runs the command (Codex's code mode, which its own models get instead of tools)."""
    arguments = json.dumps({"cmd": command, "yield_time_ms": 30000})
    source = f"const ran = await tools.exec_command({arguments});\ntext(ran.output);\n"
    return Call(name=tool.name, arguments={}, source=f'// @exec: {{"yield_time_ms": 120000}}\n{source}')


def _write(asked: Asked, act: Write) -> Say | Call:
    path = act.path if act.path.startswith("/") or not asked.folder else f"{asked.folder.rstrip('/')}/{act.path}"
    tool = _first(asked.tools, _WRITERS)
    if tool is not None:
        wanted = _properties(tool)
        where = next((name for name in _PATHS if name in wanted), "path")
        what = next((name for name in _CONTENTS if name in wanted), "content")
        return Call(name=tool.name, arguments=_filled(tool, {where: path, what: act.content}))
    return _shell(asked, f"printf '%s' {_quoted(act.content)} > {_quoted(act.path)}")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _first(tools: Sequence[Offered], names: Sequence[str]) -> Offered | None:
    by_name = {tool.name: tool for tool in tools}
    return next((by_name[name] for name in names if name in by_name), None)


def _properties(tool: Offered) -> Mapping[str, object]:
    return mapping(tool.schema.get("properties"))


def _filled(tool: Offered, arguments: Mapping[str, object]) -> Mapping[str, object]:
    """The arguments, with a word for each other string that the tool insists on, such as a description."""
    required = tool.schema.get("required")
    wanted = _properties(tool)
    more = {
        name: "stub"
        for name in (required if isinstance(required, list) else [])
        if name not in arguments and mapping(wanted.get(name)).get("type") == "string"
    }
    return {**arguments, **more}


def _nothing_offered(asked: Asked, what: str) -> Say:
    names = ", ".join(tool.name for tool in asked.tools) or "none"
    return Say(text=f"stub-error: no tool that {what} is offered; offered: {names}")
