"""What git's hooks ask of us: take in what was committed, where no daemon runs to notice by itself."""

from orchestrator import intaking
from orchestrator.adapters import lock
from orchestrator.adapters.place import Place
from orchestrator.errors import BusyError
from orchestrator.wiring.opening import open_workspace, recover
from orchestrator.wiring.sources import open_source

NAMES = ("post-commit", "post-merge", "post-rewrite", "post-checkout", "post-receive")


def run(place: Place, name: str, stdin: str, args: list[str]) -> str:  # noqa: ARG001 - a hook's own input; the tip says all
    """What the hook is to print: what was taken in; '' where there was nothing, or a daemon sees to it."""
    if name not in NAMES or not place.config.is_dir():
        return ""
    requests = place.state / "requests"
    if lock.holder(place.state) is not None:
        requests.mkdir(parents=True, exist_ok=True)
        (requests / ".nudge").touch()
        return ""
    try:
        with lock.WorkspaceLock(place.state, what=name):
            opened = open_workspace(place)
            try:
                recover(opened)
                source = open_source(opened)
                taken = intaking.take_in(opened.world, source) if source is not None else 0
            finally:
                opened.close()
    except BusyError:
        return ""
    branch = opened.configuration().intake.branch
    return f"orchestrator: {taken} task{'s' if taken != 1 else ''} taken in from {branch}" if taken else ""
