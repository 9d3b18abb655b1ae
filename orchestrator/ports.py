"""What the straight path needs from the world. Adapters implement these; tests have fakes of them.

Ports that touch the disk are plain blocking code, safe to call from several threads; `Disk` takes a call off the
event loop and waits for room where the disk is full. Paths are relative to the work folder and use /.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, ParamSpec, Protocol, TypeVar

from orchestrator.core.budget_amounts import Settlement
from orchestrator.core.budget_facts import Adjustment
from orchestrator.core.budgets import Applied, Over, Standing, Subject
from orchestrator.core.budgets import Held as Hold
from orchestrator.core.cooldowns import Cooldown
from orchestrator.core.events import Event
from orchestrator.core.hindrance import Hindrance
from orchestrator.core.invocation import Invocation
from orchestrator.core.rates import Limited
from orchestrator.core.transition import Transition
from orchestrator.core.types import CostSource, InvocationId, MicroUsd, TaskId
from orchestrator.core.verdict import Ending, Printed, Ran
from orchestrator.core.workspace import Evidence, Unworkable, Wanted, Workspace

T = TypeVar("T")
P = ParamSpec("P")


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """Aware, UTC."""


class Disk(Protocol):
    """Runs a blocking call beside the event loop. A full or read-only disk is waited for, and said."""

    async def __call__(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """The call's result; the call must be repeatable."""


# --- folders -----------------------------------------------------------------------------------------------------


class Entry(NamedTuple):
    """A file in a folder of the mailbox. A tuple: each look at an inbox of thousands makes one for each of them."""

    path: str
    name: str
    size: int
    mtime_ns: int
    inode: int
    is_file: bool  # False: a link, a folder, a socket: never a task


class NameTakenError(Exception):
    """The place that a file was to move to is taken: nothing was moved."""


class Mailbox(Protocol):
    """The folders of the collaboration space."""

    def inbox(self) -> list[Entry]:
        """What lies in the inbox and could be a task, unordered."""

    def assigned(self) -> list[Entry]:
        """What lies below assigned/, in agent folders and their overflow."""

    def is_settled(self, entry: Entry) -> bool:
        """Whether nobody is writing it any more."""

    def read(self, path: str, limit: int = ...) -> bytes:
        """Its bytes, at most `limit` and one more. Never follows a link. Raises FileNotFoundError, OSError."""

    def exists(self, path: str) -> bool:
        """Whether something is there."""

    def write(self, path: str, content: bytes) -> None:
        """Replaces the file whole, synced, keeping its mode."""

    def create(self, path: str, content: bytes) -> None:
        """Makes the file, synced. Raises NameTakenError where one is there."""

    def move(self, path: str, to: str) -> None:
        """Renames without overwriting. Raises NameTakenError, FileNotFoundError."""

    def remove(self, path: str) -> None:
        """Takes it away; nothing where it is gone already."""

    def set_aside(self, path: str) -> str:
        """Moves a file to where git never sees it; the new place. Raises FileNotFoundError, OSError."""

    def search(self, task_id: TaskId) -> str:
        """Where its file lies among inbox, assigned and fridge; '' where it is in none of them."""

    def place(self, folder: str, name: str, day: str = "") -> str:
        """The path for `name` below `folder`, which is made: flat where `day` is empty and there is room, else in the
        bucket of that day."""


# --- facts -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """An event file after an append, as it is on disk."""

    path: str
    content: bytes


class EventLog(Protocol):
    """The event files, one a task. An append is synced before it returns, and in the index."""

    def append(self, task_id: TaskId, events: Sequence[Event]) -> Appended:
        """Adds the events. Raises OSError where the disk refuses; then nothing was added."""

    def read(self, task_id: TaskId) -> list[Event]:
        """The task's events, oldest first."""

    def path_of(self, task_id: TaskId) -> str:
        """Where its event file is or will be."""

    def new_id(self) -> str:
        """An id for an event: sorts by time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the index knows of a task."""

    task_id: TaskId
    status: str
    path: str
    agent: str = ""
    attempts: int = 0
    why: str = ""


class Index(Protocol):
    """The derived index, as far as the straight path asks it."""

    def known(self, ids: Collection[TaskId]) -> Mapping[TaskId, Known]:
        """What is known of these tasks; absent: nothing."""

    def is_taken_in(self, path: str, blob: str) -> bool:
        """Whether intake dropped that file already."""

    def set_waiting(self, waiting: Mapping[TaskId, str]) -> None:
        """Which tasks wait in the inbox, and for what: for people to look at; not a fact."""

    def in_assigned(self) -> Sequence[Known]:
        """Tasks that ought to be in assigned/, as their events tell."""

    def retained(self, finished_before: datetime, limit: int) -> Sequence[Known]:
        """Tasks in done/ that finished before then, oldest first."""


# --- trail -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What start-up had to commit."""

    commits: int = 0
    paths: tuple[str, ...] = ()
    restored: bool = False  # the work folder was gone and came back from the branch
    notes: tuple[str, ...] = ()


class Trail(Protocol):
    """The commits. Handing over never waits and never fails a task; what is not committed yet is on disk."""

    @property
    def backlog(self) -> int:
        """Transitions handed over and not yet durable."""

    @property
    def trouble(self) -> str:
        """Why nothing can be committed now, in a sentence; empty: all is well."""

    @property
    def waiting(self) -> str:
        """What committing waits for although nothing is wrong, in a sentence: a person's merge; empty: nothing."""

    def intend(self, paths: Sequence[str]) -> int:
        """Notes that these paths are about to change, before the first of them does."""

    def record(self, intent: int, transition: Transition) -> None:
        """Hands the transition over to be committed."""

    def forgo(self, intent: int) -> None:
        """Nothing will be recorded for that intent after all; what became of its paths is looked at."""

    def flush(self, seconds: float) -> bool:
        """Waits until all that was handed over is durable; False where it is not by then."""

    def recover(self, extra_paths: Sequence[str] = ()) -> Recovered:
        """Commits what is on disk and not on the branch."""

    def idle(self) -> None:
        """Housekeeping, when nothing else goes on."""

    def tip(self) -> str:
        """The newest commit, or ''."""

    def close(self) -> None:
        """Ends the child; what was handed over is durable or in the journal."""


# --- running -----------------------------------------------------------------------------------------------------


class Engine(Protocol):
    """Where invocations run."""

    async def run(self, invocation: Invocation) -> Ran:
        """Runs it to its end; nothing that it started is left. Never raises for what the tool does.

        The Ran is the operating system's part: what the tool printed lies at the invocation's paths.
        """

    async def adopt(self, invocation_id: InvocationId, printed: Printed) -> Ran | None:
        """The end of a run that an earlier daemon started: waited for where it still goes on. None: no trace of it."""

    async def stop(self, invocation_id: InvocationId, ending: Ending) -> None:
        """Asks a run to end so, and escalates; `run` returns when it is over. Before its run: it does not start."""

    def sweep(self) -> list[int]:
        """Ends what a dead daemon left running here, save runs that can be adopted; the process ids."""

    def unavailable(self, binary: str) -> str:
        """Empty where that binary can be started, else why not."""


class Workspaces(Protocol):
    """The folders that tools work in. Blocking; every call can be repeated."""

    def prepare(self, wanted: Wanted) -> Workspace | Unworkable:
        """The workspace, made or found as an earlier run of the task left it."""

    def conclude(self, workspace: Workspace, *, message: str, artefacts: Sequence[str]) -> Evidence:
        """Commits to the task's branch what the tool left, and says what git shows. `artefacts`: declared ones."""

    def restore(self, workspace: Workspace, *, all_was_committed: bool) -> None:
        """Takes away what a check left in a worktree since `conclude`. `all_was_committed`: nothing was kept then."""

    def release(self, workspace: Workspace) -> str:
        """Removes it where all of it is committed; empty, or why it is kept and where it lies."""


class Ledger(Protocol):
    """The lock under which money is held. Blocking; safe from several threads and processes.

    Every call may raise LedgerUnusable, BusyError, or OSError: then nothing of it happened.
    """

    def hold(
        self, limits: Sequence[Applied], invocation_id: InvocationId, about: Subject, amount: MicroUsd, at: datetime
    ) -> Hold | Over:
        """Holds the amount where every hard limit leaves room for it, all in one transaction."""

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
        """Holds it over any limit, because a person says so."""

    def settle(self, held: Hold, cost: MicroUsd | None, source: CostSource | None) -> Settlement:
        """Charges a run what it cost."""

    def release(self, held: Hold, reason: str) -> bool:
        """Gives a hold back: its run never began."""

    def adjust(self, adjustment: Adjustment) -> bool:
        """Corrects what is counted as spent; its event was written before. False where it was known."""

    def take_in(self, events: Iterable[Event]) -> int:
        """Enters what these events tell and it did not know; how much that was."""

    def standing(self, limits: Sequence[Applied], at: datetime) -> Sequence[Standing]:
        """How much of each limit is gone."""

    def costs(self, agent: str, model: str, task_type: str, limit: int = 200) -> list[int]:
        """What the latest runs of a kind cost."""


class Rates(Protocol):
    """Rate limits and cooldowns, shared by every process of this user on the machine. Blocking.

    Raises OrchestratorError where they cannot be kept.
    """

    def hindrance(self, limited: Sequence[Limited]) -> Hindrance | None:
        """Why none of these may start now, or None."""

    def take(self, invocation: str, limited: Sequence[Limited]) -> Hindrance | None:
        """Counts a start against all of them, or says why it may not be."""

    def keep(self, invocation: str) -> None:
        """A run of an earlier daemon's goes on under this one: its places are this process's."""

    def release(self, invocation: str) -> None:
        """The run is over."""

    def undo(self, invocation: str) -> None:
        """The run never began."""

    def cool(self, scope: str, *, told: datetime | None = None, why: str = "") -> Cooldown:
        """Something said "not now"."""

    def clear(self, scope: str, *, began: datetime) -> None:
        """A run of it that began then succeeded."""

    def cooling(self, tool: str, model: str) -> Hindrance | None:
        """Why the tool, or that model of it, is left alone now, or None."""


class Renderer(Protocol):
    """Templates."""

    def render(self, name: str, /, **values: object) -> str:
        """The text. Values are data, never templates."""


StepReached = Callable[[str], None]


# --- intake ------------------------------------------------------------------------------------------------------


class Offer(Protocol):
    """A task file on a branch that was not taken in yet."""

    @property
    def path(self) -> str:
        """In the repository."""

    @property
    def name(self) -> str:
        """Of the file."""

    @property
    def blob(self) -> str:
        """Its object."""

    @property
    def commit(self) -> str:
        """The commit that brought it."""

    @property
    def content(self) -> bytes:
        """Its bytes."""


class TaskSource(Protocol):
    """Where committed task files come from."""

    def find(self, limit: int) -> Sequence[Offer]:
        """What is offered now; cheap where nothing changed."""

    def moved(self) -> bool:
        """Whether a look is worth it: the branch moved since the last one."""

    def decline(self, offer: Offer) -> None:
        """It is no new task: it is not wanted, and need not be offered again."""
