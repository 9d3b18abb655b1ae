"""Hints that a folder changed."""

import asyncio
import os
from pathlib import Path

from orchestrator.adapters.watch import FolderWatch


def test_a_new_file_is_hinted_at(tmp_path: Path) -> None:
    watch = FolderWatch([tmp_path])

    async def story() -> int:
        hints = 0
        async with asyncio.timeout(20):
            writing = asyncio.create_task(write_until_told(tmp_path))
            async for _ in watch.hints():
                hints += 1
                break
            writing.cancel()
        return hints

    assert asyncio.run(story()) == 1


async def write_until_told(folder: Path) -> None:
    """A watch that is being set up may miss what comes before: so more comes."""
    for number in range(10_000):
        (folder / f"{number}.yaml").touch()
        await asyncio.sleep(0.05)


def test_a_glance_tells_of_what_came_and_went_and_of_nothing_else(tmp_path: Path) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
    watch = FolderWatch(folders)
    assert not watch.glance()
    os.utime(folders[1], ns=(1, 1))
    assert watch.glance()
    assert not watch.glance()
    folders[0].rmdir()
    assert watch.glance()
    assert not watch.glance()


def test_a_watch_on_a_folder_that_is_not_there_ends_or_waits_and_raises_nothing(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    watch = FolderWatch([tmp_path / "gone", tmp_path / "there"])

    async def story() -> None:
        async with asyncio.timeout(20):
            writing = asyncio.create_task(write_until_told(tmp_path / "there"))
            async for _ in watch.hints():
                break
            writing.cancel()

    asyncio.run(story())
