"""What the hooks check: the configuration and the task files of a commit or a push, by what git is about to keep.

Imports stand where they are needed: a commit waits for this, and what reads configuration takes 50 ms to load.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.core.problem import Problem
from orchestrator.errors import ConfigRefusedError

if TYPE_CHECKING:
    from orchestrator.adapters.place import Place
    from orchestrator.core.redaction import Redactor
    from orchestrator.core.settings import IntakeSettings, Settings
    from orchestrator.taskfile.vetting import Candidate

LARGEST = 1 << 20  # bytes of a task file


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a check found. Problems stop the commit or the push, notes do not."""

    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    advice: str = ""  # the last line: how to go on


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One file to be looked at."""

    path: str  # from the top of the tree
    raw: bytes | None  # None: larger than a task file may be
    is_file: bool = True  # else a link or a submodule
    before: bytes | None = None  # its former version
    before_path: str = ""  # where that lay; empty: there too
    label: str = ""  # in front of the path, as it is shown: `main:`

    @property
    def shown(self) -> str:
        """The path for people, on one line."""
        named = self.path if self.path.isprintable() else self.path.encode("unicode_escape").decode()
        return f"{self.label}{named}"


def settings_in_force(place: "Place") -> "tuple[Settings | None, str]":
    """The configuration as a daemon would read it; or None, and what that means for the check ('': there is none)."""
    from orchestrator.wiring.configuring import read_settings

    if not place.config.is_dir():
        return None, ""
    try:
        return read_settings(place), ""
    except ConfigRefusedError:
        return None, "the configuration is refused, so nothing was checked against it: orchestrator config validate"


def task_problems(
    tasks: "Iterable[tuple[Given, Candidate]]", settings: "Settings | None", environ: Mapping[str, str]
) -> tuple[Problem, ...]:
    """What is wrong with these, and the secrets in them."""
    known = redactor(settings, environ)
    found: list[Problem] = []
    for given, candidate in tasks:
        found += file_problems(given, candidate, settings)
        found += secrets_in(given, known)
    return tuple(found)


def tasks_among(files: Sequence[Given], intake: "IntakeSettings", inside: str) -> "Iterator[tuple[Given, Candidate]]":
    """Those that are to be tasks. `inside`: what the work folder is called in their tree, with / at its end."""
    for given in files:
        if (candidate := candidate_of(given, intake, inside)) is not None:
            yield given, candidate


def candidate_of(given: Given, intake: "IntakeSettings", inside: str) -> "Candidate | None":
    """The task that a file is to be, by where it lies; None where no task lies."""
    from orchestrator.taskfile.vetting import Candidate, candidate_at

    raw = given.raw or b""
    if given.path.startswith(inside):
        before_path = given.before_path.removeprefix(inside) if given.before_path else ""
        path = given.path.removeprefix(inside)
        found = candidate_at(path, raw, shown=given.shown, before=given.before, before_path=before_path)
        if found is not None:
            return found
    from orchestrator.adapters.hooks_paths import is_intake

    if is_intake(given.path, intake):
        return Candidate(path=given.shown, raw=raw, folder=None, name=given.path.rpartition("/")[2])
    return None


def file_problems(given: Given, candidate: "Candidate", settings: "Settings | None") -> Sequence[Problem]:
    """What is wrong with one."""
    from orchestrator.taskfile.vetting import vet

    if not given.is_file:
        message = "is a link or a submodule, and is never followed"
        return [Problem(path=given.shown, message=message, hint="commit the task as a plain file")]
    if given.raw is None:
        message = f"is larger than a task file may be ({LARGEST} bytes)"
        return [
            Problem(path=given.shown, message=message, hint="put the long part into a file, and name it in context")
        ]
    return vet(candidate, settings)


def redactor(settings: "Settings | None", environ: Mapping[str, str]) -> "Redactor":
    """Knows what tools are given as secrets, where that is known, and what has the look of one."""
    from orchestrator.core.redaction import Redactor, passed_secrets

    values: dict[str, str] = {}
    for tool in settings.tools.values() if settings is not None else ():
        passed = {name: environ[name] for name in tool.env_pass if name in environ}
        values |= passed_secrets({**passed, **tool.env}, ("HOME", "PATH", "LANG"))
    return Redactor(values)


def secrets_in(given: Given, known: "Redactor") -> list[Problem]:
    """One problem for each secret; the line is shown without it."""
    if not given.raw:
        return []
    text = given.raw.decode(errors="replace").removeprefix("\ufeff")
    found = []
    for secret in known.found(text):
        start = text.rfind("\n", 0, secret.start) + 1
        end = text.find("\n", secret.start)
        line = text[start : end if end >= 0 else len(text)].rstrip("\r")
        column = secret.start - start + 1
        length = min(secret.end, start + len(line)) - secret.start
        masked = line[: column - 1] + "*" * length + line[column - 1 + length :]
        found.append(
            Problem(
                path=given.shown,
                line=text.count("\n", 0, start) + 1,
                column=column,
                length=length,
                source=masked,
                message=f"holds what looks like a secret ({secret.kind})",
                hint="take it out: tools get secrets through `env` in config/tools.yaml; revoke one that was pushed",
            )
        )
    return found


def work_prefix(place: "Place", top: str) -> str:
    """What the work folder is called in the tree of the checkout at `top`; '' where it is that checkout itself."""
    return "" if os.path.realpath(top) == os.path.realpath(place.work) else f"{place.work.name}/"
