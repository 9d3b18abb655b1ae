"""What a guard for each tool costs, whether 64 tools at once lose a byte, and how quickly nothing is left of a tool.

    python tests/benchmarks/supervision.py [--starts 200] [--tools 64] [--seconds 4] [--rounds 5]

Starts are compared with `subprocess.run` of the same program in the same run, one after the other and many at once.
The delay of the event loop is that of a task which wants to wake every 5 ms while the tools stream.
"""

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ground import compiled

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "adapters"))

from process_world import UNMARKED, ZOO, World

from orchestrator.core.verdict import Ending, Ran
from orchestrator.engines.local import Graces, LocalEngine

AT_ONCE = 8
STREAM = """
import sys, time
block, began = (b"x" * 99 + b"\\n") * 500, time.monotonic()
for n in range(int(sys.argv[1]) * 20):
    sys.stdout.buffer.write(block)
    sys.stdout.buffer.flush()
    time.sleep(max(0, began + (n + 1) / 20 - time.monotonic()))
"""
GRACES = Graces(interrupt=0.5, terminate=0.5, leftovers=0.5)
GRACE_OF = {"deaf": 1.5}  # it ignores all that can be ignored; the others need none
ALLOWED = 0.1  # seconds from the end of the tool's grace to nothing left
AWAKE = 0.05  # seconds that the event loop may be late


def at(values: Sequence[float], share: float) -> float:
    """The value below which that share of them lies."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


async def starts(world: World, count: int) -> None:
    """One after the other, each next to a plain one; then many at once."""
    engine = world.engine()
    began = time.perf_counter()
    await engine.run(world.invocation("true"))
    print(f"first start, with the zygote: {(time.perf_counter() - began) * 1e3:.1f} ms")
    ours, plain = [], []
    for _ in range(count):
        began = time.perf_counter()
        await engine.run(world.invocation("true"))
        ours.append(time.perf_counter() - began)
        began = time.perf_counter()
        subprocess.run(["true"], check=True)
        plain.append(time.perf_counter() - began)
    print(
        f"`true`, one after the other: engine p50 {at(ours, 0.5) * 1e3:.2f} ms, p99 {at(ours, 0.99) * 1e3:.2f} ms;"
        f" subprocess.run p50 {at(plain, 0.5) * 1e3:.2f} ms, p99 {at(plain, 0.99) * 1e3:.2f} ms;"
        f" the guard adds {(at(ours, 0.5) - at(plain, 0.5)) * 1e3:.2f} ms"
    )
    began = time.perf_counter()
    gate = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        async with gate:
            await engine.run(world.invocation("true"))

    own = time.process_time()
    await asyncio.gather(*(one() for _ in range(count)))
    engines, own = time.perf_counter() - began, time.process_time() - own
    began = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda _: subprocess.run(["true"], check=True), range(count)))
    plainly = time.perf_counter() - began
    print(
        f"`true`, {AT_ONCE} at once: engine {count / engines:,.0f} a second, {own / count * 1e3:.2f} ms CPU of the"
        f" daemon each; subprocess.run in threads {count / plainly:,.0f} a second; ratio {engines / plainly:.1f}"
    )


async def streams(world: World, tools: int, seconds: int) -> bool:
    """All bytes, and the event loop awake; next to the same tools as plain children that write to files."""
    argv = (sys.executable, "-I", "-S", "-c", STREAM, str(seconds))
    engine = world.engine()
    runs = [world.invocation(*argv) for _ in range(tools)]

    async def plainly(number: int) -> None:
        with (world.folder / f"plain{number}").open("wb") as file:
            process = await asyncio.create_subprocess_exec(*argv, stdout=file)
            await process.wait()

    plain, _ = await _lateness(*(plainly(number) for number in range(tools)))
    began = time.perf_counter()
    late, ended = await _lateness(*(engine.run(run) for run in runs))
    took = time.perf_counter() - began
    wanted = seconds * 20 * 50_000
    whole = all(
        isinstance(ran, Ran) and ran.exit_code == 0 and Path(run.stdout_path).stat().st_size == wanted
        for ran, run in zip(ended, runs, strict=True)
    )
    print(
        f"{tools} tools, {seconds} s at 1 MB/s each: {'no byte lost' if whole else 'BYTES LOST'}"
        f" of {tools * wanted:,}; took {took:.1f} s; loop late p99 {at(late, 0.99) * 1e3:.1f} ms, max"
        f" {max(late) * 1e3:.1f} ms; with plain children p99 {at(plain, 0.99) * 1e3:.1f} ms,"
        f" max {max(plain) * 1e3:.1f} ms"
    )
    return whole and max(late) < AWAKE


async def _lateness(*work: Coroutine[object, object, object]) -> tuple[list[float], list[object]]:
    """How late a task woke that wanted to every 5 ms while that work went on; and what came of the work."""
    late: list[float] = []

    async def watch() -> None:
        while True:
            wanted = time.perf_counter() + 0.005
            await asyncio.sleep(0.005)
            late.append(time.perf_counter() - wanted)

    watching = asyncio.create_task(watch())
    done = await asyncio.gather(*work)
    watching.cancel()
    return late, done


async def cancels(folder: Path, rounds: int) -> bool:
    """From the stop to nothing left, beyond the tool's own grace."""
    names = [*ZOO, *UNMARKED]
    beyond: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        world = World(folder / f"zoo{number}")
        world.folder.mkdir()
        engine: LocalEngine = world.engine(GRACES)
        zoo = world.zoo("unmarked too")
        runs = [asyncio.create_task(engine.run(tool)) for tool in zoo]
        await world.all_up(len(zoo))
        for name, tool, run in zip(names, zoo, runs, strict=True):
            began = time.perf_counter()
            await engine.stop(tool.id, Ending.CANCELLED)
            ran: Ran = await run
            beyond[name].append(time.perf_counter() - began - GRACE_OF.get(name, 0.0))
            assert ran.ending is Ending.CANCELLED, ran
        assert world.marked() == []
    for name, times in beyond.items():
        print(
            f"cancel {name:>8}: beyond its own grace p50 {at(times, 0.5) * 1e3:.1f} ms, max {max(times) * 1e3:.1f} ms"
        )
    return max(max(times) for times in beyond.values()) <= ALLOWED


def main() -> int:
    """Prints the figures; 1 where a bound is passed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=200)
    parser.add_argument("--tools", type=int, default=64)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    compiled()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(starts(World(Path(folder)), chosen.starts))
        awake = asyncio.run(streams(World(Path(folder)), chosen.tools, chosen.seconds))
        gone = asyncio.run(cancels(Path(folder), chosen.rounds))
    print("bounds kept" if awake and gone else "A BOUND IS PASSED")
    return 0 if awake and gone else 1


if __name__ == "__main__":
    sys.exit(main())
