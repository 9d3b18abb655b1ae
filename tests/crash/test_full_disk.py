"""A full disk and a read-only one: nothing more is claimed, `status` says so, nothing is lost, it goes on by itself."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount")


def unusable(folder: Path) -> str:
    """Why no small disk can be made here; empty: it can."""
    if shutil.which("unshare") is None:
        return "unshare (util-linux) is not installed"
    trial = [*NAMESPACE, "mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)]
    said = subprocess.run(trial, capture_output=True, check=False)
    return "" if said.returncode == 0 else f"no disk can be mounted here: {said.stderr.decode(errors='replace')[:200]}"


def play(scene: str, folder: Path) -> None:
    """Plays that scene of crash_scenes.py on a disk that only it can see."""
    if why := unusable(folder):
        pytest.skip(why)
    script = Path(__file__).with_name("crash_scenes.py")
    argv = [*NAMESPACE, sys.executable, str(script), scene, str(folder)]
    said = subprocess.run(argv, capture_output=True, timeout=200, check=False)
    assert said.returncode == 0, said.stderr.decode(errors="replace")[-4000:]


def test_on_a_full_disk_claims_stop_and_go_on_when_there_is_room(tmp_path: Path) -> None:
    play("full-none", tmp_path)


def test_on_a_full_disk_with_git_on_it_nothing_is_lost_and_all_is_committed_in_the_end(tmp_path: Path) -> None:
    play("full-own", tmp_path)


def test_on_a_disk_that_turned_read_only_nothing_is_claimed_until_it_can_be_written_again(tmp_path: Path) -> None:
    play("read-only", tmp_path)
