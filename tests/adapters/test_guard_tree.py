"""What a guard reads of the machine's processes."""

import os
import subprocess
from pathlib import Path

import pytest
from process_world import needs_proc

from orchestrator.guard.ending import Way
from orchestrator.guard.spec import HEAD, Spec, pack, sizes, unpack
from orchestrator.guard.tree import Table


def stat(folder: Path, pid: int, parent: int, command: str = "x") -> None:
    own = folder / str(pid)
    own.mkdir(parents=True)
    (own / "stat").write_text(f"{pid} ({command}) S {parent} 0 {pid} " + "0 " * 15 + f"{pid * 7} 0\n")


def test_where_the_kernel_names_no_children_parents_are_looked_at(tmp_path: Path) -> None:
    for pid, parent in ((10, 1), (11, 10), (12, 11), (13, 1)):
        stat(tmp_path, pid, parent)
    assert {one.key for one in Table(str(tmp_path)).below(10)} == {(11, 77), (12, 84)}


def test_a_command_with_blanks_and_parentheses_is_read(tmp_path: Path) -> None:
    stat(tmp_path, 5, 1, "a ) S 9 (b")
    found = Table(str(tmp_path)).process(5)
    assert found is not None
    assert (found.command, found.parent, found.session, found.zombie) == ("a ) S 9 (b", 1, 5, False)


def test_without_a_table_nobody_is_found(tmp_path: Path) -> None:
    table = Table(str(tmp_path / "none"))
    assert not table.is_readable()
    assert (table.below(os.getpid()), table.process(1), table.memory([1], 0)) == ([], None, 0)
    assert table.belonging(1, (b"A=1", b"B=2")) == []


@needs_proc
def test_both_marks_are_needed_to_belong() -> None:
    table = Table()
    for environment, belongs in (({"A": "1", "B": "2"}, True), ({"A": "1"}, False), ({"A": "1", "B": "22"}, False)):
        with subprocess.Popen(["/bin/sleep", "60"], env=environment) as process:
            found = [one.pid for one in table.belonging(2**30, (b"A=1", b"B=2"))]
            process.kill()
        assert (process.pid in found) is belongs


def a_spec() -> Spec:
    return Spec(
        invocation=b"I",
        workspace=b"/w",
        argv=[b"a", b"\xff \n{x}"],
        env=[(b"A", b"\xfe=1")],
        cwd=b"/",
        stdin=b"\0\xff",
        out=b"/o",
        err=b"/e",
        base=b"/b",
        timeout=1.5,
        silence=None,
        memory=1,
        processes=None,
        file_size=2,
        output=3,
        kept=4,
        orphan_grace=10.0,
        interrupt=1.0,
        terminate=2.0,
        leftovers=3.0,
    )


def test_what_a_guard_is_told_arrives_as_it_was() -> None:
    packed = pack(a_spec())
    fields, stdin = sizes(packed[:HEAD])
    got = unpack(packed[HEAD : HEAD + fields], packed[HEAD + fields :])
    assert stdin == 2
    assert {name: getattr(got, name) for name in Spec.__slots__} == {
        name: getattr(a_spec(), name) for name in Spec.__slots__
    }


# --- what ends a run ---
@pytest.mark.parametrize(
    ("commands", "ending", "in_haste"),
    {
        "nothing": ([], "exited", False),
        "a stop": ([b"stop cancelled"], "cancelled", False),
        "the first stop names the ending": ([b"stop cancelled", b"stop interrupted"], "cancelled", True),
        "a kill": ([b"kill interrupted"], "interrupted", True),
        "an ending that there is not": ([b"stop melted"], "interrupted", False),
        "no command at all": ([b"", b"\xff", b"here", b"stopp x"], "exited", False),
    }.values(),
)
def test_commands_decide(commands: list[bytes], ending: str, in_haste: bool) -> None:
    way = Way(a_spec())
    for command in commands:
        way.obey(command)
    assert (way.ending, way.in_haste) == (ending, in_haste)


def test_the_grace_without_a_daemon_begins_anew_each_time_one_goes() -> None:
    way = Way(a_spec())
    way.note_watched(is_watched=False, now=0.0)
    way.note_watched(is_watched=False, now=9.9)
    assert not way.is_decided
    way.note_watched(is_watched=True, now=9.95)
    way.note_watched(is_watched=False, now=10.0)
    way.note_watched(is_watched=False, now=19.9)
    assert not way.is_decided
    way.note_watched(is_watched=False, now=20.0)
    assert way.ending == "orphaned"
