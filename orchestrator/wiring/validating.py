"""`config validate`: everything that is wrong with the configuration, what is only odd, and what was looked at.

The cache of settings is never asked: it answers what the files mean, and here it is asked what is wrong with them.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from orchestrator.adapters.place import Place
from orchestrator.core.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Validated:
    """What was found. It is good where there are no problems; warnings leave it good."""

    problems: tuple[Problem, ...] = ()  # by file, line and column
    warnings: tuple[Problem, ...] = ()  # likewise
    counts: Mapping[str, int] = field(default_factory=dict)  # of what was looked at: files, agents, tools, ...

    @property
    def is_good(self) -> bool:
        """Whether a daemon would start on it."""
        return not self.problems


def validate(place: Place, *, instead: Mapping[str, bytes] | None = None) -> Validated:
    """Read and check all of it; `instead` has, by file name, contents that are read instead of what is on disk.

    Variables that are not set here are warnings and no problems: the daemon may run with others, on another machine.
    """
    from orchestrator.config.oddities import oddities
    from orchestrator.wiring.configuring import examined

    read = examined(place, instead)
    book = read.book
    warnings = oddities(book, profiles=read.profiles, providers=read.providers, environ=os.environ)
    counts = {
        "files": sum(sheet.document is not None for sheet in book.sheets),
        "agents": len(book.agents_sheet.names("agents")),
        "tools": len(book.tools_sheet.names("tools")),
        "models": len(book.models_sheet.names("models")),
        "policies": len(book.policies_sheet.names("policies")),
        "checks": len(book.policies_sheet.names("checks")),
        "profiles": len({profile.path for profile in read.profiles.values()}),
    }
    return Validated(problems=_sorted(read.problems), warnings=_sorted(warnings), counts=counts)


def _sorted(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Each once: two agents may name one profile."""
    return tuple(sorted(dict.fromkeys(problems), key=lambda problem: (problem.path, problem.line, problem.column)))
