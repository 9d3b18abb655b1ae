"""`orchestrator task validate`: files, folders and stdin, within a workspace and without one."""

import os
import stat
from pathlib import Path

import pytest
from cli_world import Ended, Template, World

AGENTS = """
agents:
  writer: {aliases: [scribe], preferred_tool: brief, preferred_model: embedded}
  dev: {preferred_tool: brief, preferred_model: embedded}
"""
POLICIES = """
policies:
  default: {}
checks:
  tests: {command: ["true"]}
"""
GOOD = "agent: writer\ntitle: x\n"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """A workspace with two agents and a check."""
    return Template(tmp_path_factory.mktemp("made"), {"agents": AGENTS, "policies": POLICIES})


@pytest.fixture
def world(template: Template, tmp_path: Path) -> World:
    """One of the test's own."""
    return template.copy(tmp_path / "repo")


def put(world: World, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = world.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def validate(world: World, *words: str, stdin: str = "") -> Ended:
    return world("task", "validate", *words, stdin=stdin)


def test_good_files_are_counted(world: World) -> None:
    put(world, {"tasks/a.yaml": GOOD, "tasks/deep/b.yml": GOOD, "tasks/.hidden.yaml": "[", "tasks/x.txt": "["})
    assert validate(world, "tasks/a.yaml") == Ended(0, "1 task file is good\n", "")
    assert validate(world, "tasks", "tasks/a.yaml", "./tasks/a.yaml") == Ended(0, "2 task files are good\n", "")


def test_every_problem_of_every_file_has_its_line_and_a_caret_and_the_next_command(world: World) -> None:
    put(
        world,
        {"a.yaml": "agent: wrter\ntitle: x\npriority: soonish\n", "b.yaml": GOOD + "verify: [tsts]\n", "c.yaml": GOOD},
    )
    ended = validate(world, "a.yaml", "b.yaml", "c.yaml")
    assert ended.code == 1
    assert ended.out == (
        'a.yaml:1:8: agent: no agent is called "wrter"; did you mean "writer"?\n'
        "    1 | agent: wrter\n      |        ^^^^^\n"
        'a.yaml:3:11: priority: "soonish" is not a priority; use one of critical, high, medium, normal, low\n'
        "    3 | priority: soonish\n      |           ^^^^^^^\n"
        'b.yaml:3:10: verify: config/policies.yaml declares no check "tsts"; did you mean "tests"?\n'
        "    3 | verify: [tsts]\n      |          ^^^^\n"
    )
    assert ended.err.startswith("3 problems in 2 of 3 task files\nnext: ")
    assert "orchestrator task fix a.yaml" in ended.err


def test_the_folders_of_the_workspace_have_their_rules_and_what_holds_no_tasks_is_left_alone(world: World) -> None:
    folder = "work/collaboration"
    put(
        world,
        {
            f"{folder}/inbox/a.yaml": GOOD,
            f"{folder}/inbox/b.yaml": GOOD + "status: done\n",
            f"{folder}/assigned/dev/c.yaml": GOOD + "status: assigned\n",
            f"{folder}/rejected/d.yaml": "title: a: b\n",
            "work/runs/RUN-1/run.yaml": "title: a run\n",
        },
    )
    ended = validate(world, "work")
    assert ended.code == 1
    heads = [line for line in ended.out.splitlines() if line.startswith(folder)]
    assert [head.partition(" ")[2][:30] for head in heads] == [
        'agent: "writer", and the file ',
        'status: "done" does not belong',
    ]
    assert "2 problems in 2 of 3 task files" in ended.err
    assert validate(world, f"{folder}/rejected/d.yaml").code == 1, "what is named itself is looked at"
    assert validate(World(world.root / folder / "inbox"), "a.yaml").code == 0


@pytest.mark.parametrize("name", ["a.txt", ".a.yaml", "a.yaml~"])
def test_a_file_whose_name_nobody_would_look_at_is_a_problem(world: World, name: str) -> None:
    put(world, {name: GOOD})
    ended = validate(world, name)
    assert ended.code == 1
    assert f"{name}: has not the name of a task file, and would be left alone; call it something.yaml" in ended.out


def test_an_id_that_is_there_twice_is_a_problem(world: World) -> None:
    put(world, {"one/a.yaml": GOOD, "two/a.yaml": GOOD})
    ended = validate(world, "one", "two")
    assert ended.code == 1
    assert ended.out == "two/a.yaml: id: one/a.yaml has the same id; give one of them a new id and file name\n"


def test_stdin_is_called_by_its_id_or_as_it_is_told(world: World) -> None:
    assert validate(world, "-", stdin="id: some-task\n" + GOOD) == Ended(0, "1 task file is good\n", "")
    assert validate(world, "-", "--name", "a.yaml", stdin=GOOD).code == 0
    ended = validate(world, "-", "--name", "other", stdin="id: some-task\n" + GOOD)
    assert ended.code == 1
    assert ended.out.startswith('<stdin>:1:5: id: the id is "some-task" and the file is called "other"')
    assert validate(world, "-", stdin="title: a: b\n").out.startswith("<stdin>:1:9: text that holds")
    assert validate(world, "-", stdin="x" * (1 << 20) + "yz").code == 1


def test_a_workflow_gets_annotations_with_nothing_that_could_be_another_command(world: World) -> None:
    put(world, {"a,b/c.yaml": "agent: 'wr::ter, %0A'\ntitle: x\ntitl: y\n"})
    ended = validate(world, "--github", "a,b/c.yaml")
    assert ended.code == 1
    lines = ended.out.splitlines()
    assert lines[0].startswith(
        "::error file=a%2Cb/c.yaml,title=orchestrator task,line=1,col=8,endColumn=21::agent: no agent"
    )
    assert "%250A" in lines[0]
    assert lines[1].startswith(
        "::warning file=a%2Cb/c.yaml,title=orchestrator task,line=3,col=1,endColumn=4::titl: is no field"
    )
    assert len(lines) == 2


def test_json_tells_the_same_as_data(world: World) -> None:
    put(world, {"a.yaml": "agent: wrter\ntitle: x\npriorit: low\n", "b.yaml": GOOD})
    ended = validate(world, "--json", "a.yaml", "b.yaml")
    assert (ended.code, ended.err) == (1, "")
    data = ended.data
    assert (data["good"], data["files"], data["bad"], data["left_out"]) == (False, 2, 1, "")
    assert [(one["path"], one["line"], one["column"], one["key"]) for one in data["problems"]] == [
        ("a.yaml", 1, 8, "agent")
    ]
    assert [one["key"] for one in data["remarks"]] == ["priorit"]


def test_outside_a_workspace_the_format_alone_counts_and_that_is_said(tmp_path: Path) -> None:
    world = World(tmp_path)
    put(world, {"a.yaml": "agent: anybody\ntitle: x\n", "b.yaml": "title: a: b\n"})
    ended = validate(world, "a.yaml")
    assert (ended.code, ended.out) == (0, "1 task file is good\n")
    assert ended.err == (
        "agents, checks, tools, models: not looked at: there is no workspace here; make one with: orchestrator init\n"
    )
    assert validate(world, "b.yaml").code == 1


def test_a_configuration_that_is_refused_does_not_keep_files_from_being_checked(world: World) -> None:
    put(world, {"a.yaml": "agent: anybody\ntitle: x\n", "config/agents.yaml": "agents: [\n"})
    ended = validate(world, "a.yaml")
    assert ended.code == 0
    assert "not looked at: the configuration is refused; see: orchestrator config validate" in ended.err


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("none.yaml",), 4, "none.yaml: No such file or directory; name a task file, or a folder of them"),
        ((), 2, "Missing argument"),
        (("-", "-"), 2, "- can be read only once"),
        (("a.yaml", "--name", "b"), 2, "--name says what stdin would be called"),
        (("/dev/null",), 1, "/dev/null: is no file"),
    ],
)
def test_what_cannot_be_looked_at_is_named(world: World, words: tuple[str, ...], code: int, says: str) -> None:
    put(world, {"a.yaml": GOOD})
    ended = validate(world, *words)
    assert (ended.code, ended.out) == (code, "")
    assert says in ended.err
    both = validate(world, "--json", "--github", "a.yaml")
    assert (both.code, both.err) == (2, "orchestrator: --json or --github, not both\n")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_cannot_be_read_is_named(world: World) -> None:
    put(world, {"a.yaml": GOOD})
    (world.root / "a.yaml").chmod(stat.S_IWUSR)
    assert "a.yaml: Permission denied" in validate(world, "a.yaml").err


def test_an_empty_folder_is_no_failure(world: World) -> None:
    (world.root / "empty").mkdir()
    assert validate(world, "empty") == Ended(0, "", "no task files there: *.yaml and *.yml are looked for\n")


def test_what_is_shown_of_a_hostile_file_cannot_move_a_cursor(world: World) -> None:
    put(world, {"a.yaml": "agent: \x1b[31mx\ntitle: x\n", "b\x1b[2J.yaml": "title: a: b\n"})
    ended = validate(world, ".")
    assert ended.code == 1
    assert "\x1b" not in ended.out + ended.err
