"""What is written into git's configuration: the hooks themselves where git is new enough, and where our program is.

Git 2.54 and newer run hooks that are named there (`hook.<name>.command`, `hook.<name>.event`), before the one in the
folder of hooks and wherever that folder is: nothing of anybody has to get out of the way. Older ones do not look at
these names.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from orchestrator.adapters.git import Git

SINCE = (2, 54)
PROGRAM = "orchestrator.program"
RUN = "orchestrator.hooks.run"
_PREFIX = "orchestrator-"
_NO = frozenset({"false", "no", "off", "0"})  # as git reads a boolean


def version(git: Git) -> tuple[int, ...]:
    """Of git, its first two numbers."""
    return tuple(int(part) for part in re.findall(r"\d+", git.text("version"))[:2])


def command_of(event: str) -> str:
    """What git is to give to a shell, with the hook's arguments behind it: nothing where the script is gone.

    No path of this machine is in it: a repository that is moved or copied takes its hooks along. Git starts a hook at
    the top of the checkout, or in the repository itself where it is bare; GIT_DIR is set where `.git` is no folder,
    but for post-checkout in a new worktree. The script is read by the shell that git starts anyway.
    """
    return (
        'd=${GIT_DIR:-.git}; [ -d "$d" ] || d=$(git rev-parse --git-dir); [ ! -f "$d/commondir" ] || d=$d/../..;'
        f' orchestrator_hooks=$d/orchestrator/hooks; [ ! -r "$d/orchestrator/hooks/{event}" ] ||'
        f' . "$d/orchestrator/hooks/{event}"'
    )


def quoted(text: str) -> str:
    """As one word for a shell."""
    return "'" + text.replace("'", "'\\''") + "'"


def configure(git: Git, events: Sequence[str]) -> None:
    """Names ours for these events."""
    there = _named(git)
    for event in events:
        name = f"{_PREFIX}{event}"
        for key, value in ((f"hook.{name}.command", command_of(event)), (f"hook.{name}.event", event)):
            if there.get(key) != [value]:
                git.text("config", "--local", "--replace-all", key, value)


def configured(git: Git, events: Iterable[str]) -> dict[str, str]:
    """Which of these are named there; and the name that switches one off, '' where none does."""
    there = _named(git)
    return {event: _switch(there, event) for event in events if f"hook.{_PREFIX}{event}.command" in there}


def _switch(there: Mapping[str, Sequence[str]], event: str) -> str:
    switches = (f"hook.{_PREFIX}{event}.enabled", f"hook.{event}.enabled")
    return next((name for name in switches if there.get(name, [""])[-1].lower() in _NO), "")


def _named(git: Git) -> dict[str, list[str]]:
    """All that is said of hooks, by name; but for what our own calls are given."""
    ended = git.call("config", "--show-scope", "-z", "--get-regexp", r"^hook\.")
    items = ended.stdout.decode(errors="surrogateescape").split("\0")
    found: dict[str, list[str]] = {}
    for scope, pair in zip(items[0::2], items[1::2], strict=False):
        name, _, value = pair.partition("\n")
        if scope != "command":
            found.setdefault(name, []).append(value)
    return found


def unconfigure(git: Git, events: Iterable[str]) -> list[str]:
    """Takes them out; for which there was something to take out."""
    there = list(configured(git, events))
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
