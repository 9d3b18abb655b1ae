"""Which files are ours, told to the hooks in a form that sh can read: for these alone they start Python.

Two files in the state folder: `hook-paths`, git's own patterns, one a line, for a commit; `hook-refs`, a branch and a
pattern a line, for a push. They are made anew whenever a check runs, and a change of the configuration makes one run.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from orchestrator.adapters.place import Place
from orchestrator.core import layout
from orchestrator.core.settings import IntakeSettings, Settings, TrailMode

PATHS = "hook-paths"
REFS = "hook-refs"
_EVERYWHERE = frozenset({"", ".", "./", "/"})
_MOST_PROFILES = 20  # one pattern each; more of them are found by how they end
_ALL_PROFILES = ":(top,glob)**/*.agent.md"


def of_commit(place: Place, settings: Settings | None) -> tuple[str, ...]:
    """The pathspecs of what a commit here may hold of ours. Without settings: of what needs none to be known."""
    config = place.config.name
    found = [_literal(f"{config}/{name}") for name in layout.CONFIG_FILES]
    found.append(_literal(f"{place.work.name}/{layout.COLLABORATION}"))
    if settings is not None:
        if settings.trail.mode is TrailMode.OWN:
            found.append(_literal(layout.COLLABORATION))  # the work folder is a checkout of its own
        found += _intake(settings.intake)
        found += _profiles(settings)
    return tuple(dict.fromkeys(found))


def of_refs(settings: Settings | None) -> tuple[tuple[str, str], ...]:
    """The refs from which tasks are taken, each with a pathspec of where they lie."""
    if settings is None:
        return ()
    found = []
    if settings.intake.branch:
        found += [(_full(settings.intake.branch), spec) for spec in _intake(settings.intake)]
    if settings.trail.mode is TrailMode.OWN:
        found.append((_full(settings.trail.branch), _literal(layout.COLLABORATION)))
    return tuple(found)


def keep(place: Place, settings: Settings | None) -> None:
    """Writes both; where the configuration cannot be read, what they said stays, and counts as looked at."""
    paths, refs = place.state / PATHS, place.state / REFS
    if settings is None and paths.exists():
        with suppress(OSError):
            os.utime(paths)
            os.utime(refs)
        return
    _write(paths, "".join(f"{spec}\n" for spec in of_commit(place, settings)))
    _write(refs, "".join(f"{ref} {spec}\n" for ref, spec in of_refs(settings)))


def kept(place: Place) -> tuple[str, ...]:
    """The pathspecs of a commit as they were when the configuration could be read last."""
    try:
        text = (place.state / PATHS).read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        text = ""
    return tuple(text.splitlines()) or of_commit(place, None)


def kept_intake(place: Place) -> IntakeSettings:
    """Where committed tasks were taken from then, as far as the patterns tell."""
    always = {*of_commit(place, None), _literal(layout.COLLABORATION)}
    found = [spec for spec in kept(place) if spec not in always and not spec.endswith(".md")]
    folders = [spec.removeprefix(_literal("")) if spec.startswith(_literal("")) else "." for spec in found]
    return IntakeSettings(branch="HEAD", paths=tuple(folders))


def is_intake(path: str, intake: IntakeSettings) -> bool:
    """Whether a file lies where committed tasks are taken from, and is named like one."""
    return bool(intake.branch and layout.is_task_name(path.rpartition("/")[2])) and any(
        folder in _EVERYWHERE or path.startswith(folder.removeprefix("./").rstrip("/") + "/") for folder in intake.paths
    )


def _intake(intake: IntakeSettings) -> Iterator[str]:
    for folder in intake.paths if intake.branch else ():
        if folder in _EVERYWHERE:
            yield from (f":(top,glob)**/*{suffix}" for suffix in layout.TASK_SUFFIXES)
        elif "\n" not in folder:
            yield _literal(folder.removeprefix("./").rstrip("/"))


def _profiles(settings: Settings) -> Iterator[str]:
    named = sorted({agent.profile for agent in settings.agents.values() if agent.profile})
    if len(named) > _MOST_PROFILES and all(profile.endswith(".agent.md") for profile in named):
        yield _ALL_PROFILES
        return
    yield from (_literal(profile.removeprefix("./")) for profile in named if "\n" not in profile)


def _literal(path: str) -> str:
    return f":(top,literal){path}"


def _full(branch: str) -> str:
    return branch if branch.startswith("refs/") else f"refs/heads/{branch}"


def _write(file: Path, text: str) -> None:
    """Whole or not at all, and not synced: it can always be made again."""
    beside = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    beside.write_text(text, encoding="utf-8", errors="surrogateescape")
    beside.replace(file)
