"""One fact, never changed: the lines of the event files (FORMATS section 4). Encoding and decoding only; no files."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

VERSION = 1


class EventKind(StrEnum):
    """What happened. Readers keep kinds that they do not know, as plain strings."""

    TASK_SUBMITTED = "task_submitted"
    TASK_CLAIMED = "task_claimed"
    TASK_REJECTED = "task_rejected"
    ROUTE_PLANNED = "route_planned"
    EXECUTION_STARTED = "execution_started"
    EXECUTION_FINISHED = "execution_finished"
    CHECK_FINISHED = "check_finished"
    ATTEMPT_FAILED = "attempt_failed"
    BUDGET_ADJUSTED = "budget_adjusted"
    TASK_COMPLETED = "task_completed"
    TASK_ERROR = "task_error"
    TASK_CANCELLED = "task_cancelled"
    TASK_BLOCKED = "task_blocked"
    TASK_FROZEN = "task_frozen"
    TASK_THAWED = "task_thawed"
    TASK_RETRIED = "task_retried"
    HANDOFF_CREATED = "handoff_created"
    TASK_ARCHIVED = "task_archived"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of an event file; empty fields are absent in it.

    `details` holds every field that has no attribute here (FORMATS lists them), and any that a later version added:
    it is written out beside the others and survives a round trip.
    """

    event_id: str  # ULID: sorts by time
    ts: datetime  # aware, UTC, microseconds
    event: str  # an EventKind, or a kind of a later version
    task_id: str = ""
    run_id: str = ""
    invocation_id: str = ""
    agent: str = ""
    tool: str = ""
    model: str = ""
    status: str = ""
    reason: str = ""
    why: str = ""  # one sentence, fit for the person who asked
    path: str = ""  # where the task file is after this event, relative to the work folder, with /
    attempt: int = 0
    duration_ms: int = 0
    exit_code: int | None = None
    error_kind: str = ""
    details: Mapping[str, object] = field(default_factory=dict)


_ATTRIBUTES = tuple(name for name in Event.__dataclass_fields__ if name not in {"event_id", "ts", "event", "details"})


def format_ts(ts: datetime) -> str:
    """UTC with microseconds and Z, e.g. 2026-02-12T11:01:00.123456Z."""
    if ts.tzinfo is not UTC:
        ts = ts.astimezone(UTC)
    return ts.isoformat(timespec="microseconds")[:-6] + "Z"  # strftime takes five times as long


def encode(event: Event) -> bytes:
    """One JSON line with its newline, UTF-8, keys in a fixed order, empty fields left out."""
    line: dict[str, object] = {
        "v": VERSION,
        "event_id": event.event_id,
        "ts": format_ts(event.ts),
        "event": str(event.event),
    }
    for name in _ATTRIBUTES:
        value = getattr(event, name)
        if value is not None and value != "" and (value != 0 or name == "exit_code"):
            line[name] = value
    line.update({key: value for key, value in event.details.items() if key not in line})
    text = json.dumps(line, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace") + b"\n"  # a name that is no UTF-8 becomes the escape \udcXX


def decode(line: bytes) -> Event | None:
    """The event on a line, or None where the line is torn or is no event (bad JSON, no id, no time)."""
    try:
        raw = json.loads(line)
        ts = datetime.fromisoformat(raw["ts"])
        if ts.tzinfo is None:
            return None
        known: dict[str, Any] = {name: raw.pop(name) for name in _ATTRIBUTES if name in raw}
        if not all(_fits(name, value) for name, value in known.items()):
            return None
        head: dict[str, Any] = {"event_id": str(raw.pop("event_id")), "event": str(raw.pop("event"))}
        raw.pop("ts")
        raw.pop("v", None)
        return Event(ts=ts, details=raw, **head, **known)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


_NUMBERS = frozenset({"attempt", "duration_ms", "exit_code"})


def _fits(name: str, value: object) -> bool:
    if name in _NUMBERS:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, str)
