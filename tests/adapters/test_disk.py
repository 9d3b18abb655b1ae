"""A disk that refuses is waited for, and said; nothing else is."""

import asyncio
import errno
from collections.abc import Iterator

import pytest

from orchestrator.adapters.disk import WaitingDisk


@pytest.fixture
def disk() -> Iterator[WaitingDisk]:
    made = WaitingDisk(first_pause=0.001, longest_pause=0.002)
    yield made
    made.close()


class Refusing:
    """A call that a disk refuses until there is room."""

    def __init__(self, number: int = errno.ENOSPC) -> None:
        self.number = number
        self.room = False
        self.calls = 0

    def __call__(self, value: int = 0) -> int:
        self.calls += 1
        if not self.room:
            raise OSError(self.number, "refused", "work/x")
        return value


async def until(condition: object) -> None:
    async with asyncio.timeout(10):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.001)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the quota is used up"),
        (errno.EROFS, "the disk is read-only"),
    ],
)
def test_a_full_disk_is_waited_for_and_said_until_there_is_room(disk: WaitingDisk, number: int, words: str) -> None:
    call = Refusing(number)

    async def story() -> None:
        job = asyncio.create_task(disk(call, value=7))
        await until(lambda: call.calls > 3)
        assert disk.trouble == f"{words} (work/x); make room, it goes on by itself"
        call.room = True
        assert await job == 7
        assert disk.trouble == ""

    asyncio.run(story())


def test_what_needs_no_room_does_not_hide_that_others_wait(disk: WaitingDisk) -> None:
    call = Refusing()

    async def story() -> None:
        job = asyncio.create_task(disk(call))
        await until(lambda: call.calls > 1)
        for _ in range(200):
            assert await disk(int, "3") == 3
            assert disk.trouble != ""
        call.room = True
        await job
        assert disk.trouble == ""

    asyncio.run(story())


def test_any_other_refusal_is_raised_at_once(disk: WaitingDisk) -> None:
    call = Refusing(errno.EACCES)
    with pytest.raises(PermissionError):
        asyncio.run(disk(call))
    assert call.calls == 1
    assert disk.trouble == ""


def test_a_daemon_that_ends_waits_no_more_and_who_waits_is_told() -> None:
    patient = WaitingDisk(first_pause=1000, longest_pause=1000)
    call = Refusing()

    async def story() -> None:
        job = asyncio.create_task(patient(call))
        await until(lambda: patient.trouble)
        patient.give_up()
        with pytest.raises(OSError, match="refused"):
            async with asyncio.timeout(10):
                await job
        with pytest.raises(OSError, match="refused"):
            await patient(call)

    asyncio.run(story())
    assert patient.trouble == ""
    patient.close()


def test_a_call_that_is_cancelled_while_it_waits_leaves_no_trouble(disk: WaitingDisk) -> None:
    call = Refusing()

    async def story() -> None:
        job = asyncio.create_task(disk(call))
        await until(lambda: call.calls > 1)
        job.cancel()
        await asyncio.wait([job])
        assert disk.trouble == ""

    asyncio.run(story())
