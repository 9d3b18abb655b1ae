"""Whether the keys of one tool fit together: its command, its placeholders, its binary and its environment."""

from collections.abc import Sequence

from orchestrator.config.environment import unreadable_variable
from orchestrator.config.fields import nearest, shown
from orchestrator.config.placeholders import PLACEHOLDERS
from orchestrator.config.schema import (
    ToolEntry,
)
from orchestrator.config.sheet import Sheet
from orchestrator.config.wording import Finding, Step
from orchestrator.core.arguments import placeholders

_CARRIES = {"argument": "prompt", "file": "prompt_file"}


def check_tool(sheet: Sheet, name: str, tool: ToolEntry) -> None:
    """Note every problem of this kind on the sheet of the tools."""
    at = ("tools", name)
    if _whole(sheet, at, "binary", "platforms", "command"):
        _binary(sheet, at, tool)
    if _whole(sheet, at, "command", "options"):
        _placeholders(sheet, at, tool)
    if _whole(sheet, at, "command", "prompt"):
        _prompt(sheet, at, tool)
        if tool.prompt == "argument":
            _dashes(sheet, at, tool)
    if _whole(sheet, at, "version_command", "binary", "platforms"):
        _version(sheet, at, tool)
    if _whole(sheet, at, "output"):
        _tokens(sheet, at, tool)
    _environment(sheet, at, tool)
    for option in tool.options:
        if option in PLACEHOLDERS:
            message = f"{{{option}}} is filled in by the program"
            sheet.refuse(Finding(at=(*at, "options", option), message=message, hint="choose another name", at_key=True))


def _whole(sheet: Sheet, at: tuple[Step, ...], *keys: str) -> bool:
    return all(sheet.is_whole(*at, key) for key in keys)


def _binary(sheet: Sheet, at: tuple[Step, ...], tool: ToolEntry) -> None:
    named: dict[tuple[Step, ...], str] = {("binary",): tool.binary or ""}
    for system, path in tool.platforms.model_dump(exclude_none=True).items():
        named["platforms", system] = path
    for key, path in named.items():
        if path and not _is_findable(path):
            message = f"{shown(path)} is neither a name on PATH nor an absolute path"
            sheet.refuse(Finding(at=(*at, *key), message=message, hint="use e.g. claude, or /usr/local/bin/claude"))
    first = tool.command[0] if tool.command else "{binary}"
    if not any(named.values()) and ("binary" in placeholders(first) or not _is_findable(first)):
        hint = "add e.g. `binary: claude`: a name on PATH or an absolute path"
        sheet.refuse(Finding(at=at, message='"binary" is missing', hint=hint, at_key=True))


def _is_findable(path: str) -> bool:
    """A relative path would mean another program in each workspace, and a task could bring its own."""
    windows = len(path) > 2 and path[0].isalpha() and path[1] == ":" and path[2] in "/\\"
    bare = "/" not in path and "\\" not in path and not path.startswith(("-", "~"))
    return path == "{python}" or path.startswith("/") or windows or (bare and not placeholders(path))


def _placeholders(sheet: Sheet, at: tuple[Step, ...], tool: ToolEntry) -> None:
    _known_only(sheet, (*at, "command"), tool.command or (), (*PLACEHOLDERS, *tool.options))


def _known_only(sheet: Sheet, at: tuple[Step, ...], command: Sequence[str], known: tuple[str, ...]) -> None:
    for index, element in enumerate(command):
        place = (*at, index)
        if "${" in element:
            hint = "variables are filled in under `env` only; for a value of your own use `options`"
            sheet.refuse(Finding(at=place, message=f"{shown(element)} holds a variable", hint=hint))
            continue
        for name in placeholders(element):
            if name not in known:
                near = nearest(name, known)
                hint = f"did you mean {{{near}}}?" if near else f"known: {', '.join(known)}"
                sheet.refuse(Finding(at=place, message=f"unknown placeholder {{{name}}}", hint=hint))


def _version(sheet: Sheet, at: tuple[Step, ...], tool: ToolEntry) -> None:
    """It runs outside any task: what only a task has has no value there."""
    command = tool.version_command
    if not command:
        return
    _known_only(sheet, (*at, "version_command"), command, ("binary", "python", *tool.options))
    if command[0] != "{binary}" and not _is_findable(command[0]):
        message = f"{shown(command[0])} is neither a name on PATH nor an absolute path"
        hint = 'use e.g. ["{binary}", "--version"]'
        sheet.refuse(Finding(at=(*at, "version_command", 0), message=message, hint=hint))


def _tokens(sheet: Sheet, at: tuple[Step, ...], tool: ToolEntry) -> None:
    """`tokens_input` is the older spelling of `tokens: {input: ...}`."""
    for counter in type(tool.output.tokens).model_fields:
        older = f"tokens_{counter}"
        if getattr(tool.output.tokens, counter) and getattr(tool.output, older):
            message = f"{older} and tokens.{counter} say the same thing twice"
            sheet.refuse(
                Finding(at=(*at, "output", older), message=message, hint=f"keep tokens.{counter}", at_key=True)
            )


def _prompt(sheet: Sheet, at: tuple[Step, ...], tool: ToolEntry) -> None:
    """The prompt must arrive, and by one way."""
    used = {name for element in tool.command or () for name in placeholders(element)}
    wanted = _CARRIES.get(tool.prompt)
    if wanted and wanted not in used:
        message = f"prompt: {tool.prompt}, but no element of the command holds {{{wanted}}}"
        sheet.refuse(Finding(at=(*at, "prompt"), message=message, hint=f'add "{{{wanted}}}" to the command'))
    for way, name in _CARRIES.items():
        if name in used and name != wanted:
            message = f"the command holds {{{name}}}, but the prompt goes by {tool.prompt}"
            sheet.refuse(Finding(at=(*at, "command"), message=message, hint=f"write `prompt: {way}`", at_key=True))


def _dashes(sheet: Sheet, at: tuple[Step, ...], tool: ToolEntry) -> None:
    """A prompt that begins with a dash, which is any list in Markdown, must not be read as an option."""
    before = ""
    for index, element in enumerate(tool.command or ()):
        if element.startswith("{prompt}") and not before.startswith("-"):
            message = "a prompt that begins with - would be read as an option here"
            hint = 'put "--" before it, or write it as one element with its flag, e.g. "--prompt={prompt}"'
            sheet.refuse(Finding(at=(*at, "command", index), message=message, hint=hint))
        if element == "--":
            return
        before = element


def _environment(sheet: Sheet, at: tuple[Step, ...], tool: ToolEntry) -> None:
    for variable, value in tool.env.items():
        if unreadable_variable(value):
            message = f"{shown(value)} holds a variable that cannot be read"
            hint = "write ${NAME} or ${NAME:-default}"
            sheet.refuse(Finding(at=(*at, "env", variable), message=message, hint=hint))
    for key, names in (("env", tool.env), ("env_required", tool.env_required), ("env_pass", tool.env_pass)):
        for index, variable in enumerate(names):
            if variable.startswith("ORCHESTRATOR_"):
                place: Step = variable if key == "env" else index
                message = f"{variable} is the program's own"
                sheet.refuse(Finding(at=(*at, key, place), message=message, hint="choose another name", at_key=True))
