"""A disk that fills up and one that turns read-only, under a running daemon. Run as a script in a mount namespace.

    unshare --user --map-root-user --mount python crash_scenes.py full-own|full-none|read-only FOLDER

It mounts a small disk of its own, so that it can be filled; the mount is gone when the last process of the namespace
is. Exits 0 where all was as it must be.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from crash_check import describe
from crash_launcher import Launcher
from crash_rig import Rig, until

MANY = 40  # more than a daemon claims ahead
MEGABYTES = 24


class Scene:
    """A workspace, its daemon, and what `status` says of it."""

    def __init__(self, folder: Path, launcher: Launcher, trail: str) -> None:
        self.folder = folder
        self.rig = Rig(folder, launcher, trail=trail)

    def start(self) -> None:
        """The daemon, until it is stopped."""
        self.rig.start("daemon")
        until(lambda: self.daemon()["state"] == "running", "the daemon runs")

    def stop(self) -> None:
        """SIGTERM: it ends well."""
        self.rig.send(signal.SIGTERM)
        assert (code := self.rig.wait()) == 0, f"it ended with {code}: {self.rig.said()}"

    def daemon(self) -> dict[str, Any]:
        """What `status --json` says of the daemon, asked in a process of its own."""
        flags = [] if self.rig.trail == "own" else ["--no-git"]
        argv = [sys.executable, "-m", "orchestrator", *flags, "status", "--json"]
        said = subprocess.run(argv, cwd=self.rig.root, env=self.rig.env, capture_output=True, check=False)
        assert said.returncode == 0, said.stderr.decode()
        told: dict[str, Any] = json.loads(said.stdout)["data"]["daemon"]
        return told

    def until_paused(self, words: str) -> None:
        """Until `status` says that it waits for the disk."""

        def is_paused() -> bool:
            told = self.daemon()
            return told["state"] == "paused" and words in told["why"]

        until(is_paused, f"status says {words!r}")

    def waiting(self) -> int:
        """Tasks in the inbox."""
        return len(list((self.rig.work / "collaboration/inbox").glob("*.yaml")))

    def all_done(self) -> bool:
        """Whether every task that was dropped is done."""
        done = {path.stem for path in self.rig.work.glob("collaboration/done/*/*/*.yaml")}
        return self.rig.submitted.keys() <= done

    def drop_many_at_once(self) -> Callable[[], None]:
        """Writes MANY tasks where no daemon looks; what moves them into the inbox, for which no room is needed."""
        inbox = self.rig.work / "collaboration/inbox"
        aside = self.folder / "aside"
        aside.mkdir()
        for number in range(MANY):
            self.rig.drop(f"task-{number:02}", inbox=aside)

        def move() -> None:
            for path in sorted(aside.iterdir()):
                path.rename(inbox / path.name)

        return move

    def goes_on_and_lost_nothing(self) -> None:
        """All by itself it comes to the end of all tasks."""
        until(self.all_done, "everything is done")
        until(lambda: self.daemon()["state"] == "running", "status says that all is well again")
        self.stop()
        assert not (found := self.rig.violations()), describe(found)


def full(folder: Path, launcher: Launcher, trail: str) -> None:
    """Everything is on the disk that fills up: queue, events, index, git."""
    mount(folder)
    scene = Scene(folder, launcher, trail)
    scene.rig.drop("before")
    scene.rig.rest()
    move = scene.drop_many_at_once()
    scene.start()
    fill(folder / "filler")
    move()
    scene.until_paused("full")
    claimed_ahead = MANY - scene.waiting()
    assert claimed_ahead < MANY // 2, f"{claimed_ahead} tasks were claimed onto a full disk"
    assert scene.daemon()["running"]
    (folder / "filler").unlink()
    scene.goes_on_and_lost_nothing()


def read_only(folder: Path, launcher: Launcher) -> None:
    """The work folder's disk turns read-only while tasks wait there, as after an error of the device."""
    scene = Scene(folder, launcher, "none")
    mount(scene.rig.work)
    scene.rig.rest()  # makes the folders there
    scene.rig.drop("before")
    scene.rig.rest()
    scene.start()
    scene.rig.send(signal.SIGSTOP)
    for number in range(MANY):
        scene.rig.drop(f"task-{number:02}")
    remount(scene.rig.work, "ro")
    scene.rig.send(signal.SIGCONT)
    scene.until_paused("read-only")
    assert scene.waiting() == MANY, "something was moved on a read-only disk"
    remount(scene.rig.work, "rw")
    scene.goes_on_and_lost_nothing()


def mount(folder: Path) -> None:
    """A small disk there."""
    size = f"size={MEGABYTES}m"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "none", str(folder)], check=True)


def remount(folder: Path, mode: str) -> None:
    """Read-only or not; refused while somebody writes there, so it is tried until nobody does."""

    def done() -> bool:
        argv = ["mount", "-o", f"remount,{mode}", str(folder)]
        return subprocess.run(argv, capture_output=True, check=False).returncode == 0

    until(done, f"{folder} is mounted {mode}")


def fill(path: Path) -> None:
    """Leaves no room at all on the disk of that path."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        for size in (1 << 20, 4096, 1):
            while _wrote(descriptor, b"\0" * size):
                pass
    finally:
        os.close(descriptor)


def _wrote(descriptor: int, data: bytes) -> bool:
    try:
        return os.write(descriptor, data) > 0
    except OSError:
        return False


def main(scene: str, folder: Path) -> None:
    """Plays the scene; an assertion fails where something is wrong."""
    launcher = Launcher()
    try:
        match scene:
            case "full-own":
                full(folder, launcher, "own")
            case "full-none":
                full(folder, launcher, "none")
            case "read-only":
                read_only(folder, launcher)
            case _:
                raise SystemExit(f"no scene {scene}")
    finally:
        launcher.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
