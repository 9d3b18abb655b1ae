"""How a task ends: what came of its run, in its file, its log, its events and its commit."""

import pytest
from world import Fake, said

from orchestrator.core import layout
from orchestrator.core.types import CostSource, ErrorKind, Status, TaskId
from orchestrator.core.verdict import Ending, Ran

LOG = f"{layout.LOGS}/dev/2026-02-12/x.md"


@pytest.mark.parametrize(
    ("ran", "kind"),
    [
        (Ran(ending=Ending.EXITED, exit_code=3, errors="first\nlast words"), ErrorKind.CRASHED),
        (Ran(ending=Ending.EXITED, exit_code=-9), ErrorKind.CRASHED),
        (Ran(ending=Ending.EXITED, exit_code=0, text="  \n"), ErrorKind.BAD_OUTPUT),
        (Ran(ending=Ending.TIMED_OUT, duration_ms=2000), ErrorKind.TIMEOUT),
        (Ran(ending=Ending.NOT_STARTED, errors="no such file"), ErrorKind.NO_TOOL),
        (Ran(ending=Ending.EXITED, exit_code=1, failure=ErrorKind.RATE_LIMITED), ErrorKind.RATE_LIMITED),
        (Ran(ending=Ending.EXITED, exit_code=1, failure=ErrorKind.AUTH), ErrorKind.AUTH),
        (Ran(ending=Ending.TIMED_OUT, failure=ErrorKind.OVERLOADED), ErrorKind.OVERLOADED),
        (Ran(ending=Ending.EXITED, exit_code=0, text="x", failure=ErrorKind.DENIED), ErrorKind.DENIED),
    ],
)
def test_each_kind_of_failure_is_the_tasks_error(fake: Fake, ran: Ran, kind: ErrorKind) -> None:
    fake.engine.script["x"] = [ran]
    fake.drop("x")
    fake.run()
    assert fake.where("x") == ["assigned/dev"]
    task = fake.task("x")
    assert task.status is Status.ERROR
    assert task.error["kind"] == kind
    assert task.error["retry_count"] == 0
    assert task.error["log"] == LOG
    assert task.error["message"] == fake.trail.commits[-1].body
    assert fake.trail.commits[-1].trailers["Error-Kind"] == kind
    assert LOG in {change.path for change in fake.trail.commits[-1].changes}
    assert fake.events.told[TaskId("x")][-1].error_kind == kind


def test_a_second_failure_counts_the_retries(fake: Fake) -> None:
    fake.engine.script["x"] = [Ran(ending=Ending.EXITED, exit_code=3)]
    path = fake.drop("x")
    fake.run()
    path = fake.path("x")
    fake.mailbox.put(path, fake.mailbox.files[path].content.replace(b"status: error", b"status: assigned"))
    fake.run()
    assert fake.task("x").error["retry_count"] == 1


def test_an_answer_without_claims_is_summed_up_by_the_verdict(fake: Fake) -> None:
    fake.engine.script["x"] = [said("an answer", duration_ms=61_000, cost_source=CostSource.REPORTED)]
    fake.drop("x")
    fake.run()
    assert fake.task("x").result["summary"] == "it ended well in 1 min 1 s"


def test_a_failure_keeps_the_result_of_nothing_and_a_later_success_removes_the_error(fake: Fake) -> None:
    fake.engine.script["x"] = [Ran(ending=Ending.EXITED, exit_code=3), said("an answer")]
    fake.drop("x")
    fake.run()
    assert fake.task("x").result is None
    path = fake.path("x")
    fake.mailbox.put(path, fake.mailbox.files[path].content.replace(b"status: error", b"status: assigned"))
    fake.run()
    assert fake.status("x") is Status.DONE
    assert fake.task("x").error is None
