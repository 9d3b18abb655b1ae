"""The write side for people: submit, exec, cancel, retry, freeze, thaw, start, complete, budget adjust.

The same functions run in the daemon, which is asked through a request file, and at once under the workspace's lock
where no daemon runs. Arguments and replies are plain mappings: they travel through files.
"""

import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from orchestrator import budgeting, choosing, executing, ordering, submitting, taskfile
from orchestrator.core import layout, moves, routing
from orchestrator.core.agents import Unknown, resolve
from orchestrator.core.claims import slug
from orchestrator.core.events import EventKind
from orchestrator.core.types import AgentKey, ErrorKind, Status, TaskId
from orchestrator.core.verdict import Ending
from orchestrator.errors import NotFoundError, OrchestratorError, UsageError
from orchestrator.ports import NameTakenError
from orchestrator.registrar import Advance, Held, OvertakenError
from orchestrator.taskfile.rules import id_fault
from orchestrator.world import World

OVERTAKEN_AT_MOST = 5  # times that the daemon may be quicker than a command

Arguments = Mapping[str, Any]
Reply = dict[str, object]


class Floor(Protocol):
    """What the daemon has in hand. Without one, nothing is."""

    def is_running(self, task_id: TaskId) -> bool:
        """Whether an invocation of it runs now."""

    def withdraw(self, task_id: TaskId) -> bool:
        """Takes it out of the queue, where it waits for a slot; False where it is not there."""

    async def stop(self, task_id: TaskId, ending: Ending, why: str = "") -> Held | None:
        """Ends its invocation, and waits until the task is put away."""

    def look_again(self) -> None:
        """The folders changed."""


class EmptyFloor:
    """Nothing is in hand: no daemon runs."""

    def is_running(self, task_id: TaskId) -> bool:  # noqa: ARG002 - the protocol's parameter
        """Never."""
        return False

    def withdraw(self, task_id: TaskId) -> bool:  # noqa: ARG002 - the protocol's parameter
        """Never."""
        return False

    async def stop(self, task_id: TaskId, ending: Ending, why: str = "") -> Held | None:  # noqa: ARG002 - as above
        """Nothing to stop."""
        return None

    def look_again(self) -> None:
        """Nobody looks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """The verbs, over a world and a floor."""

    world: World
    floor: Floor

    async def carry_out(self, verb: str, arguments: Arguments) -> Reply:
        """Carries it out.

        Raises:
            OrchestratorError: the refusal; nothing was changed.
        """
        verbs: dict[str, Callable[[Arguments], Awaitable[Reply]]] = {
            "submit": self.submit,
            "exec": self.execute,
            "cancel": self.cancel,
            "retry": self.retry,
            "freeze": self.freeze,
            "thaw": self.thaw,
            "start": self.start,
            "complete": self.complete,
            "budget-adjust": self.adjust_budget,
        }
        if verb not in verbs:
            raise UsageError(f"no verb {verb!r}; there are {', '.join(verbs)}")
        try:
            return await self._settled(verbs[verb], arguments)
        except NameTakenError as error:
            raise OrchestratorError(f"{error}: something is there already; move it away, then try again") from None
        finally:
            self.floor.look_again()

    async def _settled(self, verb: Callable[[Arguments], Awaitable[Reply]], arguments: Arguments) -> Reply:
        """The daemon may move a task on while we look at it: then it is looked at again."""
        for _ in range(OVERTAKEN_AT_MOST):
            with contextlib.suppress(OvertakenError, FileNotFoundError):
                return await verb(arguments)
        raise OrchestratorError(f"{arguments.get('id', 'the task')} is changing all the time; try again")

    # --- submit --------------------------------------------------------------------------------------------------

    async def submit(self, arguments: Arguments) -> Reply:
        """Drops a task into the inbox: {content, name} of a file, or {agent, title, ...} to make one of."""
        if "content" in arguments:
            raw, name = str(arguments["content"]).encode(), str(arguments.get("name") or "")
        else:
            raw, name = self._composed(arguments)
        if why := await self.world.disk(self.world.secret_in, raw, name):
            raise OrchestratorError(why)
        task = submitting.task_of(raw, name)
        agent = submitting.agent_of(task, name, self.world.settings().agents)
        known = self.world.index.known([task.id]).get(task.id)
        if known is not None and (not known.path or self.world.mailbox.exists(known.path)):
            raise OrchestratorError(f"{task.id}: there is a task with this id ({known.status}); use another id")
        if twin := self.world.mailbox.search(task.id):
            raise OrchestratorError(f"{task.id}: {twin} has this id already; use another id")
        path = f"{layout.INBOX}/{name}"
        try:
            await self.world.disk(self.world.mailbox.create, path, raw)
        except NameTakenError:
            raise OrchestratorError(f"{path}: is there already; use another id") from None
        return {
            "id": task.id,
            "status": str(Status.NEW),
            "path": path,
            "agent": agent,
            "message": f"submitted {task.id}",
        }

    def _composed(self, arguments: Arguments) -> tuple[bytes, str]:
        now = self.world.clock.now()
        fields = {key: value for key, value in arguments.items() if value not in (None, "", [], ())}
        if not fields.get("agent") or not fields.get("title"):
            raise UsageError("a task needs at least an agent and a title: --agent NAME --title TEXT")
        task_id = str(fields.get("id") or submitting.new_id(now, str(fields["agent"]), str(fields["title"])))
        made = {"id": task_id, "agent": fields.pop("agent"), "status": "new", **fields, "created_at": now}
        made["id"] = task_id
        return taskfile.compose(made), f"{task_id}.yaml"

    async def execute(self, arguments: Arguments) -> Reply:
        """A person's own task, to be run now (`executing.order_of` has the arguments), where a tool can do it."""
        order = executing.order_of(arguments, self.world.settings(), self.world.clock.now())
        world, task, agent = self.world, order.task, order.agent
        if why := await world.disk(world.secret_in, order.raw, "the task"):
            raise OrchestratorError(why)
        planned = await world.disk(choosing.plan, world, task, agent, order.requested)
        if isinstance(planned, routing.Refusal):
            raise OrchestratorError(await world.disk(ordering.no_way, world, task, agent, planned))
        said = await world.disk(ordering.ahead, world, task, agent, planned)
        if said.warnings:  # nobody may be there to read them: they are told with the task
            order = replace(order, details={**order.details, "budget_warnings": list(said.warnings)})
        if arguments.get("confirmed"):
            order = replace(order, details={**order.details, "confirmed": True})
        await world.disk(executing.place, world, order)
        return ordering.reply(order, planned, said)

    async def adjust_budget(self, arguments: Arguments) -> Reply:
        """Corrects what limits on money count as spent (`budgeting.adjust` has the arguments)."""
        return await budgeting.adjust(self.world, arguments)

    # --- finding -------------------------------------------------------------------------------------------------

    async def _find(self, arguments: Arguments) -> Held:
        task_id = TaskId(str(arguments.get("id") or ""))
        return await self.world.disk(self._held, task_id)

    def _held(self, task_id: TaskId) -> Held:
        if id_fault(task_id):
            raise NotFoundError(f"{task_id!r}: no such task: {id_fault(task_id)}; see `orchestrator status`")
        known = self.world.index.known([task_id]).get(task_id)
        path = known.path if known is not None and known.path else ""
        if not path or not self.world.mailbox.exists(path):
            path = self.world.mailbox.search(task_id)
        if not path:
            raise NotFoundError(f"{task_id}: no such task; see `orchestrator status`")
        name = path.rpartition("/")[2]
        file = taskfile.parse(self.world.mailbox.read(path), name=name, path=path)
        agent = resolve(file.task.agent, self.world.settings().agents)
        if isinstance(agent, Unknown):  # it becomes the name of a folder, and a stranger may have written it
            key = known.agent if known is not None and known.agent else file.task.agent
            agent = AgentKey(slug(key) if id_fault(key) else key)
        return Held(file=file, path=path, agent=agent)

    # --- cancel, retry -------------------------------------------------------------------------------------------

    async def cancel(self, arguments: Arguments) -> Reply:
        """Ends it: a running one is stopped first; one that waits is put away."""
        task_id = TaskId(str(arguments.get("id") or ""))
        why = str(arguments.get("reason") or "cancelled by a person")
        if self.floor.is_running(task_id):
            after = await self.floor.stop(task_id, Ending.CANCELLED, why)
            held = after if after is not None else await self._find(arguments)
            return _reply(
                held, f"cancelled {task_id}" if held.status is Status.CANCELLED else f"{task_id} ended before"
            )
        self.floor.withdraw(task_id)
        held = await self._find(arguments)
        _allow(held, Status.CANCELLED)
        to = held.path
        if not held.path.startswith(f"{layout.ASSIGNED}/"):
            to = await self.world.disk(
                self.world.mailbox.place, f"{layout.ASSIGNED}/{held.agent}", held.path.rpartition("/")[2]
            )
        event = self.world.registrar.event(
            EventKind.TASK_CANCELLED, held, status=Status.CANCELLED, path=to, why=why, error_kind=ErrorKind.CANCELLED
        )
        error = {"kind": "cancelled", "message": why, "timestamp": event.ts, "retry_count": 0}
        change = Advance(
            step="close", events=[event], fields={"status": Status.CANCELLED, "error": error}, to=to, body=why
        )
        return _reply(await self.world.registrar.advance(held, change), f"cancelled {task_id}")

    async def retry(self, arguments: Arguments) -> Reply:
        """Gives an error, cancelled or blocked task another turn."""
        held = await self._find(arguments)
        _allow(held, Status.ASSIGNED)
        if held.status in {Status.NEW, Status.IN_PROGRESS}:
            raise OrchestratorError(f"{held.id} is {held.status}: there is nothing to retry")
        event = self.world.registrar.event(
            EventKind.TASK_RETRIED,
            held,
            status=Status.ASSIGNED,
            path=held.path,
            why="a person asked for another turn",
            details={"from": held.status},
        )
        fields = {"status": Status.ASSIGNED, "error": None, "started_at": None}
        change = Advance(step="close", events=[event], fields=fields, body=event.why, subject="retried")
        return _reply(await self.world.registrar.advance(held, change), f"{held.id} will run again")

    # --- freeze, thaw --------------------------------------------------------------------------------------------

    async def freeze(self, arguments: Arguments) -> Reply:
        """Puts it into the fridge: it keeps its status and is left alone until thawed."""
        task_id = TaskId(str(arguments.get("id") or ""))
        if self.floor.is_running(task_id):
            raise OrchestratorError(f"{task_id} runs now; cancel it first, or let it end")
        why = str(arguments.get("reason") or "")
        if not why:
            raise UsageError("freezing wants a reason: --reason TEXT")
        self.floor.withdraw(task_id)
        held = await self._find(arguments)
        if held.path.startswith((f"{layout.FRIDGE}/", f"{layout.DONE}/", f"{layout.ARCHIVE}/")):
            raise OrchestratorError(f"{task_id} lies in {held.path.rpartition('/')[0]}: there is nothing to freeze")
        category = str(arguments.get("category") or "")
        if category and not all(character.isalnum() or character in "-_" for character in category):
            raise UsageError(f"{category!r} is no name for a category; use letters, digits, - and _")
        folder = f"{layout.FRIDGE}/{category}" if category else layout.FRIDGE
        to = await self.world.disk(self.world.mailbox.place, folder, held.path.rpartition("/")[2])
        event = self.world.registrar.event(
            EventKind.TASK_FROZEN, held, status=held.status, path=to, why=why, details={"from": held.path}
        )
        change = Advance(step="close", events=[event], fields={}, to=to, body=why, subject="frozen", becomes="frozen")
        return _reply(await self.world.registrar.advance(held, change), f"froze {task_id}")

    async def thaw(self, arguments: Arguments) -> Reply:
        """Takes it out of the fridge, back to where it came from."""
        held = await self._find(arguments)
        if not held.path.startswith(f"{layout.FRIDGE}/"):
            raise OrchestratorError(f"{held.id} is not in the fridge, it lies in {held.path.rpartition('/')[0]}")
        name = held.path.rpartition("/")[2]
        home = layout.INBOX if held.status is Status.NEW else f"{layout.ASSIGNED}/{held.agent}"
        to = f"{home}/{name}" if home == layout.INBOX else await self.world.disk(self.world.mailbox.place, home, name)
        event = self.world.registrar.event(EventKind.TASK_THAWED, held, status=held.status, path=to)
        change = Advance(step="close", events=[event], fields={}, to=to, subject="thawed", was="frozen")
        return _reply(await self.world.registrar.advance(held, change), f"thawed {held.id}")

    # --- manual agents -------------------------------------------------------------------------------------------

    async def start(self, arguments: Arguments) -> Reply:
        """A person begins a task of a manual agent."""
        held = self._by_hand(await self._find(arguments))
        _allow(held, Status.IN_PROGRESS)
        now = self.world.clock.now()
        event = self.world.registrar.event(
            EventKind.EXECUTION_STARTED, held, status=Status.IN_PROGRESS, path=held.path, why="started by a person"
        )
        fields = {"status": Status.IN_PROGRESS, "started_at": now}
        change = Advance(step="start", events=[event], fields=fields, body=event.why)
        return _reply(await self.world.registrar.advance(held, change), f"started {held.id}")

    async def complete(self, arguments: Arguments) -> Reply:
        """A person has done a task of a manual agent."""
        held = self._by_hand(await self._find(arguments))
        _allow(held, Status.DONE)
        now = self.world.clock.now()
        summary = str(arguments.get("summary") or "completed by a person")
        result: dict[str, object] = {
            "summary": summary,
            "verdict": "done",
            "completed_at": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        if artefacts := arguments.get("artefacts"):
            result["artefacts"] = [str(item) for item in artefacts]
        to = await self.world.disk(
            self.world.mailbox.place,
            f"{layout.DONE}/{held.agent}",
            held.path.rpartition("/")[2],
            now.strftime("%Y-%m-%d"),
        )
        event = self.world.registrar.event(
            EventKind.TASK_COMPLETED,
            held,
            status=Status.DONE,
            path=to,
            why=summary,
            details={"verdict": "done", "result": result},
        )
        fields = {"status": Status.DONE, "completed_at": now, "result": result}
        change = Advance(step="close", events=[event], fields=fields, to=to, body=summary)
        return _reply(await self.world.registrar.advance(held, change), f"completed {held.id}")

    def _by_hand(self, held: Held) -> Held:
        if not self.world.agent(held.agent).manual:
            raise OrchestratorError(
                f"{held.id} is {held.agent}'s, and the daemon runs it; `start` and `complete` are for agents marked"
                " `manual: true` in config/agents.yaml"
            )
        return held


def _allow(held: Held, wanted: Status) -> None:
    if why := moves.refusal_of(held.status, wanted):
        raise OrchestratorError(f"{held.id}: {why}")


def _reply(held: Held, message: str) -> Reply:
    return {"id": held.id, "status": str(held.status), "path": held.path, "agent": held.agent, "message": message}
