"""The daemon, or its git child, dies at each system call that changes the disk, over the claim and close of a task."""

from pathlib import Path

import pytest
from crash_check import describe
from crash_launcher import Launcher
from crash_rig import Rig
from crash_strace import sweep, unusable

# Which calls of each: every claim and move, and samples of what is made more often (a kill takes about a second).
# `python tests/benchmarks/crash.py --calls` has every one of all.
SAMPLES = {
    "renameat2": range(1, 20),
    "rename": range(1, 20),
    "link": (1, 2),
    "unlink": (2, 5),
    "fsync": (1, 4),
    "fdatasync": (3, 6, 9),
    "pwrite64": (30, 60),
    "write": (10,),
}


@pytest.mark.parametrize("call", SAMPLES)
def test_whoever_dies_at_a_call_that_changes_the_disk_leaves_nothing_lost_or_doubled(
    tmp_path: Path, launcher: Launcher, call: str
) -> None:
    if why := unusable(tmp_path):
        pytest.skip(why)
    rig = Rig(tmp_path, launcher)
    kills = sweep(rig, call, SAMPLES[call])
    assert not (found := rig.violations()), describe(found)
    assert kills >= 1, f"no {call} was ever made"
