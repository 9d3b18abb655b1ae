"""A world of plain lists and dicts: every port of the straight path, one clock, and a scripted engine.

Every effect is noted in one journal, in order. `refuse_at` makes the n-th effect fail once as a full disk does;
`die_at` makes the n-th effect, and all after it, impossible, as `kill -9` does.
"""

import asyncio
import errno
import selectors
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from orchestrator import taskfile
from orchestrator.commands import Commands
from orchestrator.core import cooldowns, layout, rates
from orchestrator.core.budget_amounts import Settlement, settle_at
from orchestrator.core.budget_facts import Adjustment, Ended, Fate, fact_of, fate_of
from orchestrator.core.budgets import Applied, Over, Standing, Subject, covers, decide
from orchestrator.core.budgets import Held as Hold
from orchestrator.core.claims import Claims
from orchestrator.core.cooldowns import Cooldown
from orchestrator.core.events import Event, EventKind, encode
from orchestrator.core.hindrance import Hindrance, together
from orchestrator.core.history import TaskState, fold, origin_of
from orchestrator.core.invocation import Invocation
from orchestrator.core.rates import Limited
from orchestrator.core.settings import Agent, Policy, Privacy, Retries, Settings, Tool, WorkspaceKind
from orchestrator.core.transition import Transition
from orchestrator.core.types import AgentKey, CostSource, InvocationId, MicroUsd, Status, TaskId
from orchestrator.core.verdict import Ending, Printed, Ran, Reported
from orchestrator.core.workspace import Evidence, Unworkable, Wanted, Workspace
from orchestrator.daemon import AtWork, Daemon, Until
from orchestrator.launch import Host
from orchestrator.ports import Appended, Entry, Known, NameTakenError, Recovered
from orchestrator.registrar import Registrar
from orchestrator.world import World

START = datetime(2026, 2, 12, 11, 1, tzinfo=UTC)
DONE = f"{layout.DONE}/dev/2026-02-12"
TOOL = Tool(name="brief", binary="brief", command=("{binary}", "{model}"))
AGENTS = {
    AgentKey("dev"): Agent(key=AgentKey("dev"), aliases=("benny",), preferred_tool="brief"),
    AgentKey("writer"): Agent(key=AgentKey("writer"), preferred_tool="brief"),
    AgentKey("person"): Agent(key=AgentKey("person"), manual=True),
    AgentKey("idle"): Agent(key=AgentKey("idle"), preferred_tool="missing"),
}
# What fails is told at once, and in all its words.
POLICY = Policy(name="default", max_parallel=2, retries=Retries(max=0), privacy=Privacy.FULL)
SETTINGS = Settings(agents=AGENTS, tools={"brief": TOOL}, policies={"default": POLICY})


class _Skipping(selectors.DefaultSelector):
    """Where there is nothing to do but to wait, the wait is over."""

    skipped = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(timeout and 0)
        if not found and timeout:
            self.skipped += timeout
        return found


class Hurried(asyncio.SelectorEventLoop):
    """A loop whose sleeps cost no time."""

    def __init__(self) -> None:
        self._skipping = _Skipping()
        super().__init__(self._skipping)

    def time(self) -> float:
        return super().time() + self._skipping.skipped


def run(story: Coroutine[Any, Any, Any]) -> Any:
    """Plays it on a hurried loop."""
    with asyncio.Runner(loop_factory=Hurried) as runner:
        return runner.run(story)


class Died(BaseException):
    """The daemon was killed there."""


@dataclass
class Effects:
    """What was done to the world, in order."""

    done: list[str] = field(default_factory=list)
    refuse_at: int = -1
    die_at: int = -1
    refused: str = ""
    died: str = ""
    dead: bool = False

    def about_to(self, what: str) -> None:
        """Notes the effect, or refuses it."""
        if self.dead:
            raise Died
        number = len(self.done)
        if number == self.die_at:
            self.dead, self.died = True, what
            raise Died
        if number == self.refuse_at and not self.refused:
            self.refused = what
            raise OSError(errno.ENOSPC, "No space left on device", what)
        self.done.append(what)


@dataclass
class Clock:
    """A time that moves only when told to."""

    at: datetime = START

    def now(self) -> datetime:
        return self.at

    def go_on(self, **span: float) -> None:
        self.at += timedelta(**span)


class Disk:
    """Calls at once; a call that a full disk refused is made again."""

    def __init__(self) -> None:
        self.waits = 0

    async def __call__(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        await asyncio.sleep(0)
        while True:
            try:
                return call(*args, **kwargs)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                self.waits += 1
                await asyncio.sleep(0)


@dataclass
class File:
    """A file as the fake disk has it."""

    content: bytes
    mtime_ns: int
    inode: int
    is_file: bool = True
    settled: bool = True
    readable: bool = True


class Mailbox:
    """Files in a dict, by path."""

    def __init__(self, effects: Effects, clock: Clock) -> None:
        self.files: dict[str, File] = {}
        self.aside: dict[str, File] = {}
        self.placed: list[tuple[str, str, str]] = []
        self._effects = effects
        self._clock = clock
        self._inode = 0

    def put(self, path: str, content: bytes, **about: Any) -> File:
        """A person puts a file there."""
        self._inode += 1
        at = int(self._clock.now().timestamp() * 1e9) + self._inode
        file = self.files[path] = File(content=content, mtime_ns=at, inode=self._inode, **about)
        return file

    def inbox(self) -> list[Entry]:
        return self._entries(layout.INBOX, deep=False)

    def assigned(self) -> list[Entry]:
        return self._entries(layout.ASSIGNED, deep=True)

    def _entries(self, folder: str, *, deep: bool) -> list[Entry]:
        found = []
        for path, file in list(self.files.items()):
            rest = path.removeprefix(f"{folder}/")
            name = path.rpartition("/")[2]
            if rest == path or ("/" in rest) != deep or not layout.is_task_name(name):
                continue
            size = len(file.content)
            found.append(
                Entry(path=path, name=name, size=size, mtime_ns=file.mtime_ns, inode=file.inode, is_file=file.is_file)
            )
        return found

    def is_settled(self, entry: Entry) -> bool:
        return entry.path not in self.files or self.files[entry.path].settled

    def read(self, path: str, limit: int = 1 << 20) -> bytes:
        file = self._file(path)
        if not file.is_file:
            raise OSError(errno.EINVAL, "no regular file", path)
        if not file.readable:
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return file.content[: limit + 1]

    def exists(self, path: str) -> bool:
        return path in self.files

    def write(self, path: str, content: bytes) -> None:
        self._effects.about_to(f"write {path}")
        self.put(path, content)

    def create(self, path: str, content: bytes) -> None:
        if path in self.files:
            raise NameTakenError(path)
        self._effects.about_to(f"create {path}")
        self.put(path, content)

    def move(self, path: str, to: str) -> None:
        file = self._file(path)
        if to in self.files:
            raise NameTakenError(to)
        self._effects.about_to(f"move {path} {to}")
        del self.files[path]
        self.files[to] = file

    def set_aside(self, path: str) -> str:
        self._file(path)
        self._effects.about_to(f"set aside {path}")
        self.aside[path] = self.files.pop(path)
        return f"/state/rejected/{path.rpartition('/')[2]}"

    def remove(self, path: str) -> None:
        if path in self.files:
            self._effects.about_to(f"remove {path}")
            del self.files[path]

    def search(self, task_id: TaskId) -> str:
        names = {f"{task_id}{suffix}" for suffix in layout.TASK_SUFFIXES}
        for folder in (layout.INBOX, layout.FRIDGE, layout.ASSIGNED):
            for path in self.files:
                if path.startswith(f"{folder}/") and path.rpartition("/")[2] in names:
                    return path
        return ""

    def place(self, folder: str, name: str, day: str = "") -> str:
        self.placed.append((folder, name, day))
        return f"{folder}/{day}/{name}" if day else f"{folder}/{name}"

    def _file(self, path: str) -> File:
        if path not in self.files:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", path)
        return self.files[path]


class Events:
    """Event files as lists."""

    def __init__(self, effects: Effects, mailbox: Mailbox) -> None:
        self.told: dict[TaskId, list[Event]] = {}
        self._effects = effects
        self._mailbox = mailbox
        self._count = 0

    def append(self, task_id: TaskId, events: Sequence[Event]) -> Appended:
        self._effects.about_to(f"announce {' '.join(str(event.event) for event in events)} {task_id}")
        self.told.setdefault(task_id, []).extend(events)
        content = b"".join(map(encode, self.told[task_id]))
        self._mailbox.put(self.path_of(task_id), content)
        return Appended(path=self.path_of(task_id), content=content)

    def read(self, task_id: TaskId) -> list[Event]:
        return list(self.told.get(task_id, []))

    def path_of(self, task_id: TaskId) -> str:
        return f"{layout.TELEMETRY}/2026-02-12/{task_id}.jsonl"

    def new_id(self) -> str:
        self._count += 1
        return f"E{self._count:06d}"

    def kinds(self, task_id: str) -> list[str]:
        """What happened to it, in order."""
        return [str(event.event) for event in self.told.get(TaskId(task_id), [])]


class Index:
    """What the events add up to, told by the same rule as the real one."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self.waiting: dict[TaskId, str] = {}

    def state(self, task_id: TaskId) -> TaskState | None:
        state = None
        for event in self._events.told.get(task_id, []):
            state = fold(state, event)
        return state

    def known(self, ids: Collection[TaskId]) -> Mapping[TaskId, Known]:
        return {task_id: _known(state) for task_id in ids if (state := self.state(task_id)) is not None}

    def is_taken_in(self, path: str, blob: str) -> bool:
        origins = [origin_of(event) for events in self._events.told.values() for event in events]
        return any(origin is not None and (origin.path, origin.blob) == (path, blob) for origin in origins)

    def set_waiting(self, waiting: Mapping[TaskId, str]) -> None:
        self.waiting = dict(waiting)

    def in_assigned(self) -> Sequence[Known]:
        states = [state for task_id in self._events.told if (state := self.state(task_id)) is not None]
        return [_known(state) for state in states if state.folder == "assigned" and state.path]

    def retained(self, finished_before: datetime, limit: int) -> Sequence[Known]:
        states = [state for task_id in self._events.told if (state := self.state(task_id)) is not None]
        found = [state for state in states if state.folder == "done" and state.finished is not None]
        old = sorted((state for state in found if state.finished < finished_before), key=lambda state: state.finished)
        return [_known(state) for state in old[:limit]]


def _known(state: TaskState) -> Known:
    return Known(task_id=state.id, status=state.status.value, path=state.path, agent=state.agent, why=state.why)


class Trail:
    """Commits as a list."""

    def __init__(self, effects: Effects) -> None:
        self.intents: list[tuple[str, ...]] = []
        self.forgone: list[int] = []
        self.commits: list[Transition] = []
        self.backlog = 0
        self.trouble = ""
        self.waiting = ""
        self._effects = effects

    def intend(self, paths: Sequence[str]) -> int:
        self._effects.about_to(f"intend {' '.join(paths)}")
        self.intents.append(tuple(paths))
        return len(self.intents)

    def record(self, intent: int, transition: Transition) -> None:
        self._effects.about_to(f"record {transition.subject}")
        self.commits.append(transition)

    def forgo(self, intent: int) -> None:
        self.forgone.append(intent)

    def flush(self, seconds: float) -> bool:
        return True

    def recover(self, extra_paths: Sequence[str] = ()) -> Recovered:
        return Recovered()

    def idle(self) -> None:
        return

    def tip(self) -> str:
        return ""

    def close(self) -> None:
        return


class Engine:
    """Runs by script: each task's next Ran; a task in `held` runs until it is stopped or let go."""

    def __init__(self, effects: Effects) -> None:
        self.script: dict[str, list[Ran | BaseException]] = {}
        self.runs: list[Invocation] = []
        self.ended: dict[InvocationId, Ran] = {}
        self.held: set[str] = set()
        self.held_checks: set[str] = set()  # the same for the checks of a task
        self.too_weak: set[str] = set()  # models whose work passes no check; empty: checks run by the task's script
        self.outlived: dict[InvocationId, Ran] = {}  # runs that go on without a daemon, by how they will end
        self.adopted: list[InvocationId] = []
        self.read_after: list[Reported | None] = []
        self.stopped: list[tuple[InvocationId, Ending]] = []
        self.missing: set[str] = {"missing"}
        self.most_at_once = 0
        self._now: dict[InvocationId, asyncio.Future[Ending]] = {}
        self._early: dict[InvocationId, Ending] = {}
        self._effects = effects

    async def run(self, invocation: Invocation) -> Ran:
        if (early := self._early.pop(invocation.id, None)) is not None:
            return Ran(ending=early, cost=MicroUsd(0), cost_source=CostSource.COMPUTED)
        self._effects.about_to(f"run {invocation.task_id}")
        self.runs.append(invocation)
        stop = self._now[invocation.id] = asyncio.get_running_loop().create_future()
        self.most_at_once = max(self.most_at_once, len(self._now))
        try:
            held = self.held_checks if ".check-" in invocation.id else self.held
            if invocation.task_id in held:
                ending = await stop
                ran = Ran(ending=ending, exit_code=None) if ending is not Ending.EXITED else said("let go")
            else:
                await asyncio.sleep(0)
                proof = self._proof(invocation)
                left = [proof] if proof is not None else self.script.get(invocation.task_id) or [said("an answer")]
                ran = left.pop(0) if len(left) > 1 else left[0]
        finally:
            del self._now[invocation.id]
        if isinstance(ran, BaseException):
            raise ran
        self.ended[invocation.id] = ran
        return ran

    def _proof(self, invocation: Invocation) -> Ran | None:
        work, _, check = invocation.id.partition(".check-")
        if not check or not self.too_weak:
            return None
        model = next(run.model for run in self.runs if run.id == work)
        return said("", exit_code=1) if model in self.too_weak else said("passed")

    def let_go(self) -> None:
        """What is held ends by itself."""
        self.held.clear()
        for stop in self._now.values():
            stop.set_result(Ending.EXITED)

    async def stop(self, invocation_id: InvocationId, ending: Ending) -> None:
        self.stopped.append((invocation_id, ending))
        stop = self._now.get(invocation_id)
        if stop is None:
            self._early[invocation_id] = ending
        elif not stop.done():
            stop.set_result(ending)

    async def adopt(self, invocation_id: InvocationId, printed: Printed) -> Ran | None:
        if (early := self._early.pop(invocation_id, None)) is not None and invocation_id in self.outlived:
            return Ran(ending=early)
        ran = self.outlived.pop(invocation_id, None)
        if ran is not None:
            self.ended[invocation_id] = ran
            self.adopted.append(invocation_id)
        return ran

    def read(self, tool: Tool, ran: Ran, printed: Printed, previous: Reported | None) -> Ran:
        """What the tool printed, as far as it is not in the Ran already."""
        self.read_after.append(previous)
        known = self.ended.get(InvocationId(printed.stdout.rpartition("/")[2].removesuffix(".out")))
        return replace(ran, text=known.text, errors=known.errors) if known is not None else ran

    def sweep(self) -> list[int]:
        return []

    def unavailable(self, binary: str) -> str:
        return f"{binary} is not on PATH" if binary in self.missing else ""


def said(text: str, **changes: Any) -> Ran:
    """A run that ended well."""
    return replace(Ran(ending=Ending.EXITED, exit_code=0, duration_ms=1500, text=text), **changes)


class Ledger:
    """Money in a dict: what is held for each run, and what it was charged."""

    def __init__(self, effects: Effects) -> None:
        self.holds: dict[InvocationId, Hold] = {}
        self.settled: dict[InvocationId, Settlement] = {}
        self.released: dict[InvocationId, str] = {}
        self.forced: dict[InvocationId, str] = {}
        self.history: list[int] = []
        self.adjustments: list[Adjustment] = []
        self.trouble: Exception | None = None  # what every call raises
        self._effects = effects

    def hold(
        self, limits: Sequence[Applied], invocation_id: InvocationId, about: Subject, amount: MicroUsd, at: datetime
    ) -> Hold | Over:
        self._about_to(f"hold {about.task_id}")
        decided = decide(self.standing(limits, at), amount)
        if isinstance(decided, Over):
            return decided
        hold = Hold(
            invocation_id=invocation_id,
            about=about,
            at=at,
            amount=amount,
            crossings=decided.crossings,
            warned=decided.crossings,
        )
        self.holds[invocation_id] = hold
        return hold

    def hold_anyway(
        self,
        limits: Sequence[Applied],
        invocation_id: InvocationId,
        about: Subject,
        amount: MicroUsd,
        at: datetime,
        *,
        reason: str,
    ) -> Hold:
        self._about_to(f"hold {about.task_id}")
        self.forced[invocation_id] = reason
        self.holds[invocation_id] = Hold(invocation_id=invocation_id, about=about, at=at, amount=amount)
        return self.holds[invocation_id]

    def settle(self, held: Hold, cost: MicroUsd | None, source: CostSource | None) -> Settlement:
        self._about_to(f"settle {held.about.task_id}")
        self.holds.setdefault(held.invocation_id, held)
        return self.settled.setdefault(held.invocation_id, settle_at(held.amount, cost, source, held.about.billing))

    def release(self, held: Hold, reason: str) -> bool:
        self._about_to(f"release {held.about.task_id}")
        self.released[held.invocation_id] = reason
        return self.holds.pop(held.invocation_id, None) is not None

    def recover(self, told: Mapping[TaskId, Sequence[Event]]) -> None:
        """What start-up does with open holds, by the rules of the core (adapters.kept_ledger)."""
        for held in self.open_holds():
            events = told.get(held.about.task_id, ())
            match fate_of(held, events):
                case Fate.ENDED:
                    facts = [fact for event in events if isinstance(fact := fact_of(event), Ended)]
                    [ended] = [fact for fact in facts if fact.invocation_id == held.invocation_id]
                    self.settled[held.invocation_id] = ended.settle(held.amount, held.about.billing)
                case Fate.NEVER_BEGAN:
                    del self.holds[held.invocation_id]
                case Fate.SILENT:
                    continue

    def open_holds(self) -> list[Hold]:
        """Those of runs that have not ended as far as it knows."""
        return [hold for name, hold in self.holds.items() if name not in self.settled]

    def amounts(self) -> dict[InvocationId, tuple[int, int | None]]:
        """What is held for each run, and what it was charged."""
        charged = {name: settlement.amount for name, settlement in self.settled.items()}
        return {name: (hold.amount, charged.get(name)) for name, hold in self.holds.items()}

    def _about_to(self, what: str) -> None:
        if self.trouble is not None:
            raise self.trouble
        self._effects.about_to(what)

    def standing(self, limits: Sequence[Applied], at: datetime) -> Sequence[Standing]:
        if self.trouble is not None:
            raise self.trouble
        return [self._standing(one) for one in limits]

    def costs(self, agent: str, model: str, task_type: str, limit: int = 200) -> list[int]:
        return self.history

    def _standing(self, applied: Applied) -> Standing:
        spent = held = 0
        for invocation_id, hold in self.holds.items():
            mine = not applied.task_id or hold.about.task_id == applied.task_id
            if mine and covers(applied.scope, hold.about) and applied.window.holds(hold.at):
                if invocation_id in self.settled:
                    spent += self.settled[invocation_id].amount
                else:
                    held += hold.amount
        spent += sum(one.amount for one in self.adjustments if applied.window.holds(one.at))
        return Standing(applied=applied, spent=MicroUsd(spent), held=MicroUsd(held))


class Rates:
    """Starts and cooldowns in dicts, by the rules of the core."""

    def __init__(self, clock: Clock) -> None:
        self.starts: dict[str, list[datetime]] = {}
        self.holders: dict[str, list[str]] = {}
        self.cooldowns: dict[str, Cooldown] = {}
        self.kept: list[str] = []
        self.trouble: Exception | None = None  # what every call raises
        self._clock = clock

    def _ask(self) -> None:
        if self.trouble is not None:
            raise self.trouble

    def hindrance(self, limited: Sequence[Limited]) -> Hindrance | None:
        self._ask()
        return together(
            rates.hindrance(
                one.what,
                one.limit,
                self.starts.get(one.what, []),
                running=sum(one.what in scopes for scopes in self.holders.values()),
                now=self._clock.now(),
            )
            for one in limited
        )

    def take(self, invocation: str, limited: Sequence[Limited]) -> Hindrance | None:
        if (found := self.hindrance(limited)) is not None:
            return found
        self.holders[invocation] = [one.what for one in limited]
        for one in limited:
            self.starts.setdefault(one.what, []).append(self._clock.now())
        return None

    def keep(self, invocation: str) -> None:
        self._ask()
        self.kept.append(invocation)

    def release(self, invocation: str) -> None:
        self._ask()
        self.holders.pop(invocation, None)

    def undo(self, invocation: str) -> None:
        self._ask()
        for scope in self.holders.pop(invocation, []):
            self.starts[scope].pop()

    def cool(self, scope: str, *, told: datetime | None = None, why: str = "") -> Cooldown:
        self._ask()
        self.cooldowns[scope] = cooldowns.failed(self.cooldowns.get(scope), now=self._clock.now(), told=told, why=why)
        return self.cooldowns[scope]

    def clear(self, scope: str, *, began: datetime) -> None:
        self._ask()
        if scope in self.cooldowns and cooldowns.succeeded(self.cooldowns[scope], began=began) is None:
            del self.cooldowns[scope]

    def cooling(self, tool: str, model: str) -> Hindrance | None:
        self._ask()
        scopes = dict.fromkeys((cooldowns.tool_scope(tool), cooldowns.tool_scope(tool, model)))
        now = self._clock.now()
        return together(cooldowns.hindrance(scope, self.cooldowns.get(scope), now) for scope in scopes)


class Workspaces:
    """Folders that are only names; what git shows of each is scripted."""

    def __init__(self, effects: Effects, root: Path) -> None:
        self.shown: dict[str, Evidence] = {}
        self.unworkable: dict[str, str] = {}
        self.wanted: list[Wanted] = []
        self.concluded: list[tuple[TaskId, str]] = []
        self.released: list[TaskId] = []
        self.in_checkout: int = 0
        self.most_in_checkout: int = 0
        self._effects = effects
        self._root = root

    def prepare(self, wanted: Wanted) -> Workspace | Unworkable:
        self.wanted.append(wanted)
        if why := self.unworkable.get(wanted.task_id):
            return Unworkable(why=why)
        if wanted.kind is WorkspaceKind.CHECKOUT:
            self.in_checkout += 1
            self.most_in_checkout = max(self.most_in_checkout, self.in_checkout)
        if wanted.kind is not WorkspaceKind.WORKTREE:
            return Workspace(kind=wanted.kind, task_id=wanted.task_id, path=str(self._root))
        self._effects.about_to(f"prepare {wanted.task_id}")
        return Workspace(
            kind=wanted.kind,
            task_id=wanted.task_id,
            path=str(self._root / "worktrees" / wanted.task_id),
            branch=f"task/{wanted.task_id}",
            base=wanted.base or "b45e",
            is_fresh=not wanted.base,
        )

    def conclude(self, workspace: Workspace, *, message: str, artefacts: Sequence[str]) -> Evidence:
        if workspace.kind is WorkspaceKind.CHECKOUT:
            self.in_checkout -= 1
        self.concluded.append((workspace.task_id, message))
        return self.shown.get(workspace.task_id, Evidence(branch=workspace.branch, base=workspace.base))

    def restore(self, workspace: Workspace, *, all_was_committed: bool) -> None:
        self._effects.about_to(f"restore {workspace.task_id}")

    def release(self, workspace: Workspace) -> str:
        self.released.append(workspace.task_id)
        return ""


class Renderer:
    """Texts that name their template."""

    def render(self, name: str, /, **values: object) -> str:
        return f"{name} {values.get('status', '')}\n"


class Around:
    """The surroundings of a daemon: everything that it says is kept."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []
        self.manager: list[str] = []
        self.crashes: list[str] = []
        self.disk = ""
        self.asked: list[Callable[[Commands], Any]] = []
        self.offered: Callable[[], int] = int
        self.changed = asyncio.Event()

    async def changes(self) -> AsyncIterator[None]:
        while True:
            await self.changed.wait()
            self.changed.clear()
            yield None

    def glance(self) -> bool:
        return False

    async def requests(self, commands: Commands) -> None:
        while self.asked:
            await self.asked.pop(0)(commands)

    def take_in(self) -> int:
        return self.offered()

    def disk_trouble(self) -> str:
        return self.disk

    def say(self, state: str, why: str = "") -> None:
        self.said.append((state, why))

    def tell_service_manager(self, state: str) -> None:
        self.manager.append(state)

    def write_boards(self) -> None:
        return

    def housekeeping(self) -> bool:
        return False

    async def archive(self) -> int:
        return 0

    def reload(self) -> str:
        return ""

    def report_crash(self, text: str) -> str:
        self.crashes.append(text)
        return f"crash-{len(self.crashes)}.txt"


class Fake:
    """The world, with what tests want to look at."""

    def __init__(self, folder: Path, settings: Settings = SETTINGS) -> None:
        self.folder = folder
        self.settings = settings
        self.effects = Effects()
        self.clock = Clock()
        self.disk = Disk()
        self.mailbox = Mailbox(self.effects, self.clock)
        self.events = Events(self.effects, self.mailbox)
        self.index = Index(self.events)
        self.trail = Trail(self.effects)
        self.engine = Engine(self.effects)
        self.workspaces = Workspaces(self.effects, folder)
        self.ledger = Ledger(self.effects)
        self.rates = Rates(self.clock)
        self.around = Around()
        self.steps: list[str] = []
        self.claims: dict[str, Claims] = {}
        self.world = self.build()

    def build(self) -> World:
        """The world of these ports."""
        registrar = Registrar(
            mailbox=self.mailbox,
            events=self.events,
            trail=self.trail,
            clock=self.clock,
            disk=self.disk,
            reached=self.steps.append,
        )
        return World(
            mailbox=self.mailbox,
            events=self.events,
            trail=self.trail,
            index=self.index,
            engine=self.engine,
            workspaces=self.workspaces,
            ledger=self.ledger,
            rates=self.rates,
            clock=self.clock,
            disk=self.disk,
            registrar=registrar,
            renderer=Renderer(),
            read_output=self.engine.read,
            redact=lambda ran, level: ran,
            secret_in=lambda raw, shown: f"{shown}:1:1: holds a secret" if b"s3cret" in raw else "",
            read_claims=lambda text: self.claims.get(text, Claims()),
            settings=lambda: self.settings,
            host=Host(root=self.folder, work=self.folder, state=self.folder / "state", environ={"PATH": "/bin"}),
            reached=self.steps.append,
        )

    # --- what people do ------------------------------------------------------------------------------------------

    def drop(
        self, task_id: str, *lines: str, folder: str = layout.INBOX, agent: str = "dev", suffix: str = ".yaml"
    ) -> str:
        """A person drops a task; its path."""
        text = "\n".join([f"id: {task_id}", f"agent: {agent}", f"title: Do {task_id}", *lines]) + "\n"
        path = f"{folder}/{task_id}{suffix}"
        self.mailbox.put(path, text.encode())
        return path

    def path_of_retry(self, task_id: str) -> str:
        """The task is dropped, fails, and is given another turn by hand; its path then."""
        self.drop(task_id)
        self.run()
        path = self.path(task_id)
        self.mailbox.put(path, self.mailbox.files[path].content.replace(b"status: error", b"status: assigned"))
        self.run()
        return self.path(task_id)

    # --- looking -------------------------------------------------------------------------------------------------

    def where(self, task_id: str) -> list[str]:
        """The folders that hold a file of that task."""
        found = [
            path for path in self.mailbox.files if path.rpartition("/")[2] in {f"{task_id}.yaml", f"{task_id}.yml"}
        ]
        return sorted(path.rpartition("/")[0].removeprefix(f"{layout.COLLABORATION}/") for path in found)

    def path(self, task_id: str) -> str:
        """Its one file."""
        [folder] = self.where(task_id)
        [path] = [
            path for path in self.mailbox.files if path.startswith(f"{layout.COLLABORATION}/{folder}/{task_id}.y")
        ]
        return path

    def text(self, path: str) -> str:
        return self.mailbox.files[path].content.decode()

    def task(self, task_id: str) -> Any:
        """Its task, as its file says it."""
        path = self.path(task_id)
        return taskfile.parse(self.mailbox.files[path].content, name=path.rpartition("/")[2], path=path).task

    def status(self, task_id: str) -> Status:
        return self.task(task_id).status

    def money_told(self) -> dict[InvocationId, tuple[int, int | None]]:
        """What a ledger that is made of the events alone holds for each run, and charges it."""
        told: dict[InvocationId, tuple[int, int | None]] = {}
        for events in self.events.told.values():
            for fact in filter(None, map(fact_of, events)):
                if isinstance(fact, Hold):
                    told[fact.invocation_id] = fact.amount, None
                elif isinstance(fact, Ended) and fact.invocation_id in told:
                    amount = told[fact.invocation_id][0]
                    told[fact.invocation_id] = amount, fact.settle(MicroUsd(amount), "api").amount
        return told

    def subjects(self) -> list[str]:
        return [commit.subject for commit in self.trail.commits]

    # --- running -------------------------------------------------------------------------------------------------

    def daemon(self, until: Until = Until.IDLE) -> Daemon:
        self.around = Around()
        return Daemon(self.world, self.around, until=until)

    def run(self, until: Until = Until.IDLE) -> None:
        """A daemon, until nothing is left."""
        run(self._run(until))

    async def _run(self, until: Until) -> None:
        async with asyncio.timeout(600):
            await self.daemon(until).run()

    def run_and(self, story: Callable[[Daemon], Any]) -> None:
        """A daemon that goes on, while `story` plays; then it is asked to stop."""
        run(self._run_and(story))

    async def _run_and(self, story: Callable[[Daemon], Any]) -> None:
        async with asyncio.timeout(600), asyncio.TaskGroup() as group:
            daemon = self.daemon(Until.STOPPED)
            job = group.create_task(daemon.run())
            try:
                await story(daemon)
            finally:
                if "STOPPING=1" not in self.around.manager:
                    daemon.ask_to_stop()
                await job

    def come_back(self) -> None:
        """After a death: what is on disk stays, what was in memory is gone."""
        self.effects.dead, self.effects.die_at = False, -1
        self.ledger.recover(self.events.told)


async def until(condition: Callable[[], object], seconds: float = 10) -> None:
    """Waits for it; the daemon under test gets the time. Where it waits for a thread, the loop's time flies."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.001)


def working(daemon: Daemon) -> list[str]:
    """The ids of what runs."""
    found: Iterable[AtWork] = daemon.working()
    return sorted(one.task_id for one in found)


STARTED, FINISHED = EventKind.EXECUTION_STARTED, EventKind.EXECUTION_FINISHED
