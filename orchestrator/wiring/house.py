"""What surrounds the daemon: hints, requests, intake, boards, the archive, and what people are told."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

from orchestrator import archiving, intaking
from orchestrator.adapters import output_logs, service
from orchestrator.adapters.lock import WorkspaceLock
from orchestrator.adapters.requests import Request, RequestBox
from orchestrator.adapters.watch import FolderWatch
from orchestrator.commands import Commands
from orchestrator.config import ConfigRefused
from orchestrator.core import layout
from orchestrator.core.types import Status, TaskId
from orchestrator.errors import OrchestratorError
from orchestrator.ports import TaskSource
from orchestrator.slots import AtWork
from orchestrator.wiring.boards import Boards
from orchestrator.wiring.configuring import read_settings
from orchestrator.wiring.opening import Opened
from orchestrator.wiring.sources import open_source

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
        tell: Callable[[], None],
    ) -> None:
        """`tell`: prints what had to be mended since it was last called."""
        self._tell = tell
        self._opened = opened
        self._lock = lock
        self._boards = boards
        self._source = source
        self._working = working
        self._box = RequestBox(opened.place.state)
        work = opened.place.work
        assigned = work / layout.ASSIGNED
        self._watch = FolderWatch([work / layout.INBOX, assigned, self._box.folder], below=[assigned])
        self._said = ("", "")
        self._refused = ""  # what to say as long as the configuration on disk is not the one in force
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

    async def finish_answers(self) -> None:
        """Waits for what is being answered: a command that was begun is carried out, and its client told."""
        while self._answering:
            await asyncio.wait(self._answering)

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
        why = why or (self._refused if state == "running" else "")
        if (state, why) != self._said:
            self._said = (state, why)
            self._lock.say(state, why)
            service.notify(f"STATUS={state}{': ' if why else ''}{why}")

    def tell_service_manager(self, state: str) -> None:
        """READY=1 and the like."""
        service.notify(state)

    def write_boards(self) -> None:
        """Brings the three pages up to date; where somebody took the folder away, it comes back first."""
        if (self._opened.place.work / layout.COLLABORATION).is_dir():
            self._boards.write(self._working())

    def housekeeping(self) -> bool:
        """The trail's own, folders that somebody took away, and what dead clients left."""
        self._opened.trail.idle()  # brings the work folder back, with its files, where it was taken away
        if not self._opened.trail.waiting:  # else another branch may be checked out, where there are none
            self._opened.mailbox.make_folders()
        self._box.sweep()
        if self._opened.index.is_gone():
            self._opened.index.mend()
        self._tell()
        return False

    async def archive(self) -> int:
        """Done tasks past retention, a bounded number at a time; then output past its own, and worktrees that
        a dead daemon had not come to remove."""
        now = asyncio.get_running_loop().time()
        if self._archived_at and now - self._archived_at < ARCHIVE_EVERY.total_seconds():
            return 0
        done = await archiving.archive(self._opened.world)
        if not done:
            self._archived_at = now
            keep = self._opened.configuration().retention.output_logs
            await self._opened.world.disk(output_logs.remove_old, self._opened.place.state, keep)
            await self._opened.world.disk(self._opened.workspaces.tidy, self._is_finished)
        return done

    def _is_finished(self, task_id: TaskId) -> bool:
        """Whether no run of it can need its worktree now: a later one makes it again from its branch."""
        known = self._opened.world.index.known([task_id]).get(task_id)
        return known is not None and known.status in {Status.DONE, Status.ERROR, Status.CANCELLED}

    def reload(self) -> str:
        """Reads the configuration again; the last good one stays where the new one is refused."""
        before = self._opened.configuration()
        try:
            self._opened.configuration.read = read_settings(self._opened.place)
        except ConfigRefused as refused:
            self._refused = "the new configuration was refused; the last good one is in force"
            return str(refused)
        self._refused = ""
        if self._opened.configuration().intake != before.intake:
            self._source = open_source(self._opened)
        if self._opened.configuration().trail != before.trail:
            self._refused = "the new `trail:` settings take effect when the daemon is started again"
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
