"""`orchestrator task new`: by flags, by a person who is asked, from templates, into the inbox or into a file."""

import json
import re
from pathlib import Path

import pytest
from cli_world import Template, World, daemon
from task_terminal import at_terminal

from orchestrator import taskfile

AGENTS = """
agents:
  analyst: {preferred_tool: brief, preferred_model: embedded}
  backend-dev: {preferred_tool: brief, preferred_model: embedded}
  reviewer: {preferred_tool: brief, preferred_model: embedded}
  writer: {aliases: [scribe], preferred_tool: brief, preferred_model: embedded}
  person: {manual: true}
"""
POLICIES = """
policies:
  default: {}
checks:
  tests: {command: ["true"]}
intake: {branch: main, paths: [tasks/]}
"""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """A workspace with a few agents, and a check."""
    return Template(tmp_path_factory.mktemp("made"), {"agents": AGENTS, "policies": POLICIES})


@pytest.fixture
def world(template: Template, tmp_path: Path) -> World:
    """One of the test's own."""
    return template.copy(tmp_path / "repo")


def inbox(world: World) -> list[Path]:
    return sorted((world.root / "work" / "collaboration" / "inbox").iterdir())


def only(world: World) -> Path:
    (file,) = inbox(world)
    return file


# --- by flags ------------------------------------------------------------------------------------------------------


def test_what_the_options_say_is_in_the_file_and_the_next_command_does_it(world: World) -> None:
    ended = world.well(
        *("task", "new", "--agent", "writer", "--title", "Explain: the winter fares", "--priority", "High"),
        *("-d", "Say who pays what.\n\nOne example.", "--mode", "/analysis-mode", "--artefact", "docs/a.md"),
        *("--context-file", "README.md", "--depends-on", "x", "--verify", "tests", "--budget-usd", "1.50"),
        *("--timeout", "20m", "--run", "RUN-1"),
    )
    file = only(world)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d{6}-writer-explain-the-winter-fares\.yaml", file.name)
    assert file.read_text().splitlines()[2:] == [
        *("status: new", "title: 'Explain: the winter fares'", "priority: high", "mode: '/analysis-mode'"),
        *("description: |", "  Say who pays what.", "", "  One example."),
        *("context:", "  files:", "    - README.md", "artefacts:", "  - docs/a.md", "depends_on:", "  - x"),
        *("verify:", "  - tests", "budget_usd: 1.5", "timeout: 20m", "run: RUN-1"),
        file.read_text().splitlines()[-1],
    ]
    assert file.read_text().startswith(f"id: '{file.stem}'\nagent: writer\n")
    assert ended.out.startswith(f"submitted {file.stem}\n")
    assert ended.err == "next: orchestrator daemon --until-idle\n"


def test_from_nothing_to_done_in_two_commands(world: World) -> None:
    said = world.well("task", "new", "--agent", "writer", "--title", "Sum up README.md")
    task = only(world).stem
    next_command = said.err.removeprefix("next: orchestrator ").split()
    world.well(*next_command)
    assert world.well("show", task, "--json").data["state"]["status"] == "done"


def test_while_a_daemon_runs_it_is_handed_over_and_status_is_next(world: World) -> None:
    with daemon(world):
        assert world.well("task", "new", "--agent", "writer", "--title", "x").err == "next: orchestrator status\n"


def test_the_description_can_come_on_stdin(world: World) -> None:
    world.well("task", "new", "--agent", "writer", "--title", "Sum up", "-d", "-", stdin="first\r\n\nsecond: it\n")
    task = taskfile.parse(only(world).read_bytes(), name=only(world).name).task
    assert task.description == "first\n\nsecond: it\n"


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ((), 2, "say what to write: --agent NAME and --title TEXT (at a terminal you are asked); agents: analyst, "),
        (("--agent", "writer"), 2, "say what to write: --title TEXT (at a terminal you are asked)\n"),
        (("--title", "x"), 2, "say what to write: --agent NAME (at a terminal"),
        (("--agent", "writer", "--title", "x", "--edit"), 2, "--edit opens an editor at a terminal, and there is none"),
        (("--agent", "writer", "--title", "x", "-d", "-"), 2, "--description -: stdin is empty"),
        (("--agent", "writer", "--title", "x", "--inbox", "--out", "a.yaml"), 2, "--inbox or --out, not both"),
        (("--agent", "writer", "--title", "x", "--out", "a.txt"), 2, "a task file ends in .yaml or .yml"),
        (("--agent", "writer", "--title", "x", "--out", "a.yaml", "--id", "b"), 2, "the name of the file is the id"),
        (("--agent", "writer", "--title", "x", "--budget-usd", "much"), 2, '--budget-usd: "much" is not an amount'),
        (("--template", "chang", "--title", "x"), 4, "there is no template 'chang'; did you mean \"change\"?"),
        (("--agent", "wrter", "--title", "x"), 1, 'agent: no agent is called "wrter"; did you mean "writer"?'),
        (("--agent", "writer", "--title", "x", "--timeout", "5"), 1, 'timeout: "5" is not a duration'),
        (
            ("--agent", "writer", "--title", "x", "--verify", "tsts"),
            1,
            'declares no check "tsts"; did you mean "tests"?',
        ),
        (("--agent", "writer", "--title", "x", "--artefact", "../a"), 1, "leads out of its folder"),
        (("--agent", "writer", "--title", "x", "--id", "a..b"), 1, "it may not hold `..`"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(
    world: World, words: tuple[str, ...], code: int, says: str
) -> None:
    ended = world("task", "new", *words)
    assert (ended.code, ended.out) == (code, "")
    assert says in ended.err
    assert inbox(world) == []
    assert not list(world.root.glob("*.yaml"))


def test_an_id_is_given_once(world: World) -> None:
    words = ("task", "new", "--agent", "writer", "--title", "x", "--id", "mine")
    world.well(*words)
    again = world(*words)
    assert again.code == 1
    assert "mine" in again.err
    assert "use another id" in again.err


def test_a_dry_run_prints_a_good_file_and_writes_nothing(world: World) -> None:
    words = ("task", "new", "--agent", "writer", "--title", "x", "--dry-run", "--id", "mine")
    assert taskfile.parse(world.well(*words).out.encode(), name="mine.yaml").task.title == "x"
    assert json.loads(world.well(*words, "--json").out)["data"]["content"].startswith("id: mine\n")
    assert inbox(world) == []


# --- templates -----------------------------------------------------------------------------------------------------


def test_a_shipped_template_keeps_its_fields_and_offers_and_loses_what_is_filled_in(world: World) -> None:
    text = world.well(
        "task", "new", "--template", "change", "--title", "Answer 404", "--dry-run", "--verify", "tests"
    ).out
    lines = text.splitlines()
    assert {"agent: backend-dev", "title: Answer 404", "task_type: coding", "verify:", "  - tests"} <= set(lines)
    assert [line[:12] for line in lines if line.startswith("#")] == [
        "# artefacts:",
        "# context: {",
        "# depends_on",
        "# timeout: 2",
    ]
    assert "<" not in text
    assert "A change to the code" not in text


@pytest.mark.parametrize("name", ["analysis", "change", "document", "review"])
def test_every_shipped_template_makes_a_task_that_is_done(world: World, name: str) -> None:
    world.well("task", "new", "--template", name, "--title", "T", "-d", "one\n\n# two\n", "--id", name)
    task = taskfile.parse(only(world).read_bytes(), name=f"{name}.yaml").task
    assert "one\n\n# two" in task.description + task.body
    world.well("daemon", "--until-idle")
    assert world.well("task", "list", "--json").data["tasks"][0]["status"] == "done"


def test_a_template_of_ones_own_says_what_is_always_so(world: World) -> None:
    folder = world.root / "templates" / "tasks"
    folder.mkdir(parents=True)
    (folder / "weekly.yaml").write_text(
        "# Every week.\nagent: writer   # or the scribe\ntitle: Look through the issues\n"
        "context: {files: [README.md], audience: us}\nverify: [tests]\n"
    )
    (folder / "broken.yaml").write_text("title: a: b\n")
    ended = world.well("task", "new", "--template", "weekly", "--context-file", "docs/a.md", "--id", "w1")
    assert (
        only(world)
        .read_text()
        .startswith("id: w1\nstatus: new\nagent: writer   # or the scribe\ntitle: Look through the issues\n")
    )
    task = taskfile.parse(only(world).read_bytes(), name="w1.yaml").task
    assert (task.context_files, task.verify) == (("README.md", "docs/a.md"), ("tests",))
    assert task.context["audience"] == "us"
    assert "warning: no template: templates/tasks/broken.yaml:1:9" in ended.err


# --- into a file ---------------------------------------------------------------------------------------------------


def test_a_file_for_committing_is_never_written_over_another(world: World) -> None:
    words = ("task", "new", "--agent", "writer", "--title", "x", "--out", "somewhere/new.yaml")
    ended = world.well(*words)
    assert (ended.out, ended.err) == ("wrote somewhere/new.yaml\n", "next: orchestrator submit somewhere/new.yaml\n")
    before = (world.root / "somewhere" / "new.yaml").read_bytes()
    assert before.startswith(b"id: new\n")
    again = world(*words)
    assert (again.code, again.err) == (
        1,
        "orchestrator: somewhere/new.yaml: is there already, and stays as it is; name another file\n",
    )
    assert (world.root / "somewhere" / "new.yaml").read_bytes() == before
    world.well("submit", "somewhere/new.yaml")


def test_into_a_folder_that_is_taken_in_a_commit_is_next_and_drops_it(world: World) -> None:
    world.git("checkout", "-q", "-B", "main")
    ended = world.well("task", "new", "--agent", "writer", "--title", "x", "--id", "one", "--out", "tasks/")
    assert ended.err.startswith("next: git add tasks/one.yaml && git commit -m 'Add a task', which drops it")
    world.git("add", "tasks/one.yaml")
    world.git("commit", "-q", "-m", "Add a task")
    world.well("daemon", "--until-idle")
    assert [task["id"] for task in world.well("task", "list", "--json").data["tasks"]] == ["one"]


def test_without_a_workspace_a_file_can_be_written_all_the_same(tmp_path: Path) -> None:
    world = World(tmp_path)
    ended = world("--no-git", "task", "new", "--agent", "anybody", "--title", "x", "--out", "a.yaml")
    assert (ended.code, ended.out) == (0, "wrote a.yaml\n")
    assert "not looked at: there is no workspace here" in ended.err
    assert world("--no-git", "task", "new", "--agent", "anybody", "--title", "x").code == 4


# --- asked ---------------------------------------------------------------------------------------------------------


def test_a_person_is_asked_for_what_is_open_and_agrees_to_what_is_shown(world: World) -> None:
    with at_terminal(world, "task", "new") as terminal:
        terminal.answer("> [plain] ", "2\n")
        terminal.answer("> [analyst] ", "wri\n")
        terminal.answer("Title (the question, in a line):\n> ", "\n")
        terminal.answer("it needs one; Ctrl-C ends this without a task\n> ", "What is slow?\n")
        terminal.answer("who reads the answer):\n", "Look at start-up.\n")
        terminal.answer("> ", ".\n")
        terminal.answer("> [normal] ", "urgent\n")
        terminal.answer("write a number from 1 to 5, or a name of the list\n> [normal] ", "2\n")
        terminal.answer("Drop it into the inbox? [Y/n, e edits it first] ", "\n")
        assert terminal.end() == 0, terminal.shown
    task = taskfile.parse(only(world).read_bytes(), name=only(world).name).task
    assert (task.agent, task.title, task.description) == ("writer", "What is slow?", "Look at start-up.")
    assert (task.mode, task.priority.value) == ("/analysis-mode", "high")
    assert "next: orchestrator daemon --until-idle" in terminal.shown


def test_an_empty_line_within_a_text_that_is_pasted_does_not_end_it(world: World) -> None:
    with at_terminal(world, "task", "new", "--agent", "writer") as terminal:
        terminal.answer("> [plain] ", "\n")
        terminal.answer("> ", "T\n")
        terminal.answer("a dot alone ends it\n> ", "first\n\n- second\n\n\nthird\n.\n")
        terminal.answer("> [normal] ", "\n")
        terminal.answer("edits it first] ", "y\n")
        assert terminal.end() == 0, terminal.shown
    task = taskfile.parse(only(world).read_bytes(), name=only(world).name).task
    assert task.description == "first\n\n- second\n\n\nthird\n"


def test_with_everything_given_nobody_is_asked(world: World) -> None:
    with at_terminal(world, "task", "new", "--agent", "writer", "--title", "x") as terminal:
        assert terminal.end() == 0
    assert "?" not in terminal.shown
    assert len(inbox(world)) == 1


@pytest.mark.parametrize("question", ["> [plain] ", "edits it first] "])
def test_ctrl_c_leaves_nothing_behind(world: World, question: str) -> None:
    with at_terminal(world, "task", "new", "--agent", "writer", "--template", "change") as terminal:
        if question != "> [plain] ":
            terminal.answer("> ", "T\n")
            terminal.answer("> ", "\n")
            terminal.answer("> [normal] ", "\n")
            terminal.interrupt(question)
        else:
            terminal.interrupt("> ")
        assert terminal.end() == 130
    assert inbox(world) == []


def test_no_is_no(world: World) -> None:
    words = ("task", "new", "--agent", "writer", "--template", "change", "--priority", "low")
    with at_terminal(world, *words) as terminal:
        terminal.answer("> ", "T\n")
        terminal.answer("> ", "\n")
        terminal.answer("edits it first] ", "n\n")
        assert terminal.end() == 130
    assert "nothing was written" in terminal.shown
    assert inbox(world) == []


def test_an_edited_file_is_checked_and_can_be_edited_again(world: World) -> None:
    editor = world.root / "editor.sh"
    editor.write_text(
        "#!/bin/sh\nif grep -q 'agent: writer' \"$1\"; then sed -i 's/agent: writer/agent: poet/' \"$1\"\n"
        "else sed -i 's/agent: poet/agent: analyst/; s/^id:.*/id: renamed/' \"$1\"; fi\n"
    )
    editor.chmod(0o755)
    words = ("task", "new", "--agent", "writer", "--title", "x", "--edit")
    with at_terminal(world, *words, env={"EDITOR": str(editor)}) as terminal:
        terminal.answer("Edit it again? [Y/n] ", "\n")
        assert terminal.end() == 0, terminal.shown
    assert 'no agent is called "poet"' in terminal.shown
    task = taskfile.parse(only(world).read_bytes(), name="renamed.yaml").task
    assert (task.id, task.agent) == ("renamed", "analyst")


def test_what_was_written_is_shown_once_more_where_it_is_given_up(world: World) -> None:
    words = ("task", "new", "--agent", "writer", "--title", "Long thought", "--edit")
    with at_terminal(world, *words, env={"EDITOR": "sed -i s/writer/poet/"}) as terminal:
        terminal.answer("Edit it again? [Y/n] ", "n\n")
        assert terminal.end() == 130
    assert terminal.shown.rpartition("[Y/n] ")[2].count("title: Long thought") == 1
    assert inbox(world) == []


def test_an_editor_that_is_not_there_is_named(world: World) -> None:
    words = ("task", "new", "--agent", "writer", "--title", "x", "--edit")
    with at_terminal(world, *words, env={"EDITOR": "no-such-editor", "VISUAL": ""}) as terminal:
        assert terminal.end() == 1
    assert "no-such-editor" in terminal.shown
    assert "set EDITOR to one that works; nothing was written" in terminal.shown
