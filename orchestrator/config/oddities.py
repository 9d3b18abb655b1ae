"""What a configuration says and nobody can have wanted: it is used all the same, and `config validate` warns.

Another machine or the next commit may make each of these right, so none keeps a daemon from starting.
"""

import copy
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from orchestrator.config.book import Book
from orchestrator.config.oddities_limits import odd_limits
from orchestrator.config.oddities_names import odd_names
from orchestrator.config.oddities_use import unused
from orchestrator.config.schema import ProviderEntry, ToolEntry
from orchestrator.config.sheet import Sheet
from orchestrator.config.wording import Finding, Step
from orchestrator.core.environment import expand
from orchestrator.core.problem import Problem

if TYPE_CHECKING:
    from orchestrator.taskfile.profile import Profile


def oddities(
    book: Book,
    *,
    profiles: "Mapping[str, Profile]",
    providers: Mapping[str, ProviderEntry],
    environ: Mapping[str, str],
) -> list[Problem]:
    """Every warning there is. Where there are problems, only those that a misspelt name cannot have led to."""
    found = [fault for profile in profiles.values() for fault in profile.faults]
    wanting = _margin(book.tools_sheet)
    for name, tool in book.tools.items():
        _environment(wanting, name, tool, environ)
    found += wanting.problems
    if not any(sheet.problems for sheet in book.sheets):
        found += _odd(book, profiles, providers)
    return list(dict.fromkeys(found))


def _odd(book: Book, profiles: "Mapping[str, Profile]", providers: Mapping[str, ProviderEntry]) -> Iterator[Problem]:
    """Of the project's own files: the user's has tools for other projects too."""
    agents, tools, models, policies = (_margin(sheet) for sheet in book.sheets)
    for finding in odd_names(book, profiles):
        agents.refuse(finding)
    for finding in odd_limits(book):
        policies.refuse(finding)
    for section, finding in unused(book, providers):
        {"agents": agents, "tools": tools, "models": models}.get(section, policies).refuse(finding)
    for sheet in (agents, tools, models, policies):
        yield from (problem for problem in sheet.problems if problem.path == sheet.path)


def _margin(sheet: Sheet) -> Sheet:
    """The same file, with room for remarks of its own."""
    beside = copy.copy(sheet)
    beside.problems = []
    return beside


def _environment(sheet: Sheet, name: str, tool: ToolEntry, environ: Mapping[str, str]) -> None:
    """The variables that the tool wants and this machine lacks."""
    at: tuple[Step, ...] = ("tools", name)
    hint = "set it where the daemon runs"
    for variable, value in tool.env.items():
        for missing in expand(value, environ).missing:
            message = f"{missing} is not set here; without it the tool {name} is not available"
            finding = Finding(
                at=(*at, "env", variable), message=message, hint=f"{hint}, or write ${{{missing}:-default}}"
            )
            sheet.refuse(finding)
    for index, variable in enumerate(tool.env_required):
        if variable not in tool.env and not environ.get(variable):
            message = f"{variable} is not set here; without it the tool {name} is not available"
            sheet.refuse(Finding(at=(*at, "env_required", index), message=message, hint=hint))
