"""The configurations that `init` writes: every combination of what a scan can find, rendered, read and looked at."""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator import resources
from orchestrator.adapters.place import find
from orchestrator.adapters.templates import Templates
from orchestrator.config import load
from orchestrator.config.machine import (
    EMBEDDED,
    PREFERRED,
    FoundCheck,
    FoundTool,
    Readiness,
    Repository,
    Scan,
    in_order,
)
from orchestrator.config.sets import ABOUT, LADDERS, ConfigSet, planned, shortfalls, use_of, values
from orchestrator.core.layout import CONFIG_FILES
from orchestrator.core.settings import Settings, TrailMode, WorkspaceKind
from orchestrator.core.types import AgentKey
from orchestrator.wiring.initialising_scan import catalogue_tools, rendered
from orchestrator.wiring.validating import validate

CATALOGUE = catalogue_tools({})
STATES = ("absent", "found", "ready")
PYTEST = FoundCheck(name="tests", command=("pytest", "-q"), because_of="pytest.ini")
NPM = FoundCheck(name="tests", command=("npm", "test"), because_of="package.json", setup=("npm", "ci"))
GIT = {
    "git": Repository(),
    "no commits": Repository(has_commits=False),
    "tracked": Repository(tracks_work=True),
    "bare": Repository(is_bare=True),
    "no git": Repository(has_git=False, has_commits=False),
}


@pytest.fixture(scope="module")
def templates() -> Templates:
    return Templates(resources.folder("templates"))


def tool(name: str, state: str) -> FoundTool:
    stanza = CATALOGUE[name]
    return FoundTool(
        name=name,
        path="" if state == "absent" else f"/usr/bin/{name}",
        version="" if state == "absent" else "1.2.3",
        trouble="no answer within 3 s" if state == "silent" else "",
        keys=("SOME_KEY",) if state == "ready" else (),
        may_be_elsewhere="the keychain" if state == "on a mac" else "",
        wants_key=name not in {EMBEDDED, "ollama"},
        models=stanza.models,
        edits="edits_files" in stanza.capabilities,
        is_charged=stanza.billing == "api",
        install=stanza.install,
    )


def scan_of(states: dict[str, str], checks: tuple[FoundCheck, ...] = (), repository: Repository = GIT["git"]) -> Scan:
    tools = [tool(name, states.get(name, "absent")) for name in CATALOGUE]
    return Scan(tools=in_order(tools), checks=checks, repository=repository)


def scans() -> Iterator[Scan]:
    """What can be there: the three with models in each state, one of each other kind, checks, and kinds of folder."""
    names = ("claude", "codex", "gemini", "copilot", "aider")
    kinds = (STATES, STATES, STATES, ("absent", "ready"), ("absent", "ready"))
    for states in itertools.product(*kinds):
        yield scan_of(dict(zip(names, states, strict=True)))
    some = ({}, {"claude": "ready"}, {"claude": "silent", "codex": "on a mac"}, dict.fromkeys(CATALOGUE, "ready"))
    missing = FoundCheck(name="tests", command=("cargo", "test"), because_of="Cargo.toml", is_there=False)
    for states, checks, repository in itertools.product(
        some, ((), (PYTEST,), (NPM,), (missing,), (PYTEST, missing)), GIT.values()
    ):
        yield scan_of(states, named_apart(checks), repository)


def named_apart(checks: tuple[FoundCheck, ...]) -> tuple[FoundCheck, ...]:
    if len(checks) < 2:
        return checks
    return tuple(
        FoundCheck(name=f"tests-{n}", command=check.command, because_of=check.because_of, is_there=check.is_there)
        for n, check in enumerate(checks)
    )


def trails(repository: Repository) -> tuple[str, ...]:
    if not repository.has_git:
        return ("none",)
    return ("own",) if repository.is_bare else ("own", "tracked", "none")


def read(texts: dict[str, str], environ: dict[str, str] | None = None) -> Settings:
    root = Path("/nowhere")
    contents = {name: text.encode() for name, text in texts.items()}
    return load(root / "config", repository=root, environ=environ or {}, platform="linux", instead=contents)


@pytest.mark.parametrize("chosen", list(ConfigSet), ids=str)
def test_every_combination_is_a_configuration_that_validates(
    chosen: ConfigSet, templates: Templates, tmp_path: Path
) -> None:
    place = find(tmp_path, use_git=False)
    seen: set[tuple[str, ...]] = set()
    combinations = 0
    for scan in scans():
        plan = planned(chosen, scan)
        for trail in trails(scan.repository):
            combinations += 1
            texts = rendered(plan, scan, trail, templates)
            if (key := tuple(texts.values())) not in seen:
                seen.add(key)
                look_at(texts, read(texts), plan.main, trail, scan)
                found = validate(place, instead={name: text.encode() for name, text in texts.items()})
                assert (found.problems, found.warnings) == ((), ())
    assert combinations > 500
    assert len(seen) > 10


def look_at(texts: dict[str, str], settings: Settings, main: str, trail: str, scan: Scan) -> None:
    """What holds for each of them."""
    assert settings.trail.mode is TrailMode(trail)
    assert settings.agents[AgentKey("scout")].preferred_tool == EMBEDDED
    doing = {agent.preferred_tool for agent in settings.agents.values() if not agent.manual}
    assert doing == {EMBEDDED, main}
    assert [agent.key for agent in settings.agents.values() if agent.manual] == ["person"]
    assert set(settings.checks) == {check.name for check in scan.checks if check.is_there}
    if not scan.repository.has_git:
        assert WorkspaceKind.WORKTREE not in {tool.workspace for tool in settings.tools.values()}
    for name, text in texts.items():
        assert not re.search(r"\b(None|undefined|Undefined|True|False)\b|\{[{%#]|[%}]\}\}", text), (name, text)
        assert text.endswith("\n")
        assert "\n\n\n" not in text
        assert not [line for line in text.splitlines() if line != line.rstrip() or len(line) > 130]
    for name in ("agents.yaml", "policies.yaml"):
        assert_comments_are_aligned(texts[name])


def assert_comments_are_aligned(text: str) -> None:
    """Where lines that follow each other, with the same indentation, have comments behind them."""
    before: tuple[int, int] | None = None
    for line in text.splitlines():
        found = re.match(r"( *)\S.*? {2,}(# )", line)
        now = (len(found[1]), found.start(2)) if found else None
        if now and before and now[0] == before[0]:
            assert now[1] == before[1], line
        before = now


def test_what_is_shipped_is_quick_start_on_a_machine_with_nothing(templates: Templates) -> None:
    scan = scan_of({})
    texts = rendered(planned(ConfigSet.QUICK_START, scan), scan, "own", templates)
    shipped = {name: (resources.folder("config") / name).read_text(encoding="utf-8") for name in CONFIG_FILES}
    assert texts == shipped, "write what is rendered into config/"


def test_the_models_of_the_ladders_are_in_the_stanzas(templates: Templates) -> None:
    scan = scan_of(dict.fromkeys(LADDERS, "ready"))
    settings = read(rendered(planned(ConfigSet.QUICK_START, scan), scan, "own", templates))
    for name, ladder in LADDERS.items():
        assert set(ladder.rungs) <= set(settings.tools[name].models)
        assert len({settings.model(model).provider for model in ladder.rungs}) == 1


def test_the_order_of_preference_names_every_tool_of_the_catalogue() -> None:
    assert set(PREFERRED) | {EMBEDDED} == set(CATALOGUE)


READY = {
    "with a key": ({"claude": "ready"}, "claude"),
    "the first of two": ({"codex": "ready", "claude": "ready"}, "claude"),
    "without a key": ({"claude": "found"}, EMBEDDED),
    "that does not answer": ({"claude": "silent"}, EMBEDDED),
    "that may be logged in by the keychain": ({"claude": "on a mac"}, "claude"),
    "on a subscription": ({"copilot": "ready"}, "copilot"),
    "that needs a model": ({"aider": "ready"}, EMBEDDED),
    "that only answers": ({"ollama": "ready"}, EMBEDDED),
    "behind one without a key": ({"claude": "found", "gemini": "ready"}, "gemini"),
}


@pytest.mark.parametrize(("states", "main"), READY.values(), ids=READY)
def test_quick_start_works_with_the_first_tool_that_is_ready(states: dict[str, str], main: str) -> None:
    scan = scan_of(states)
    plan = planned(ConfigSet.QUICK_START, scan)
    assert plan.main == main
    assert set(plan.declared) == {EMBEDDED, *(tool.name for tool in scan.ready)}
    assert plan.lacking == ()
    told = shortfalls(plan, scan)
    assert len(told) == len(scan.found) - len(scan.ready)
    assert all("orchestrator tool add" in line for line in told)


def test_a_set_that_needs_a_tool_is_written_without_it_and_says_what_to_do() -> None:
    scan = scan_of({})
    plan = planned(ConfigSet.CLAUDE_ONLY, scan)
    assert plan.main == "claude"
    assert [tool.name for tool in plan.lacking] == ["claude"]
    told = shortfalls(plan, scan)
    assert len(told) == 1
    assert "not on PATH" in told[0]
    assert CATALOGUE["claude"].install in told[0]


def test_costs_climb_from_cheap_to_strong_over_what_is_ready(templates: Templates) -> None:
    scan = scan_of({"claude": "ready", "gemini": "ready"})
    settings = read(rendered(planned(ConfigSet.COST_OPTIMIZED, scan), scan, "own", templates))
    policy = settings.policy("default")
    assert [str(route) for route in policy.escalation] == [
        "claude:claude-haiku-5-5",
        "claude:claude-sonnet-5-5",
        "claude:claude-opus-5-5",
        "gemini:gemini-4-argon",
    ]
    assert all(limit.hard for limit in policy.limits)
    assert policy.limits


def test_only_where_work_is_paid_for_does_quick_start_limit_it(templates: Templates) -> None:
    for states, limited in (({}, False), ({"claude": "ready"}, True), ({"copilot": "ready"}, False)):
        scan = scan_of(states)
        settings = read(rendered(planned(ConfigSet.QUICK_START, scan), scan, "own", templates))
        assert bool(settings.policy("default").limits) is limited, states


def test_development_makes_worktrees_ready_for_the_checks_that_need_it(templates: Templates) -> None:
    for checks, setup in (((PYTEST,), ()), ((NPM,), ("npm", "ci"))):
        scan = scan_of({}, checks)
        settings = read(rendered(planned(ConfigSet.DEVELOPMENT, scan), scan, "own", templates))
        assert settings.workspaces.setup == setup
        assert settings.checks["tests"].command == checks[0].command


def test_each_set_has_a_line_that_says_what_it_is() -> None:
    assert set(ABOUT) == set(ConfigSet)
    assert all(len(line) <= 75 for line in ABOUT.values())


def test_the_use_of_each_tool_is_told() -> None:
    scan = scan_of({"claude": "ready", "codex": "ready", "aider": "ready"})
    plan = planned(ConfigSet.QUICK_START, scan)
    uses = {name: use_of(name, plan) for name in (EMBEDDED, "claude", "codex", "aider", "gemini")}
    assert uses == {
        EMBEDDED: "the scout",
        "claude": "all agents but the scout",
        "codex": "where claude cannot run",
        "aider": "left out",
        "gemini": "left out",
    }
    assert [tool.readiness for tool in scan.found] == [Readiness.READY, Readiness.READY, Readiness.NO_MODEL]


def test_the_templates_are_given_only_texts_and_lists_of_them() -> None:
    scan = scan_of({"claude": "ready"}, (PYTEST,))
    for name, value in values(planned(ConfigSet.QUICK_START, scan), scan, "own").items():
        assert value is not None, name
