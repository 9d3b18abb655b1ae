"""What a tool says of its own work. A claim is a claim: artefacts, commits and checks are looked at elsewhere."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from orchestrator.core.types import TaskId


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """The fields of the `result:` block at the end of an answer, checked for type and bounded in length."""

    summary: str = ""
    next_agent: str = ""
    next_task_title: str = ""
    next_artefacts: tuple[str, ...] = ()
    next_task_notes: str = ""
    artefacts_not_created: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()  # what was not taken over, and why


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """The task that a finished one hands over to."""

    task_id: TaskId
    fields: Mapping[str, object]


def follow_up(parent: TaskId, claims: Claims, started_at: datetime) -> FollowUp | None:
    """The next task, where the answer names an agent and a title.

    The same run and claims give the same id, so that handing off can be repeated after a crash; another task's never
    do, though it started in the same second and wants the same.
    """
    if not claims.next_agent or not claims.next_task_title:
        return None
    mark = sha256(parent.encode()).hexdigest()[:6]
    fields: dict[str, object] = {
        "id": f"{started_at:%Y-%m-%dT%H%M%S}-{slug(claims.next_agent)}-{slug(claims.next_task_title)}-{mark}",
        "agent": claims.next_agent,
        "status": "new",
        "title": claims.next_task_title,
        "depends_on": [parent],
        "created_at": started_at,
        "created_by": parent,
    }
    if claims.next_task_notes:
        fields["description"] = claims.next_task_notes
    if claims.next_artefacts:
        fields["artefacts"] = list(claims.next_artefacts)
    return FollowUp(task_id=TaskId(str(fields["id"])), fields=fields)


def slug(text: str) -> str:
    """A short piece of an id, made of a text."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60].rstrip("-") or "task"
