"""One tool as a process of this machine: started, waited for, signalled, and gone with all that it started.

The seam for a guard process in between is `Processes.start`.
"""

import asyncio
import os
import shutil
import signal
import threading
import time
from collections.abc import Collection
from contextlib import suppress
from typing import TYPE_CHECKING

from orchestrator.adapters import process_end, process_output, process_start, process_table
from orchestrator.core.invocation import Invocation
from orchestrator.core.verdict import Ran

if TYPE_CHECKING:
    import subprocess


class Running:
    """A tool that was started. `exited` is done once it ended; then `collect`, then `clear`."""

    def __init__(self, process: "subprocess.Popen[bytes]", invocation: Invocation, family: process_end.Family) -> None:
        self.invocation = invocation
        self.exited: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._process = process
        self._family = family
        self._began = time.monotonic_ns()
        self._watch()

    @property
    def pid(self) -> int:
        """The tool's process id: its group's and session's too."""
        return self._process.pid

    def signal(self, number: signal.Signals) -> None:
        """Signal the tool's process group, and wake it where it was stopped."""
        if self._process.returncode is None:  # not collected: the id is still its own
            with suppress(ProcessLookupError, PermissionError):  # macOS refuses where the only member is dead
                os.killpg(self.pid, number)
                os.killpg(self.pid, signal.SIGCONT)

    def look(self) -> None:
        """Take down which processes it has now."""
        self._family.look()

    def written(self) -> int:
        """How many bytes it has written so far, to both its files."""
        return process_output.written(self.invocation.stdout_path, self.invocation.stderr_path)

    def collect(self) -> tuple[int, int]:
        """Its exit code (negative: that signal) and how long it ran, in ms. Only once `exited` is done."""
        code = self._process.wait()
        return code, (time.monotonic_ns() - self._began) // 1_000_000

    async def clear(self, running: Collection[int], grace: float) -> str:
        """End what the ended tool left running: SIGTERM, `grace` seconds, SIGKILL. `running`: other tools' ids.

        Returns:
            Empty; or what could not be ended, in words.
        """
        if not process_table.is_readable():
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)  # all that such a system lets us find
            return ""
        if not self._family.left_over(running):
            return ""
        stuck = await asyncio.to_thread(process_end.end_all, self._family.members, grace=grace)
        return ", ".join(f"{one.command} ({one.pid})" for one in stuck)

    def said(self, ran: Ran) -> Ran:
        """That Ran with the text and the errors that the tool wrote."""
        paths = self.invocation
        return process_output.said(ran, stdout_path=paths.stdout_path, stderr_path=paths.stderr_path)

    def cut_output(self) -> None:
        """Bring both files back to the bound that they passed."""
        for path in (self.invocation.stdout_path, self.invocation.stderr_path):
            process_output.cut(path, self.invocation.max_output)

    def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            fd = os.pidfd_open(self.pid)
        except (AttributeError, OSError):  # macOS, an old kernel, or no descriptor left: a thread waits instead
            threading.Thread(target=self._wait_in_thread, args=(loop,), daemon=True).start()
            return
        loop.add_reader(fd, self._is_over, loop, fd)

    def _is_over(self, loop: asyncio.AbstractEventLoop, fd: int) -> None:
        loop.remove_reader(fd)
        os.close(fd)
        self._note_exit()

    def _wait_in_thread(self, loop: asyncio.AbstractEventLoop) -> None:
        self._process.wait()
        with suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits
            loop.call_soon_threadsafe(self._note_exit)

    def _note_exit(self) -> None:
        if not self.exited.done():
            self.exited.set_result(None)


class Processes:
    """Starts tools for one workspace. Making one makes this program adopt the orphans of what it starts."""

    def __init__(self, workspace: str) -> None:
        self._workspace = workspace  # the state folder: the mark by which a later daemon finds what we left
        self._orphans = process_end.Orphans()
        process_end.adopt_orphans()

    def start(self, invocation: Invocation) -> Running | Ran:
        """The running tool, or a Ran that says why there is none. Blocks for the millisecond that it takes."""
        process = process_start.start(invocation, workspace=self._workspace)
        if isinstance(process, Ran):
            return process
        family = process_end.Family(
            invocation_id=invocation.id, leader=process.pid, workspace=self._workspace, orphans=self._orphans
        )
        return Running(process, invocation, family)

    def recall(self, ran: Ran, *, stdout_path: str, stderr_path: str) -> Ran:
        """That Ran with what a tool of an earlier daemon wrote."""
        return process_output.said(ran, stdout_path=stdout_path, stderr_path=stderr_path)

    def sweep(self) -> list[int]:
        """End what an earlier daemon of this workspace left running; the process ids. Blocks."""
        return process_end.sweep_marked(self._workspace)

    def unavailable(self, binary: str) -> str:
        """Empty where that binary can be started, else why not."""
        if shutil.which(binary):
            return ""
        where = f"{binary}: " + ("no such program there" if "/" in binary else "not found on PATH")
        return f"{where}; install it, or name its path as `binary` in config/tools.yaml"
