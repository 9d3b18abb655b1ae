"""What is written into git's configuration: the hooks themselves where git is new enough, and where our program is.

Git 2.54 and newer run hooks that are named there, beside those in the folder: nothing of anybody has to get out of the
way (`hook.<name>.command`, `hook.<name>.event`). Older ones do not look at these names.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from orchestrator.adapters.git import Git

SINCE = (2, 54)
PROGRAM = "orchestrator.program"
RUN = "orchestrator.hooks.run"
_PREFIX = "orchestrator-"


def version(git: Git) -> tuple[int, ...]:
    """Of git, its first two numbers."""
    return tuple(int(part) for part in re.findall(r"\d+", git.text("version"))[:2])


def command_of(folder: Path, event: str) -> str:
    """What git is to give to a shell, with the hook's arguments behind it: nothing where the script is gone."""
    script = quoted(str(folder / event))
    return f"[ ! -x {script} ] || {script}"


def quoted(text: str) -> str:
    """As one word for a shell."""
    return "'" + text.replace("'", "'\\''") + "'"


def configure(git: Git, folder: Path, events: Sequence[str]) -> None:
    """Names ours for these events."""
    for event in events:
        git.text("config", "--local", f"hook.{_PREFIX}{event}.command", command_of(folder, event))
        git.text("config", "--local", f"hook.{_PREFIX}{event}.event", event)


def configured(git: Git, events: Iterable[str]) -> list[str]:
    """Which of these are named there."""
    return [event for event in events if get(git, f"hook.{_PREFIX}{event}.command")]


def unconfigure(git: Git, events: Iterable[str]) -> list[str]:
    """Takes them out; for which there was something to take out."""
    there = configured(git, events)
    for event in there:
        git.text("config", "--local", "--remove-section", f"hook.{_PREFIX}{event}")
    return there


def get(git: Git, name: str) -> str:
    """The value in force, from wherever; '' where there is none."""
    ended = git.call("config", "--get", name)
    return ended.stdout.decode(errors="surrogateescape").rstrip("\n") if ended.returncode == 0 else ""


def get_local(git: Git, name: str) -> str:
    """The value of this repository alone."""
    ended = git.call("config", "--local", "--get", name)
    return ended.stdout.decode(errors="surrogateescape").rstrip("\n") if ended.returncode == 0 else ""


def put(git: Git, name: str, value: str) -> None:
    """Writes one of this repository."""
    git.text("config", "--local", name, value)


def take_out(git: Git, name: str) -> None:
    """Removes one of this repository; where there is none, nothing."""
    git.call("config", "--local", "--unset-all", name)
