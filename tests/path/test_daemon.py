"""The loop: arrivals to slots to the straight path, with every port a list."""

import asyncio
from dataclasses import replace

import pytest
from world import AGENTS, DONE, TOOL, Fake, run, said, until, working

from orchestrator.core import layout
from orchestrator.core.claims import Claims
from orchestrator.core.settings import Policy, RateLimit, Settings
from orchestrator.core.types import AgentKey, ErrorKind, Status, TaskId
from orchestrator.core.verdict import Ending, Ran
from orchestrator.daemon import Daemon, Until
from orchestrator.errors import OrchestratorError

ASSIGNED = f"{layout.ASSIGNED}/dev"


def test_a_dropped_task_ends_in_done_with_result_log_events_and_commits(fake: Fake) -> None:
    fake.drop("x", "priority: HIGH", "# a remark that stays")
    fake.run()
    assert fake.path("x") == f"{DONE}/x.yaml"
    task = fake.task("x")
    assert task.status is Status.DONE
    assert task.result["verdict"] == "done"
    assert task.result["metrics"] == {"duration_seconds": 1.5, "invocations": 1, "tool": "brief"}
    assert task.assigned_at == task.started_at == task.completed_at == fake.clock.at
    assert "# a remark that stays" in fake.text(fake.path("x"))
    assert fake.text(f"{layout.LOGS}/dev/2026-02-12/x.md") == "logs/work-log.md.j2 done\n"
    assert fake.events.kinds("x") == [
        "task_claimed",
        "route_planned",
        "execution_started",
        "execution_finished",
        "task_completed",
    ]
    assert fake.subjects() == ["task: assigned x", "task: in_progress x", "task: done x"]
    assert [commit.trailers["Task-Transition"] for commit in fake.trail.commits] == [
        "new -> assigned",
        "assigned -> in_progress",
        "in_progress -> done",
    ]


def test_the_last_commit_of_a_task_holds_exactly_the_files_of_that_transition(fake: Fake) -> None:
    fake.drop("x")
    fake.run()
    changes = {change.path: change.content for change in fake.trail.commits[-1].changes}
    assert set(changes) == {
        f"{DONE}/x.yaml",
        f"{ASSIGNED}/x.yaml",
        f"{layout.LOGS}/dev/2026-02-12/x.md",
        fake.events.path_of(TaskId("x")),
    }
    assert changes[f"{ASSIGNED}/x.yaml"] is None
    assert changes[f"{DONE}/x.yaml"] == fake.mailbox.files[f"{DONE}/x.yaml"].content


def test_every_step_of_the_straight_path_is_passed_in_its_order(fake: Fake) -> None:
    from orchestrator.core.steps import Step

    fake.drop("x")
    fake.run()
    elsewhere = {Step.HANDED_OFF, Step.AGAIN_INTENDED, Step.AGAIN_ANNOUNCED, Step.AGAIN_WRITTEN, Step.AGAIN_RECORDED}
    assert fake.steps == [step.value for step in Step if step not in elsewhere]


def test_the_most_urgent_goes_first_then_the_oldest(fake: Fake) -> None:
    fake.settings = replace(fake.settings, policies={"default": Policy(name="default", max_parallel=1)})
    fake.drop("d-low", "priority: low", "created_at: 2026-01-01T00:00:00Z")
    fake.drop("c-young", "created_at: 2026-02-02T00:00:00Z")
    fake.drop("b-old", "created_at: 2026-02-01T00:00:00Z")
    fake.drop("a-urgent", "priority: critical")
    fake.run()
    assert [run.task_id for run in fake.engine.runs] == ["a-urgent", "b-old", "c-young", "d-low"]


def test_no_more_run_at_once_than_the_policy_allows(fake: Fake) -> None:
    for number in range(9):
        fake.drop(f"t{number}")
    fake.run()
    assert fake.engine.most_at_once == 2
    assert {fake.status(f"t{number}") for number in range(9)} == {Status.DONE}


def test_no_more_run_at_once_than_the_tool_allows(fake: Fake) -> None:
    fake.settings = replace(fake.settings, tools={"brief": replace(TOOL, rate_limit=RateLimit(max_parallel=1))})
    for number in range(4):
        fake.drop(f"t{number}")
    fake.run()
    assert fake.engine.most_at_once == 1
    assert len(fake.engine.runs) == 4


def test_a_task_waits_until_all_that_it_depends_on_is_done(fake: Fake) -> None:
    fake.drop("c", "depends_on: [a, b]")
    fake.drop("a", "depends_on: [b]")
    fake.drop("b")
    fake.run()
    assert [run.task_id for run in fake.engine.runs] == ["b", "a", "c"]


def test_a_task_that_depends_on_what_nobody_knows_waits_in_the_inbox_and_says_so(fake: Fake) -> None:
    fake.drop("a", "depends_on: [ghost]")
    fake.run()
    assert fake.where("a") == ["inbox"]
    assert fake.index.waiting == {"a": "waits for ghost"}


def test_a_task_whose_dependency_failed_goes_on_waiting(fake: Fake) -> None:
    fake.engine.script["b"] = [Ran(ending=Ending.EXITED, exit_code=3)]
    fake.drop("a", "depends_on: [b]")
    fake.drop("b")
    fake.run()
    assert fake.status("b") is Status.ERROR
    assert fake.where("a") == ["inbox"]


def test_all_members_of_a_circle_are_blocked_with_the_circle_in_words(fake: Fake) -> None:
    fake.drop("a", "depends_on: [b]")
    fake.drop("b", "depends_on: [c]")
    fake.drop("c", "depends_on: [a]")
    fake.drop("other")
    fake.run()
    for name in "abc":
        assert fake.where(name) == ["assigned/dev"]
        assert fake.status(name) is Status.BLOCKED
        assert "a → b → c → a" in fake.events.told[TaskId(name)][-1].why
    assert fake.status("other") is Status.DONE
    assert fake.around.crashes == []


def test_a_task_that_depends_on_itself_is_blocked(fake: Fake) -> None:
    fake.drop("a", "depends_on: [a]")
    fake.run()
    assert fake.status("a") is Status.BLOCKED
    assert "a → a" in fake.events.told[TaskId("a")][-1].why


def test_a_task_for_which_there_is_no_tool_is_blocked_and_names_it(fake: Fake) -> None:
    fake.drop("x", agent="idle")
    fake.run()
    assert fake.status("x") is Status.BLOCKED
    assert "no tool 'missing'" in fake.events.told[TaskId("x")][-1].why


def test_a_blocked_task_goes_on_by_itself_once_its_tool_is_there(fake: Fake) -> None:
    fake.drop("x", agent="idle")

    async def story(daemon: Daemon) -> None:
        await until(lambda: fake.where("x") == ["assigned/idle"] and fake.status("x") is Status.BLOCKED)
        fake.settings = replace(fake.settings, tools={"missing": replace(TOOL, name="missing", binary="brief")})
        daemon.look_again()
        await until(lambda: fake.where("x") == ["done/idle/2026-02-12"])

    fake.run_and(story)
    assert fake.status("x") is Status.DONE


def test_a_manual_agents_task_is_assigned_and_left_to_wait(fake: Fake) -> None:
    fake.drop("x", agent="person")
    fake.run()
    assert fake.where("x") == ["assigned/person"]
    assert fake.status("x") is Status.ASSIGNED
    assert fake.engine.runs == []
    before = dict(fake.mailbox.files)
    fake.run()
    assert fake.mailbox.files == before


def test_a_task_of_an_agent_that_is_manual_no_longer_is_taken_up_at_a_reload(fake: Fake) -> None:
    fake.drop("x", agent="person")

    async def story(daemon: Daemon) -> None:
        await until(lambda: fake.where("x") == ["assigned/person"] and fake.status("x") is Status.ASSIGNED)
        said = len(fake.around.said)
        daemon.look_again()
        await until(lambda: len(fake.around.said) > said)  # it was looked at, and needs nothing
        key = AgentKey("person")
        fake.settings = replace(
            fake.settings, agents={**AGENTS, key: replace(AGENTS[key], manual=False, preferred_tool="brief")}
        )
        daemon.look_again()
        await until(lambda: fake.where("x") == ["done/person/2026-02-12"])

    fake.run_and(story)


def test_a_task_that_a_person_put_into_assigned_is_taken_up(fake: Fake) -> None:
    fake.drop("x", folder=ASSIGNED)
    fake.drop("y", "status: assigned", folder=ASSIGNED)
    fake.run()
    assert fake.status("x") is fake.status("y") is Status.DONE


def test_a_file_in_assigned_without_an_agent_is_its_folders(fake: Fake) -> None:
    fake.mailbox.put(f"{layout.ASSIGNED}/writer/x.yaml", b"title: do it\n")
    fake.run()
    assert fake.where("x") == ["done/writer/2026-02-12"]


def test_a_second_file_in_assigned_with_the_id_of_a_done_task_is_rejected(fake: Fake) -> None:
    fake.drop("x")
    fake.run()
    fake.drop("x", "status: assigned", folder=ASSIGNED)
    fake.run()
    assert fake.where("x") == ["done/dev/2026-02-12", "rejected"]
    assert fake.around.crashes == []
    assert len(fake.engine.runs) == 1


@pytest.mark.parametrize("about", [{"is_file": False}, {"readable": False}], ids=["no file", "unreadable"])
def test_what_cannot_be_read_in_assigned_is_rejected_and_is_no_crash(fake: Fake, about: dict[str, bool]) -> None:
    fake.mailbox.put(f"{ASSIGNED}/x.yaml", b"title: do it\n", **about)
    fake.run()
    assert fake.where("x") == ["rejected"]
    assert fake.around.crashes == []


def test_a_half_written_file_in_assigned_is_left_until_it_is_quiet(fake: Fake) -> None:
    path = f"{ASSIGNED}/x.yaml"
    fake.mailbox.put(path, b'agent: dev\ntitle: "half')

    async def story(daemon: Daemon) -> None:
        await until(lambda: fake.around.manager)
        assert path in fake.mailbox.files
        fake.mailbox.put(path, b'agent: dev\ntitle: "half of it"\n')
        daemon.look_again()
        await until(lambda: fake.where("x") == ["done/dev/2026-02-12"])

    fake.run_and(story)
    fake.mailbox.put(f"{ASSIGNED}/y.yaml", b'agent: dev\ntitle: "half')
    fake.clock.go_on(seconds=3)
    fake.run()
    assert fake.where("y") == ["rejected"]


# --- hand-off ----------------------------------------------------------------------------------------------------

NEXT = Claims(summary="did it", next_agent="writer", next_task_title="Write it up", next_task_notes="as agreed")


def test_a_hand_off_creates_the_next_task_once_and_it_runs(fake: Fake) -> None:
    fake.engine.script["x"] = [said("go on")]
    fake.claims["go on"] = NEXT
    fake.drop("x")
    fake.run()
    [follower] = [run.task_id for run in fake.engine.runs if run.task_id != "x"]
    assert fake.status(follower) is Status.DONE
    task = fake.task(follower)
    assert (task.agent, task.title, task.depends_on, task.created_by) == ("writer", "Write it up", ("x",), "x")
    assert fake.events.kinds("x")[-2:] == ["task_completed", "handoff_created"]
    assert fake.task("x").result["next_agent"] == "writer"


def test_two_tasks_that_end_in_the_same_second_each_hand_over(fake: Fake) -> None:
    for name in ("x", "y"):
        fake.engine.script[name] = [said("go on")]
        fake.drop(name)
    fake.claims["go on"] = NEXT
    fake.run()
    followers = {fake.task(run.task_id).created_by for run in fake.engine.runs if run.task_id not in ("x", "y")}
    assert followers == {"x", "y"}


# --- people in between -------------------------------------------------------------------------------------------


def test_a_task_that_a_person_takes_away_while_it_runs_stays_away(fake: Fake) -> None:
    fake.engine.held = {"x"}
    fake.drop("x")

    async def story(daemon: Daemon) -> None:
        await until(lambda: fake.engine.runs)
        del fake.mailbox.files[f"{ASSIGNED}/x.yaml"]
        fake.engine.let_go()
        await until(lambda: not daemon.working())

    fake.run_and(story)
    assert fake.where("x") == []
    assert "task_completed" not in fake.events.kinds("x")
    assert fake.around.crashes == []


def test_a_task_that_a_person_takes_away_while_it_waits_for_a_slot_is_not_run(fake: Fake) -> None:
    fake.settings = replace(fake.settings, policies={"default": Policy(name="default", max_parallel=1)})
    fake.engine.held = {"a"}
    fake.drop("a")
    fake.drop("b")

    async def story(_: Daemon) -> None:
        await until(lambda: fake.engine.runs and fake.where("b") == ["assigned/dev"])
        del fake.mailbox.files[f"{ASSIGNED}/b.yaml"]
        fake.engine.let_go()
        await until(lambda: fake.where("a") == ["done/dev/2026-02-12"])

    fake.run_and(story)
    assert fake.where("b") == []
    assert [run.task_id for run in fake.engine.runs] == ["a"]


def test_what_a_person_writes_into_a_task_while_it_runs_is_kept(fake: Fake) -> None:
    fake.engine.held = {"x"}
    fake.drop("x")

    async def story(daemon: Daemon) -> None:
        await until(lambda: fake.engine.runs)
        path = f"{ASSIGNED}/x.yaml"
        fake.mailbox.put(path, fake.mailbox.files[path].content + b"note: by the way\n")
        fake.engine.let_go()
        await until(lambda: not daemon.working())

    fake.run_and(story)
    assert fake.status("x") is Status.DONE
    assert fake.task("x").extras == {"note": "by the way"}


def test_a_task_that_a_person_cancels_by_hand_while_it_waits_for_a_slot_is_not_run(fake: Fake) -> None:
    fake.settings = replace(fake.settings, policies={"default": Policy(name="default", max_parallel=1)})
    fake.engine.held = {"a"}
    fake.drop("a")
    fake.drop("b")

    async def story(_: Daemon) -> None:
        await until(lambda: fake.engine.runs and fake.where("b") == ["assigned/dev"])
        path = f"{ASSIGNED}/b.yaml"
        await until(lambda: b"status: assigned" in fake.mailbox.files[path].content)
        fake.mailbox.put(path, fake.mailbox.files[path].content.replace(b"status: assigned", b"status: cancelled"))
        fake.engine.let_go()
        await until(lambda: fake.where("a") == ["done/dev/2026-02-12"])

    fake.run_and(story)
    assert fake.status("b") is Status.CANCELLED
    assert [run.task_id for run in fake.engine.runs] == ["a"]


# --- what goes wrong ---------------------------------------------------------------------------------------------


def test_a_mistake_of_ours_in_one_task_is_its_error_and_names_the_file_and_the_others_go_on(fake: Fake) -> None:
    fake.engine.script["bad"] = [RuntimeError("boom")]
    fake.drop("bad")
    fake.drop("good")
    fake.run()
    assert fake.status("good") is Status.DONE
    assert fake.status("bad") is Status.ERROR
    assert fake.task("bad").error["kind"] == ErrorKind.INTERNAL
    assert fake.task("bad").error["message"] == "boom; the traceback is in crash-1.txt"
    assert "RuntimeError: boom" in fake.around.crashes[0]


def test_a_file_that_is_missing_for_another_reason_is_a_mistake_of_ours(fake: Fake) -> None:
    fake.engine.script["x"] = [FileNotFoundError(2, "No such file or directory", "a template")]
    fake.drop("x")
    fake.run()
    assert fake.status("x") is Status.ERROR
    assert len(fake.engine.runs) == 1


def test_a_file_that_cannot_be_rejected_does_not_fill_the_crash_folder(fake: Fake) -> None:
    fake.mailbox.put(f"{layout.INBOX}/x.yaml", b"", is_file=False)
    move, calls = fake.mailbox.move, []

    def refuse(path: str, to: str) -> None:
        calls.append(path)
        raise PermissionError(13, "Permission denied", to)

    fake.mailbox.move = refuse  # type: ignore[method-assign]

    async def story(daemon: Daemon) -> None:
        for _ in range(5):
            seen = len(fake.around.said)
            daemon.look_again()
            await until(lambda seen=seen: len(fake.around.said) > seen)
        fake.mailbox.move = move  # type: ignore[method-assign]

    fake.run_and(story)
    assert len(calls) == 1
    assert len(fake.around.crashes) == 1


def test_a_folder_that_cannot_be_listed_is_said_and_does_not_end_the_daemon(fake: Fake) -> None:
    def refuse() -> list[object]:
        raise PermissionError(13, "Permission denied", "inbox")

    inbox, fake.mailbox.inbox = fake.mailbox.inbox, refuse  # type: ignore[assignment, method-assign]

    async def story(daemon: Daemon) -> None:
        await until(lambda: fake.around.crashes)
        fake.mailbox.inbox = inbox  # type: ignore[method-assign]
        fake.drop("x")
        daemon.look_again()
        await until(lambda: fake.where("x") == ["done/dev/2026-02-12"])

    fake.run_and(story)


# --- stopping ----------------------------------------------------------------------------------------------------


def test_a_stop_lets_what_runs_end_and_claims_nothing_more(fake: Fake) -> None:
    fake.engine.held = {"a", "b"}
    fake.drop("a")
    fake.drop("b")

    async def story(daemon: Daemon) -> None:
        await until(lambda: working(daemon) == ["a", "b"])
        daemon.ask_to_stop()
        fake.drop("late")
        daemon.look_again()
        await asyncio.sleep(0)
        fake.engine.let_go()

    fake.run_and(story)
    assert fake.status("a") is fake.status("b") is Status.DONE
    assert fake.where("late") == ["inbox"]
    assert "STOPPING=1" in fake.around.manager


def test_a_second_stop_interrupts_what_runs_and_the_next_daemon_runs_it_again(fake: Fake) -> None:
    fake.engine.held = {"x"}
    fake.drop("x")

    async def story(daemon: Daemon) -> None:
        await until(lambda: working(daemon) == ["x"])
        daemon.ask_to_stop()
        daemon.ask_to_stop()

    fake.run_and(story)
    assert fake.status("x") is Status.ASSIGNED
    assert fake.subjects()[-1] == "task: interrupted x"
    assert fake.engine.stopped[0][1] is Ending.INTERRUPTED
    fake.engine.held.clear()
    fake.run()
    assert fake.status("x") is Status.DONE
    assert fake.task("x").result["metrics"]["invocations"] == 2


def test_once_leaves_what_comes_later_for_another_time(fake: Fake) -> None:
    fake.engine.script["x"] = [said("go on")]
    fake.claims["go on"] = NEXT
    fake.drop("x")
    fake.clock.go_on(seconds=1)
    daemon = fake.daemon(Until.ONCE)
    fake.clock.go_on(seconds=1)
    run(daemon.run())
    assert fake.status("x") is Status.DONE
    assert len(fake.engine.runs) == 1
    assert [entry.name for entry in fake.mailbox.inbox()] != []


def test_nothing_is_claimed_while_the_disk_or_the_trail_is_in_trouble(fake: Fake) -> None:
    fake.drop("x")

    async def story(daemon: Daemon) -> None:
        fake.around.disk = "the disk is full"
        await until(lambda: ("paused", "the disk is full") in fake.around.said)
        assert fake.where("x") == ["inbox"]
        fake.around.disk, fake.trail.trouble = "", "no room for the pack"
        daemon.look_again()
        await until(lambda: ("paused", "no room for the pack") in fake.around.said)
        assert fake.where("x") == ["inbox"]
        fake.trail.trouble = ""
        await until(lambda: fake.where("x") == ["done/dev/2026-02-12"])

    fake.run_and(story)


def test_nothing_is_claimed_while_too_much_waits_to_be_committed(fake: Fake) -> None:
    fake.trail.backlog = 1_000_000
    fake.drop("x")
    fake.run()
    assert fake.where("x") == ["inbox"]


def test_only_as_many_are_claimed_as_may_wait_for_a_slot(fake: Fake) -> None:
    for number in range(40):
        fake.drop(f"t{number:02}")
        fake.engine.held.add(f"t{number:02}")

    async def story(daemon: Daemon) -> None:
        await until(lambda: len(working(daemon)) == 2)
        await until(lambda: len(fake.mailbox.inbox()) <= 30)
        assert len(fake.mailbox.assigned()) <= 10
        fake.engine.let_go()

    fake.run_and(story)


def test_what_a_daemon_says_of_an_agent_is_what_runs(fake: Fake) -> None:
    fake.engine.held = {"x"}
    fake.drop("x")

    async def story(daemon: Daemon) -> None:
        await until(lambda: fake.engine.runs)
        [one] = daemon.working()
        assert (one.task_id, one.agent, one.tool, one.since) == ("x", "dev", "brief", fake.clock.at)
        fake.engine.let_go()

    fake.run_and(story)


def test_a_refusal_of_a_request_is_no_crash(fake: Fake) -> None:
    heard = []

    async def ask(commands: object) -> None:
        try:
            await commands.carry_out("cancel", {"id": "ghost"})  # type: ignore[attr-defined]
        except OrchestratorError as error:
            heard.append(str(error))

    async def story(daemon: Daemon) -> None:
        fake.around.asked.append(ask)
        daemon.look_again()
        await until(lambda: heard)

    fake.run_and(story)
    assert heard == ["ghost: no such task; see `orchestrator status`"]


def test_settings_without_policies_still_have_slots(fake: Fake) -> None:
    fake.settings = Settings(agents=AGENTS, tools={"brief": TOOL})
    fake.drop("x")
    fake.run()
    assert fake.status("x") is Status.DONE
