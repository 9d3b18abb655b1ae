"""What stands around a task: where its dependencies are, which tests touch its files, what a missing name meant."""

import difflib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from orchestrator.brief import task_reading
from orchestrator.brief.workspace import Kind, Workspace
from orchestrator.core import layout
from orchestrator.errors import OrchestratorError

_MOST_FOLDERS = 5_000
_MOST_DEPENDENCIES = 100
_MOST_TESTS = 20
_CODE = {".py", ".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".tsx", ".go", ".rs", ".java", ".sh", ".rb", ".c", ".cpp"}
_TOO_COMMON = {"__init__", "__main__", "index", "main", "mod", "lib", "conftest", "setup", "test", "tests", "types"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """A task that this one names, and how far it is."""

    task_id: str
    state: str  # a status, or words that say why there is none
    path: str = ""  # relative to the work folder


def dependencies(work: Path, ids: Iterable[str]) -> tuple[Dependency, ...]:
    """The tasks of these ids, looked for by file name in the collaboration folders; in the order given, each once."""
    folders = tuple(_folders(work))
    return tuple(_dependency(work, folders, task_id) for task_id in [*dict.fromkeys(ids)][:_MOST_DEPENDENCIES])


def _folders(work: Path) -> Iterator[str]:
    """The collaboration folders three levels deep, relative to `work`: agents, days, months. No link is followed."""
    waiting = [layout.COLLABORATION]
    for _ in range(_MOST_FOLDERS):
        if not waiting:
            return
        folder = waiting.pop(0)
        yield folder
        if folder.count("/") >= 3:
            continue
        try:
            with os.scandir(work / folder) as entries:
                below = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
        except OSError:
            continue
        waiting += [f"{folder}/{name}" for name in below]


def _dependency(work: Path, folders: Sequence[str], task_id: str) -> Dependency:
    for folder in folders:
        for suffix in layout.TASK_SUFFIXES:
            path = f"{folder}/{task_id}{suffix}"
            if (work / path).is_file() and not (work / path).is_symlink():
                return Dependency(task_id=task_id, state=_state(work / path, folder), path=path)
    return Dependency(task_id=task_id, state="not found")


def _state(path: Path, folder: str) -> str:
    inside = folder.removeprefix(f"{layout.COLLABORATION}/").partition("/")[0]
    try:
        status = task_reading.read(path).status
    except OrchestratorError:
        return f"in {inside}/, and cannot be read as a task"
    return f"{status}, in {inside}/"


def related_tests(workspace: Workspace, paths: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Tests of the referenced modules, each with why: by its name first, then those whose text mentions one."""
    stems = sorted({stem for path in paths if (stem := _module(path))})
    if not stems:
        return ()
    tests = [name for name in workspace.names if _is_test(name)]
    by_name = {name: f"named after {stem}" for stem in stems for name in tests if stem in _words_of(name)}
    word = re.compile(rf"\b({'|'.join(map(re.escape, stems))})\b")
    by_text: dict[str, str] = {}
    for name in tests:
        if len(by_name) + len(by_text) >= _MOST_TESTS:
            break
        if name in by_name:
            continue
        found = workspace.look_up(name)
        if found.kind is Kind.UNREAD:
            break
        if (mention := word.search(found.text)) is not None:
            by_text[name] = f"mentions {mention[1]}"
    return (*sorted(by_name.items()), *sorted(by_text.items()))[:_MOST_TESTS]


def nearest(workspace: Workspace, path: str) -> str:
    """The existing file that a missing path most likely meant, or empty: the same name elsewhere, or a close one."""
    name = PurePosixPath(path).name
    same = [other for other in workspace.names if PurePosixPath(other).name == name]
    if same:
        return max(same, key=lambda other: (_shared(other, path), -len(other)))
    folder = path.rpartition("/")[0]
    beside = {PurePosixPath(other).name: other for other in workspace.names if other.rpartition("/")[0] == folder}
    close = difflib.get_close_matches(name, beside, n=1, cutoff=0.7)
    return beside[close[0]] if close else ""


def _shared(one: str, other: str) -> int:
    return len(set(one.split("/")) & set(other.split("/")))


def _module(path: str) -> str:
    name = PurePosixPath(path)
    if name.suffix.lower() not in _CODE or _is_test(path) or len(name.stem) < 3 or name.stem in _TOO_COMMON:
        return ""
    return name.stem


def _is_test(path: str) -> bool:
    name = PurePosixPath(path)
    if name.suffix.lower() not in _CODE or path.startswith(f"work/{layout.COLLABORATION}"):
        return False
    stem = name.stem
    return stem.startswith("test_") or stem.endswith(("_test", ".test", ".spec", "Test", "Tests", "_spec"))


def _words_of(path: str) -> str:
    return PurePosixPath(path).stem
