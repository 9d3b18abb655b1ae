"""Which status may follow which, and in which folder each lives (FORMATS, status and moves)."""

from orchestrator.core.types import Folder, Status

MOVES: dict[Status, frozenset[Status]] = {
    Status.NEW: frozenset({Status.ASSIGNED, Status.CANCELLED}),
    Status.ASSIGNED: frozenset({Status.IN_PROGRESS, Status.BLOCKED, Status.ERROR, Status.CANCELLED}),
    Status.IN_PROGRESS: frozenset(
        {Status.DONE, Status.ERROR, Status.CANCELLED, Status.BLOCKED, Status.ASSIGNED}  # assigned: interrupted
    ),
    Status.BLOCKED: frozenset({Status.IN_PROGRESS, Status.ASSIGNED, Status.CANCELLED}),
    Status.ERROR: frozenset({Status.ASSIGNED}),
    Status.CANCELLED: frozenset({Status.ASSIGNED}),
    Status.DONE: frozenset(),
}

HOME: dict[Status, Folder] = {
    Status.NEW: Folder.INBOX,
    Status.ASSIGNED: Folder.ASSIGNED,
    Status.IN_PROGRESS: Folder.ASSIGNED,
    Status.BLOCKED: Folder.ASSIGNED,
    Status.ERROR: Folder.ASSIGNED,
    Status.CANCELLED: Folder.ASSIGNED,
    Status.DONE: Folder.DONE,
}


def refusal_of(current: Status, wanted: Status) -> str:
    """Empty where the move is allowed, else one sentence that names the moves that are."""
    if wanted in MOVES[current]:
        return ""
    allowed = ", ".join(status for status in Status if status in MOVES[current])
    ways = f"from {current} it can go to {allowed}" if allowed else f"{current} is final"
    return f"a task cannot go from {current} to {wanted}: {ways}"
