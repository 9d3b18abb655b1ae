"""Workspaces with runs of the past: their event files, written as the daemon writes them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from cli_world import World, repository

from orchestrator.core.events import Event, EventKind, encode

MODELS = """
models:
  haiku: {provider: anthropic, price: {input_mtok: 1, output_mtok: 5}}
  sonnet: {provider: anthropic, price: {input_mtok: 3, output_mtok: 15}}
"""
TOOLS = """
tools:
  claude: {binary: "true", models: [haiku, sonnet], billing: api, command: ["{binary}"]}
"""
AGENTS = """
agents:
  writer: {preferred_tool: claude, preferred_model: sonnet, policy: cheap}
  coder: {preferred_tool: claude, preferred_model: sonnet}
"""
POLICIES = """
policies:
  default: {timezone: Europe/Berlin}
  cheap: {escalation: ["claude:haiku", "claude:sonnet"]}
  plain: {}
"""


def workspace(folder: Path) -> World:
    """One that nothing ran in yet."""
    made = repository(folder)
    (made.root / "config").mkdir()
    made.configure({"agents": AGENTS, "tools": TOOLS, "models": MODELS, "policies": POLICIES})
    (made.root / "work" / "collaboration" / "inbox").mkdir(parents=True)
    return made


class Past:
    """Event files of runs, written as the daemon writes them."""

    def __init__(self, world: World) -> None:
        self._folder = world.root / "work" / "telemetry" / "2026-02-12"
        self._folder.mkdir(parents=True)
        self._number = 0

    def run(
        self,
        at: datetime,
        *,
        agent: str = "writer",
        model: str = "haiku",
        cost: int | None = 1_000,
        tokens: Mapping[str, int] | None = None,
        took: int = 1_000,
        reason: str = "preferred",
        error_kind: str = "",
        task: str = "",
        run: str = "",
        checked: bool = False,
        **more: object,
    ) -> None:
        """One run of a tool, from its beginning to the verdict."""
        self._number += 1
        task = task or f"t{self._number:04d}"
        about = {"agent": agent, "tool": "claude", "model": model, "run_id": run, "invocation_id": f"i{self._number}"}
        told: dict[str, object] = {"tokens": tokens or {"input": 1_000, "output": 100}, **more}
        if cost is not None:
            told |= {"cost_microusd": cost, "cost_source": "reported"}
        end = at + timedelta(milliseconds=took)
        kinds: list[tuple[str, datetime, dict[str, object]]] = [
            (EventKind.EXECUTION_STARTED, at, {"reason": reason, "attempt": 1}),
            (EventKind.EXECUTION_FINISHED, end, {"duration_ms": took, "exit_code": 0, "details": told}),
        ]
        if checked:
            kinds.append((EventKind.CHECK_FINISHED, end, {"details": {"check": "tests", "passed": not error_kind}}))
        judged = EventKind.ATTEMPT_FAILED if error_kind else EventKind.TASK_COMPLETED
        kinds.append((judged, end, {"error_kind": error_kind}))
        with (self._folder / f"{task}.jsonl").open("ab") as file:
            for place, (kind, ts, fields) in enumerate(kinds):
                event_id = f"{self._number:020d}{place:06d}"
                file.write(encode(Event(event_id=event_id, ts=ts, event=kind, task_id=task, **about, **fields)))  # type: ignore[arg-type]  # a table


def fifty(past: Past, day: datetime) -> None:
    """50 runs at $3.45: 30 of writer on haiku for $0.045 each, 20 of coder on sonnet for $0.105 each."""
    for number in range(30):
        at = day + timedelta(minutes=number)
        past.run(at, cost=45_000, tokens={"input": 15_000, "output": 6_000}, took=(number + 1) * 1_000)
    for number in range(20):
        kind = "crashed" if number < 2 else ""
        at = day + timedelta(minutes=40 + number)
        past.run(at, agent="coder", model="sonnet", cost=105_000, took=60_000, error_kind=kind, reason="fallback")
