"""The tutorial, as a newcomer types it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cli_world import SECONDS, repository

PAGE = Path(__file__).parents[2] / "docs" / "tutorial" / "first-task.md"


@pytest.mark.skipif(not PAGE.is_file(), reason="the docs are not beside the tests here")
def test_every_line_of_the_first_task_works(tmp_path: Path) -> None:
    repository(tmp_path / "your-repository")
    program = tmp_path / "bin" / "orchestrator"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m orchestrator "$@"\n')
    program.chmod(0o755)
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) >= 5
    ended = subprocess.run(
        ["sh", "-eux", "-c", "".join(blocks)],
        cwd=tmp_path,
        env=os.environ | {"PATH": f"{program.parent}:{os.environ['PATH']}"},
        check=False,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert ended.returncode == 0, ended.stderr
    assert "1 in done" in ended.stdout
    assert "Sum up README.md" in ended.stdout
    assert "a: b" in ended.stdout
