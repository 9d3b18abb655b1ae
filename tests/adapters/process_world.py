"""A folder of a test's own, and small programs run in it by a real engine."""

import asyncio
import os
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestrator.adapters import process_table
from orchestrator.adapters.process import Processes
from orchestrator.core.invocation import Invocation
from orchestrator.core.types import InvocationId, TaskId
from orchestrator.core.verdict import Ran
from orchestrator.engines.local import Graces, LocalEngine

needs_proc = pytest.mark.skipif(not process_table.is_readable(), reason="this system has no /proc to find orphans by")
QUICK = Graces(interrupt=0.3, terminate=0.3, leftovers=0.3)


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


def is_gone(pid: int) -> bool:
    found = process_table.entry(pid)
    return found is None or found.zombie
