"""A run from its workspace to its end: where it works, what it is told, and who takes it over when the daemon dies."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from world import AGENTS, DONE, POLICY, TOOL, Died, Fake, said, until

from orchestrator.core.events import EventKind
from orchestrator.core.settings import Agent, Limit, Policy, Settings, Tool, WorkspaceKind, WorkspaceSettings
from orchestrator.core.types import AgentKey, CostSource, ErrorKind, InvocationId, MicroUsd, Status, TaskId, Tokens
from orchestrator.core.verdict import Ending, Ran, Reported
from orchestrator.core.workspace import Evidence
from orchestrator.daemon import Daemon

EDITOR = replace(
    TOOL,
    workspace=WorkspaceKind.WORKTREE,
    capabilities=("edits_files",),
    command=("{binary}", "--resume", "{session_id}", "--cap", "{budget_usd}", "--in", "{workspace}"),
)
COMMIT = "c0ffee" + "0" * 34


def settings(tool: Tool = EDITOR, *, policy: Policy | None = None, **more: object) -> Settings:
    """Those of the world, with that tool."""
    return Settings(
        agents=AGENTS,
        tools={tool.name: tool},
        policies={"default": policy or POLICY},
        **more,  # type: ignore[arg-type]  # the names are those of Settings
    )


@pytest.fixture
def editor(tmp_path: Path) -> Fake:
    """A world whose tool edits files in a worktree."""
    return Fake(tmp_path, settings())


def showed(fake: Fake, task_id: str, **more: object) -> None:
    """Git shows one commit for the task."""
    about: dict[str, object] = {
        "branch": f"task/{task_id}",
        "base": "b45e",
        "head": COMMIT,
        "commits": 1,
        "changed": ("a.py",),
        "changed_count": 1,
    } | more
    fake.workspaces.shown[task_id] = Evidence(**about)  # type: ignore[arg-type]  # the names are those of Evidence


# --- workspaces --------------------------------------------------------------------------------------------------


def test_a_tool_that_edits_files_works_in_the_worktree_of_its_task_and_its_work_is_named(editor: Fake) -> None:
    showed(editor, "x")
    editor.drop("x", "artefacts: [a.py]")
    editor.run()
    [invocation] = editor.engine.runs
    assert invocation.cwd == str(editor.folder / "worktrees/x")
    assert invocation.argv[-1] == invocation.cwd
    result = editor.task("x").result
    assert (result["verdict"], result["branch"], result["commit"]) == ("done", "task/x", COMMIT)
    assert result["artefacts"] == ["a.py"]
    assert editor.trail.commits[-1].trailers["Result-Branch"] == "task/x"
    [(_, message)] = editor.workspaces.concluded
    assert message.splitlines()[0] == "Do x"
    assert f"Invocation-Id: {invocation.id}" in message.splitlines()
    assert editor.workspaces.released == ["x"]
    started = next(event for event in editor.events.told[TaskId("x")] if event.event == EventKind.EXECUTION_STARTED)
    assert (started.details["base"], started.details["branch"]) == ("b45e", "task/x")


def test_a_tool_that_edits_files_and_changed_nothing_made_no_change(editor: Fake) -> None:
    editor.drop("x")
    editor.run()
    result = editor.task("x").result
    assert result["verdict"] == "no_change"
    assert "branch" not in result


def test_a_task_stands_on_the_commits_of_those_that_it_depends_on(editor: Fake) -> None:
    showed(editor, "first")
    editor.drop("first")
    editor.drop("second", "depends_on: [first]")
    editor.run()
    wanted = editor.workspaces.wanted[-1]
    assert wanted.task_id == "second"
    assert [(one.task_id, one.commit) for one in wanted.foundations] == [("first", COMMIT)]


def test_a_task_whose_worktree_cannot_be_made_is_blocked_and_says_why(editor: Fake) -> None:
    editor.workspaces.unworkable["x"] = "a and b both changed util.py; merge one of them first"
    editor.drop("x")
    editor.run()
    assert editor.status("x") is Status.BLOCKED
    assert editor.events.told[TaskId("x")][-1].why == "a and b both changed util.py; merge one of them first"
    assert editor.engine.runs == []


def test_a_failed_run_names_the_branch_with_what_it_left(editor: Fake) -> None:
    showed(editor, "x")
    editor.engine.script["x"] = [Ran(ending=Ending.EXITED, exit_code=3)]
    editor.drop("x")
    editor.run()
    assert editor.task("x").error["branch"] == "task/x"
    assert editor.trail.commits[-1].trailers["Result-Branch"] == "task/x"
    assert editor.workspaces.released == ["x"]


def test_a_second_attempt_begins_where_the_first_one_did(editor: Fake) -> None:
    showed(editor, "x")
    editor.engine.script["x"] = [Ran(ending=Ending.EXITED, exit_code=3), said("an answer")]
    path = editor.path_of_retry("x")
    assert path
    assert [wanted.base for wanted in editor.workspaces.wanted] == ["", "b45e"]


def test_never_two_tools_work_in_the_checkout_though_one_came_there_as_a_fallback(tmp_path: Path) -> None:
    shared = replace(TOOL, name="shared", workspace=WorkspaceKind.CHECKOUT)
    agents = {
        AgentKey("dev"): Agent(key=AgentKey("dev"), preferred_tool="missing", fallback_chain=("shared",)),
        AgentKey("writer"): Agent(key=AgentKey("writer"), preferred_tool="shared"),
    }
    gone = replace(TOOL, name="missing", binary="missing")
    fake = Fake(
        tmp_path,
        Settings(
            agents=agents,
            tools={"shared": shared, "missing": gone},
            policies={"default": Policy(name="default", max_parallel=8)},
        ),
    )
    for number in range(3):
        fake.drop(f"d{number}")
        fake.drop(f"w{number}", agent="writer")
    fake.run()
    assert len(fake.engine.runs) == 6
    assert fake.workspaces.most_in_checkout == 1


# --- set-up ------------------------------------------------------------------------------------------------------

FURNISHED = WorkspaceSettings(setup=("make", "ready"), setup_timeout=timedelta(minutes=3))


def test_a_fresh_worktree_is_set_up_once_before_the_tool_runs(tmp_path: Path) -> None:
    fake = Fake(tmp_path, settings(workspaces=FURNISHED))
    fake.engine.script["x"] = [said(""), Ran(ending=Ending.EXITED, exit_code=3), said("an answer")]
    fake.path_of_retry("x")
    assert [run.argv[:2] for run in fake.engine.runs] == [("make", "ready"), ("brief", "--in"), ("brief", "--in")]
    first = fake.engine.runs[0]
    assert first.timeout == timedelta(minutes=3)
    assert first.cwd == str(tmp_path / "worktrees/x")
    assert first.bounds.orphan_grace == timedelta(0)


def test_a_set_up_that_fails_fails_the_task_and_the_tool_does_not_run(tmp_path: Path) -> None:
    fake = Fake(tmp_path, settings(workspaces=FURNISHED))
    fake.engine.script["x"] = [Ran(ending=Ending.EXITED, exit_code=2, errors="make:\nno rule to make ready")]
    fake.drop("x")
    fake.run()
    assert len(fake.engine.runs) == 1
    error = fake.task("x").error
    assert error["kind"] == ErrorKind.CRASHED
    assert (
        "the set-up command of the worktree (make ready) failed (exit code 2): no rule to make ready"
        in error["message"]
    )


def test_a_task_can_be_cancelled_while_its_worktree_is_set_up(tmp_path: Path) -> None:
    fake = Fake(tmp_path, settings(workspaces=FURNISHED))
    fake.engine.held.add("x")
    fake.drop("x")

    async def cancel(daemon: Daemon) -> None:
        await until(lambda: bool(fake.engine.runs))
        await daemon.stop(TaskId("x"), Ending.CANCELLED, "not wanted")

    fake.run_and(cancel)
    assert fake.status("x") is Status.CANCELLED
    assert len(fake.engine.runs) == 1


# --- what it is told, and what it tells --------------------------------------------------------------------------


def test_the_cap_of_a_task_is_the_smallest_of_its_own_and_its_policys(tmp_path: Path) -> None:
    def limit(usd: int, **scope: str) -> Limit:
        return Limit(period="task", max_usd=MicroUsd(usd * 1_000_000), scope=scope)

    policy = Policy(name="default", limits=(limit(5), limit(1, agent="writer"), limit(3, tool="brief")))
    fake = Fake(tmp_path, settings(policy=policy))
    fake.drop("large", "budget_usd: 9")
    fake.drop("small", "budget_usd: 0.25")
    fake.run()
    caps = {run.task_id: run.argv[run.argv.index("--cap") + 1] for run in fake.engine.runs}
    assert caps == {"large": "3", "small": "0.25"}


def test_a_later_run_goes_on_with_the_session_and_its_cost_is_told_against_it(editor: Fake) -> None:
    tokens = Tokens(input=1000, output=200)
    reported = Reported(session_id="s-1", tokens=tokens, cost=MicroUsd(4000), version="2.1")
    first = Ran(ending=Ending.EXITED, exit_code=3, session_id="s-1", reported=reported, tokens=tokens)
    second = said("an answer", cost=MicroUsd(4200), cost_source=CostSource.REPORTED, tokens=tokens)
    editor.engine.script["x"] = [first, second]
    editor.path_of_retry("x")
    assert "--resume" not in editor.engine.runs[0].argv
    assert editor.engine.runs[1].argv[1:3] == ("--resume", "s-1")
    assert editor.engine.read_after == [None, reported]
    metrics = editor.task("x").result["metrics"]
    assert (metrics["cost_usd"], metrics["cost_source"]) == ("0.004200", "reported")
    assert metrics["tokens"] == {"input": 1000, "cache_read": 0, "cache_write": 0, "output": 200}
    trailers = editor.trail.commits[-1].trailers
    assert (trailers["Tokens-In"], trailers["Tokens-Out"], trailers["Cost-USD"]) == ("1000", "200", "0.004200")


def test_the_profile_of_the_agent_is_given_apart_or_before_the_prompt(tmp_path: Path) -> None:
    (tmp_path / "dev.agent.md").write_text("---\nname: Dev\n---\nYou write tests first.\n")
    agents = AGENTS | {AgentKey("dev"): Agent(key=AgentKey("dev"), preferred_tool="brief", profile="dev.agent.md")}
    apart = replace(TOOL, command=("{binary}", "--system", "{system_prompt_file}"))
    for tool, in_prompt in ((TOOL, True), (apart, False)):
        fake = Fake(tmp_path, Settings(agents=agents, tools={"brief": tool}))
        fake.drop("x", "prompt: Do it.")
        fake.run()
        [run] = fake.engine.runs
        assert (run.stdin == b"You write tests first.\n\nDo it.") is in_prompt
        if not in_prompt:
            assert Path(run.argv[2]).read_text() == "You write tests first."


# --- a run that outlives its daemon ------------------------------------------------------------------------------


def die_while_it_runs(fake: Fake) -> InvocationId:
    """The daemon is killed while the tool of x runs, and a new one comes back."""
    fake.engine.script["x"] = [Died()]
    fake.drop("x")
    with pytest.raises(BaseExceptionGroup):
        fake.run()
    [started] = [event for event in fake.events.told[TaskId("x")] if event.event == EventKind.EXECUTION_STARTED]
    fake.come_back()
    return InvocationId(started.invocation_id)


def test_a_run_that_outlives_its_daemon_is_adopted_and_never_run_again(editor: Fake) -> None:
    showed(editor, "x")
    invocation = die_while_it_runs(editor)
    editor.engine.outlived[invocation] = said("what it said meanwhile")
    editor.run()
    assert editor.engine.adopted == [invocation]
    assert len(editor.engine.runs) == 1
    assert editor.path("x").startswith(DONE)
    assert editor.task("x").result["branch"] == "task/x"
    assert editor.events.kinds("x").count("execution_started") == 1
    assert editor.workspaces.released == ["x"]


@pytest.mark.parametrize(
    "trace", [None, Ran(ending=Ending.ORPHANED), Ran(ending=Ending.INTERRUPTED, failure=ErrorKind.LOST)]
)
def test_a_run_of_which_nothing_is_left_is_told_as_lost_and_run_again(editor: Fake, trace: Ran | None) -> None:
    invocation = die_while_it_runs(editor)
    editor.engine.script["x"] = [said("an answer")]
    if trace is not None:
        editor.engine.outlived[invocation] = trace
    editor.run()
    assert editor.status("x") is Status.DONE
    ends = [event.reason for event in editor.events.told[TaskId("x")] if event.event == EventKind.EXECUTION_FINISHED]
    assert ends == ["lost", "exited"]


def test_an_adopted_run_can_be_cancelled(editor: Fake) -> None:
    invocation = die_while_it_runs(editor)
    editor.engine.outlived[invocation] = Ran(ending=Ending.CANCELLED)
    editor.run()
    assert editor.status("x") is Status.CANCELLED


def test_what_a_dead_daemon_had_begun_is_adopted_though_every_slot_is_taken(tmp_path: Path) -> None:
    fake = Fake(tmp_path, settings(policy=Policy(name="default", max_parallel=1)))
    invocation = die_while_it_runs(fake)
    fake.engine.outlived[invocation] = said("what it said meanwhile")
    fake.drop("urgent", "priority: critical")
    fake.run()
    assert fake.engine.adopted == [invocation]
    assert fake.status("urgent") is Status.DONE
    assert fake.status("x") is Status.DONE
