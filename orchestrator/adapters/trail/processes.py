"""What runs on this machine, as far as /proc tells: for knowing what a dead process of ours left, and what a live one
of somebody else's still needs."""

import os
from contextlib import suppress
from pathlib import Path


def started(pid: int) -> str:
    """The start time of a process in clock ticks since boot (proc(5), stat, field 22); '' where it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    fields = text.rpartition(")")[2].split()
    return "" if fields[0] in {"Z", "X"} else fields[19]


def gits_in(common: Path) -> list[str] | None:
    """The command lines of the git processes at work in this repository; None where the system does not say."""
    try:
        pids = [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return None
    homes = _homes(common)
    found = []
    for pid in pids:
        with suppress(OSError):
            words = _text(f"/proc/{pid}/cmdline").split("\0")
            if not words[0].rpartition("/")[2].startswith("git"):
                continue
            here = f"{Path(f'/proc/{pid}/cwd').readlink()}/"
            told = " ".join(words) + " " + _text(f"/proc/{pid}/environ").replace("\0", " ")
            if here.startswith(homes) or f"{common}" in told:
                found.append(" ".join(words))
    return found


def _homes(common: Path) -> tuple[str, ...]:
    """The folders in which a git process works on this repository: itself and its checkouts."""
    homes = [common, common.parent] if common.name == ".git" else [common]
    with suppress(OSError):
        for name in os.listdir(common / "worktrees"):
            with suppress(OSError):
                homes.append(Path(_text(str(common / "worktrees" / name / "gitdir")).strip()).parent)
    return tuple(f"{home}/" for home in homes)


def _text(path: str) -> str:
    return os.fsdecode(Path(path).read_bytes())


def is_open(path: Path) -> bool:
    """Whether some process of this user has that file open."""
    for pid in os.listdir("/proc"):
        if not pid.isdigit():
            continue
        folder = f"/proc/{pid}/fd"
        with suppress(OSError):
            for descriptor in os.listdir(folder):
                with suppress(OSError):
                    if Path(folder, descriptor).readlink() == path:
                        return True
    return False
