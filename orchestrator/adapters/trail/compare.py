"""Comparing the disk with the branch. Disk is the truth: what differs is what has to be committed."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from orchestrator.adapters.git import Git
from orchestrator.adapters.trail import files
from orchestrator.adapters.trail.ref import AS_IT_IS, worktree
from orchestrator.core.layout import COLLABORATION, LOGS, TELEMETRY
from orchestrator.core.transition import Change

_FEW = 1000  # paths that ls-tree is asked for by name; above that the whole tree is listed at once
_NAMED_AT_ONCE = 200
_SUFFIXES = (".why.md", ".yaml", ".yml", ".jsonl", ".md", ".json", ".log")
_TASK_FOLDERS = (f"{COLLABORATION}/", f"{TELEMETRY}/", f"{LOGS}/")


@dataclass(frozen=True, slots=True)
class Difference:
    """A path where disk and branch differ, and what is on disk."""

    change: Change | None
    note: str = ""  # why it is not to be committed


def task_of(path: str) -> str:
    """The id of the task that a file belongs to, by its name and folder; '' where it belongs to none."""
    if not path.startswith(_TASK_FOLDERS) or path.count("/") < 2:
        return ""
    name = PurePosixPath(path).name
    for suffix in _SUFFIXES:
        if name.endswith(suffix):
            return task_of_rejected(name.removesuffix(suffix))
    return ""


def task_of_rejected(stem: str) -> str:
    """x.yaml.why.md stands beside x.yaml."""
    for suffix in (".yaml", ".yml"):
        stem = stem.removesuffix(suffix)
    return stem


class Comparison:
    """Disk against one branch."""

    def __init__(self, git: Git, work: Path) -> None:
        """`git` runs in the common directory."""
        self._git = git
        self._work = work

    def differences(self, paths: Collection[str], tip: str) -> Iterator[Difference]:
        """Those of `paths` where the disk is not as in `tip`, in that order, each read when it is its turn."""
        ours = [path for path in dict.fromkeys(paths) if files.is_ours(path)]
        if not ours:
            return
        folders = _parents(ours)
        entries = self._entries(ours, tip)
        algorithm = "sha256" if len(tip) == 64 else "sha1"
        modes_count = self._git.call("config", "--type=bool", "core.fileMode").stdout.strip() != b"false"
        for path in ours:
            mode, blob = entries.get(path, ("", ""))
            match files.read(self._work, path):
                case None:
                    if mode and path not in folders:  # a file that became a folder goes by what is in that
                        yield Difference(Change(path=path, content=None))
                case files.Unfit(why):
                    yield Difference(None, f"{path} {why}")
                case files.OnDisk() as found:
                    executable = found.executable if modes_count else mode == "100755"
                    if mode == ("100755" if executable else "100644") and blob == found.blob(algorithm):
                        continue
                    yield Difference(Change(path=path, content=found.content, executable=executable))

    def changed_between(self, old: str, new: str) -> list[str] | None:
        """The paths that differ between two commits ('' is the empty tree); None where the old one is unknown."""
        if old == new:
            return []
        if not old:
            return self._git.zlist("ls-tree", "-r", "-z", "--name-only", "--full-tree", new)
        said = self._git.call("diff-tree", "-r", "-z", "--no-renames", "--name-only", "--end-of-options", old, new)
        if said.returncode:
            return None
        return [path.decode("utf-8", "surrogateescape") for path in said.stdout.split(b"\0") if path]

    def suspects(self, admin: Path, tip: str) -> list[str]:
        """Every path where disk and `tip` may differ. Looks at every file; its times spare most of the reading."""
        import shutil
        import tempfile

        with tempfile.TemporaryDirectory(dir=admin, prefix="compare-") as beside:
            index = Path(beside) / "index"
            git = worktree(admin, self._work, index)
            with suppress(OSError):
                shutil.copy2(admin / "index", index)  # with its time: git tells by it which entries are too fresh
            if not git.succeeds(*AS_IT_IS, "read-tree", "--reset", tip):
                index.unlink(missing_ok=True)  # unreadable: made from nothing
                git.raw(*AS_IT_IS, "read-tree", tip)
            git.call(*AS_IT_IS, "update-index", "-q", "--refresh", seconds=600)
            missing = git.zlist(*AS_IT_IS, "diff-files", "-z", "--name-only", seconds=600)
            others = git.zlist(*AS_IT_IS, "ls-files", "-o", "-z", seconds=600)
        return sorted({*missing, *(path for path in others if not path.endswith("/"))})

    def _entries(self, paths: list[str], tip: str) -> dict[str, tuple[str, str]]:
        """Mode and blob of those paths in the commit."""
        if not tip or not paths:
            return {}
        if len(paths) > _FEW:
            wanted = set(paths)
            return {path: entry for path, entry in self._listed(tip, ()) if path in wanted}
        found: dict[str, tuple[str, str]] = {}
        for start in range(0, len(paths), _NAMED_AT_ONCE):
            found |= self._listed(tip, paths[start : start + _NAMED_AT_ONCE])
        return found

    def _listed(self, tip: str, paths: Iterable[str]) -> Iterable[tuple[str, tuple[str, str]]]:
        literal = Git(self._git.folder, {**self._git.env, "GIT_LITERAL_PATHSPECS": "1"})
        for line in literal.zlist("ls-tree", "-r", "-z", "--full-tree", tip, "--", *paths):
            head, _, path = line.partition("\t")
            mode, kind, blob = head.split(" ")
            if kind == "blob":
                yield path, (mode, blob)


def _parents(paths: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for path in paths:
        parent = path.rpartition("/")[0]
        while parent and parent not in found:
            found.add(parent)
            parent = parent.rpartition("/")[0]
    return found
