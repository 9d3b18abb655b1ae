"""What would do a task, and why, as things stand or as they would stand: planned as a run is, and nothing is run.

It reads beside a daemon and takes no lock of the workspace. Of the world it has just what a plan asks; all else of it
is a thing that cannot be touched.
"""

import contextlib
import os
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from orchestrator import affording, checking, choosing, executing, ordering, submitting, taskfile, trying
from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.events import EventFiles
from orchestrator.adapters.mailbox import FolderMailbox
from orchestrator.adapters.place import Place
from orchestrator.adapters.process import Processes
from orchestrator.adapters.rates import SharedRates
from orchestrator.adapters.rates import folder as rates_folder
from orchestrator.adapters.rates_file import NAME as RATES
from orchestrator.core.agents import Unknown, resolve
from orchestrator.core.hindrance import Hindrance
from orchestrator.core.routing import Candidate, Refusal, Rejected, Route
from orchestrator.core.task import Task
from orchestrator.core.tracing import ENDS
from orchestrator.core.types import AgentKey, ErrorKind, MicroUsd, TaskId
from orchestrator.engines.local import LocalEngine
from orchestrator.errors import NotFoundError, OrchestratorError
from orchestrator.taskfile.rules import id_fault
from orchestrator.wiring.budgeting import NOTHING, ledger_as_it_is, provider_of, standing_plain
from orchestrator.wiring.configuring import read_settings
from orchestrator.wiring.opening import Configuration
from orchestrator.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One tool and model that came into question."""

    tool: str
    model: str
    reason: str
    why: str
    number: int  # in which order it runs, from 1; 0: it cannot
    until: datetime | None  # it only waits, until then
    outlook: affording.Outlook | None  # None: it costs no money, or something else keeps it from running

    def plain(self) -> dict[str, object]:
        """For --json. Money is micro-dollars."""
        told: dict[str, object] = {"tool": self.tool, "model": self.model, "reason": self.reason, "why": self.why}
        if not self.number:
            told["until"] = self.until.isoformat() if self.until is not None else None
        if self.outlook is None:
            return told | {"hold_microusd": 0, "basis": "no_money", "limits": []}
        limits = [
            {
                "period": one.applied.limit.period.value,
                "scope": dict(one.applied.scope),
                "type": "hard" if one.applied.limit.hard else "soft",
                "max_microusd": int(one.applied.limit.max_usd),
                **standing_plain(one),
            }
            for one in self.outlook.standings
        ]
        estimate = self.outlook.estimate
        return told | {"hold_microusd": int(estimate.amount), "basis": estimate.basis.value, "limits": limits}


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """The plan of a task."""

    task_id: str
    agent: str
    policy: str
    at: datetime
    spent: MicroUsd  # what-if money
    why: str  # of a refusal, in one sentence; empty: there is a route
    looks: tuple[Look, ...]  # in the order in which they run, those that cannot where they stood

    def plain(self) -> dict[str, object]:
        """For --json."""
        return {
            "task": self.task_id,
            "agent": self.agent,
            "policy": self.policy,
            "at": self.at.isoformat(),
            "spent_microusd": int(self.spent),
            "why": self.why,
            "route": [one.plain() for one in self.looks if one.number],
            "refused": [one.plain() for one in self.looks if not one.number],
        }


def explain(place: Place, wanted: str, *, at: datetime | None = None, spent: MicroUsd = NOTHING) -> Explained:
    """The plan of a task of the workspace, or of a task file. `spent`: as if each limit had spent so much more.

    Raises:
        NotFoundError: no such task, file or agent; TaskFileRefused, OrchestratorError: nothing can be planned for it.
    """
    task, name = _task(place, wanted)
    now = at or SystemClock().now()
    with _world(place, now, spent) as world:
        agent = resolve(task.agent, world.settings().agents)
        if isinstance(agent, Unknown):
            raise NotFoundError(f"{name}: agent: {agent.why}")
        if world.agent(agent).manual:
            raise OrchestratorError(f"{agent} is a person's role (`manual: true`): no tool does {task.id}")
        planned = choosing.plan(world, task, agent, executing.requested_of(place.state, task))
        planned = _after_what_failed(world, place, task, agent, planned)
        why = checking.missing(world, task) or (planned.why if isinstance(planned, Refusal) else "")
        return Explained(
            task_id=task.id,
            agent=agent,
            policy=world.settings().policy(world.agent(agent).policy).name,
            at=now,
            spent=spent,
            why=why,
            looks=_looks(world, task, agent, planned),
        )


def warnings_before(place: Place, arguments: Mapping[str, object]) -> tuple[str, ...]:
    """What a person is to hear before their `exec` begins: the limits whose threshold is reached with it.

    None where nothing can run: that is told by whoever is asked to run it.
    """
    now = SystemClock().now()
    settings = read_settings(place)
    agent = resolve(str(arguments.get("agent") or ""), settings.agents)
    if isinstance(agent, Unknown) or not settings.policy(settings.agents[agent].policy).limits:
        return ()
    with _world(place, now, NOTHING) as world:
        order = executing.order_of(arguments, world.settings(), now)
        planned = choosing.plan(world, order.task, order.agent, order.requested)
        if isinstance(planned, Refusal):
            return ()
        return ordering.warnings_of(world, order.task, order.agent, planned.first)


def _task(place: Place, wanted: str) -> tuple[Task, str]:
    """The task, and how a message names it."""
    file = Path(wanted)
    if file.is_file():
        return submitting.task_of(file.read_bytes()[: executing.LARGEST + 1], file.name), wanted
    mailbox = FolderMailbox(place.work)
    path = "" if id_fault(wanted) else mailbox.search(TaskId(wanted))
    path = path or _path_in_index(place, wanted)
    if not path or not mailbox.exists(path):
        raise NotFoundError(f"{wanted}: no such task or file; see `orchestrator status`")
    return taskfile.parse(mailbox.read(path), name=path.rpartition("/")[2], path=path).task, wanted


def _path_in_index(place: Place, wanted: str) -> str:
    from orchestrator.adapters.index_reader import IndexReader
    from orchestrator.core.history import IndexUnusable

    try:
        with contextlib.closing(IndexReader(place.state, place.work)) as reader:
            exactly = reader.task(wanted)
            found = [exactly] if exactly is not None else reader.starting_with(wanted, 3)
    except IndexUnusable:
        return ""
    if len(found) > 1:
        several = ", ".join(one.id for one in found)
        raise NotFoundError(f"{wanted}: several tasks begin so: {several}; write more of the one that is meant")
    return found[0].path if found else ""


def _after_what_failed(
    world: World, place: Place, task: Task, agent: AgentKey, planned: Route | Refusal
) -> Route | Refusal:
    """The route as it is for a task of which runs failed already: those that had their due are told as that."""
    events = EventFiles(place.work, locate=lambda _: None).read(task.id)
    if isinstance(planned, Refusal) or not events or events[-1].event in ENDS:
        return planned
    retries = world.settings().policy(world.agent(agent).policy).retries
    left = trying.in_turn(events, planned.candidates, retries)
    failures = trying.history_of(events)
    kinds = {one.tool: one.kind for one in failures} | {f"{one.tool}:{one.model}": one.kind for one in failures}
    over = tuple(
        Rejected(
            tool=one.tool.name,
            model=one.model,
            reason=one.reason,
            why=f"it failed already: {_kind(kinds, one)}",
            place=one.place,
        )
        for one in planned.candidates
        if one not in left
    )
    if not left:
        return Refusal(why="every candidate failed already", rejected=(*planned.rejected, *over))
    return replace(planned, candidates=left, rejected=(*planned.rejected, *over))


def _kind(kinds: Mapping[str, ErrorKind], one: Candidate) -> str:
    return kinds.get(f"{one.tool.name}:{one.model}", kinds[one.tool.name]).replace("_", " ")


def _looks(world: World, task: Task, agent: AgentKey, planned: Route | Refusal) -> tuple[Look, ...]:
    looked = partial(_outlook, world, task, agent)
    runs = planned.candidates if isinstance(planned, Route) else ()
    looks: list[tuple[int, Look]] = []
    highest = -1
    for number, one in enumerate(runs, 1):
        highest = max(highest, one.place)  # downgraded, the cheapest stands first: their order is kept
        look = Look(
            tool=one.tool.name,
            model=one.model,
            reason=one.reason,
            why=one.why,
            number=number,
            until=None,
            outlook=looked(one.tool.name, one.model),
        )
        looks.append((highest, look))
    for no in planned.rejected:
        look = Look(
            tool=no.tool,
            model=no.model,
            reason=no.reason,
            why=no.why,
            number=0,
            until=no.until,
            outlook=None if ordering.over_of(world, task, agent, no) is None else looked(no.tool, no.model),
        )
        looks.append((no.place, look))
    return tuple(look for _, look in sorted(looks, key=lambda each: each[0]))


def _outlook(world: World, task: Task, agent: AgentKey, tool: str, model: str) -> affording.Outlook | None:
    known = world.settings().tools.get(tool)
    asked = world.settings().model(model)
    if known is None or not affording.costs_money(known, asked):
        return None
    return affording.outlook(world, task, agent, known, asked)


# --- a world to be asked -------------------------------------------------------------------------------------------


class _Untouched:
    """What a plan has no business with."""

    def __getattr__(self, name: str) -> NoReturn:
        raise AssertionError(f"a plan asks for nothing of this: {name}")

    def __call__(self, *_arguments: object) -> None:
        """Steps that are reached are nobody's."""


class _Clock(SystemClock):
    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        """The moment for which it is planned."""
        return self._at


class _NoRates:
    """Nothing was ever started or failed."""

    def hindrance(self, _limited: object) -> Hindrance | None:
        """Nothing."""
        return None

    def cooling(self, _tool: str, _model: str) -> Hindrance | None:
        """Nothing."""
        return None


@contextlib.contextmanager
def _world(place: Place, at: datetime, spent: MicroUsd) -> Iterator[World]:
    settings = read_settings(place)
    with ledger_as_it_is(place, more=spent, provider_of=provider_of(settings)) as ledger, _rates(place, at) as rates:
        clock = _Clock(at)
        ports: dict[str, Any] = {one.name: _Untouched() for one in fields(World)}
        ports |= {
            "clock": clock,
            "engine": LocalEngine(Processes(str(place.state))),
            "ledger": ledger,
            "rates": rates,
            "settings": Configuration(place=place, read=settings, clock=clock),
        }
        yield World(**ports)


@contextlib.contextmanager
def _rates(place: Place, at: datetime) -> Iterator[SharedRates | _NoRates]:
    """A copy of the shared rates: asked as of another time they forget what is over by then, and these may."""
    shared = rates_folder(os.environ, place.state) / RATES
    if not shared.exists():
        yield _NoRates()
        return
    with tempfile.TemporaryDirectory(prefix="orchestrator-rates-") as folder:
        try:
            with (
                contextlib.closing(sqlite3.connect(f"{shared.as_uri()}?mode=ro", uri=True)) as source,
                contextlib.closing(sqlite3.connect(Path(folder) / RATES)) as copy,
            ):
                source.backup(copy)
        except sqlite3.Error:  # damaged, or taken away just now: whoever runs something begins it anew
            yield _NoRates()
            return
        rates = SharedRates(Path(folder), now=lambda: at)
        try:
            yield rates
        finally:
            rates.close()
