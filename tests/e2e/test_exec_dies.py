"""`orchestrator exec` where somebody is killed: itself, or the daemon that carries it out. And in a worktree."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cli_world import Template, World, daemon, wait_until

from orchestrator.adapters import place as places
from orchestrator.adapters import process_table

if TYPE_CHECKING:
    import subprocess

needs_proc = pytest.mark.skipif(not process_table.is_readable(), reason="this system has no /proc to find orphans by")

# It notes its begin and its end (one small append each), and waits in between until it is let go on.
TOOL = """
echo "began $ORCHESTRATOR_INVOCATION" >> JOURNAL
echo the first half
waited=0
until test -e GO; do sleep 0.02; waited=$((waited + 1)); test $waited -lt 1500 || exit 99; done
echo the second half
echo "ended $ORCHESTRATOR_INVOCATION" >> JOURNAL
exit CODE
"""
TOOLS = """
tools:
  halves:
    binary: sh
    command: ["{binary}", "TOOL", "0"]
  fails:
    binary: sh
    command: ["{binary}", "TOOL", "7"]
  echo:
    binary: sh
    command: ["{binary}", "-c", "cat"]
  editor:                   # edits a file in a worktree, and says so
    binary: sh
    command: ["{binary}", "-c", "echo '# More' >> README.md; echo edited"]
    workspace: worktree
"""
AGENTS = "agents:\n  dev: {preferred_tool: halves}\n"
ANSWER = "the first half\nthe second half"
ASKED = ("exec", "--agent", "dev", "--prompt", "x")


@dataclass(frozen=True)
class Story(World):
    """A workspace whose tool waits within its run, and a journal of its begins and ends."""

    started: list["subprocess.Popen[str]"] = field(default_factory=list)

    @property
    def state(self) -> Path:
        """The folder of its state."""
        return places.find(self.root).state

    def status(self, task: str) -> str:
        """What `show` says of the task."""
        return str(self.well("show", task, "--json").data["state"]["status"])

    def journal(self) -> list[str]:
        """What the tool noted, without the names of the runs."""
        file = self.root / "journal"
        return [line.split()[0] for line in file.read_text().splitlines()] if file.exists() else []

    def let_go(self) -> None:
        """The tool goes on to its end."""
        (self.root / "go").touch()

    def running(self) -> list[int]:
        """The tools that still run (they carry this workspace's mark), and the guards (they hold a locked file)."""
        state = str(self.state)
        return [
            one.pid
            for one in process_table.everything().values()
            if not one.zombie
            and (
                process_table.mark(one.pid, "ORCHESTRATOR_WORKSPACE") == state
                or any(name.startswith(state) for name in process_table.holds(one.pid, ".guard"))
            )
        ]

    def begun(self, *more: str) -> "subprocess.Popen[str]":
        """An exec whose tool is within its run."""
        before = len(self.journal())
        process = self.begin(*ASKED, *more)
        self.started.append(process)
        wait_until(lambda: len(self.journal()) > before or process.poll() is not None, "the tool begins")
        assert process.poll() is None, process.communicate()
        return process

    def only_task(self) -> str:
        """The id of the one task that the tool began for."""
        (file,) = (self.root / "work").rglob("exec-*.jsonl")
        return file.stem[file.stem.index("exec-") :]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """A workspace as `init` makes it."""
    return Template(tmp_path_factory.mktemp("made"), {})


@pytest.fixture
def story(template: Template, tmp_path: Path) -> Iterator[Story]:
    """One of the test's own; at its end nothing may run any more."""
    root = template.copy(tmp_path / "repo").root
    story = Story(root)
    tool = root / "tool.sh"
    tool.write_text(
        TOOL.replace("JOURNAL", str(root / "journal")).replace("GO", str(root / "go")).replace("CODE", "$1")
    )
    story.configure({"tools": TOOLS.replace("TOOL", str(tool)), "agents": AGENTS})
    yield story
    story.let_go()
    for process in story.started:
        killed(process)
    if process_table.is_readable():
        wait_until(lambda: not story.running(), "nothing runs any more")


def killed(process: "subprocess.Popen[str]") -> None:
    """kill -9, and gone."""
    process.kill()
    process.communicate(timeout=60)


def kinds(story: Story, task: str) -> list[str]:
    """What its events say, in order."""
    return [event["event"] for event in story.events_of(task)]


# --- exec itself is killed -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["the tool still runs", "the tool has ended"])
@pytest.mark.parametrize(("tool", "code"), [("halves", 0), ("fails", 7)])
@needs_proc
def test_the_tool_of_an_exec_that_was_killed_goes_on_and_the_next_daemon_learns_its_true_end(
    story: Story, when: str, tool: str, code: int
) -> None:
    killed(story.begun("--tool", tool))
    task = story.only_task()
    assert story.running()
    if when == "the tool has ended":
        story.let_go()
        wait_until(lambda: not story.running(), "the guard has put down how it ended")
        assert story.journal() == ["began", "ended"]
        story.well("daemon", "--until-idle")
    else:
        with daemon(story):
            assert story.journal() == ["began"]
            story.let_go()
            wait_until(lambda: story.status(task) in {"done", "error"}, "it is over")
    finished = next(event for event in story.events_of(task) if event["event"] == "execution_finished")
    assert finished["exit_code"] == code
    assert finished["reason"] == "exited"
    assert kinds(story, task).count("execution_started") == 1
    assert kinds(story, task)[-1] == ("task_error" if code else "task_completed")
    assert story.journal() == ["began", "ended"]
    (output,) = (story.state / "logs" / task).glob("*.out")
    assert output.read_text() == f"{ANSWER}\n"
    assert story.running() == []
    assert story.git("-C", "work", "status", "--porcelain") == ""


@needs_proc
def test_the_next_exec_leaves_a_run_that_goes_on_alone_and_the_next_daemon_adopts_it(story: Story) -> None:
    killed(story.begun())
    task = story.only_task()
    before = [pid for pid in story.running() if process_table.holds(pid, ".guard")]
    assert len(before) == 1
    assert story.well(*ASKED[:3], "--prompt", "beside", "--tool", "echo").out == "beside\n"
    assert [pid for pid in story.running() if process_table.holds(pid, ".guard")] == before
    assert story.journal() == ["began"]
    story.let_go()
    story.well("daemon", "--until-idle")
    assert story.status(task) == "done"
    assert kinds(story, task).count("execution_started") == 1
    assert story.journal() == ["began", "ended"]


@needs_proc
def test_without_a_daemon_within_the_grace_the_tool_is_ended_and_the_next_daemon_runs_it_again(story: Story) -> None:
    policies = story.root / "config" / "policies.yaml"
    policies.write_text(policies.read_text() + "\norphan_grace: 1s\n")
    killed(story.begun())
    task = story.only_task()
    wait_until(lambda: not story.running(), "the guard ends it after its grace")
    assert story.journal() == ["began"]
    story.let_go()
    story.well("daemon", "--until-idle")
    assert story.status(task) == "done"
    assert story.journal() == ["began", "began", "ended"]


# --- the daemon is killed ------------------------------------------------------------------------------------------


def test_an_exec_whose_daemon_is_killed_says_so_and_how_to_go_on_though_another_exec_holds_the_workspace(
    story: Story,
) -> None:
    with daemon(story) as first:
        process = story.begun()
        killed(first)
    task = story.only_task()
    other = story.begun()
    answer, errors = process.communicate(timeout=60)
    assert other.poll() is None
    assert (process.returncode, answer) == (1, "")
    assert f"orchestrator: {task}: the daemon ended" in errors
    assert "`orchestrator daemon`" in errors
    assert f"orchestrator show {task}" in errors
    assert "Traceback" not in errors
    story.let_go()
    assert other.communicate(timeout=60)[0] == f"{ANSWER}\n"
    story.well("daemon", "--until-idle")
    assert story.status(task) == "done"
    assert sorted(story.journal()) == ["began", "began", "ended", "ended"]


@pytest.mark.parametrize("more", [(), ("--stream",)], ids=["quiet", "streaming"])
def test_an_exec_goes_on_with_a_daemon_that_is_started_again_in_time(story: Story, more: tuple[str, ...]) -> None:
    with daemon(story) as first:
        process = story.begun(*more)
        killed(first)
    with daemon(story):
        story.let_go()
        answer, errors = process.communicate(timeout=60)
    assert (process.returncode, answer) == (0, f"{ANSWER}\n"), errors
    assert errors.count("the first half") == len(more)
    assert errors.count("the second half") == len(more)
    task = story.only_task()
    assert kinds(story, task).count("execution_started") == 1
    assert story.journal() == ["began", "ended"]


# --- in a worktree -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", [nullcontext, daemon], ids=["alone", "by the daemon"])
def test_work_in_a_worktree_is_a_commit_on_the_branch_of_the_task(
    story: Story, who: Callable[[World], AbstractContextManager[object]]
) -> None:
    with who(story):
        ended = story.well(*ASKED, "--tool", "editor")
    task = story.only_task()
    assert ended.out == "edited\n"
    assert f"branch task/{task}" in ended.err
    assert story.git("show", f"task/{task}:README.md").endswith("# More\n")
    assert story.git("rev-list", "--count", f"main..task/{task}") == "1\n"
    assert f"Task-Id: {task}" in story.git("log", "-1", "--format=%B", f"task/{task}")
    worktrees = story.git("worktree", "list", "--porcelain")
    assert f"task/{task}" not in worktrees
    assert story.git("status", "--porcelain", "--", "README.md") == ""
    assert "# More" not in (story.root / "README.md").read_text()
    assert story.status(task) == "done"


@pytest.mark.parametrize("who", [nullcontext, daemon], ids=["alone", "by the daemon"])
def test_the_envelope_names_the_branch(story: Story, who: Callable[[World], AbstractContextManager[object]]) -> None:
    with who(story):
        data = story.well(*ASKED, "--tool", "editor", "--json").data
    assert (data["verdict"], data["text"], data["branch"]) == ("done", "edited", f"task/{data['id']}")
