"""What a person asks for at the command line (`exec`): the task that it becomes, and what came of it.

A person is no stranger: the tool and the model that they name are taken, whatever `tasks_may_choose` says. That wish
lies in the state folder, where only they can write, and never counts from a task file, which anybody may have written.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from orchestrator import taskfile
from orchestrator.core import layout
from orchestrator.core.agents import Unknown, resolve
from orchestrator.core.claims import slug
from orchestrator.core.events import Event, EventKind
from orchestrator.core.routing import Requested
from orchestrator.core.settings import Settings
from orchestrator.core.task import Task
from orchestrator.core.types import AgentKey, InvocationId, Status, TaskId
from orchestrator.core.verdict import Printed, Ran
from orchestrator.errors import NotFoundError, OrchestratorError, UsageError
from orchestrator.registrar import Held
from orchestrator.taskfile.rules import id_fault
from orchestrator.world import World

ORIGIN = "exec"
LARGEST = 1 << 20  # bytes: a task file, and so prompt and context together
_NOTE = "requested.json"
_LONGEST_REASON = 500  # characters of a justification that a commit shows
_MOST_FOLLOWED = 16
_CLOSING = (EventKind.TASK_COMPLETED, EventKind.TASK_ERROR, EventKind.TASK_CANCELLED, EventKind.TASK_BLOCKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A task as it is asked for, with what its file may not say."""

    task: Task
    raw: bytes
    agent: AgentKey
    requested: Requested
    details: Mapping[str, object]  # of its task_submitted

    @property
    def path(self) -> str:
        """Where it begins."""
        return f"{layout.INBOX}/{self.task.id}.yaml"


# --- asking --------------------------------------------------------------------------------------------------------


def order_of(arguments: Mapping[str, Any], settings: Settings, now: datetime) -> Order:
    """The order: {agent, prompt, title, task_type, tool, model, justification, forced, files, outside, follows}.

    Raises:
        NotFoundError: no such agent or tool; UsageError, OrchestratorError: what is wrong with it.
    """
    prompt = str(arguments.get("prompt") or "")
    if not prompt.strip():
        raise UsageError("there is nothing to do: the prompt is empty; give one with --prompt TEXT")
    agent = resolve(str(arguments.get("agent") or ""), settings.agents)
    if isinstance(agent, Unknown):
        raise NotFoundError(f"--agent: {agent.why}")
    if settings.agents[agent].manual:
        raise OrchestratorError(f"{agent} is a person's role (`manual: true`): submit the task, and they do it")
    requested = _requested(arguments, settings)
    follows = _follows(arguments.get("follows"))
    reason = str(arguments.get("justification") or "")
    raw = taskfile.compose(_fields(arguments, agent, prompt, follows, now))
    if len(raw) > LARGEST:
        raise OrchestratorError(
            f"prompt and context together make a task of {len(raw):,} bytes, and 1 MiB is the most; "
            "leave files out, or name them in the prompt for the tool to read"
        )
    task_id = _id_in(raw)
    task = taskfile.parse(raw, name=f"{task_id}.yaml", path=f"{layout.INBOX}/{task_id}.yaml").task
    wish = {name: value for name, value in asdict(requested).items() if value}
    details: dict[str, object] = {"origin": ORIGIN}
    details |= {"requested": wish} if wish else {}
    details |= {"forced": True} if arguments.get("forced") else {}
    details |= {"justification": reason} if reason else {}
    details |= {"follows": [entry["task"] for entry in follows]} if follows else {}
    return Order(task=task, raw=raw, agent=agent, requested=requested, details=details)


def _id_in(raw: bytes) -> str:
    return raw.split(b"\n", 1)[0].removeprefix(b"id:").strip().strip(b"\"'").decode()


def _requested(arguments: Mapping[str, Any], settings: Settings) -> Requested:
    tool, model = str(arguments.get("tool") or ""), str(arguments.get("model") or "")
    if tool and tool not in settings.tools:
        raise NotFoundError(f"--tool: no tool {tool!r} in config/tools.yaml; {_known(tool, settings.tools)}")
    for known in settings.models.values():
        if model in known.aliases:
            model = known.name
    over = str(arguments.get("justification") or "") if arguments.get("forced") else ""
    return Requested(tool=tool, model=model, justification=over)


def _known(written: str, names: Mapping[str, object]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(written[:200], names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names) or 'none'}"


def _follows(raw: object) -> list[dict[str, str]]:
    entries = raw if isinstance(raw, list) else []
    return [
        {"task": str(entry["task"]), "invocation": str(entry.get("invocation") or "")}
        for entry in entries[:_MOST_FOLLOWED]
        if isinstance(entry, Mapping) and not id_fault(str(entry.get("task") or ""))
    ]


def _fields(
    arguments: Mapping[str, Any], agent: AgentKey, prompt: str, follows: Sequence[Mapping[str, str]], now: datetime
) -> dict[str, object]:
    fields: dict[str, object] = {
        "id": f"exec-{now:%Y%m%dT%H%M%S}-{slug(agent)[:40]}-{os.urandom(3).hex()}",
        "agent": agent,
        "status": "new",
        "title": str(arguments.get("title") or "") or _first_line(prompt),
        "priority": "high",  # somebody waits for it
    }
    for name in ("task_type", "tool", "model", "justification"):
        if value := str(arguments.get(name) or ""):
            fields[name] = value
    if arguments.get("forced"):
        fields["forced"] = True
    context: dict[str, object] = {}
    for name, key in (("files", "files"), ("outside", "outside")):
        if values := [str(value) for value in arguments.get(name) or ()]:
            context[key] = values
    if follows:
        context["from"] = [dict(entry) for entry in follows]
    if context:
        fields["context"] = context
    return fields | {"prompt": prompt, "created_at": now, "created_by": ORIGIN}


def _first_line(prompt: str) -> str:
    for line in prompt.splitlines():
        if words := line.strip(" #\t"):
            return words[:120]
    return "exec"


def place(world: World, order: Order) -> None:
    """Puts it into the inbox, and tells of it; the wish first, so that whoever claims the task finds it. Blocking."""
    if order.requested != Requested():
        folder = _folder(world.host.state, order.task.id)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / _NOTE).write_text(json.dumps(asdict(order.requested)), encoding="ascii")
    world.mailbox.create(order.path, order.raw)
    told = Event(
        event_id=world.events.new_id(),
        ts=world.clock.now(),
        event=EventKind.TASK_SUBMITTED,
        task_id=order.task.id,
        agent=order.agent,
        status=Status.NEW,
        path=order.path,
        why="a person asked for it with `orchestrator exec`",
        details=order.details,
    )
    world.events.append(order.task.id, [told])


def requested_of(state: Path, task: Task) -> Requested:
    """The tool and model that the person asked for who asked for the task; nothing where that is not known here."""
    if task.created_by != ORIGIN:
        return Requested()
    try:
        raw = json.loads((_folder(state, task.id) / _NOTE).read_bytes())
        return Requested(**{name: str(raw.get(name) or "") for name in ("tool", "model", "justification")})
    except (OSError, ValueError, AttributeError):
        return Requested()


def body_of(task: Task) -> str:
    """What the commit of its claim says: its name, and the reason that was given for forcing it."""
    reason = task.extras.get("justification")
    if not isinstance(reason, str) or not reason.strip():
        return task.name
    word = "Forced" if task.extras.get("forced") is True else "Justification"
    return f"{task.name}\n\n{word}: {' '.join(reason.split())[:_LONGEST_REASON]}"


def trailers_of(task: Task) -> dict[str, str]:
    """`Follows`: the tasks whose answers it was given."""
    follows = _follows(task.context.get("from"))
    return {"Follows": ", ".join(entry["task"] for entry in follows)} if follows else {}


# --- what came of it -----------------------------------------------------------------------------------------------


def answer_digest(text: str) -> str:
    """By which a later exec knows an answer again, however many newlines it ends with."""
    return sha256(text.rstrip("\n").encode("utf-8", "surrogateescape")).hexdigest()


def output_of(state: Path, task_id: TaskId, invocation_id: InvocationId) -> Printed:
    """Where what that run printed lies."""
    folder = _folder(state, task_id)
    return Printed(stdout=str(folder / f"{invocation_id}.out"), stderr=str(folder / f"{invocation_id}.err"))


def started_in(events: Sequence[Event]) -> Event | None:
    """The last run that was announced."""
    return next((event for event in reversed(events) if event.event == EventKind.EXECUTION_STARTED), None)


def closed_in(events: Sequence[Event]) -> Event | None:
    """The event that says what came of it."""
    return next((event for event in reversed(events) if event.event in _CLOSING), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """What came of it, for the person who waits."""

    task_id: TaskId
    status: Status
    verdict: str  # of a done one: done, no_change, unverified; else the kind of its error, or `blocked`
    why: str
    ran: Ran | None  # None: nothing ran
    tool: str = ""
    model: str = ""
    reason: str = ""
    branch: str = ""
    path: str = ""  # of the task file, relative to the work folder
    log: str = ""  # of the work log, relative to the work folder
    printed: Printed | None = None
    warning: str = ""


def executed(task_id: TaskId, events: Sequence[Event], ran: Ran | None, state: Path) -> Executed:
    """From the task's events and its run. Raises OrchestratorError where it has not come to an end."""
    closed, started = closed_in(events), started_in(events)
    if closed is None:
        raise OrchestratorError(f"{task_id}: it has not come to an end; see: orchestrator show {task_id}")
    result = closed.details.get("result")
    result = result if isinstance(result, Mapping) else {}
    status = Status(closed.status)
    verdict = str(closed.details.get("verdict") or closed.error_kind or status)
    logs = closed.details.get("log_paths")
    printed = None if started is None else output_of(state, task_id, InvocationId(started.invocation_id))
    return Executed(
        task_id=task_id,
        status=status,
        verdict=verdict,
        why=closed.why,
        ran=ran,
        tool=started.tool if started is not None else "",
        model=(ran.model if ran is not None else "") or (started.model if started is not None else ""),
        reason=started.reason if started is not None else "",
        branch=str(result.get("branch") or closed.details.get("branch") or ""),
        path=closed.path,
        log=str(logs[0]) if isinstance(logs, list) and logs else "",
        printed=printed,
    )


def held_of(world: World, path: str, agent: str) -> Held:
    """The task in hand, from where it was put. Blocking."""
    file = taskfile.parse(world.mailbox.read(path), name=path.rpartition("/")[2], path=path)
    return Held(file=file, path=path, agent=AgentKey(agent))


def _folder(state: Path, task_id: str) -> Path:
    return state / "logs" / task_id[:200]
