"""Tools as processes of this machine, each under a guard of its own that outlives this program.

The seam to other systems is in `guard`: where there is no /proc and no subreaper, a run's process group is what ends.
"""

import asyncio
import os
import shutil
import socket
from dataclasses import dataclass

from orchestrator.adapters import process_end, process_guard
from orchestrator.adapters.process_guard import Adopted, Files, Guarded
from orchestrator.adapters.process_zygote import Zygote
from orchestrator.core.invocation import Invocation
from orchestrator.core.types import ErrorKind, InvocationId
from orchestrator.core.verdict import Ending, Printed, Ran
from orchestrator.guard.spec import pack


@dataclass(slots=True, kw_only=True)
class Supervised:
    """A run that goes on."""

    invocation_id: InvocationId
    files: Files
    guard: Guarded | Adopted
    owner: "Processes"
    has_begun: bool = True  # False once it is certain that its guard was gone before it started anything

    def stop(self, ending: Ending) -> None:
        """Asks it to end so; asked again, without graces."""
        self.guard.command(f"stop {ending}")

    def kill(self) -> None:
        """Ends it without any grace."""
        self.guard.command(f"kill {Ending.INTERRUPTED}")

    async def end(self) -> Ran | None:
        """How it ended; nothing of it is left then. None: its guard was killed, and it was swept."""
        try:
            ran = await self.guard.end()
        finally:
            self.guard.close()
        if ran is None:
            self.has_begun = process_guard.presence(self.files) is not None
            await asyncio.to_thread(self.owner.clear_up, self.invocation_id, self.files)
        return ran

    def why_lost(self) -> str:
        """Why there was no word of its end."""
        return process_guard.why_lost(self.files)


class Processes:
    """Starts tools for one workspace, and finds those that an earlier daemon of it started."""

    def __init__(self, workspace: str, zygote: Zygote | None = None) -> None:
        """`zygote`: one that was got ready before; it is ours then."""
        self._workspace = workspace  # the state folder: the mark by which a later daemon finds what we left
        self._zygote = zygote or Zygote()

    async def start(self, invocation: Invocation, graces: tuple[float, float, float]) -> Supervised | Ran:
        """The run under its guard, or a Ran that says why there is none."""
        files = Files(printed=Printed(stdout=invocation.stdout_path, stderr=invocation.stderr_path))
        try:
            packed = pack(process_guard.spec_of(invocation, workspace=self._workspace, graces=graces))
        except ValueError as error:
            return _refusal(f"the tool cannot be given these arguments: {error}")
        try:
            lock = process_guard.lock(files)
        except BlockingIOError:
            return _refusal(f"{files.base}: this run goes on already, under a guard that an earlier daemon started")
        except (OSError, ValueError) as error:
            return _refusal(f"cannot prepare the tool's input and output: {error}")
        try:
            guard = Guarded(files, self._connect(lock))
        except OSError as error:
            return _refusal(f"cannot start a guard for the tool: {error}")
        finally:
            os.close(lock)  # the guard's copy holds the lock
        started = Supervised(invocation_id=invocation.id, files=files, guard=guard, owner=self)
        told = asyncio.ensure_future(guard.tell(packed))
        try:
            await asyncio.shield(told)
        except asyncio.CancelledError:
            await told  # half a message can be followed by nothing
            started.kill()
            await started.end()
            raise
        return started

    async def find(self, invocation_id: InvocationId, printed: Printed) -> Supervised | Ran | None:
        """A run of an earlier daemon: going on, ended since, or None: no trace of it, and what it left was swept."""
        files = Files(printed=printed)
        if (guard := await process_guard.find(files)) is not None:
            return Supervised(invocation_id=invocation_id, files=files, guard=guard, owner=self)
        if (ran := process_guard.ended(files)) is None:
            await asyncio.to_thread(self.clear_up, invocation_id, files)
        return ran

    def clear_up(self, invocation_id: InvocationId, files: Files) -> None:
        """Ends what a killed guard left running, and makes its files whole. Blocks."""
        process_end.sweep_marked(self._workspace, {invocation_id}, orphans=self._zygote.orphans)
        process_guard.mend(files)

    def sweep(self) -> list[int]:
        """End what an earlier daemon of this workspace left running without a guard; the process ids. Blocks."""
        return process_end.sweep_marked(self._workspace)

    def unavailable(self, binary: str) -> str:
        """Empty where that binary can be started, else why not."""
        if shutil.which(binary):
            return ""
        where = f"{binary}: " + ("no such program there" if "/" in binary else "not found on PATH")
        return f"{where}; install it, or name its path as `binary` in config/tools.yaml"

    def _connect(self, lock: int) -> socket.socket:
        """The connection to a new guard."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                ours.setblocking(False)  # noqa: FBT003 - the method takes no name for it
                self._zygote.fork(theirs.fileno(), lock)
            except OSError:
                ours.close()
                raise
        return ours


def _refusal(words: str) -> Ran:
    return Ran(ending=Ending.NOT_STARTED, errors=words, failure=ErrorKind.CRASHED)
