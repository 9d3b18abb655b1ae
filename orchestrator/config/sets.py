"""The configurations that `init` can write: which tools each declares, and who works with which. Pure.

The texts are in templates/config/<set>/; here is what they are filled with.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from orchestrator.config.machine import EMBEDDED, FoundTool, Readiness, Scan


class ConfigSet(StrEnum):
    """One of them."""

    QUICK_START = "quick-start"
    CLAUDE_ONLY = "claude-only"
    COST_OPTIMIZED = "cost-optimized"
    DEVELOPMENT = "development"


ABOUT: Mapping[ConfigSet, str] = {
    ConfigSet.QUICK_START: "what was found here; works without any tool or key",
    ConfigSet.CLAUDE_ONLY: "Claude Code alone: haiku, sonnet and opus by the kind of task",
    ConfigSet.COST_OPTIMIZED: "cheap models first, stronger ones where checks fail, hard limits",
    ConfigSet.DEVELOPMENT: "code in worktrees, proven by the checks of this project; soft limits",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """Models of one tool; all of them are in its stanza of the catalogue (tests compare)."""

    cheap: str
    middle: str
    strong: str

    @property
    def rungs(self) -> tuple[str, ...]:
        """Each once, the cheapest first."""
        return tuple(dict.fromkeys((self.cheap, self.middle, self.strong)))


LADDERS: Mapping[str, Ladder] = {
    "claude": Ladder(cheap="claude-haiku-5-5", middle="claude-sonnet-5-5", strong="claude-opus-5-5"),
    "codex": Ladder(cheap="gpt-6-luna", middle="gpt-6.1-sol", strong="gpt-6.1-sol"),
    "gemini": Ladder(cheap="gemini-3.8-flash", middle="gemini-3.8-flash", strong="gemini-4-argon"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a set comes to on a machine."""

    chosen: ConfigSet
    workers: tuple[str, ...]  # the tools that agents are given, the preferred one first
    lacking: tuple[FoundTool, ...] = ()  # tools that the set needs, and that cannot run yet

    @property
    def declared(self) -> tuple[str, ...]:
        """The tools of the configuration."""
        return EMBEDDED, *self.workers

    @property
    def main(self) -> str:
        """The tool that does the work."""
        return self.workers[0] if self.workers else EMBEDDED


def planned(chosen: ConfigSet, scan: Scan) -> Plan:
    """Who works with what. A set that needs a tool names it even where that is not there yet: `lacking` tells."""
    workers = _workers(chosen, scan)
    lacking = tuple(scan.tool(name) for name in workers if scan.tool(name).readiness is not Readiness.READY)
    return Plan(chosen=chosen, workers=workers, lacking=lacking)


def _workers(chosen: ConfigSet, scan: Scan) -> tuple[str, ...]:
    """The tools to work with, the embedded one left out."""
    match chosen:
        case ConfigSet.CLAUDE_ONLY:
            return ("claude",)
        case ConfigSet.COST_OPTIMIZED:
            return tuple(tool.name for tool in scan.ready if tool.name in LADDERS) or (_nearest_ladder(scan),)
        case ConfigSet.QUICK_START | ConfigSet.DEVELOPMENT:
            return tuple(tool.name for tool in scan.ready)
        case _:
            assert_never(chosen)


def _nearest_ladder(scan: Scan) -> str:
    """Where none of them is ready: one that is there, else claude."""
    return next((tool.name for tool in scan.found if tool.name in LADDERS), "claude")


def values(plan: Plan, scan: Scan, trail: str) -> dict[str, object]:
    """What the templates of the set are filled with: texts, and tuples of them."""
    ladder = LADDERS.get(plan.main)
    chargeable = ladder is not None and scan.tool(plan.main).is_charged
    return {
        "set": plan.chosen.value,
        "trail": trail,
        "has_git": scan.repository.has_git,
        "tools": plan.declared,
        "main": plan.main,
        "ladder": {"cheap": ladder.cheap, "middle": ladder.middle, "strong": ladder.strong} if ladder else {},
        "others": tuple(_route(name) for name in plan.workers[1:]),
        "rungs": _rungs(plan),
        "cheap": tuple(dict.fromkeys(LADDERS[name].cheap for name in plan.workers if name in LADDERS)),
        "has_limits": chargeable,
        "checks": tuple(check for check in scan.checks if check.is_there),
        "setup": _setup(plan, scan),
        "checks_without_program": tuple(check for check in scan.checks if not check.is_there),
    }


def _route(name: str) -> str:
    return f"{name}:{LADDERS[name].middle}" if name in LADDERS else name


def _setup(plan: Plan, scan: Scan) -> tuple[str, ...]:
    """What makes a worktree ready for the checks: only where the set is for work on code."""
    if plan.chosen is not ConfigSet.DEVELOPMENT:
        return ()
    return next((check.setup for check in scan.checks if check.is_there and check.setup), ())


def _rungs(plan: Plan) -> tuple[str, ...]:
    """An escalation over the ladder of the main tool, then the strongest of each other one."""
    ladder = LADDERS.get(plan.main)
    own = [f"{plan.main}:{model}" for model in ladder.rungs] if ladder else []
    return (*own, *(f"{name}:{LADDERS[name].strong}" for name in plan.workers[1:] if name in LADDERS))


def use_of(name: str, plan: Plan) -> str:
    """What a tool will be used for, in a few words."""
    if name == plan.main:
        return "all agents" if name == EMBEDDED else "all agents but the scout"
    if name == EMBEDDED:
        return "the scout"
    return f"where {plan.main} cannot run" if name in plan.workers else "left out"


def why_not(tool: FoundTool) -> str:
    """Why no agent is given it, and what would help; empty where one may be."""
    match tool.readiness:
        case Readiness.READY:
            return ""
        case Readiness.ABSENT:
            return "it is not on PATH" + (f"; install it: {tool.install}" if tool.install else "")
        case Readiness.NO_ANSWER:
            return f"asked for its version, it failed ({tool.trouble}); try it by hand"
        case Readiness.NO_KEY:
            return f"no key and no log-in was found; log in, or set {' or '.join(tool.key_names[:2]) or 'its key'}"
        case Readiness.NO_MODEL:
            return "it runs on a model that you name, as `preferred_model` of an agent"


def shortfalls(plan: Plan, scan: Scan) -> tuple[str, ...]:
    """What a person should know before they rely on it, each in a sentence."""
    told = [f"{plan.chosen} works with {tool.name}: {why_not(tool)}" for tool in plan.lacking]
    told += [
        f"{tool.name} is here and was left out: {why_not(tool)}; to have it: orchestrator tool add {tool.name}"
        for tool in scan.found
        if tool.readiness is not Readiness.READY and tool not in plan.lacking
    ]
    told += [
        f"{check.because_of} asks for `{' '.join(check.command)}`, and {check.command[0]} is not on PATH: the check is "
        "written as a comment"
        for check in scan.checks
        if not check.is_there
    ]
    if scan.git_trouble:
        told.append(f"git: {scan.git_trouble}")
    elif scan.repository.has_git and not scan.repository.has_commits and plan.main != EMBEDDED:
        told.append("this repository has no commit yet: a tool that changes files needs one to begin with")
    return tuple(told)
