"""The work folder is invisible to the checkout around it: excluded, and not tracked there."""

from contextlib import suppress
from pathlib import Path

from orchestrator import __version__
from orchestrator.adapters.git import Git
from orchestrator.adapters.place import Place
from orchestrator.errors import OrchestratorError

_NOTE = "trail.hidden"  # in the state folder
_WHY = "# the work folder of orchestrator is a worktree of its own"


class TrackedHereError(OrchestratorError):
    """The work folder is part of the branch that is checked out: own mode cannot have it."""


def hide(place: Place) -> None:
    """Writes the exclude, once. Must come before the worktree: without it `git add -A` adds it as a repository.

    Raises:
        OSError: the file cannot be written.
    """
    assert place.common_dir is not None
    if _is_as_it_was(place):
        return
    relative = _relative(place)
    if not relative:
        return
    line = "/" + _escaped(relative) + "/"
    exclude = place.common_dir / "info" / "exclude"
    try:
        text = exclude.read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        text = ""
    if line in text.splitlines():
        return
    exclude.parent.mkdir(exist_ok=True)
    between = "" if not text or text.endswith("\n") else "\n"
    with exclude.open("a", encoding="utf-8", errors="surrogateescape") as file:
        file.write(f"{between}{_WHY}\n{line}\n")


def check_hidden(place: Place) -> None:
    """Raises OrchestratorError where a .gitignore brings the folder back into sight, TrackedHereError where it is
    tracked on the branch that is checked out."""
    if _is_as_it_was(place):
        return
    relative = _relative(place)
    if not relative:
        return
    git = Git(_top(place.work.parent) or place.root, {"GIT_LITERAL_PATHSPECS": "1"})
    if git.raw("ls-files", "-z", "--", relative):
        raise TrackedHereError(
            f"{relative}/ is tracked on the branch that is checked out in {git.folder}: set `trail.mode: tracked` in "
            f"config/policies.yaml, or take it off the branch first (git rm -r --cached {relative})"
        )
    plain = Git(git.folder)
    if not plain.succeeds("check-ignore", "-q", "--no-index", "--", f"{relative}/x"):
        raise OrchestratorError(
            f"{_rule(plain, place.work, relative)}: brings {relative}/ back into `git status`, "
            "where `git add -A` would add it; take that line away"
        )
    _note_that_all_is_well(place)


def _is_as_it_was(place: Place) -> bool:
    """Whether nothing that decides it has changed since it was last found hidden: asking git takes 10 ms."""
    try:
        return (place.state / _NOTE).read_text(encoding="utf-8") == _looks(place)
    except (OSError, UnicodeDecodeError):
        return False


def _note_that_all_is_well(place: Place) -> None:
    with suppress(OSError):  # then git is asked again
        place.state.mkdir(parents=True, exist_ok=True)
        (place.state / _NOTE).write_text(_looks(place), encoding="utf-8")


def _looks(place: Place) -> str:
    """The exclude, the index around, the ignore file and the configurations, as far as a look at them tells."""
    assert place.common_dir is not None
    around = place.git_dir or place.common_dir
    files = [place.common_dir / "info" / "exclude", around / "index", place.common_dir / "config"]
    files += [folder / ".gitignore" for folder in (place.root, place.work.parent)]
    files += [Path.home() / ".gitconfig"]
    lines = [str(place.work), __version__]
    for file in files:
        try:
            found = file.stat()
            lines.append(f"{found.st_ino} {found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}")
        except OSError:
            lines.append("-")
    return "\n".join(lines)


def _rule(git: Git, work: Path, relative: str) -> str:
    """Where the line stands that brings the folder back; git tells it only of a folder that is there."""
    is_new = not work.exists()
    work.mkdir(exist_ok=True)
    try:
        said = git.call("check-ignore", "-v", "--no-index", "--", relative).stdout.decode("utf-8", "replace")
    finally:
        if is_new:
            work.rmdir()
    return said.partition("\t")[0].strip() or "a .gitignore"


def _top(folder: Path) -> Path | None:
    """The top of the checkout that the folder is in; None where it is in none (a bare repository, a git directory)."""
    said = Git(folder).call("rev-parse", "--show-toplevel")
    return Path(said.stdout.decode("utf-8", "surrogateescape").rstrip("\n")) if said.returncode == 0 else None


def _relative(place: Place) -> str:
    """The work folder as seen from the top of the checkout around it; '' where there is none."""
    top = _top(place.work.parent)
    return place.work.relative_to(top).as_posix() if top is not None and place.work.is_relative_to(top) else ""


def _escaped(path: str) -> str:
    """As a pattern that matches just this (gitignore(5))."""
    return "".join("\\" + letter if letter in "\\*?[" else letter for letter in path)
