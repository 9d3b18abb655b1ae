"""`python -m orchestrator.brief --workspace DIR --task-file FILE`: the prompt on stdin, the brief on stdout."""

import argparse
import sys
from pathlib import Path

from orchestrator.errors import OrchestratorError

_MOST_PROMPT = 1 << 20  # bytes of the prompt that are shown


def main(arguments: list[str] | None = None) -> int:
    """Write the brief; 1 and a message where the task file or the workspace cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m orchestrator.brief", description="Writes a brief of a task.")
    parser.add_argument("--workspace", type=Path, required=True, help="the repository that the task is about")
    parser.add_argument("--task-file", type=Path, required=True, help="the task")
    parser.add_argument("--work-folder", type=Path, help="where tasks are kept; default: work/ in the workspace")
    chosen = parser.parse_args(arguments)
    from orchestrator.brief import page, task_reading

    try:
        task = task_reading.read(chosen.task_file)
    except OrchestratorError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    if not chosen.workspace.is_dir():
        sys.stderr.write(f"{chosen.workspace}: no such folder; give the repository with --workspace\n")
        return 1
    prompt = "" if sys.stdin.isatty() else sys.stdin.buffer.read(_MOST_PROMPT).decode(errors="replace")
    work = chosen.work_folder or chosen.workspace / "work"
    text = page.write(task, prompt, workspace=chosen.workspace, work=work)
    sys.stdout.buffer.write(text.encode(errors="backslashreplace"))
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
