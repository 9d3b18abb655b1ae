"""What lies in the inbox: tasks in their order, tasks that wait, and files that are none."""

import threading

import pytest
from world import AGENTS, START, Fake

from orchestrator.arrivals import QUIET_SECONDS, READS_AT_ONCE, Arrivals
from orchestrator.core import layout
from orchestrator.core.events import EventKind
from orchestrator.core.types import TaskId


@pytest.fixture
def arrivals(fake: Fake) -> Arrivals:
    return Arrivals(
        mailbox=fake.mailbox,
        index=fake.index,
        clock=fake.clock,
        agents=lambda: AGENTS,
        secret_in=fake.world.secret_in,
    )


def offered(arrivals: Arrivals) -> list[str]:
    found = []
    while (item := arrivals.next()) is not None:
        found.append(str(item.id))
    return found


def test_each_task_is_offered_once_until_it_is_given_back(fake: Fake, arrivals: Arrivals) -> None:
    fake.drop("x")
    assert arrivals.look() == []
    found = arrivals.next()
    assert found is not None
    assert arrivals.look() == []
    assert arrivals.next() is None
    arrivals.give_back(found)
    arrivals.look()
    assert offered(arrivals) == ["x"]


def test_a_file_that_is_open_for_writing_is_left_alone(fake: Fake, arrivals: Arrivals) -> None:
    path = fake.drop("x")
    fake.mailbox.files[path].settled = False
    assert arrivals.look() == []
    assert arrivals.unsettled
    assert arrivals.next() is None
    fake.mailbox.files[path].settled = True
    arrivals.look()
    assert offered(arrivals) == ["x"]
    assert not arrivals.unsettled


@pytest.mark.parametrize(
    "content",
    [b"", b'agent: dev\ntitle: "half', b"agent: devv\ntitle: t\n", b"agent: dev\ntitle: t\nstatus: done\n", b"\xff"],
    ids=["empty", "half", "unknown agent", "done", "no UTF-8"],
)
def test_what_is_no_task_is_refused_only_after_two_quiet_seconds(
    fake: Fake, arrivals: Arrivals, content: bytes
) -> None:
    fake.mailbox.put(f"{layout.INBOX}/x.yaml", content)
    fake.clock.go_on(seconds=QUIET_SECONDS - 0.1)
    assert arrivals.look() == []
    assert arrivals.unsettled
    fake.clock.go_on(seconds=0.2)
    [refused] = arrivals.look()
    assert f"{layout.INBOX}/x.yaml" in refused.why
    assert not arrivals.unsettled


def test_a_file_that_is_written_to_again_gets_its_quiet_time_again(fake: Fake, arrivals: Arrivals) -> None:
    path = f"{layout.INBOX}/x.yaml"
    fake.mailbox.put(path, b'agent: dev\ntitle: "ha')
    fake.clock.go_on(seconds=1.9)
    fake.mailbox.put(path, b'agent: dev\ntitle: "half of')
    fake.clock.go_on(seconds=1.9)
    assert arrivals.look() == []
    fake.mailbox.put(path, b'agent: dev\ntitle: "half of it"\n')
    assert arrivals.look() == []
    assert offered(arrivals) == ["x"]


def test_a_file_from_the_future_is_not_waited_for(fake: Fake, arrivals: Arrivals) -> None:
    fake.clock.go_on(days=400)
    fake.mailbox.put(f"{layout.INBOX}/x.yaml", b"- no task\n")
    fake.clock.at = START
    assert len(arrivals.look()) == 1


def test_a_link_a_folder_or_a_pipe_is_refused_at_once(fake: Fake, arrivals: Arrivals) -> None:
    fake.mailbox.put(f"{layout.INBOX}/x.yaml", b"", is_file=False)
    [refused] = arrivals.look()
    assert "is a link or a folder, not a file" in refused.why


def test_a_file_that_cannot_be_read_is_refused_with_the_systems_words(fake: Fake, arrivals: Arrivals) -> None:
    fake.mailbox.put(f"{layout.INBOX}/x.yaml", b"", readable=False)
    [refused] = arrivals.look()
    assert "cannot be read: Permission denied" in refused.why


def test_two_spellings_of_one_id_are_one_task_and_one_refusal(fake: Fake, arrivals: Arrivals) -> None:
    fake.drop("x")
    fake.drop("x", suffix=".yml")
    fake.clock.go_on(seconds=3)
    [refused] = arrivals.look()
    assert refused.entry.name == "x.yml"
    assert "x.yaml has the same id" in refused.why
    assert offered(arrivals) == ["x"]


@pytest.mark.parametrize("suffix", [".yaml", ".yml"])
def test_a_second_file_of_a_task_that_is_done_is_refused_and_names_the_first(
    fake: Fake, arrivals: Arrivals, suffix: str
) -> None:
    fake.drop("x")
    fake.run()
    fake.drop("x", suffix=suffix)
    fake.clock.go_on(seconds=3)
    [refused] = arrivals.look()
    assert f"{layout.DONE}/dev/2026-02-12/x.yaml has it already (done)" in refused.why


def test_a_task_that_a_person_took_back_into_the_inbox_is_offered_again(fake: Fake, arrivals: Arrivals) -> None:
    fake.drop("x", agent="idle")
    fake.run()
    fake.mailbox.files[f"{layout.INBOX}/x.yaml"] = fake.mailbox.files.pop(f"{layout.ASSIGNED}/idle/x.yaml")
    assert arrivals.look() == []
    assert offered(arrivals) == ["x"]


def test_a_file_that_goes_away_is_offered_no_more(fake: Fake, arrivals: Arrivals) -> None:
    path = fake.drop("x")
    arrivals.look()
    del fake.mailbox.files[path]
    arrivals.look()
    assert arrivals.next() is None
    assert len(arrivals) == 0


def test_a_file_that_begins_to_wait_for_another_after_it_was_read_waits(fake: Fake, arrivals: Arrivals) -> None:
    fake.drop("x", "created_at: 2026-01-01T00:00:00Z")
    arrivals.look()
    fake.drop("x", "created_at: 2026-01-01T00:00:00Z", "depends_on: [ghost]")
    arrivals.look()
    assert arrivals.next() is None
    assert arrivals.waiting() == {"x": "waits for ghost"}


def test_what_was_waited_for_and_is_done_by_another_hand_is_noticed(fake: Fake, arrivals: Arrivals) -> None:
    fake.drop("x", "depends_on: [b]")
    arrivals.look()
    assert arrivals.next() is None
    done = fake.world.registrar.event_of(EventKind.TASK_COMPLETED, TaskId("b"), "dev", status="done")
    fake.events.append(TaskId("b"), [done])
    arrivals.look()
    assert offered(arrivals) == ["x"]


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_a_free_text_dependency_binds_where_such_a_task_is_there_whatever_is_read_first(
    fake: Fake, arrivals: Arrivals, names: tuple[str, str]
) -> None:
    for name in names:
        fake.drop(name, *(["dependencies: [b, a talk with them, nobody]"] if name == "a" else []))
    arrivals.look()
    assert offered(arrivals) == ["b"]
    assert arrivals.waiting() == {"a": "waits for b"}


def test_a_task_that_names_itself_among_free_text_dependencies_does_not_wait(fake: Fake, arrivals: Arrivals) -> None:
    fake.drop("a", "dependencies: [a]")
    arrivals.look()
    assert offered(arrivals) == ["a"]


def test_a_burst_is_read_in_parts_and_every_task_is_offered_once(fake: Fake, arrivals: Arrivals) -> None:
    names = [f"t{number:03}" for number in range(2 * READS_AT_ONCE + 5)]
    for name in names:
        fake.drop(name)
    found, looks = [], 0
    while looks == 0 or arrivals.more:
        arrivals.look()
        found += offered(arrivals)
        looks += 1
    assert sorted(found) == names
    assert looks == 3


def test_what_waits_is_to_be_committed_until_that_is_noted(fake: Fake, arrivals: Arrivals) -> None:
    fake.drop("x", "depends_on: [ghost]")
    arrivals.look()
    assert arrivals.uncommitted(9) == []  # it was dropped just now
    fake.clock.go_on(seconds=3)
    [found] = arrivals.uncommitted(9)
    assert arrivals.uncommitted(9) == [found]
    arrivals.note_committed(found)
    assert arrivals.uncommitted(9) == []


def test_looking_in_a_thread_while_tasks_are_claimed_loses_and_doubles_none(fake: Fake, arrivals: Arrivals) -> None:
    names = {f"t{number:04}" for number in range(400)}
    paths = {name: fake.drop(name, *(["depends_on: [ghost]"] if name.endswith("7") else [])) for name in names}
    failed: list[BaseException] = []
    over = threading.Event()

    def look() -> None:
        try:
            while not over.is_set():
                arrivals.look()
        except BaseException as error:  # noqa: BLE001  # what went wrong in the thread is what is asked for
            failed.append(error)

    thread = threading.Thread(target=look)
    thread.start()
    taken: list[str] = []
    free = {name for name in names if not name.endswith("7")}
    while len(taken) < len(free) and not failed:
        arrivals.waiting()
        arrivals.in_circles()
        if (found := arrivals.next()) is not None:
            taken.append(str(found.id))
            del fake.mailbox.files[paths[found.id]]
            arrivals.give_back(found)
    over.set()
    thread.join(10)
    assert failed == []
    assert sorted(taken) == sorted(free)
    assert TaskId("t0007") in arrivals.waiting()
