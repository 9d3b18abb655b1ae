"""A folder of a test's own, and small programs run in it by a real engine."""

import asyncio
import os
import pickle
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestrator.adapters import process_guard, process_table
from orchestrator.adapters.process import Processes
from orchestrator.core.invocation import Invocation
from orchestrator.core.types import InvocationId, TaskId
from orchestrator.core.verdict import Printed, Ran
from orchestrator.engines.local import Graces, LocalEngine

needs_proc = pytest.mark.skipif(not process_table.is_readable(), reason="this system has no /proc to find orphans by")
QUICK = Graces(interrupt=0.3, terminate=0.3, leftovers=0.3)


# The tools that try to get away. Each writes `NAME.up` when its last process stands, and {} is what it does then.
ZOO = {
    "child": "sleep 60 & echo $! > child.up; {}",
    "session": "setsid sh -c 'echo $$ > session.up; exec sleep 60' & {}",
    "daemon": "(setsid sh -c 'sh -c \"echo \\$\\$ > daemon.up; exec sleep 60\" & exit') & {}",
    "deaf": "trap '' INT TERM HUP; (setsid sh -c 'echo $$ > deaf.up; sleep 60; sleep 60') & {}",
    "stopped": "setsid sh -c 'echo $$ > stopped.up; kill -STOP $$; sleep 60' & {}",
    "hydra": "HYDRA & {}",
}
UNMARKED = {"unmarked": "env -i setsid sh -c 'echo $$ > unmarked.up; sleep 60' & {}"}
HYDRA = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    open("hydra.up", "w").write(f"{os.getpid()}\\n")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if os.fork():
            os._exit(0)
        os.setsid()
        time.sleep(0.02)
"""
DAEMON = """
import asyncio, pickle, sys
sys.path[:0] = pickle.load(sys.stdin.buffer)
workspace, graces, verb, runs, before = pickle.load(sys.stdin.buffer)
from orchestrator.adapters import process_guard
from orchestrator.adapters.process import Processes
from orchestrator.engines.local import LocalEngine
exec(before)
async def main():
    engine = LocalEngine(Processes(workspace), graces)
    await asyncio.gather(*(getattr(engine, verb)(*each) for each in runs))
asyncio.run(main())
"""


class World:
    """An engine, and invocations of small programs in a folder of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0

    def engine(self, graces: Graces = QUICK) -> LocalEngine:
        return LocalEngine(Processes(str(self.folder)), graces)

    def invocation(self, *argv: str, **changes: Any) -> Invocation:
        self.count += 1
        plain = Invocation(
            id=InvocationId(f"I{self.count}"),
            task_id=TaskId("t"),
            tool="x",
            model="",
            argv=argv,
            cwd=str(self.folder),
            env={"PATH": os.environ["PATH"]},
            stdin=b"",
            timeout=timedelta(seconds=30),
            stdout_path=str(self.folder / f"{self.count}.out"),
            stderr_path=str(self.folder / f"{self.count}.err"),
        )
        return replace(plain, **changes)

    def sh(self, script: str, **changes: Any) -> Invocation:
        return self.invocation("sh", "-c", script, **changes)

    def python(self, script: str, **changes: Any) -> Invocation:
        return self.invocation(sys.executable, "-S", "-c", script, **changes)

    def zoo(self, more: str = "", **changes: Any) -> list[Invocation]:
        """One of each that tries to get away; they wait until they are ended. `more`: of the unmarked kind too."""
        (self.folder / "hydra.py").write_text(HYDRA)
        kinds = ZOO | (UNMARKED if more else {})
        hydra = f"{shlex.quote(sys.executable)} -S hydra.py"
        waiting = "while :; do sleep 60; done"
        return [self.sh(script.format(waiting).replace("HYDRA", hydra), **changes) for script in kinds.values()]

    async def all_up(self, count: int) -> list[int]:
        """Waits until that many of the zoo stand; their process ids."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            said = [path.read_text() for path in self.folder.glob("*.up")]
            if len(said) == count and all(text.endswith("\n") for text in said):
                return [int(text) for text in said]
            await asyncio.sleep(0.005)
        raise AssertionError(f"not all came up: {sorted(path.name for path in self.folder.glob('*.up'))}")

    def daemon(self, runs: Sequence[Invocation], *, before: str = "", graces: Graces = QUICK) -> "Daemon":
        """Another process that runs these, to be killed. `before`: a line of Python that it begins with."""
        return self._daemon("run", [(each,) for each in runs], before, graces)

    def adopter(self, run: Invocation) -> "Daemon":
        """Another process that adopts this one, to be killed."""
        return self._daemon("adopt", [(run.id, printed(run))], "", QUICK)

    def _daemon(self, verb: str, runs: Sequence[tuple[object, ...]], before: str, graces: Graces) -> "Daemon":
        return Daemon(pickle.dumps(sys.path) + pickle.dumps((str(self.folder), graces, verb, runs, before)))

    def files(self, invocation: Invocation) -> process_guard.Files:
        return process_guard.Files(printed=printed(invocation))

    async def guard_of(self, invocation: Invocation) -> int:
        """The process id of its guard, once there is one."""
        deadline = time.monotonic() + 20
        while (found := process_guard.presence(self.files(invocation))) is None:
            assert time.monotonic() < deadline, "no guard"
            await asyncio.sleep(0.005)
        return found.pid

    def run(self, invocation: Invocation) -> Ran:
        return asyncio.run(self.engine().run(invocation))

    def run_while(
        self,
        invocation: Invocation,
        meanwhile: Callable[[LocalEngine], Coroutine[Any, Any, None]],
        *,
        graces: Graces = QUICK,
    ) -> Ran:
        async def both() -> Ran:
            engine = self.engine(graces)
            run = asyncio.create_task(engine.run(invocation))
            await asyncio.sleep(0)
            await meanwhile(engine)
            return await run

        return asyncio.run(both())

    def out(self, invocation: Invocation) -> bytes:
        """What is kept of its stdout."""
        return Path(invocation.stdout_path).read_bytes()

    def err(self, invocation: Invocation) -> bytes:
        """What is kept of its stderr."""
        return Path(invocation.stderr_path).read_bytes()

    async def appears(self, name: str) -> str:
        """Waits until a tool has written that file whole (a line), and returns it."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            path = self.folder / name
            if path.exists() and (text := path.read_text()).endswith("\n"):
                return text.strip()
            await asyncio.sleep(0.005)
        raise AssertionError(f"{name} never appeared")

    def marked(self) -> list[int]:
        """What still runs and carries this world's mark."""
        return [
            one.pid
            for one in process_table.everything().values()
            if not one.zombie and process_table.mark(one.pid, "ORCHESTRATOR_WORKSPACE") == str(self.folder)
        ]


class Daemon:
    """A process of its own that runs invocations."""

    def __init__(self, told: bytes) -> None:
        self._process = subprocess.Popen([sys.executable, "-c", DAEMON], stdin=subprocess.PIPE)
        assert self._process.stdin is not None
        self._process.stdin.write(told)
        self._process.stdin.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        """kill -9, and gone."""
        self._process.kill()
        self._process.wait()

    def wait(self) -> int:
        """How it ended by itself."""
        return self._process.wait(30)


def printed(invocation: Invocation) -> Printed:
    return Printed(stdout=invocation.stdout_path, stderr=invocation.stderr_path)


def is_gone(pid: int) -> bool:
    found = process_table.entry(pid)
    return found is None or found.zombie
