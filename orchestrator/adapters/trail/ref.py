"""Reading one branch cheaply: its loose file where there is one, git where not (packed, symbolic, reftable)."""

from dataclasses import dataclass
from pathlib import Path

from orchestrator.adapters.git import Git

_LENGTHS = frozenset({40, 64})  # SHA-1 and SHA-256


@dataclass(frozen=True, slots=True)
class Ref:
    """A full ref name in one repository. `git` runs in its common directory."""

    git: Git
    name: str

    @property
    def path(self) -> Path:
        """Where its loose file is, in repositories that keep refs as files."""
        return self.git.folder / self.name

    def tip(self) -> str:
        """The commit, or '' where the branch does not exist."""
        try:
            text = self.path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            return self.git.tip(self.name)
        return text if len(text) in _LENGTHS and not text.startswith("ref:") else self.git.tip(self.name)


def repository(common: Path) -> Git:
    """Git in the repository itself, whatever checkout and configuration of places is around it."""
    return Git(common, {"GIT_DIR": str(common)})


def worktree(admin: Path, work: Path, index: Path | None = None) -> Git:
    """Git on one linked worktree, found by its own git directory: works where the folder's `.git` file is gone.

    Files are taken as they are: no conversion of line ends, no filter from anybody's configuration.
    """
    env = {"GIT_DIR": str(admin), "GIT_WORK_TREE": str(work), "GIT_LITERAL_PATHSPECS": "1"}
    if index is not None:
        env["GIT_INDEX_FILE"] = str(index)
    return Git(work, env)


AS_IT_IS = (
    "-c", "core.autocrlf=false",
    "-c", "core.safecrlf=false",
    "-c", "core.attributesFile=/dev/null",
    "-c", "core.splitIndex=false",
    "-c", "core.fsync=none",  # an index and a restored file can be made again
)  # fmt: skip
