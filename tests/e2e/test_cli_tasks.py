"""The commands on tasks, in a real repository, without a daemon and with `daemon --until-idle`."""

from pathlib import Path

import pytest
from cli_world import World, repository


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A workspace."""
    made = repository(tmp_path / "a repository")
    made.well("init")
    return made


def submitted(world: World, agent: str = "writer", title: str = "Sum up README.md") -> str:
    return str(world.well("submit", "--agent", agent, "--title", title, "--json").data["id"])


def test_init_says_what_it_made_and_what_comes_next(tmp_path: Path) -> None:
    world = repository(tmp_path)
    before = world.git("log", "--oneline")
    ended = world.well("init")
    assert "made config/agents.yaml" in ended.out
    assert "trail: own" in ended.out
    assert "next: orchestrator" in ended.err
    assert world.git("log", "--oneline") == before
    again = world.well("init", "--json").data
    assert again["made"] == []


def test_without_a_repository_every_command_says_what_to_do(tmp_path: Path) -> None:
    ended = World(tmp_path)("status")
    assert ended.code == 4
    assert "git init" in ended.err
    assert "--no-git" in ended.err
    assert ended.out == ""


def test_before_init_a_command_names_it(tmp_path: Path) -> None:
    world = repository(tmp_path)
    for arguments in (["status"], ["daemon", "--once"], ["submit", "--agent", "writer", "--title", "x"]):
        ended = world(*arguments)
        assert ended.code == 4
        assert "orchestrator init" in ended.err


def test_a_task_goes_from_submit_to_its_commits(world: World) -> None:
    task = submitted(world)
    assert world.well("status", "--json").data["folders"]["inbox"] == 1
    ended = world.well("daemon", "--until-idle")
    assert "1 in done" in ended.out
    shown = world.well("show", task).out
    assert "done" in shown
    assert "task_completed" in shown
    assert "brief with embedded" in shown
    assert "Sum up README.md" in world.well("show", task, "--log").out
    log = world.well("log", task, "--json").data
    assert [entry["trailers"]["Task-Transition"] for entry in log] == [
        "in_progress -> done",
        "assigned -> in_progress",
        "new -> assigned",
    ]
    assert "in_progress -> done" in world.well("log", "-n", "1").out
    assert world.git("status", "--porcelain", "--", "README.md") == ""


def test_a_task_without_git_leaves_events_and_no_commits(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.well("--no-git", "init")
    task = submitted(world)
    world.well("daemon", "--until-idle")
    assert world.well("show", task, "--json").data["state"]["status"] == "done"
    assert not (tmp_path / ".git").exists()


def test_a_manual_task_waits_for_a_person(world: World) -> None:
    task = submitted(world, agent="person", title="Sign it")
    world.well("daemon", "--until-idle")
    status = world.well("status")
    assert "Assigned" in status.out
    assert task in status.out
    started = world.well("start", task)
    assert "in_progress" in started.out
    assert f"orchestrator complete {task}" in started.err
    done = world.well("complete", task, "--summary", "signed", "--artefact", "README.md", "--json").data
    assert done["changed"][0]["status"] == "done"
    text = (world.root / "work" / done["changed"][0]["path"]).read_text()
    assert "signed" in text
    assert "README.md" in text


def test_commands_at_the_same_time_wait_for_one_another(world: World) -> None:
    calls = [world.begin("submit", "--agent", "writer", "--title", "x", "--name", f"t{n}") for n in range(5)]
    ended = [call.communicate(timeout=60) for call in calls]
    assert [call.returncode for call in calls] == [0] * 5, ended
    assert world.well("status", "--json").data["folders"]["inbox"] == 5


def test_start_is_for_people_and_says_so(world: World) -> None:
    task = submitted(world)
    world.well("daemon", "--until-idle")
    ended = world("start", task)
    assert ended.code == 1
    assert "manual" in ended.err


def test_cancel_and_retry_take_beginnings_of_ids(world: World) -> None:
    task = submitted(world, agent="person", title="Sign it")
    world.well("daemon", "--until-idle")
    cancelled = world.well("cancel", task[:17], "--reason", "not needed")
    assert f"cancelled {task}" in cancelled.out
    assert f"next: orchestrator retry {task}" in cancelled.err
    assert "not needed" in world.well("show", task).out
    assert "will run again" in world.well("retry", task).out


def test_of_several_ids_those_that_can_be_are_changed(world: World) -> None:
    task = submitted(world, agent="person", title="Sign it")
    world.well("daemon", "--until-idle")
    ended = world("cancel", "nothing-of-that-name", task, "--json")
    assert ended.code == 4
    assert [reply["id"] for reply in ended.data["changed"]] == [task]
    assert ended.data["refused"][0]["exit_code"] == 4


def test_freeze_moves_a_task_aside_and_thaw_back(world: World) -> None:
    task = submitted(world)
    frozen = world.well("freeze", task, "--reason", "waits for prices", "--category", "later", "--json").data
    assert frozen["changed"][0]["path"].startswith("collaboration/fridge/later/")
    assert "0 waiting" in world.well("daemon", "--until-idle").err
    assert "frozen" in world.well("show", task).out
    world.well("thaw", task)
    world.well("daemon", "--until-idle")
    assert world.well("show", task, "--json").data["state"]["status"] == "done"


def test_freeze_without_a_reason_is_a_usage_error(world: World) -> None:
    ended = world("freeze", submitted(world))
    assert ended.code == 2
    assert "--reason" in ended.err


@pytest.mark.parametrize(
    ("arguments", "stdin", "code", "words"),
    [
        ((), "", 2, "--agent NAME --title TEXT"),
        (("-",), "title: x\n", 2, "--name ID"),
        (("absent.yaml",), "", 2, "absent.yaml"),
        (("-", "--name", "x"), "agent: writer\ntitle: a: b\n", 1, "x.yaml:2:"),
        (("-", "--name", "x"), "agent: wr1ter\ntitle: a\n", 4, "writer"),
        (("-", "--name", "../x"), "agent: writer\ntitle: a\n", 2, "no name for a task file"),
        (("-", "--name", "x", "--title", "y"), "", 2, "leave out"),
        (("-", "--name", "x"), "title: " + "x" * (1 << 20), 1, "1 MiB"),
        (("--agent", "writer", "--title", "x", "--priority", "urgent"), "", 2, "critical"),
    ],
    ids=["nothing", "no name", "no file", "broken", "no such agent", "a path", "both", "too large", "odd priority"],
)
def test_what_cannot_be_submitted_is_refused_and_nothing_changes(
    world: World, arguments: tuple[str, ...], stdin: str, code: int, words: str
) -> None:
    ended = world("submit", *arguments, stdin=stdin)
    assert ended.code == code
    assert words in ended.err
    assert ended.out == ""
    assert not list((world.root / "work" / "collaboration" / "inbox").glob("*.yaml"))


def test_a_file_is_submitted_as_it_is(world: World) -> None:
    text = "# a comment\nagent: writer\ntitle: 'Sum it up'\nodd:   spacing\n"
    (world.root / "my-task.yaml").write_text(text)
    reply = world.well("submit", "my-task.yaml", "--json").data
    assert reply["id"] == "my-task"
    assert (world.root / "work" / reply["path"]).read_text() == text
    assert world("submit", "my-task.yaml").code == 1


def test_a_file_that_is_not_utf_8_names_its_line(world: World) -> None:
    (world.root / "t.yaml").write_bytes(b"agent: writer\ntitle: \xff\n")
    ended = world("submit", "t.yaml")
    assert ended.code == 1
    assert "t.yaml:2: not UTF-8" in ended.err


def test_a_file_that_is_no_task_is_in_status_with_its_reason(world: World) -> None:
    world.drop("broken.yaml", "agent: writer\ntitle: a: b\n")
    world.well("daemon", "--until-idle")
    status = world.well("status").out
    assert "rejected  broken.yaml" in status
    assert "2:" in status
    assert "work/collaboration/rejected/broken.yaml.why.md" in " ".join(status.split())
    shown = world.well("show", "broken")
    assert "title: a: b" in shown.out
    assert "^" in shown.out


def test_an_id_that_nothing_has_is_not_found_with_near_ones(world: World) -> None:
    task = submitted(world)
    ended = world("show", task[:-1] + "X")
    assert ended.code == 4
    assert task in ended.err
    assert world("show", "2" * 300).code == 4


def test_the_index_is_rebuilt_by_itself_where_it_is_missing(world: World) -> None:
    task = submitted(world)
    world.well("daemon", "--until-idle")
    state = world.root / ".git" / "orchestrator"
    for path in state.glob("index.db*"):
        path.unlink()
    ended = world.well("show", task)
    assert "rebuilt the index" in ended.err
    assert "done" in ended.out
    assert world.well("index", "rebuild", "--json").data["events"] > 0


def test_from_a_folder_inside_and_from_the_work_folder_it_is_the_same_workspace(world: World) -> None:
    task = submitted(world)
    (world.root / "deep" / "er").mkdir(parents=True)
    for folder in (world.root / "deep" / "er", world.root / "work" / "collaboration"):
        assert World(folder).well("show", task, "--json").data["state"]["id"] == task


def test_text_from_outside_cannot_move_the_cursor(world: World) -> None:
    (world.root / "work" / "collaboration" / "rejected" / "x.yaml").write_text("")
    (world.root / "work" / "collaboration" / "rejected" / "x.yaml.why.md").write_text("# bad \x1b[2J\u202e thing\n")
    for ended in (world.well("status"), world.well("--color", "always", "show", "x")):
        assert "\x1b[2J" not in ended.out
        assert "\u202e" not in ended.out
        assert "\\x1b[2J" in ended.out
