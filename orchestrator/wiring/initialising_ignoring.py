"""Which lines `init` adds to .gitignore: only those that are needed, and only where git does not ignore it already."""

from collections.abc import Sequence

from orchestrator.adapters.git import Git
from orchestrator.adapters.place import Place
from orchestrator.core.settings import TrailMode
from orchestrator.errors import OrchestratorError
from orchestrator.wiring.initialising_writing import NewFile

NAME = ".gitignore"
_HEAD = "# of the orchestrator"


def ignore_file(place: Place, mode: TrailMode, backups: Sequence[str]) -> NewFile | None:
    """The whole file with the lines that it lacks; None where nothing is lacking, or there is no checkout.

    In own mode work/ is hidden by .git/info/exclude, and in tracked mode it is to be seen. Without commits it would
    show up as new for ever; and so would the backups of configuration files.
    """
    if place.bare or not (place.root / ".git").exists():
        return None
    git = Git(place.root)
    wanted = {}
    if mode is TrailMode.NONE and not git.call("ls-files", "-z", "--", "work").stdout:
        wanted["/work/"] = "work/collaboration/x"
    if place.git_dir is None:
        wanted["/.orchestrator/"] = ".orchestrator/x"
    if backups:
        wanted[f"/{place.config.name}/*.yaml.*.bak"] = backups[0]
    lines = [
        line for line, example in wanted.items() if not git.succeeds("check-ignore", "-q", "--no-index", "--", example)
    ]
    if not lines:
        return None
    file = place.root / NAME
    if file.is_symlink():
        raise OrchestratorError(f"{NAME} is a link; add to what it leads to: {' '.join(lines)}")
    before = file.read_bytes() if file.exists() else b""
    end = b"\r\n" if b"\r\n" in before else b"\n"
    gap = b"" if not before else end if before.endswith(b"\n") else end + end
    added = end.join(line.encode() for line in (_HEAD, *lines)) + end
    return NewFile(path=NAME, content=before + gap + added)
