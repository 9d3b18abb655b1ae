"""What may be written where git sees it, at each level."""

import random
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from fake_secrets import RECIPES, made

from orchestrator.adapters.templates import Templates
from orchestrator.core import privacy
from orchestrator.core.claims import Claims
from orchestrator.core.events import Event, EventKind, decode, encode
from orchestrator.core.judge import judge
from orchestrator.core.privacy import Veil
from orchestrator.core.redaction import Redactor
from orchestrator.core.settings import Privacy
from orchestrator.core.task import Task
from orchestrator.core.types import ErrorKind, InvocationId, TaskId
from orchestrator.core.verdict import CheckResult, Ending, Ran
from orchestrator.core.workspace import Evidence
from orchestrator.running import Run

TOKEN = made(random.Random(1), RECIPES["github"])
PASSED = "k9Xw2mQp7" + "-LzR4tVb"
REDACTOR = Redactor({"ACME_KEY": PASSED})
VEILS = {level: Veil(level=level, redactor=REDACTOR) for level in Privacy}
EVERY = pytest.mark.parametrize("level", list(Privacy))
PROMPT = f"Tell nobody of the blue heron. Use {TOKEN} and {PASSED}."
ANSWER = f"The heron flew at dawn, with {TOKEN} and {PASSED}, to ann@example.org at /home/ann/x."
ERRORS = f"heron: cannot reach 10.1.2.3 with {TOKEN}"
TASK = Task(id=TaskId("t-1"), title="Watch the birds", prompt=PROMPT, description="also herons", body="more herons")
RAN = Ran(ending=Ending.EXITED, exit_code=0, text=ANSWER, errors=ERRORS, denials=(f"Bash curl heron {TOKEN}",))
AT = datetime(2026, 2, 12, tzinfo=UTC)


def _log(veil: Veil) -> str:
    verdict = judge(privacy.ran(veil, RAN), evidence=None, expects_answer=True, expects_change=False)
    run = Run(
        invocation_id=InvocationId("01J"), tool="claude", model="m", reason="preferred", why="it is preferred",
        attempt=1, log="reports/x.md", started_at=AT,
    )  # fmt: skip
    context = {
        "task": TASK, "agent": "dev", "run": run, "ran": RAN, "verdict": verdict,
        "evidence": Evidence(branch="task/t-1", changed=("a.py",), problems=(f"kept {TOKEN}",)),
        "checks": (CheckResult(name="tests", passed=False, why=f"exit code 1: heron {TOKEN} is red"),),
        "problems": (f"a result block was ignored: heron {TOKEN}",), "status": "done", "finished_at": AT,
    }  # fmt: skip
    return Templates(Path(__file__).parents[2] / "templates").render(
        "logs/work-log.md.j2", **privacy.work_log(veil, context)
    )


@EVERY
def test_no_secret_gets_into_a_work_log(level: Privacy) -> None:
    log = _log(VEILS[level])
    assert TOKEN not in log
    assert PASSED not in log
    assert "Watch the birds" in log


def test_a_work_log_of_metadata_tells_neither_prompt_nor_answer_nor_the_words_of_an_error() -> None:
    log = _log(VEILS[Privacy.METADATA])
    assert "heron" not in log
    assert sha256(PROMPT.encode()).hexdigest() in log
    assert sha256(ANSWER.encode()).hexdigest() in log
    assert f"{len(PROMPT):,} characters" in log
    assert "exit code 1" in log


def test_a_work_log_of_redacted_tells_them_without_people_and_one_of_full_with_them() -> None:
    redacted, full = _log(VEILS[Privacy.REDACTED]), _log(VEILS[Privacy.FULL])
    assert "The heron flew at dawn" in redacted
    assert "The heron flew at dawn" in full
    for name in ("ann@example.org", "/home/ann", "10.1.2.3"):
        assert name not in redacted
        assert name in full


@EVERY
def test_the_verdict_is_the_same_at_every_level_and_at_metadata_its_words_are_ours(level: Privacy) -> None:
    runs = [
        RAN,
        replace(RAN, exit_code=1),
        replace(RAN, text="", errors=""),
        replace(RAN, failure=ErrorKind.RATE_LIMITED, problem=f"heron limit {TOKEN}"),
        replace(RAN, ending=Ending.TIMED_OUT, problem="heron"),
        replace(RAN, ending=Ending.CANCELLED),
    ]
    for ran in runs:
        plain = judge(ran, evidence=None, expects_answer=True, expects_change=False)
        veiled = judge(privacy.ran(VEILS[level], ran), evidence=None, expects_answer=True, expects_change=False)
        assert type(veiled) is type(plain)
        assert getattr(veiled, "kind", None) == getattr(plain, "kind", None)
        assert getattr(veiled, "outcome", None) == getattr(plain, "outcome", None)
        assert TOKEN not in veiled.why
        assert level is not Privacy.METADATA or "heron" not in veiled.why


def test_why_a_tool_could_not_start_is_ours_and_told_at_every_level() -> None:
    ran = Ran(ending=Ending.NOT_STARTED, errors="claude is not on PATH")
    assert privacy.ran(VEILS[Privacy.METADATA], ran).errors == "claude is not on PATH"


@EVERY
def test_claims_are_kept_at_every_level_without_secrets(level: Privacy) -> None:
    told = privacy.claims(
        VEILS[level],
        Claims(summary=f"Done with {TOKEN}", next_agent="dev", next_task_title="Go on", next_artefacts=("a.md", TOKEN)),
    )
    assert told.summary == "Done with [redacted:github-token]"
    assert (told.next_agent, told.next_task_title, told.next_artefacts) == ("dev", "Go on", ("a.md",))


@EVERY
def test_an_event_holds_no_secret_and_reads_back(level: Privacy) -> None:
    event = Event(
        event_id="01J", ts=AT, event=EventKind.TASK_COMPLETED, task_id="t-1", why=f"it used {PASSED}",
        details={"result": {"summary": f"x {TOKEN}", "commit": "ab" * 20}, "text": ANSWER, "n": 3},
    )  # fmt: skip
    told = privacy.event(VEILS[level], event)
    line = encode(told)
    assert TOKEN.encode() not in line
    assert PASSED.encode() not in line
    assert decode(line) == told
    assert privacy.event(VEILS[level], told) == told
    assert told.details["n"] == 3
    assert b"ab" * 20 in line
    assert (b"heron" in line) is (level is not Privacy.METADATA)


@EVERY
def test_results_messages_and_fields_lose_secrets_and_nothing_else(level: Privacy) -> None:
    veil = VEILS[level]
    whole = {
        "summary": "All is well",
        "metrics": {"tokens": {"input": 15210}, "cost_usd": "0.420000"},
        "commit": "ab" * 20,
    }
    assert privacy.result(veil, whole) == whole
    assert privacy.result(veil, whole | {"summary": TOKEN})["summary"] == "[redacted:github-token]"
    body, trailers = privacy.message(veil, f"Tool ran with {PASSED}", {"Tokens-In": "15210", "Note": TOKEN})
    assert body == "Tool ran with [redacted:ACME_KEY]"
    assert trailers == {"Tokens-In": "15210", "Note": "[redacted:github-token]"}
    fields = {"id": "t-1", "prompt": PROMPT, "context": {"files": ["a.py"]}}
    changed = privacy.cleaned_fields(veil, fields)
    assert list(changed) == ["prompt"]
    assert TOKEN not in str(changed)


def test_a_title_that_was_taken_from_the_prompt_is_not_told_at_metadata() -> None:
    veil = VEILS[Privacy.METADATA]
    assert privacy.name_of(veil, TASK) == "Watch the birds"
    assert privacy.name_of(veil, replace(TASK, title=PROMPT[:60])) == "t-1"
    assert privacy.name_of(veil, replace(TASK, title="")) == "t-1"


def test_doing_it_twice_is_doing_it_once() -> None:
    for veil in VEILS.values():
        once = privacy.work_log(veil, {"ran": RAN, "task": TASK, "problems": ("a result block was ignored: x",)})
        assert privacy.work_log(veil, once) == once


def test_free_fields_of_a_task_are_part_of_what_is_asked() -> None:
    asked = replace(TASK, context={"notes": "heron", "password": PASSED}, extras={"colour": f"heron {TOKEN}"})
    assert privacy.task(VEILS[Privacy.METADATA], asked).context == {}
    told = privacy.task(VEILS[Privacy.FULL], asked)
    assert told.context == {"notes": "heron", "password": "[redacted:secret]"}
    assert told.extras == {"colour": "heron [redacted:github-token]"}
