"""What must be true after a restart that came to rest: told from files, event files and git alone.

Of our own code only `core.events.decode` and `taskfile.parse` are used here, and the ledger where it is held against
itself, so that a mistake in the program cannot hide itself.
"""

import contextlib
from collections import Counter
from collections.abc import Mapping, Sequence

from crash_disk import check_branch, check_index, check_litter
from crash_faults import Fault, Subject, Violation
from crash_money import check_money

from orchestrator import taskfile
from orchestrator.core.events import Event, decode

FOLDERS = ("inbox", "assigned", "done", "rejected", "fridge", "archive")
HOME_OF = {
    "new": "inbox",
    "assigned": "assigned",
    "in_progress": "assigned",
    "blocked": "assigned",
    "error": "assigned",
    "cancelled": "assigned",
    "done": "done",
}
STATUS_AFTER = {
    "task_claimed": "assigned",
    "task_retried": "assigned",
    "execution_started": "in_progress",
    "attempt_failed": "assigned",
    "task_completed": "done",
    "task_error": "error",
    "task_cancelled": "cancelled",
    "task_blocked": "blocked",
}
CLOSING = {"task_completed", "task_error", "task_cancelled", "task_blocked"}
DAEMONS_OWN = {"status", "assigned_at", "started_at", "completed_at", "result", "error"}
MOST_LOST = 3  # runs that die with their daemon, after which a task may be given back as lost
MOST_SHOWN = 20


def check(subject: Subject) -> list[Violation]:
    """Everything that is wrong; empty: all is well."""
    subject.found = []
    events = _events(subject)
    places = _places(subject)
    runs = _runs(subject)
    known = {**subject.submitted, **_handed_off(events)}
    for task_id in sorted({*known, *places, *events}):
        if task_id not in known:
            subject.fault(Fault.UNEXPLAINED, task_id, "nobody dropped such a task, and no task handed it off")
            continue
        _check_task(subject, task_id, places.get(task_id, []), events.get(task_id, []), runs.get(task_id, []))
    for task_id in runs.keys() - known.keys():
        subject.fault(Fault.OVERRUN, task_id, "a tool ran for a task that nobody dropped")
    check_litter(subject)
    check_money(subject, events)
    if subject.branch:
        check_branch(subject)
    if subject.rebuild_index is not None:
        check_index(subject, subject.rebuild_index)
    return subject.found


def describe(found: Sequence[Violation]) -> str:
    """For the message of a failed test."""
    more = f"\n... and {len(found) - MOST_SHOWN} more" if len(found) > MOST_SHOWN else ""
    return "\n".join(str(violation) for violation in found[:MOST_SHOWN]) + more


# --- tasks ---------------------------------------------------------------------------------------------------------


def _check_task(
    subject: Subject, task_id: str, places: list[str], events: list[Event], runs: list[tuple[str, str]]
) -> None:
    if not places:
        subject.fault(Fault.LOST, task_id, "its file is in no folder")
        return
    if len(places) > 1:
        subject.fault(Fault.DOUBLED, task_id, f"it is in {', '.join(places)}")
        return
    path = places[0]
    if path.split("/")[1] == "rejected":
        subject.fault(Fault.UNEXPLAINED, task_id, f"a good task was rejected: {path}")
        return
    raw = (subject.work / path).read_bytes()
    try:
        task = taskfile.parse(raw, name=path.rpartition("/")[2], path=path).task
    except taskfile.TaskFileRefused as refusal:
        subject.fault(Fault.LOST, task_id, f"its file is no task any more: {refusal}")
        return
    status = str(task.status)
    if HOME_OF[status] != path.split("/")[1]:
        subject.fault(Fault.UNEXPLAINED, task_id, f"its file says {status} and lies in {path}")
    _check_kept(subject, task_id, raw)
    _check_told(subject, task_id, path, status, events)
    _check_runs(subject, task_id, status, events, runs)


def _check_kept(subject: Subject, task_id: str, raw: bytes) -> None:
    """Whatever is not the daemon's to write stands there as it was dropped."""
    dropped = subject.submitted.get(task_id)
    if dropped is None:
        return
    lines = iter(raw.splitlines())
    for line in dropped.splitlines():
        name = line.partition(b":")[0].decode()
        if name not in DAEMONS_OWN and line not in lines:
            subject.fault(Fault.LOST, task_id, f"the line {line!r} of its file is gone or elsewhere")
            return


def _check_told(subject: Subject, task_id: str, path: str, status: str, events: list[Event]) -> None:
    """The events tell of exactly this status at this place, and of nothing twice."""
    told, where = ("new", "") if events else (status if status == "new" else "nothing", path)
    for event in events:
        told = STATUS_AFTER.get(event.event, told)
        if event.event in STATUS_AFTER and event.path:
            where = event.path
    if told != status:
        subject.fault(Fault.UNEXPLAINED, task_id, f"its events end in {told}, its file says {status}")
    if where != path:
        subject.fault(Fault.UNEXPLAINED, task_id, f"its events say {where}, it is in {path}")
    if told in {"assigned", "in_progress"}:
        subject.fault(Fault.UNEXPLAINED, task_id, f"the daemon came to rest and left it {told}")
    if told == "error" and (why := _why_it_may_not_fail(events)):
        subject.fault(Fault.UNEXPLAINED, task_id, why)
    closings = Counter(event.event for event in events if event.event in CLOSING)
    for kind, number in closings.items():
        if number > 1:
            subject.fault(Fault.DOUBLED, task_id, f"{kind} was told {number} times")
    if len({event.event_id for event in events}) < len(events):
        subject.fault(Fault.DOUBLED, task_id, "an event id stands in its file twice")


def _why_it_may_not_fail(events: list[Event]) -> str:
    """A tool that fails has one behind it that does not: only a task whose runs died with their daemon may fail."""
    lost = sum(event.event == "execution_finished" and event.reason == "lost" for event in events)
    if events[-1].error_kind == "lost" and lost >= MOST_LOST:
        return ""
    return f"it failed: {events[-1].error_kind}: {events[-1].why}"


def _check_runs(subject: Subject, task_id: str, status: str, events: list[Event], runs: list[tuple[str, str]]) -> None:
    """A run is announced before it begins, begins at most once, and is not repeated because its daemon died."""
    announced = [event.invocation_id for event in events if event.event == "execution_started"]
    began = Counter(invocation for word, invocation in runs if word == "began")
    for invocation, number in began.items():
        if number > announced.count(invocation):
            what = f"run {invocation} began {number} times, and was announced {announced.count(invocation)} times"
            subject.fault(Fault.OVERRUN, task_id, what)
    for word, invocation in runs:
        if word == "overlap":
            subject.fault(Fault.OVERRUN, task_id, f"run {invocation} began while another one of the task still ran")
    failed = Counter(event.invocation_id for event in events if event.event == "attempt_failed")
    if twice := [invocation for invocation, number in failed.items() if number > 1]:
        subject.fault(Fault.DOUBLED, task_id, f"run {twice[0]} was told more than once to have failed")
    excused = {*subject.killed_runs, *failed}
    repeated = [invocation for invocation in list(began)[:-1] if invocation not in excused]
    if repeated:
        what = f"its tool began again, although nobody killed the guard of {', '.join(repeated)}"
        subject.fault(Fault.OVERRUN, task_id, what)
    if again := _repeated(events):
        subject.fault(Fault.OVERRUN, task_id, f"run {again} repeats one whose end was known")
    last = next((event.invocation_id for event in reversed(events) if event.event == "task_completed"), "")
    if status == "done" and ("ended", last) not in runs:
        subject.fault(Fault.OVERRUN, task_id, f"it is done, and its run {last} never came to its end")


def _repeated(events: list[Event]) -> str:
    """The first run that was announced after the end of another one was known."""
    ended = False
    for event in events:
        if event.event == "execution_started" and ended:
            return event.invocation_id
        if event.event == "execution_finished" and event.reason == "exited":
            ended = True
        if event.event == "attempt_failed":  # the next candidate's turn
            ended = False
    return ""


def _events(subject: Subject) -> dict[str, list[Event]]:
    found: dict[str, list[Event]] = {}
    for path in sorted((subject.work / "telemetry").rglob("*")):
        if path.is_dir():
            continue
        task_id = path.name.removesuffix(".jsonl")
        if task_id in found:
            subject.fault(Fault.DOUBLED, task_id, f"it has a second event file: {path.relative_to(subject.work)}")
        content = path.read_bytes()
        if not content.endswith(b"\n"):
            subject.fault(Fault.TORN, task_id, f"its event file is empty or ends in a torn line: {content[-80:]!r}")
        events = found.setdefault(task_id, [])
        for line in content.splitlines():
            event = decode(line)
            if event is None or event.task_id != task_id:
                subject.fault(Fault.TORN, task_id, f"a line of its event file is no event of it: {line[:80]!r}")
            else:
                events.append(event)
    return found


def _places(subject: Subject) -> dict[str, list[str]]:
    """Every task file of every folder, by id; a note of why one was rejected is not one."""
    found: dict[str, list[str]] = {}
    for folder in FOLDERS:
        for path in sorted((subject.work / "collaboration" / folder).rglob("*")):
            if path.suffix in {".yaml", ".yml"} and not path.name.startswith("."):
                found.setdefault(path.stem, []).append(str(path.relative_to(subject.work)))
    return found


def _runs(subject: Subject) -> dict[str, list[tuple[str, str]]]:
    """What the tools themselves noted: (word, invocation), by task."""
    found: dict[str, list[tuple[str, str]]] = {}
    with contextlib.suppress(FileNotFoundError):
        for line in subject.journal.read_text().splitlines():
            word, task_id, invocation = line.split(" ")
            found.setdefault(task_id, []).append((word, invocation))
    return found


def _handed_off(events: Mapping[str, list[Event]]) -> dict[str, bytes | None]:
    return {
        str(event.details["next_task"]): None
        for told in events.values()
        for event in told
        if event.event == "handoff_created"
    }
