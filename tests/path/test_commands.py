"""The write side for people, with a daemon at work and without one."""

import asyncio
from typing import Any

import pytest
from world import AGENTS, TOOL, Died, Fake, run, until, working

from orchestrator.commands import Commands, EmptyFloor
from orchestrator.core import layout
from orchestrator.core.settings import Policy, Settings
from orchestrator.core.types import Status, TaskId
from orchestrator.core.verdict import Ending, Ran
from orchestrator.daemon import Daemon
from orchestrator.errors import NotFoundError, OrchestratorError, UsageError
from orchestrator.taskfile import TaskFileRefused

DEV = f"{layout.ASSIGNED}/dev"


def do(fake: Fake, verb: str, **arguments: Any) -> dict[str, Any]:
    """Carries it out at once, without a daemon."""
    return run(Commands(world=fake.world, floor=EmptyFloor()).carry_out(verb, arguments))


async def ask(fake: Fake, daemon: Daemon, verb: str, **arguments: Any) -> dict[str, Any]:
    """Has the running daemon carry it out."""
    return await Commands(world=fake.world, floor=daemon).carry_out(verb, arguments)


# --- submit ------------------------------------------------------------------------------------------------------


def test_a_submitted_file_lies_in_the_inbox_byte_for_byte(fake: Fake) -> None:
    content = "agent: benny\ntitle: Übung # remark\n"
    reply = do(fake, "submit", content=content, name="x.yaml")
    assert fake.text(f"{layout.INBOX}/x.yaml") == content
    assert reply == {
        "id": "x",
        "status": "new",
        "path": f"{layout.INBOX}/x.yaml",
        "agent": "dev",
        "message": "submitted x",
    }


def test_a_task_can_be_made_of_an_agent_and_a_title(fake: Fake) -> None:
    reply = do(fake, "submit", agent="dev", title="Cache: the layer", depends_on=["a"], priority="high")
    assert reply["id"] == "2026-02-12T110100-dev-cache-the-layer"
    task = fake.task(str(reply["id"]))
    assert (task.title, task.depends_on, task.priority, task.created_at) == (
        "Cache: the layer",
        ("a",),
        "high",
        fake.clock.at,
    )


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"title": "t"}, UsageError, "at least an agent and a title"),
        ({"agent": "dev", "title": "t", "id": "../x"}, UsageError, "without a folder"),
        ({"agent": "dev", "title": "t", "id": "a b"}, TaskFileRefused, "cannot be a task's id"),
        ({"content": "agent: dev\ntitle: t\n", "name": "x.txt"}, UsageError, "must end in .yaml"),
        ({"content": "agent: dev\ntitle: t\n", "name": "x.yaml~"}, UsageError, "must end in .yaml"),
        ({"content": "agent: [dev\n", "name": "x.yaml"}, TaskFileRefused, "x.yaml:"),
        ({"content": "agent: devv\ntitle: t\n", "name": "x.yaml"}, NotFoundError, 'did you mean "dev"'),
        ({"content": "agent: dev\ntitle: t\n", "name": "here.yml"}, OrchestratorError, "has this id already"),
        ({"content": "agent: dev\ntitle: t\n", "name": "cold.yaml"}, OrchestratorError, "has this id already"),
    ],
)
def test_what_is_no_task_or_no_new_one_is_refused_and_nothing_is_written(
    fake: Fake, arguments: dict[str, Any], error: type[Exception], words: str
) -> None:
    fake.drop("here")
    fake.drop("cold", folder=layout.FRIDGE)
    before = dict(fake.mailbox.files)
    with pytest.raises(error, match=words):
        do(fake, "submit", **arguments)
    assert fake.mailbox.files == before
    assert fake.effects.done == []


def test_a_done_tasks_id_cannot_be_submitted_again(fake: Fake) -> None:
    fake.drop("x")
    fake.run()
    with pytest.raises(OrchestratorError, match=r"there is a task with this id \(done\)"):
        do(fake, "submit", content="agent: dev\ntitle: t\n", name="x.yaml")


def test_an_unknown_verb_names_those_that_there_are(fake: Fake) -> None:
    with pytest.raises(UsageError, match="submit, exec, cancel, retry"):
        do(fake, "explode")


# --- cancel ------------------------------------------------------------------------------------------------------


def test_a_waiting_task_is_cancelled_into_its_agents_folder(fake: Fake) -> None:
    fake.drop("x", "depends_on: [ghost]")
    reply = do(fake, "cancel", id="x", reason="no longer wanted")
    assert reply["path"] == f"{DEV}/x.yaml"
    assert fake.where("x") == ["assigned/dev"]
    assert fake.status("x") is Status.CANCELLED
    assert fake.task("x").error["message"] == "no longer wanted"
    assert fake.trail.commits[-1].trailers["Task-Transition"] == "new -> cancelled"
    before = dict(fake.mailbox.files)
    fake.run()
    assert fake.mailbox.files == before


def test_a_running_task_is_stopped_and_cancelled(fake: Fake) -> None:
    fake.engine.held = {"x"}
    fake.drop("x")
    replies = []

    async def story(daemon: Daemon) -> None:
        await until(lambda: working(daemon) == ["x"] and fake.engine.runs)
        replies.append(await ask(fake, daemon, "cancel", id="x"))

    fake.run_and(story)
    assert replies[0]["message"] == "cancelled x"
    assert fake.engine.stopped == [(fake.engine.runs[0].id, Ending.CANCELLED)]
    assert fake.status("x") is Status.CANCELLED
    assert fake.task("x").error["kind"] == "cancelled"
    assert fake.text(f"{layout.LOGS}/dev/2026-02-12/x.md").strip().endswith("cancelled")
    assert fake.trail.commits[-1].trailers["Task-Transition"] == "in_progress -> cancelled"


def test_a_task_that_waits_for_a_slot_is_cancelled_and_never_runs(fake: Fake) -> None:
    fake.settings = Settings(
        agents=AGENTS, tools={"brief": TOOL}, policies={"default": Policy(name="default", max_parallel=1)}
    )
    fake.engine.held = {"a"}
    fake.drop("a", "priority: high")
    fake.drop("b")

    async def story(daemon: Daemon) -> None:
        await until(lambda: fake.engine.runs and fake.where("b") == ["assigned/dev"])
        await ask(fake, daemon, "cancel", id="b")
        fake.engine.let_go()
        await until(lambda: fake.where("a") == ["done/dev/2026-02-12"])

    fake.run_and(story)
    assert fake.status("b") is Status.CANCELLED
    assert [run.task_id for run in fake.engine.runs] == ["a"]


def test_a_cancel_at_any_moment_of_a_claim_and_a_run_leaves_one_file_that_is_cancelled_or_done(tmp_path: Any) -> None:
    """The daemon's hand and the person's meet at every turn of the loop: neither undoes what the other did."""
    seen = set()
    for turns in range(60):
        fake = Fake(tmp_path)
        fake.drop("x")
        said = []

        async def story(daemon: Daemon, fake: Fake = fake, turns: int = turns, said: list[str] = said) -> None:
            for _ in range(turns):
                await asyncio.sleep(0)
            try:
                said.append(str((await ask(fake, daemon, "cancel", id="x"))["status"]))
            except OrchestratorError as error:
                said.append(str(error))
            await until(lambda: not daemon.working())

        fake.run_and(story)
        [folder] = fake.where("x")
        status = fake.status("x")
        seen.add(status)
        assert (folder, status) in {("assigned/dev", Status.CANCELLED), ("done/dev/2026-02-12", Status.DONE)}, turns
        assert (status is Status.CANCELLED) == (said == ["cancelled"]), (turns, said)
        assert fake.around.crashes == [], turns
        state = fake.index.state(TaskId("x"))
        assert state is not None
        assert state.status is status, turns
        kinds = fake.events.kinds("x")
        assert kinds.count("execution_started") == kinds.count("execution_finished"), turns
    assert seen == {Status.CANCELLED, Status.DONE}


@pytest.mark.parametrize("task_id", ["ghost", "", "../../x", "a b"])
def test_a_task_that_is_nowhere_is_not_found(fake: Fake, task_id: str) -> None:
    fake.mailbox.put(f"{layout.INBOX}/../../x.yaml", b"agent: dev\ntitle: t\n")
    for verb in ("cancel", "retry", "thaw", "start", "complete"):
        with pytest.raises(NotFoundError, match="no such task"):
            do(fake, verb, id=task_id)
    assert fake.effects.done == []


def test_what_a_stranger_writes_as_agent_never_becomes_a_path(fake: Fake) -> None:
    fake.drop("x", agent="../../../etc")
    reply = do(fake, "cancel", id="x")
    assert reply["path"] == f"{layout.ASSIGNED}/etc/x.yaml"


def test_done_is_final(fake: Fake) -> None:
    fake.drop("x")
    fake.run()
    before = dict(fake.mailbox.files)
    for verb in ("cancel", "retry"):
        with pytest.raises(OrchestratorError, match="done is final"):
            do(fake, verb, id="x")
    assert fake.mailbox.files == before


# --- retry -------------------------------------------------------------------------------------------------------


def test_a_failed_task_runs_again_when_it_is_retried(fake: Fake) -> None:
    fake.engine.script["x"] = [Ran(ending=Ending.EXITED, exit_code=3), Ran(ending=Ending.EXITED, exit_code=0, text="a")]
    fake.drop("x")
    fake.run()
    assert fake.status("x") is Status.ERROR
    do(fake, "retry", id="x")
    assert fake.status("x") is Status.ASSIGNED
    assert fake.task("x").error is None
    fake.run()
    assert fake.status("x") is Status.DONE
    assert fake.task("x").result["metrics"]["invocations"] == 2


def test_a_retry_that_was_told_and_not_written_is_carried_out_by_the_next_daemon(fake: Fake) -> None:
    fake.engine.script["x"] = [Ran(ending=Ending.EXITED, exit_code=3), Ran(ending=Ending.EXITED, exit_code=0, text="a")]
    fake.drop("x")
    fake.run()
    fake.effects.die_at = len(fake.effects.done) + 2  # intended, announced
    with pytest.raises(Died):
        do(fake, "retry", id="x")
    fake.come_back()
    assert fake.status("x") is Status.ERROR
    fake.run()
    assert fake.status("x") is Status.DONE


def test_there_is_nothing_to_retry_in_a_task_that_waits(fake: Fake) -> None:
    fake.drop("x")
    with pytest.raises(OrchestratorError, match="x is new: there is nothing to retry"):
        do(fake, "retry", id="x")


# --- freeze and thaw ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["new", "error", "blocked"])
def test_a_frozen_task_keeps_its_status_and_comes_back_where_it_was(fake: Fake, status: str) -> None:
    home = layout.INBOX if status == "new" else DEV
    path = fake.drop("x", f"status: {status}", folder=home)
    before = fake.text(path)
    do(fake, "freeze", id="x", reason="after the release", category="later")
    assert fake.path("x") == f"{layout.FRIDGE}/later/x.yaml"
    assert fake.text(fake.path("x")) == before
    assert fake.trail.commits[-1].subject == "task: frozen x"
    frozen = dict(fake.mailbox.files)
    fake.run()
    assert fake.mailbox.files == frozen
    do(fake, "thaw", id="x")
    assert fake.path("x") == path
    assert fake.text(path) == before


def test_a_task_that_was_blocked_when_it_was_frozen_goes_on_by_itself_after_the_thaw(fake: Fake) -> None:
    fake.drop("x", agent="idle")
    fake.run()
    do(fake, "freeze", id="x", reason="r")
    do(fake, "thaw", id="x")
    assert fake.status("x") is Status.BLOCKED
    fake.settings = Settings(agents=AGENTS, tools={"missing": TOOL})
    fake.run()
    assert fake.where("x") == ["done/idle/2026-02-12"]


def test_a_thawed_task_of_the_inbox_runs(fake: Fake) -> None:
    fake.drop("x")
    do(fake, "freeze", id="x", reason="r")
    do(fake, "thaw", id="x")
    fake.run()
    assert fake.status("x") is Status.DONE


@pytest.mark.parametrize(
    ("arguments", "words"),
    [({}, "wants a reason"), ({"reason": "r", "category": "../up"}, "no name for a category")],
)
def test_a_freeze_without_a_reason_or_with_an_odd_category_is_refused(
    fake: Fake, arguments: dict[str, str], words: str
) -> None:
    fake.drop("x")
    with pytest.raises(UsageError, match=words):
        do(fake, "freeze", id="x", **arguments)
    assert fake.where("x") == ["inbox"]


def test_what_runs_and_what_is_done_cannot_be_frozen_nor_what_is_not_frozen_thawed(fake: Fake) -> None:
    fake.engine.held = {"x"}
    fake.drop("x")
    fake.drop("y", "depends_on: [ghost]")

    async def story(daemon: Daemon) -> None:
        await until(lambda: fake.engine.runs)
        with pytest.raises(OrchestratorError, match="runs now"):
            await ask(fake, daemon, "freeze", id="x", reason="r")
        with pytest.raises(OrchestratorError, match="not in the fridge"):
            await ask(fake, daemon, "thaw", id="y")
        fake.engine.let_go()

    fake.run_and(story)
    with pytest.raises(OrchestratorError, match="nothing to freeze"):
        do(fake, "freeze", id="x", reason="r")


def test_a_thaw_onto_a_taken_place_is_refused_and_tells_nothing(fake: Fake) -> None:
    fake.drop("x")
    do(fake, "freeze", id="x", reason="r")
    fake.drop("x")
    before, events = dict(fake.mailbox.files), fake.events.kinds("x")
    with pytest.raises(OrchestratorError, match="something is there already"):
        do(fake, "thaw", id="x")
    assert fake.mailbox.files == before
    assert fake.events.kinds("x") == events


def test_a_frozen_task_can_be_cancelled(fake: Fake) -> None:
    fake.drop("x")
    do(fake, "freeze", id="x", reason="r")
    do(fake, "cancel", id="x")
    assert fake.where("x") == ["assigned/dev"]


# --- manual agents -----------------------------------------------------------------------------------------------


def test_a_person_starts_and_completes_a_task_and_what_waits_for_it_runs(fake: Fake) -> None:
    fake.drop("x", agent="person")
    fake.drop("after", "depends_on: [x]")

    async def story(daemon: Daemon) -> None:
        await until(lambda: fake.where("x") == ["assigned/person"] and fake.status("x") is Status.ASSIGNED)
        await ask(fake, daemon, "start", id="x")
        assert fake.status("x") is Status.IN_PROGRESS
        fake.clock.go_on(hours=1)
        reply = await ask(fake, daemon, "complete", id="x", summary="talked to them", artefacts=["notes.md"])
        assert reply["path"] == f"{layout.DONE}/person/2026-02-12/x.yaml"
        await until(lambda: fake.where("after") == ["done/dev/2026-02-12"])

    fake.run_and(story)
    task = fake.task("x")
    assert task.status is Status.DONE
    assert (task.result["summary"], task.result["artefacts"]) == ("talked to them", ["notes.md"])
    assert (task.completed_at - task.started_at).total_seconds() == 3600


def test_a_complete_that_was_told_and_not_written_is_carried_out_by_the_next_daemon(fake: Fake) -> None:
    fake.drop("x", agent="person")
    fake.run()
    do(fake, "start", id="x")
    fake.effects.die_at = len(fake.effects.done) + 2
    with pytest.raises(Died):
        do(fake, "complete", id="x", summary="s")
    fake.come_back()
    fake.run()
    assert fake.where("x") == ["done/person/2026-02-12"]
    assert fake.task("x").result["summary"] == "s"


def test_start_and_complete_are_refused_for_an_agent_that_the_daemon_runs(fake: Fake) -> None:
    fake.drop("x", "status: assigned", folder=DEV)
    for verb in ("start", "complete"):
        with pytest.raises(OrchestratorError, match="marked `manual: true`"):
            do(fake, verb, id="x")
    assert fake.status("x") is Status.ASSIGNED


def test_a_manual_task_that_was_not_started_cannot_be_completed(fake: Fake) -> None:
    fake.drop("x", agent="person")
    fake.run()
    with pytest.raises(OrchestratorError, match="cannot go from assigned to done"):
        do(fake, "complete", id="x")
