"""A fresh worktree: its files, and those that are copied into it because git does not have them."""

import os
import shutil
import stat
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from orchestrator.adapters.git import Git
from orchestrator.adapters.workspaces.private import repository

EXCLUDE = "exclude"  # in the record: what is ignored, as it was before the tool ran
COPIED = "copied"


def check_out(own: Git, commit: str) -> None:
    """Writes all files of that commit and the index; over what an attempt that was cut short wrote."""
    Path(own.env["GIT_INDEX_FILE"]).unlink(missing_ok=True)
    own.raw("read-tree", "--reset", "-u", commit, seconds=3600)


def copy_in(names: Sequence[str], source: Path, top: Path, told: Callable[[str], None]) -> list[str]:
    """Copies these files; those that were. What cannot be copied is told."""
    copied = []
    for name in names:
        if why := _copy(name, source, top):
            told(f"workspaces.copy: {name}: {why}")
        else:
            copied.append(name)
    return copied


def _copy(name: str, source: Path, top: Path) -> str:
    parts = name.split("/")
    if not name or name.startswith("/") or {"", ".", ".."} & set(parts) or parts[0] == ".git":
        return "is no path inside the repository; it is not copied"
    if os.path.lexists(top / name):
        return "is in git already; it is not copied"
    if any((source / part).is_symlink() or (top / part).is_symlink() for part in _leading(parts)):
        return "lies behind a link; it is not copied"
    try:
        if not stat.S_ISREG((source / name).lstat().st_mode):
            return "is no regular file; it is not copied"
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source / name, top / name, follow_symlinks=False)
    except FileNotFoundError:
        return f"is not in {source}; put it there, or take it off the list"
    except OSError as error:
        return f"cannot be copied: {error.strerror}"
    return ""


def _leading(parts: Sequence[str]) -> list[str]:
    return ["/".join(parts[:length]) for length in range(1, len(parts))]


def note_rules(common: Path, record: Path, copied: Sequence[str], environ: Mapping[str, str]) -> None:
    """Keeps what is ignored outside the tree's own .gitignore files, before a tool can change it."""
    rules = [_text(common / "info" / "exclude"), _text(_persons_rules(common, environ))]
    rules += ["/" + "".join(f"\\{char}" if char in "*?[]\\ !#" else char for char in name) for name in copied]
    (record / EXCLUDE).write_text("\n".join([*rules, ""]), encoding="utf-8", errors="surrogateescape")
    (record / COPIED).write_text("".join(f"{name}\n" for name in copied), encoding="utf-8", errors="surrogateescape")


def copied_into(record: Path) -> list[str]:
    """What was copied in."""
    return _text(record / COPIED).splitlines()


def _persons_rules(common: Path, environ: Mapping[str, str]) -> Path:
    said = repository(common).call("config", "--global", "--type=path", "--get", "core.excludesFile")
    if said.returncode == 0 and said.stdout.strip():
        return Path(os.fsdecode(said.stdout.strip()))
    config = environ.get("XDG_CONFIG_HOME") or os.path.join(environ.get("HOME", "/nonexistent"), ".config")  # noqa: PTH118 - HOME may be anything
    return Path(config) / "git" / "ignore"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""
