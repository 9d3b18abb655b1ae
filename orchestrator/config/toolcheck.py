"""Whether the keys of one tool fit together: its command, its placeholders, its binary and its environment."""

from orchestrator.config.environment import unreadable_variable
from orchestrator.config.fields import nearest, shown
from orchestrator.config.placeholders import PLACEHOLDERS
from orchestrator.config.schema import ToolEntry
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
    known = (*PLACEHOLDERS, *tool.options)
    for index, element in enumerate(tool.command or ()):
        place = (*at, "command", index)
        if "${" in element:
            hint = "variables are filled in under `env` only; for a value of your own use `options`"
            sheet.refuse(Finding(at=place, message=f"{shown(element)} holds a variable", hint=hint))
            continue
        for name in placeholders(element):
            if name not in known:
                near = nearest(name, known)
                hint = f"did you mean {{{near}}}?" if near else f"known: {', '.join(known)}"
                sheet.refuse(Finding(at=place, message=f"unknown placeholder {{{name}}}", hint=hint))


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
