"""Opens a workspace for writing: index, events, mailbox, trail, engine, and the world of them."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from orchestrator import budgeting
from orchestrator.adapters.answers import read_claims
from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.disk import WaitingDisk
from orchestrator.adapters.events import EventFiles, EventIds
from orchestrator.adapters.index_mending import MendingIndex
from orchestrator.adapters.kept_ledger import KeptLedger
from orchestrator.adapters.lazy_rates import LazyRates
from orchestrator.adapters.mailbox import FolderMailbox
from orchestrator.adapters.place import Place
from orchestrator.adapters.process import Processes
from orchestrator.adapters.process_zygote import Zygote
from orchestrator.adapters.rates import folder as rates_folder
from orchestrator.adapters.templates import Templates
from orchestrator.adapters.workspaces.workspaces import Workspaces
from orchestrator.core.events import Event
from orchestrator.core.settings import Settings, Tool
from orchestrator.core.types import TaskId
from orchestrator.core.verdict import Printed, Ran, Reported
from orchestrator.engines.local import LocalEngine
from orchestrator.launch import Host
from orchestrator.ports import Appended, Trail
from orchestrator.registrar import Registrar
from orchestrator.resources import folder
from orchestrator.wiring.configuring import read_settings
from orchestrator.wiring.redacting import Redaction
from orchestrator.wiring.trails import open_trail
from orchestrator.world import World


class IndexedEvents:
    """The event files with the index kept current: an append is synced, then told to the index."""

    def __init__(
        self, files: EventFiles, index: MendingIndex, clock: SystemClock, heard: Callable[[Event], None]
    ) -> None:
        self._files = files
        self._index = index
        self._clock = clock
        self._ids = EventIds()
        self._heard = heard

    def append(self, task_id: TaskId, events: Sequence[Event]) -> Appended:
        """Adds the events; they are on disk and in the index then."""
        day = self._clock.now().strftime("%Y-%m-%d")
        appended = self._files.append(task_id, events, day=day)
        self._index.apply(appended.path, len(appended.content), task_id, events)
        for event in events:
            self._heard(event)
        return appended

    def read(self, task_id: TaskId) -> list[Event]:
        """The task's events, oldest first."""
        return self._files.read(task_id)

    def content(self, task_id: TaskId) -> bytes:
        """The whole event file."""
        return self._files.content(task_id)

    def path_of(self, task_id: TaskId) -> str:
        """Where its event file is; '' where it has none yet."""
        return self._files.path_of(task_id) or ""

    def new_id(self) -> str:
        """An id that sorts by time."""
        return self._ids.new(self._clock.now())


@dataclass(slots=True)
class Configuration:
    """The settings in force: the last ones that were good."""

    place: Place
    read: Settings  # as the files say
    clock: SystemClock
    _priced: tuple[date, Settings, Settings] | None = None  # the day, what was read, and that with the day's prices

    def __call__(self) -> Settings:
        """The settings now, with today's prices where something is paid by use."""
        today = self.clock.now().date()
        if self._priced is None or self._priced[0] != today or self._priced[1] is not self.read:
            self._priced = today, self.read, self._with_prices()
        return self._priced[2]

    def _with_prices(self) -> Settings:
        if not any(tool.billing == "api" and tool.models for tool in self.read.tools.values()):
            return self.read
        from orchestrator.wiring.pricing import with_prices

        return with_prices(self.read, self.place, self.clock.now())


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An open workspace."""

    place: Place
    world: World
    index: MendingIndex
    disk: WaitingDisk
    mailbox: FolderMailbox
    trail: Trail
    ledger: KeptLedger
    rates: LazyRates
    workspaces: Workspaces
    configuration: Configuration
    templates: Templates
    notes: list[str]  # what opening had to mend, for people

    def close(self) -> None:
        """Lets go of everything, in the order that keeps it whole."""
        self.disk.close()
        self.ledger.close()
        self.rates.close()
        self.trail.close()
        self.index.close()


def open_workspace(
    place: Place,
    *,
    heard: Callable[[Event], None] = lambda _: None,
    reached: Callable[[str], None] = lambda _: None,
    zygote: Zygote | None = None,
) -> Opened:
    """Opens it; whoever calls holds the workspace's lock. `zygote`: one that was got ready before."""
    settings = read_settings(place)
    place.state.mkdir(parents=True, exist_ok=True)
    notes: list[str] = []
    trail = open_trail(place, settings.trail, notes)
    clock, disk = SystemClock(), WaitingDisk()
    mailbox = FolderMailbox(place.work, aside=place.state / "rejected")
    mailbox.make_folders()
    index = MendingIndex(place.state, place.work, told=notes.append)
    files = EventFiles(place.work, locate=index.locate)
    events = IndexedEvents(files, index, clock, heard)
    configuration = Configuration(place=place, read=settings, clock=clock)
    ledger = KeptLedger(place.state, place.work, lambda model: configuration().model(model).provider, notes.append)
    host = Host(root=place.root, work=place.work, state=place.state, environ=dict(os.environ))
    redaction = Redaction(configuration, host)
    rates = LazyRates(rates_folder(os.environ, place.state))
    registrar = Registrar(mailbox=mailbox, events=events, trail=trail, clock=clock, disk=disk, reached=reached)
    workspaces = Workspaces(place, lambda: configuration().workspaces, notes.append)
    own_templates = place.root / "templates"
    templates = Templates(*([own_templates] if own_templates.is_dir() else []), folder("templates"))
    world = World(
        mailbox=mailbox,
        events=events,
        trail=trail,
        index=index,
        engine=LocalEngine(Processes(str(place.state), zygote)),
        workspaces=workspaces,
        ledger=ledger,
        rates=rates,
        clock=clock,
        disk=disk,
        registrar=registrar,
        renderer=templates,
        read_output=_read_output,
        read_claims=read_claims,
        redact=redaction,
        secret_in=redaction.secret_in,
        settings=configuration,
        host=host,
        reached=reached,
    )
    return Opened(
        place=place,
        world=world,
        index=index,
        disk=disk,
        mailbox=mailbox,
        trail=trail,
        ledger=ledger,
        rates=rates,
        workspaces=workspaces,
        configuration=configuration,
        templates=templates,
        notes=notes,
    )


def _read_output(tool: Tool, ran: Ran, printed: Printed, previous: Reported | None) -> Ran:
    from orchestrator.adapters.readers import read_output  # once a tool has run

    return read_output(tool, ran, printed, previous)


def recover(opened: Opened) -> None:
    """Commits what a dead daemon left: what was under way, and the events and logs of tasks that are not finished."""
    extra = {
        path for file in budgeting.recent_files(opened.world.clock.now()) if (path := opened.world.events.path_of(file))
    }
    for task in opened.index.unfinished():
        if path := opened.world.events.path_of(task.id):
            extra.add(path)
        for event in opened.world.events.read(task.id):
            logs = event.details.get("log_paths")
            extra.update(map(str, logs) if isinstance(logs, list) else ())
    opened.mailbox.remove_half_written({path.rpartition("/")[0] for path in extra})
    recovered = opened.trail.recover(sorted(extra))
    opened.notes.extend(recovered.notes)
    opened.ledger.recover(opened.world.events.read)
    budgeting.take_up(opened.world)
    if recovered.commits:
        opened.notes.append(f"committed what was left uncommitted: {recovered.commits} commits")
