"""At `metadata` nothing that was asked, answered or printed is recorded where git sees it, but how long it is."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from world import POLICY, SETTINGS, TOOL, Fake, said

from orchestrator.core.events import encode
from orchestrator.core.settings import Agent, Check, Policy, Privacy
from orchestrator.core.types import AgentKey, ErrorKind, Status, TaskId
from orchestrator.core.verdict import Ending, Ran

WORDS = "the very words of the tool"
FAILED = Ran(ending=Ending.EXITED, exit_code=3, errors=f"first\n{WORDS}")
AGENTS = {AgentKey("dev"): Agent(key=AgentKey("dev"), preferred_tool="brief", fallback_chain=("second",))}
TOOLS = {"brief": TOOL, "second": replace(TOOL, name="second")}
CHECKS = {"tests": Check(name="tests", command=("pytest",))}


def world(folder: Path, level: Privacy, **changes: object) -> Fake:
    policy = replace(POLICY, privacy=level)
    return Fake(folder, replace(SETTINGS, policies={"default": policy}, checks=CHECKS, **changes))  # type: ignore[arg-type]  # the names are the settings' own


def recorded(fake: Fake, task: str) -> str:
    """All that git sees of it but the file that the person dropped: events, log, commits."""
    events = b"".join(map(encode, fake.events.told[TaskId(task)])).decode()
    commits = "".join(f"{commit.subject}\n{commit.body}\n{commit.trailers}" for commit in fake.trail.commits)
    return events + commits + json.dumps(fake.task(task).error or fake.task(task).result, default=str)


def test_metadata_is_what_a_policy_says_that_says_nothing() -> None:
    assert Policy(name="default").privacy is Privacy.METADATA


@pytest.mark.parametrize("level", list(Privacy))
def test_the_words_of_a_failure_are_recorded_only_above_metadata(tmp_path: Path, level: Privacy) -> None:
    fake = world(tmp_path, level)
    fake.engine.script["x"] = [FAILED]
    fake.drop("x")
    fake.run()
    assert fake.task("x").error["kind"] == ErrorKind.CRASHED
    assert "it failed with exit code 3" in fake.task("x").error["message"]
    assert (WORDS in recorded(fake, "x")) is (level is not Privacy.METADATA)


def test_a_failed_check_is_named_without_what_it_printed(tmp_path: Path) -> None:
    fake = world(tmp_path, Privacy.METADATA)
    fake.engine.script["x"] = [said("mended"), Ran(ending=Ending.EXITED, exit_code=1, text=f"{WORDS}\n")]
    fake.drop("x", "verify: [tests]")
    fake.run()
    assert fake.task("x").error["message"].endswith("these checks failed: tests (exit code 1)")
    assert WORDS not in recorded(fake, "x")


def test_the_next_attempt_is_told_all_that_failed_all_the_same(tmp_path: Path) -> None:
    fake = world(tmp_path, Privacy.METADATA, agents=AGENTS, tools=TOOLS)
    fake.engine.script["x"] = [FAILED, said("well")]
    seen: list[object] = []
    plain = fake.world.renderer.render

    class Renderer:
        def render(self, name: str, /, **values: object) -> str:
            seen.extend(values.get("earlier") or ())  # type: ignore[call-overload]  # a list of mappings
            return plain(name, **values)

    fake.world = replace(fake.world, renderer=Renderer())
    fake.drop("x")
    fake.run()
    assert fake.status("x") is Status.DONE
    assert WORDS in str(seen[0])
    assert WORDS not in recorded(fake, "x")
