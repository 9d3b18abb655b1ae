"""The event files: one a task, synced, repaired, and never losing an event that was whole."""

import os
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.adapters.event_reading import LONGEST
from orchestrator.adapters.events import EventFiles, EventIds
from orchestrator.core.events import Event, EventKind, encode
from orchestrator.core.layout import FULL
from orchestrator.core.types import TaskId

DAY = "2026-02-12"
T = datetime(2026, 2, 12, 11, 1, tzinfo=UTC)
A = TaskId("a")


def event(number: int = 1, task_id: str = "a", **fields: object) -> Event:
    return Event(event_id=f"{number:026d}", ts=T, event=EventKind.TASK_CLAIMED, task_id=task_id, **fields)  # type: ignore[arg-type]  # a shorthand


def files_in(work: Path) -> EventFiles:
    return EventFiles(work, locate=lambda _: None)


def test_a_first_append_makes_one_file_in_the_folder_of_the_day(tmp_path: Path) -> None:
    appended = files_in(tmp_path).append(A, [event(1), event(2)], day=DAY)
    assert appended.path == "telemetry/2026-02-12/a.jsonl"
    assert appended.content == (tmp_path / appended.path).read_bytes() == encode(event(1)) + encode(event(2))


def test_later_appends_go_to_the_same_file_on_any_day(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    files.append(A, [event(1)], day=DAY)
    appended = files.append(A, [event(2)], day="2026-02-13")
    assert appended.path == "telemetry/2026-02-12/a.jsonl"
    assert files.read(A) == [event(1), event(2)]
    assert files.content(A) == appended.content


def test_a_new_process_finds_the_file_without_the_index(tmp_path: Path) -> None:
    files_in(tmp_path).append(A, [event(1)], day=DAY)
    for day in ("2026-02-13", "2026-02-14.2", "2026-02-14.10"):
        (tmp_path / "telemetry" / day).mkdir()
    again = files_in(tmp_path)
    assert again.path_of(A) == "telemetry/2026-02-12/a.jsonl"
    assert again.append(A, [event(2)], day="2026-02-15").path == "telemetry/2026-02-12/a.jsonl"


def test_a_file_of_long_ago_is_found_through_the_index(tmp_path: Path) -> None:
    old = files_in(tmp_path).append(A, [event(1)], day="2020-01-01").path
    for number in range(70):
        (tmp_path / "telemetry" / f"2026-01-01.{number + 2}").mkdir()
    assert files_in(tmp_path).path_of(A) is None
    assert EventFiles(tmp_path, locate=lambda _: old).append(A, [event(2)], day=DAY).path == old


def test_a_file_that_no_search_found_is_still_not_doubled_on_its_own_day(tmp_path: Path) -> None:
    files_in(tmp_path).append(A, [event(1)], day="2020-01-01")
    for number in range(70):
        (tmp_path / "telemetry" / f"2026-01-01.{number + 2}").mkdir()
    appended = files_in(tmp_path).append(A, [event(2)], day="2020-01-01")
    assert appended.content == encode(event(1)) + encode(event(2))


def test_a_file_that_a_person_took_away_is_begun_anew(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    first = files.append(A, [event(1)], day=DAY)
    (tmp_path / first.path).unlink()
    second = files.append(A, [event(2)], day="2026-02-13")
    assert (second.path, second.content) == ("telemetry/2026-02-13/a.jsonl", encode(event(2)))


def test_no_folder_of_event_files_grows_past_its_bound(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    for number in range(FULL + 2):
        files.append(TaskId(f"t{number}"), [event(1, f"t{number}")], day=DAY)
    assert len(os.listdir(tmp_path / "telemetry" / DAY)) == FULL
    assert len(os.listdir(tmp_path / "telemetry" / f"{DAY}.2")) == 2


def test_appending_the_same_events_again_changes_nothing(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    files.append(A, [event(1)], day=DAY)
    once = files.append(A, [event(2), event(3)], day=DAY)
    assert files.append(A, [event(2), event(3)], day=DAY) == once


@pytest.mark.parametrize(
    ("torn", "kept"),
    [
        pytest.param(b'{"v":1,"event_id":"7","ts"', b"", id="half a line is cut off"),
        pytest.param(b"\0" * 700, b"", id="zeros that a power cut left are cut off"),
        pytest.param(b"[1", b"", id="what is no object is cut off"),
        pytest.param(b"12", b"", id="a number is cut off"),
        pytest.param(b"[" * 100_000, b"", id="deep nesting is cut off"),
        pytest.param(encode(event(9))[:-1], encode(event(9)), id="a whole event without its newline gets it"),
    ],
)
def test_a_torn_last_line_is_repaired_by_the_next_append(tmp_path: Path, torn: bytes, kept: bytes) -> None:
    files = files_in(tmp_path)
    path = tmp_path / files.append(A, [event(1)], day=DAY).path
    with path.open("ab") as file:
        file.write(torn)
    appended = files.append(A, [event(2)], day=DAY)
    assert appended.content == path.read_bytes() == encode(event(1)) + kept + encode(event(2))


def test_reading_skips_what_is_no_event_and_keeps_the_rest(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    path = tmp_path / files.append(A, [event(1)], day=DAY).path
    lines = [
        b"\n",
        b"<<<<<<< HEAD\n",
        b"\xff\xfe\n",
        b'{"event":"x"}\n',
        b'"' + b"x" * (3 * LONGEST) + b'"\n',
        encode(event(2, "another")),
        encode(event(3)).replace(b'"task_id":"a",', b""),
        encode(event(4)).replace(b"2026", b"9999"),
        encode(event(5)).replace(b"task_claimed", b"from_the_future"),
        encode(event(6))[:-1],
    ]
    path.write_bytes(path.read_bytes() + b"".join(lines))
    assert [found.event_id[-1] for found in files.read(A)] == ["1", "3", "5", "6"]
    assert [found.task_id for found in files.read(A)] == ["a"] * 4
    assert files.read(TaskId("nobody")) == []


def test_a_link_in_the_place_of_a_file_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine\n")
    (tmp_path / "telemetry" / DAY).mkdir(parents=True)
    (tmp_path / "telemetry" / DAY / "a.jsonl").symlink_to(victim)
    files = files_in(tmp_path)
    with pytest.raises(OSError, match="symbolic link"):
        files.append(A, [event(1)], day=DAY)
    assert victim.read_text() == "mine\n"
    assert files.read(A) == []


def test_a_link_in_the_place_of_a_day_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "telemetry").mkdir()
    (tmp_path / "telemetry" / DAY).symlink_to(tmp_path / "elsewhere")
    assert files_in(tmp_path).append(A, [event(1)], day=DAY).path == f"telemetry/{DAY}.2/a.jsonl"
    assert os.listdir(tmp_path / "elsewhere") == []


@pytest.mark.parametrize("task_id", ["", "../a", ".a", "a/b", "a\0"])
def test_an_id_that_is_no_file_name_is_refused(tmp_path: Path, task_id: str) -> None:
    with pytest.raises(ValueError, match="cannot name"):
        files_in(tmp_path).append(TaskId(task_id), [event(1, task_id)], day=DAY)


FULL_DISK = """
import resource, sys
from pathlib import Path
from datetime import UTC, datetime
from orchestrator.adapters.events import EventFiles
from orchestrator.core.events import Event
work, room = Path(sys.argv[1]), int(sys.argv[2])
files = EventFiles(work, locate=lambda _: None)
event = Event(event_id="2", ts=datetime.now(UTC), event="task_error", task_id=sys.argv[3], why="x" * 5000)
resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
try:
    files.append(sys.argv[3], [event], day="2026-02-12")
except OSError as error:
    print(error.errno)
"""


@pytest.mark.parametrize("room", [1, 2000])
def test_a_disk_that_has_too_little_room_leaves_the_file_as_it_was(tmp_path: Path, room: int) -> None:
    path = tmp_path / files_in(tmp_path).append(A, [event(1)], day=DAY).path
    size = path.stat().st_size
    limit = room + size if room > 1 else size
    call = [sys.executable, "-c", FULL_DISK, str(tmp_path), str(limit), "a"]
    said = subprocess.run(call, check=True, capture_output=True, text=True).stdout
    assert said.strip().isdecimal()
    assert path.read_bytes() == encode(event(1))


def test_a_disk_that_has_too_little_room_makes_no_new_file(tmp_path: Path) -> None:
    (tmp_path / "telemetry" / DAY).mkdir(parents=True)
    call = [sys.executable, "-c", FULL_DISK, str(tmp_path), "1000", "b"]
    assert subprocess.run(call, check=True, capture_output=True, text=True).stdout.strip().isdecimal()
    assert os.listdir(tmp_path / "telemetry" / DAY) == []


def test_threads_append_to_one_task_without_losing_an_event(tmp_path: Path) -> None:
    files = files_in(tmp_path)

    def add(start: int) -> None:
        for number in range(start, start + 25):
            files.append(A, [event(number)], day=DAY)

    threads = [threading.Thread(target=add, args=(start,)) for start in (0, 100, 200, 300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({found.event_id for found in files.read(A)}) == 100


@settings(max_examples=40)
@given(st.binary(max_size=300), st.integers(min_value=0, max_value=400))
def test_whatever_a_crash_leaves_no_whole_earlier_event_is_lost(
    tmp_path_factory: pytest.TempPathFactory, rubbish: bytes, cut: int
) -> None:
    work = tmp_path_factory.mktemp("work")
    path = work / files_in(work).append(A, [event(1), event(2)], day=DAY).path
    whole = path.read_bytes()
    path.write_bytes(whole[: max(cut, len(encode(event(1))))] + rubbish)
    files_in(work).append(A, [event(3)], day=DAY)
    found = [one.event_id for one in files_in(work).read(A)]
    assert found[0] == event(1).event_id
    assert found[-1] == event(3).event_id
    assert path.read_bytes().endswith(b"\n")


def test_event_ids_are_ulids_that_rise_even_where_the_clock_does_not() -> None:
    ids = EventIds()
    made = [ids.new(T), ids.new(T), ids.new(T - timedelta(days=1)), ids.new(T + timedelta(milliseconds=1))]
    assert made == sorted(set(made))
    assert {len(one) for one in made} == {26}
    milliseconds = 0
    for letter in made[0][:10]:
        milliseconds = milliseconds * 32 + "0123456789ABCDEFGHJKMNPQRSTVWXYZ".index(letter)
    assert milliseconds == T.timestamp() * 1000


def test_event_ids_of_threads_are_all_different() -> None:
    ids = EventIds()
    made: list[str] = []
    threads = [threading.Thread(target=lambda: made.extend(ids.new(T) for _ in range(200))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 800


def test_a_name_that_is_no_utf8_survives_a_round_trip(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    odd = event(1, path=os.fsdecode(b"tasks/\xff.yaml"))
    files.append(A, [odd], day=DAY)
    assert files.read(A) == [odd]
