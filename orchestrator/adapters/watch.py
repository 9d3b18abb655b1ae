"""A hint that a folder changed. The scan is the truth: a lost hint costs a moment, never a task (GIT-FACTS 2)."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

STEP_MS = 10
DEBOUNCE_MS = 50


class FolderWatch:
    """Watches folders that exist, not recursively. `glance` compares their times, for what no hint told."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(folders)
        self._times = self._look()

    def _look(self) -> tuple[int, ...]:
        times = []
        for folder in self._folders:
            try:
                times.append(os.stat(folder).st_mtime_ns)  # noqa: PTH116 - once a second, for life: no object each
            except FileNotFoundError:
                times.append(0)
        return tuple(times)

    def glance(self) -> bool:
        """Whether a folder's time changed since the last glance."""
        before, self._times = self._times, self._look()
        return before != self._times

    async def hints(self) -> AsyncIterator[None]:
        """One for each batch of changes; ends when cancelled. A folder that vanishes ends the watch: glances go on."""
        import watchfiles

        stop = asyncio.Event()
        try:
            async for _ in watchfiles.awatch(
                *(folder for folder in self._folders if folder.is_dir()),
                recursive=False,
                step=STEP_MS,
                debounce=DEBOUNCE_MS,
                stop_event=stop,
                watch_filter=None,
                rust_timeout=5_000,
            ):
                yield None
        except (OSError, RuntimeError):
            # No more watches to be had, or a folder went away: the glance each second and the rescan find everything.
            return
        finally:
            stop.set()
