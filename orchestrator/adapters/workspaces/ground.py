"""What making, concluding and removing a worktree share: where it is, whose it is, and git on it that runs nothing."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from orchestrator.adapters.git import Git
from orchestrator.adapters.place import Place
from orchestrator.adapters.trail.committer import identity
from orchestrator.adapters.workspaces import entries, filling
from orchestrator.adapters.workspaces.bases import shown
from orchestrator.adapters.workspaces.naming import RECORDS, Names, names_of
from orchestrator.adapters.workspaces.private import open_private, repository
from orchestrator.adapters.workspaces.saving import Branch, Saved, align, parent_of, save
from orchestrator.adapters.workspaces.scan import Found, look, submodules_in_use
from orchestrator.adapters.workspaces.troubles import disk_troubles_raised
from orchestrator.adapters.workspaces.turn import turn
from orchestrator.core.settings import WorkspaceSettings
from orchestrator.core.types import TaskId
from orchestrator.core.workspace import Workspace

MARKER = "orchestrator-task"  # in the entry: the worktree is ours, and was filled
PATH, READY, INDEX, AT = "path", "ready", "index", "at"  # in the record
_OWN = "git"
_NAMED = 5  # reasons in a sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A worktree of ours as it is on disk."""

    names: Names
    entry: Path | None
    branch: Branch


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """One repository, with what was configured for its worktrees."""

    place: Place
    settings: Callable[[], WorkspaceSettings]
    environ: Mapping[str, str]
    told: Callable[[str], None]

    @property
    def common(self) -> Path:
        """The repository's git directory."""
        assert self.place.common_dir is not None
        return self.place.common_dir

    @property
    def real(self) -> Git:
        """Git in the repository itself: refs and the list of worktrees, never files."""
        return repository(self.common)

    @property
    def records(self) -> Path:
        """The folder of what we keep of each worktree."""
        return self.place.state / RECORDS

    @property
    def lock_file(self) -> Path:
        """Held by whoever changes the list of worktrees."""
        return self.records / "lock"

    @contextmanager
    def alone(self, task_id: TaskId) -> Iterator[None]:
        """Nobody else looks after that task's worktree meanwhile: a daemon, a person's command. Not for long.

        One of 256 locks, so that finished tasks leave none behind. A full disk is raised as the OSError that it is.
        """
        lock = self.records / "locks" / f"{crc32(task_id.encode()) % 256:02x}"
        with disk_troubles_raised(str(self.common)), turn(lock, seconds=3600):
            yield

    def names(self, task_id: TaskId) -> Names:
        """Those that a worktree made now has."""
        return names_of(self.place, self.settings(), task_id, self.environ)

    def names_at(self, workspace: Workspace) -> Names:
        """Those of one that was made, wherever that was."""
        record = self.records / workspace.task_id
        record.mkdir(parents=True, exist_ok=True)
        return Names(task_id=workspace.task_id, path=Path(workspace.path), record=record)

    def own(self, names: Names, *, files: bool = True) -> Git:
        """Git with a directory of our own and with the trail's identity; without files, for objects alone."""
        top = names.path if files else None
        own = open_private(self.common, names.record / _OWN, work_tree=top, index=names.record / INDEX)
        name, _, email = identity(self.real).decode(errors="replace").rpartition(" <")
        who = {"NAME": name, "EMAIL": email.rstrip(">")}
        env = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in who.items()}
        return Git(own.folder, {**own.env, **env})

    def hold(self, names: Names, base: str, *, files: bool = True, objects: Git | None = None) -> Held:
        """The worktree as it is now. `objects`: what `own` gave without files, to be used once more."""
        if objects is None:
            own = self.own(names, files=files)
        else:
            own = Git(names.path, {**objects.env, "GIT_WORK_TREE": str(names.path)})
        branch = Branch(real=self.real, own=own, ref=names.ref, base=base, task_id=names.task_id)
        return Held(names=names, entry=entries.entry_of(self.common, names.path), branch=branch)

    def is_ours(self, names: Names, entry: Path | None) -> bool:
        """Whether what lies at the path was made by us."""
        if entry is not None and (entry / MARKER).is_file():
            return True
        try:
            noted = (names.record / PATH).read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            return False
        return noted == str(names.path)

    def look(self, held: Held) -> Found:
        """What lies there and is not committed, compared with the commit that it follows."""
        head = parent_of(held.branch, self.common, held.entry)
        if self._aligned(held) != head:
            align(held.branch.own, head)
            self.note_aligned(held, head)
        return look(
            held.branch.own,
            held.names.path,
            exclude=held.names.record / filling.EXCLUDE,
            leave=filling.copied_into(held.names.record),
            max_file=self.settings().max_file,
        )

    @staticmethod
    def _aligned(held: Held) -> str:
        """The commit whose content our index has; '' where that is not known."""
        try:
            noted = (held.names.record / AT).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        return noted if (held.names.record / INDEX).is_file() else ""

    @staticmethod
    def note_aligned(held: Held, commit: str) -> None:
        """Our index has the content of that commit."""
        (held.names.record / AT).write_text(commit, encoding="utf-8")

    def keep(self, held: Held, message: str) -> tuple[Saved, list[str]]:
        """Commits what lies there; what came of it, and what is left uncommitted."""
        names, branch = held.names, held.branch
        found = self.look(held)
        (names.record / AT).unlink(missing_ok=True)  # from here on the index is ahead of any commit
        saved = save(branch, held.entry, self.common, found, message)
        self.note_aligned(held, saved.commit)
        if held.entry is not None and saved.is_settled:
            entries.connect(held.entry, names.path)
            entries.settle(self.common, held.entry, names.ref, names.record / INDEX)
        left = [f"{shown(path)} {why}" for path, why in sorted(found.refused.items())]
        return saved, left + self.submodules(held)

    @staticmethod
    def submodules(held: Held) -> list[str]:
        """Submodules whose content nobody can vouch for."""
        return [f"{shown(path)} is a submodule in use" for path in submodules_in_use(held.branch.own, held.names.path)]


def phrase(reasons: Sequence[str]) -> str:
    """The first few."""
    more = f", and {len(reasons) - _NAMED} more" if len(reasons) > _NAMED else ""
    return "; ".join(reasons[:_NAMED]) + more
