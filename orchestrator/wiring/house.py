"""What surrounds the daemon: hints, requests, intake, boards, the archive, and what people are told."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

from orchestrator import archiving, intaking
from orchestrator.adapters import service
from orchestrator.adapters.lock import WorkspaceLock
from orchestrator.adapters.requests import Request, RequestBox
from orchestrator.adapters.watch import FolderWatch
from orchestrator.commands import Commands
from orchestrator.config import ConfigRefused
from orchestrator.core import layout
from orchestrator.errors import OrchestratorError
from orchestrator.ports import TaskSource
from orchestrator.slots import AtWork
from orchestrator.wiring.boards import Boards
from orchestrator.wiring.opening import Opened, read_settings

ARCHIVE_EVERY = timedelta(hours=1)


class House:
    """The surroundings of one daemon (daemon.Surroundings)."""

    def __init__(
        self,
        opened: Opened,
        lock: WorkspaceLock,
        boards: Boards,
        source: TaskSource | None,
        working: Callable[[], list[AtWork]],
    ) -> None:
        self._opened = opened
        self._lock = lock
        self._boards = boards
        self._source = source
        self._working = working
        self._box = RequestBox(opened.place.state)
        work = opened.place.work
        self._watch = FolderWatch([work / layout.INBOX, work / layout.ASSIGNED, self._box.folder])
        self._said = ("", "")
        self._archived_at = 0.0
        self._answering: set[asyncio.Task[None]] = set()
        self.crashes = 0

    def changes(self) -> AsyncIterator[None]:
        """A hint for each change in the inbox, assigned/ and the requests."""
        return self._watch.hints()

    def glance(self) -> bool:
        """Whether the folders' times changed, or the branch of intake moved."""
        return self._watch.glance() or (self._source is not None and self._source.moved())

    async def requests(self, commands: Commands) -> None:
        """Answers the requests that wait. One that takes long, a cancel, does not hold up the others."""
        for request in self._box.pending():
            job = asyncio.create_task(self._answer(commands, request))
            self._answering.add(job)
            job.add_done_callback(self._answering.discard)

    async def _answer(self, commands: Commands, request: Request) -> None:
        reply: dict[str, object] | OrchestratorError
        try:
            reply = await commands.carry_out(request.verb, request.arguments)
        except OrchestratorError as error:
            reply = error
        except Exception as error:  # noqa: BLE001 - the boundary of one request: its client is told, the daemon goes on
            reply = OrchestratorError(f"{request.verb}: {error}; see {self.report_crash(repr(error))}")
        with contextlib.suppress(OSError):  # the disk is full: its client times out and says so
            self._box.answer(request, reply)

    def take_in(self) -> int:
        """Drops what intake offers into the inbox."""
        if self._source is None:
            return 0
        return intaking.take_in(self._opened.world, self._source)

    def disk_trouble(self) -> str:
        """Why nothing can be written now."""
        return self._opened.disk.trouble

    def say(self, state: str, why: str = "") -> None:
        """Tells people, where it is something new."""
        if (state, why) != self._said:
            self._said = (state, why)
            self._lock.say(state, why)
            service.notify(f"STATUS={state}{': ' if why else ''}{why}")

    def tell_service_manager(self, state: str) -> None:
        """READY=1 and the like."""
        service.notify(state)

    def write_boards(self) -> None:
        """Brings the three pages up to date."""
        self._boards.write(self._working())

    def housekeeping(self) -> bool:
        """The trail's own, and what dead clients left."""
        self._opened.trail.idle()
        self._box.sweep()
        if self._opened.index.is_gone():
            self._opened.index.mend()
        return False

    async def archive(self) -> int:
        """Done tasks past retention, a bounded number at a time."""
        now = asyncio.get_running_loop().time()
        if self._archived_at and now - self._archived_at < ARCHIVE_EVERY.total_seconds():
            return 0
        done = await archiving.archive(self._opened.world)
        if not done:
            self._archived_at = now
        return done

    def reload(self) -> str:
        """Reads the configuration again; the last good one stays where the new one is refused."""
        try:
            self._opened.configuration.settings = read_settings(self._opened.place)
        except ConfigRefused as refused:
            return str(refused)
        return ""

    def report_crash(self, text: str) -> str:
        """Keeps a traceback in the state folder; the file's name."""
        folder = self._opened.place.state / "crashes"
        self.crashes += 1
        try:
            folder.mkdir(exist_ok=True)
            number = sum(1 for _ in folder.iterdir()) + 1
            file = Path(folder / f"{number:06d}.txt")
            file.write_text(text, encoding="utf-8")
        except OSError:
            return "nowhere: the disk refuses"
        return str(file)
