"""The raw output of runs, on this machine only: removed when it is past its retention."""

import os
import time
from datetime import timedelta
from pathlib import Path

AT_ONCE = 1_000  # files looked at in one call


def remove_old(state: Path, keep: timedelta) -> int:
    """Removes output that nobody wrote to for that long, and folders that are empty then; how many files."""
    before = time.time() - keep.total_seconds()
    removed = looked = 0
    try:
        tasks = sorted(os.scandir(state / "logs"), key=lambda entry: entry.name)
    except FileNotFoundError:
        return 0
    for task in tasks:
        if not task.is_dir(follow_symlinks=False):
            continue
        left = 0
        for file in os.scandir(task.path):
            looked += 1
            if file.is_file(follow_symlinks=False) and file.stat(follow_symlinks=False).st_mtime < before:
                Path(file.path).unlink(missing_ok=True)
                removed += 1
            else:
                left += 1
        if not left and task.stat(follow_symlinks=False).st_mtime < before:
            _remove_empty(Path(task.path))
        if looked >= AT_ONCE and removed:
            break  # the rest at the next call
    return removed


def _remove_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        return  # a run just began to write there
