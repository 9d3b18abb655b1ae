"""What git's hooks ask of us: to check what is about to be kept, and to take in what was, where no daemon runs.

Imports stand where they are needed: a commit waits for this.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.errors import BusyError, UsageError

if TYPE_CHECKING:
    from orchestrator.adapters.place import Place
    from orchestrator.wiring.hooks_checking import Checked

NAMES = ("post-commit", "post-merge", "post-rewrite", "post-checkout", "post-receive")
CHECKS = ("pre-commit", "commit-msg", "pre-receive", "check-config", "check-task", "check-no-secrets")


def check(place: "Place", name: str, stdin: str, args: list[str]) -> "Checked":
    """What a hook that may refuse finds. `args`, by the hook's name:

    pre-commit: the index of the commit; commit-msg: the file of the message; pre-receive: the folder of the objects
    that are in quarantine, and those beside it; check-...: files. Raises UsageError, GitError, OSError: it could not
    be checked.
    """
    top = _top(Path.cwd())
    match name, args:
        case "pre-commit", [index]:
            from orchestrator.wiring.hooks_staged import check_commit

            return check_commit(place, top, index)
        case "commit-msg", [file]:
            from orchestrator.wiring.hooks_staged import check_message

            return check_message(top, file)
        case "pre-receive", [quarantine, alternates]:
            from orchestrator.wiring.hooks_pushed import check_push

            return check_push(place, stdin, quarantine, alternates)
        case "check-config" | "check-task" | "check-no-secrets", files:
            from orchestrator.wiring.hooks_framework import check_files

            return check_files(place, top, name, files)
        case _:
            raise UsageError(f"orchestrator hook {name}: its arguments are off; let the hooks in hooks/ call it")


def _top(folder: Path) -> Path:
    """The top of the checkout around a folder, found without a process; the folder itself where there is none."""
    return next((one for one in (folder, *folder.parents) if (one / ".git").exists()), folder)


def run(place: "Place", name: str, stdin: str, args: list[str]) -> str:  # noqa: ARG001 - a hook's own input; the tip says all
    """What the hook is to print: what was taken in; '' where there was nothing, or a daemon sees to it."""
    from orchestrator.adapters import lock

    if name not in NAMES or not place.config.is_dir():
        return ""
    requests = place.state / "requests"
    if lock.holder(place.state) is not None:
        requests.mkdir(parents=True, exist_ok=True)
        (requests / ".nudge").touch()
        return ""
    try:
        with lock.WorkspaceLock(place.state, what=name):
            return _take_in(place)
    except BusyError:
        return ""


def _take_in(place: "Place") -> str:
    from orchestrator import intaking
    from orchestrator.wiring.opening import open_workspace, recover
    from orchestrator.wiring.sources import open_source

    opened = open_workspace(place)
    try:
        recover(opened)
        source = open_source(opened)
        taken = intaking.take_in(opened.world, source) if source is not None else 0
    finally:
        opened.close()
    branch = opened.configuration().intake.branch
    return f"orchestrator: {taken} task{'s' if taken != 1 else ''} taken in from {branch}" if taken else ""
