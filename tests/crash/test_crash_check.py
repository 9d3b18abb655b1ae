"""The check of the crash tests finds what it is there to find: a workspace that is well is damaged in each way."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from crash_check import describe
from crash_faults import Fault
from crash_launcher import Launcher
from crash_rig import Rig


def only(rig: Rig, pattern: str) -> Path:
    (path,) = rig.work.glob(pattern)
    return path


def task(rig: Rig) -> Path:
    return only(rig, "collaboration/done/quick/*/one.yaml")


def lose_it(rig: Rig) -> None:
    task(rig).unlink()


def lose_a_line_of_it(rig: Rig) -> None:
    path = task(rig)
    path.write_bytes(path.read_bytes().replace(b"# dropped by a test\n", b""))


def put_it_into_the_inbox_again(rig: Rig) -> None:
    (rig.work / "collaboration/inbox/one.yaml").write_bytes(task(rig).read_bytes())


def say_another_status(rig: Rig) -> None:
    path = task(rig)
    path.write_bytes(path.read_bytes().replace(b"status: done", b"status: error"))


def put_it_elsewhere(rig: Rig) -> None:
    path = task(rig)
    other = path.parent.with_name("2020-01-01")
    other.mkdir()
    path.rename(other / path.name)


def forget_what_came_of_it(rig: Rig) -> None:
    path = only(rig, "telemetry/*/one.jsonl")
    path.write_bytes(
        b"".join(line for line in path.read_bytes().splitlines(keepends=True) if b"task_completed" not in line)
    )


def run_it_unannounced(rig: Rig) -> None:
    with rig.journal.open("a") as journal:
        journal.write("began one 01UNKNOWN\n")


def deny_its_run(rig: Rig) -> None:
    rig.journal.write_text("")


def tear_an_event(rig: Rig) -> None:
    with only(rig, "telemetry/*/one.jsonl").open("ab") as file:
        file.write(b'{"v":1,"event_id":')


def leave_a_temporary_file(rig: Rig) -> None:
    task(rig).with_name(".one.yaml.0123abcd.orchestrator.tmp").touch()


def edit_a_board(rig: Rig) -> None:
    (rig.work / "collaboration/HANDOFFS.md").write_text("mine\n")


def leave_a_lock_of_git(rig: Rig) -> None:
    (rig.root / ".git/refs/heads/orchestrator/work.lock").touch()


def break_an_object(rig: Rig) -> None:
    pack = next((rig.root / ".git/objects/pack").glob("*.pack"))
    pack.chmod(0o644)
    pack.write_bytes(pack.read_bytes()[:-30] + b"\0" * 30)


def pay_twice(rig: Rig) -> None:
    columns = "kind, at, agent, tool, model, provider, run, task_type, billing, 0, spent, source, reason, first, past"
    copied = f"SELECT NULL, task, 'another', {columns} FROM entries WHERE kind = 'settle'"
    change_the_ledger(rig, f"INSERT INTO entries {copied}")


def hold_money_for_a_run_that_is_over(rig: Rig) -> None:
    change_the_ledger(rig, "INSERT INTO open SELECT task, invocation FROM entries WHERE kind = 'hold'")


def change_the_ledger(rig: Rig, statement: str) -> None:
    with sqlite3.connect(rig.state / "ledger.db") as connection:
        assert connection.execute(statement).rowcount == 1
    connection.close()


def forget_it_in_the_index(rig: Rig) -> None:
    with sqlite3.connect(rig.state / "index.db") as connection:
        connection.execute("DELETE FROM tasks WHERE id = 'one'")
    connection.close()


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (lose_it, Fault.LOST),
        (lose_a_line_of_it, Fault.LOST),
        (put_it_into_the_inbox_again, Fault.DOUBLED),
        (say_another_status, Fault.UNEXPLAINED),
        (put_it_elsewhere, Fault.UNEXPLAINED),
        (forget_what_came_of_it, Fault.UNEXPLAINED),
        (run_it_unannounced, Fault.OVERRUN),
        (deny_its_run, Fault.OVERRUN),
        (tear_an_event, Fault.TORN),
        (leave_a_temporary_file, Fault.LITTER),
        (edit_a_board, Fault.UNCOMMITTED),
        (leave_a_lock_of_git, Fault.REPOSITORY),
        (break_an_object, Fault.REPOSITORY),
        (pay_twice, Fault.MONEY),
        (hold_money_for_a_run_that_is_over, Fault.MONEY),
        (forget_it_in_the_index, Fault.INDEX),
    ],
)
def test_a_damage_is_found_and_called_by_its_name(
    tmp_path: Path, launcher: Launcher, damage: Callable[[Rig], None], fault: Fault
) -> None:
    rig = Rig(tmp_path, launcher)
    rig.drop("one")
    rig.rest()
    assert not (found := rig.violations()), describe(found)
    damage(rig)
    assert fault in {violation.fault for violation in rig.violations()}


@pytest.mark.parametrize("killed", [False, True])
def test_a_run_that_began_again_is_a_fault_unless_its_guard_was_killed(
    tmp_path: Path, launcher: Launcher, *, killed: bool
) -> None:
    rig = Rig(tmp_path, launcher)
    rig.drop("one")
    rig.rest()
    earlier = "01EARLIER"
    rig.journal.write_text(f"began one {earlier}\n{rig.journal.read_text()}")
    events = only(rig, "telemetry/*/one.jsonl")
    lines = events.read_text().splitlines(keepends=True)
    (started,) = (line for line in lines if '"execution_started"' in line)
    fields = json.loads(started) | {"event_id": earlier, "invocation_id": earlier}
    events.write_text("".join([lines[0], json.dumps(fields) + "\n", *lines[1:]]))
    if killed:
        rig.killed_runs.add(earlier)
    found = [violation.what for violation in rig.violations() if violation.fault is Fault.OVERRUN]
    assert found == ([] if killed else [f"its tool began again, although nobody killed the guard of {earlier}"])
