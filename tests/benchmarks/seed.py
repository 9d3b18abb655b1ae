"""Workspaces with a past: a git repository in which N tasks were finished, for the benchmarks to run in.

    python tests/benchmarks/seed.py [--tasks 100 10000 100000]

A seeded workspace is made once, kept in a folder under the system's temporary folder, and copied for each run: its
files, its work branch (one commit a task, written as a fast-import stream), its worktree and its index. A second kind
is the plain way's: the same tasks as one tracked file each on the checked-out branch, and nothing of ours.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ground import environment, product

from orchestrator.adapters.events import EventIds
from orchestrator.adapters.index_schema import workspace_of
from orchestrator.adapters.place import find
from orchestrator.adapters.trail.registration import admin_of
from orchestrator.core.events import Event, EventKind, encode
from orchestrator.core.layout import DONE, FULL, LOGS, TELEMETRY, bucket

VERSION = 3  # of what is made here: a cache of another version is not used
BRANCH = "orchestrator/work"
A_DAY = 1_000
AGENTS = ("analyst", "architect", "backend-dev", "frontend-dev", "reviewer", "writer")
LAST_DAY = datetime(2026, 10, 31, tzinfo=UTC)
WORDS = ["cache layer for prices", "timetable of the ferry", "notes on release", "slow query", "letters to the board"]

AGENTS_FILE = "agents:\n" + "".join(f"  {agent}: {{preferred_tool: nothing}}\n" for agent in AGENTS)
TOOLS_FILE = """\
tools:
  nothing:
    binary: "true"
    command: ["{binary}"]
    output: text
    capabilities: [silent]
    billing: free
"""
POLICIES_FILE = """\
policies:
  default:
    max_parallel: 4
    limits: []
retention: {{archive_after: 3650d}}
trail: {{mode: {mode}, branch: BRANCH}}
""".replace("BRANCH", BRANCH)


@dataclass(frozen=True, slots=True)
class Past:
    """One finished task: its files below the work folder."""

    id: str
    agent: str
    at: datetime
    done: tuple[str, bytes]
    facts: tuple[str, bytes]
    log: tuple[str, bytes]


def past(count: int) -> Iterator[Past]:
    """The finished tasks, oldest first, in the folders that the product would have put them into."""
    ids = EventIds()
    days = -(-count // A_DAY)
    for number in range(count):
        day, of_day = divmod(number, A_DAY)
        at = LAST_DAY - timedelta(days=days - day) + timedelta(seconds=of_day * 80)
        agent = AGENTS[of_day % len(AGENTS)]
        date = f"{at:%Y-%m-%d}"
        task_id = f"{at:%Y-%m-%dT%H%M}-{agent}-task-{number:06d}"
        of_agent = bucket(date, of_day // len(AGENTS) // FULL + 1)
        done = f"{DONE}/{agent}/{of_agent}/{task_id}.yaml"
        log = f"{LOGS}/{agent}/{of_agent}/{task_id}.md"
        facts = f"{TELEMETRY}/{bucket(date, of_day // FULL + 1)}/{task_id}.jsonl"
        events = b"".join(encode(event) for event in _events(ids, task_id, agent, at, done, log))
        yield Past(
            id=task_id,
            agent=agent,
            at=at,
            done=(done, task_text(task_id, agent, number) + _result(at)),
            facts=(facts, events),
            log=(log, _log(task_id, agent, at)),
        )


def task_text(task_id: str, agent: str, number: int) -> bytes:
    """A task file as people write them, some 500 bytes."""
    what = WORDS[number % len(WORDS)]
    return (
        f"id: {task_id}\nagent: {agent}\ntitle: Look after the {what}\npriority: {('normal', 'high')[number % 2]}\n"
        "mode: /programming\n"
        "description: |\n  The numbers in the weekly report do not agree with those in the ledger.\n"
        "  Find out since when, and why; write it down where the next one looks for it.\n"
        "  Leave the layout of the report as it is.\n"
        f"context:\n  notes:\n    - it began in week {number % 52}\n  files:\n    - docs/page-{number % 40}.md\n"
        "created_by: somebody\n"
    ).encode()


def _result(at: datetime) -> bytes:
    when = f"{at:%Y-%m-%dT%H:%M:%SZ}"
    return (
        f"status: done\nassigned_at: '{when}'\nstarted_at: '{when}'\ncompleted_at: '{when}'\nresult:\n"
        f"  summary: it ended well in 0.0 s\n  verdict: done\n  completed_at: '{when}'\n  metrics:\n"
        "    duration_seconds: 0.002\n    invocations: 1\n    tool: nothing\n"
    ).encode()


def _events(ids: EventIds, task_id: str, agent: str, at: datetime, done: str, log: str) -> list[Event]:
    run = {"tool": "nothing", "invocation_id": ids.new(at), "attempt": 1}
    told: list[tuple[EventKind, dict[str, object]]] = [
        (
            EventKind.TASK_CLAIMED,
            {
                "status": "assigned",
                "path": f"collaboration/assigned/{agent}/{task_id}.yaml",
                "details": {"title": "Look after it", "priority": "normal"},
            },
        ),
        (EventKind.ROUTE_PLANNED, {"reason": "preferred", "why": "preferred nothing", **run}),
        (EventKind.EXECUTION_STARTED, {"status": "in_progress", "details": {"log_paths": [log]}, **run}),
        (EventKind.EXECUTION_FINISHED, {"reason": "exited", "duration_ms": 2, "exit_code": 0, **run}),
        (EventKind.TASK_COMPLETED, {"status": "done", "path": done, "details": {"verdict": "done"}, **run}),
    ]
    return [
        Event(
            event_id=ids.new(at),
            ts=at + timedelta(milliseconds=20 * step),
            event=kind,
            task_id=task_id,
            agent=agent,
            **more,
        )  # type: ignore[arg-type]  # a table of fields
        for step, (kind, more) in enumerate(told)
    ]


def _log(task_id: str, agent: str, at: datetime) -> bytes:
    rows = "".join(f"| {name} | {value} |\n" for name, value in (("Task", task_id), ("Agent", agent), ("Ended", at)))
    return f"# Look after it\n\n| | |\n|---|---|\n{rows}\n## What was asked\n\n{'A line of it. ' * 40}\n".encode()


# --- making ------------------------------------------------------------------------------------------------------


def cached(count: int, kind: str, mode: str = "own") -> Path:
    """The seeded workspace, made if there is none yet. `kind`: ours, or plain (a repository without us)."""
    root = Path(tempfile.gettempdir()) / f"orchestrator-benchmarks-{os.getuid()}" / f"v{VERSION}"
    target = root / f"{kind}-{mode}-{count}" if kind == "ours" else root / f"{kind}-{count}"
    if target.is_dir():
        return target
    root.mkdir(parents=True, exist_ok=True)
    making = root / f".{target.name}.{os.getpid()}"
    began = time.perf_counter()
    print(f"seeding {target.name} ...", file=sys.stderr, flush=True)
    try:
        making.mkdir()
        (_make_ours(making, count, mode) if kind == "ours" else _make_plain(making, count))
        making.rename(target)
        if kind == "ours":
            moved(target)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    print(f"seeded {target.name} in {time.perf_counter() - began:.1f} s", file=sys.stderr, flush=True)
    return target


def copy(count: int, target: Path, kind: str = "ours", mode: str = "own") -> Path:
    """A copy of the seeded workspace at `target`, which must not exist."""
    source = cached(count, kind, mode)
    subprocess.run(["cp", "-a", "--reflink=auto", str(source), str(target)], check=True)
    if kind == "ours":
        moved(target)
    os.sync()  # 300,000 new files must not be written back while something is measured
    return target


def moved(root: Path) -> None:
    """Tells worktree and index where they are now: both are named by absolute paths."""
    import sqlite3

    common = root / ".git"
    admin = admin_of(common)
    if admin is not None:
        (admin / "gitdir").write_text(f"{root / 'work' / '.git'}\n")
        (root / "work" / ".git").write_text(f"gitdir: {admin}\n")
    connection = sqlite3.connect(common / "orchestrator" / "index.db")
    with connection:
        connection.execute("UPDATE meta SET value = ? WHERE key = 'work'", (workspace_of(root / "work"),))
    connection.close()
    if admin is not None:
        # As it is where the daemon has lived for a while: git has seen these files, and no stranger touched its index.
        subprocess.run(["git", "update-index", "-q", "--refresh"], cwd=root / "work", env=environment(), check=True)
        product(root, "daemon", "--until-idle")


def _make_ours(root: Path, count: int, mode: str) -> None:
    _git(root, "init", "-q", "-b", "main")
    _person(root)
    for name, text in (
        ("agents.yaml", AGENTS_FILE),
        ("tools.yaml", TOOLS_FILE),
        ("models.yaml", "models: {}\n"),
        ("policies.yaml", POLICIES_FILE.format(mode=mode)),
    ):
        (root / "config").mkdir(exist_ok=True)
        (root / "config" / name).write_text(text)
    _git(root, "add", "-A")
    _git(root, "commit", "-q", "-m", "Begin")
    _import(root, BRANCH, count, prefix="", whole=True)
    if mode == "none":
        (root / "work").mkdir()
        with subprocess.Popen(["git", "archive", BRANCH], cwd=root, env=environment(), stdout=subprocess.PIPE) as tar:
            subprocess.run(["tar", "x", "-C", "work"], cwd=root, stdin=tar.stdout, check=True)
    product(root, "init")
    product(root, "index", "rebuild")


def _make_plain(root: Path, count: int) -> None:
    _git(root, "init", "-q", "-b", "main")
    _person(root)
    _git(root, "add", "-A")
    _git(root, "commit", "-q", "-m", "Begin")
    _import(root, "main", count, prefix="work/", whole=False)
    _git(root, "reset", "-q", "--hard")
    for folder in ("inbox", "assigned", "done"):
        (root / "work" / "collaboration" / folder).mkdir(parents=True, exist_ok=True)


def _person(root: Path) -> None:
    """What the repository is really about: a hundred files."""
    for number in range(100):
        file = root / ("docs", "src")[number % 2] / f"page-{number}.md"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"# Page {number}\n\n" + "Some words. " * 50 + "\n")


def _import(root: Path, branch: str, count: int, *, prefix: str, whole: bool) -> None:
    """One commit a task. `whole`: all of a task's files, else the task file alone."""
    ref = f"refs/heads/{branch}"
    tip = subprocess.run(
        ["git", "rev-parse", "-q", "--verify", ref], cwd=root, env=environment(), capture_output=True, check=False
    ).stdout.strip()
    child = subprocess.Popen(
        ["git", "-c", "fastimport.unpackLimit=1", "fast-import", "--quiet", "--date-format=raw"],
        cwd=root,
        env=environment(),
        stdin=subprocess.PIPE,
    )
    assert child.stdin is not None
    with child, child.stdin as stream:
        first = b"from " + tip + b"\n" if tip else b""
        if whole:
            attributes = b"* -text -filter -ident !working-tree-encoding\n"
            stream.write(_commit(ref, "work: begin", LAST_DAY, [(".gitattributes", attributes)], first))
            first = b""
        for task in past(count):
            files = [task.done, task.facts, task.log] if whole else [task.done]
            subject = f"task: done {task.id}\n\nTask-Id: {task.id}\nTask-Transition: in_progress -> done\n"
            stream.write(_commit(ref, subject, task.at, [(prefix + path, text) for path, text in files], first))
            first = b""
    if child.returncode:
        raise SystemExit(f"git fast-import ended with {child.returncode}")


def _commit(ref: str, message: str, at: datetime, files: list[tuple[str, bytes]], parent: bytes) -> bytes:
    text = message.encode()
    head = b"commit %s\ncommitter Seed <seed@example.invalid> %d +0000\ndata %d\n%s\n%s"
    made = [head % (ref.encode(), int(at.timestamp()), len(text), text, parent)]
    made += [b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(content), content) for path, content in files]
    return b"".join(made)


def _git(root: Path, *args: str) -> None:
    subprocess.run(["git", *args], cwd=root, env=environment(), check=True)


def main() -> None:
    """Makes the caches."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, nargs="+", default=[100, 10_000, 100_000])
    options = parser.parse_args()
    for count in options.tasks:
        for kind in ("ours", "plain"):
            print(cached(count, kind))
    assert find(cached(options.tasks[0], "ours")).work.is_dir()


if __name__ == "__main__":
    main()
