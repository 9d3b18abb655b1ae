"""Entries that were checked -> the frozen values of core.settings. Nothing can be refused here any more."""

import sys
from collections.abc import Iterator, Mapping

from orchestrator.config.book import Book
from orchestrator.config.environment import expand
from orchestrator.config.schema import (
    CheckEntry,
    FreePrice,
    IntakeEntry,
    ModelEntry,
    OldLimitEntry,
    PolicyEntry,
    RetentionEntry,
    ScopeEntry,
    ToolEntry,
    TrailEntry,
)
from orchestrator.core.settings import (
    Agent,
    Check,
    IntakeSettings,
    Limit,
    Model,
    Policy,
    PromptBy,
    Retention,
    Tool,
    TrailMode,
    TrailSettings,
    WorkspaceKind,
)
from orchestrator.core.types import AgentKey, MicroUsd

_SYSTEMS = {"darwin": "macos", "win32": "windows", "cygwin": "windows"}


def agents(book: Book, profile_names: Mapping[str, str]) -> dict[AgentKey, Agent]:
    """The agents, their models by their own names."""
    return {
        AgentKey(key): Agent(
            key=AgentKey(key),
            profile=entry.profile or "",
            profile_name=profile_names.get(key, ""),
            aliases=tuple(entry.aliases),
            manual=entry.manual,
            preferred_tool=entry.preferred_tool or "",
            preferred_model=book.canonical(entry.preferred_model or ""),
            fallback_chain=tuple(book.canonical_route(route) for route in entry.fallback_chain),
            task_types={kind: book.canonical(model) for kind, model in entry.task_types.items()},
            policy=entry.policy,
        )
        for key, entry in book.agents.items()
    }


def tools(book: Book, environ: Mapping[str, str], platform: str) -> dict[str, Tool]:
    """The tools as they are on this platform and in this environment."""
    return {name: _tool(book, name, entry, environ, platform) for name, entry in book.tools.items()}


def _tool(book: Book, name: str, entry: ToolEntry, environ: Mapping[str, str], platform: str) -> Tool:
    expanded = {variable: expand(value, environ) for variable, value in entry.env.items()}
    env = {variable: value.text for variable, value in expanded.items() if not value.missing}
    wanted = [missing for value in expanded.values() for missing in value.missing]
    wanted += [variable for variable in entry.env_required if not (env.get(variable) or environ.get(variable))]
    required = [variable for variable in entry.env_required if variable not in entry.env]
    return Tool(
        name=name,
        binary=_binary(entry, platform),
        command=tuple(entry.command or ("{binary}",)),
        prompt=PromptBy(entry.prompt),
        output=entry.output,
        models=book.models_of(name),
        capabilities=tuple(entry.capabilities),
        workspace=WorkspaceKind(entry.workspace),
        timeout=entry.timeout,
        env=env,
        env_missing=tuple(dict.fromkeys(wanted)),
        env_pass=tuple(dict.fromkeys([*entry.env_pass, *required])),
        options=dict(entry.options),
        max_parallel=entry.max_parallel,
        billing=entry.billing,
    )


def _binary(entry: ToolEntry, platform: str) -> str:
    """The program on this platform; empty where the tool names one for other platforms only."""
    system = _SYSTEMS.get(platform, "linux" if platform.startswith("linux") else platform)
    named = entry.platforms.model_dump(exclude_none=True)
    first = entry.command[0] if entry.command and not named else ""
    binary: str = named.get(system) or entry.binary or ("" if "{" in first else first)
    return sys.executable if binary == "{python}" else binary


def models(book: Book) -> dict[str, Model]:
    """The declared models."""
    return {
        name: Model(
            name=name,
            provider=entry.provider or "",
            price=_price(entry),
            context_window=entry.context_window,
            task_suitability=tuple(entry.task_suitability),
            aliases=tuple(entry.aliases),
        )
        for name, entry in book.models.items()
    }


def _price(entry: ModelEntry) -> Mapping[str, object] | str | None:
    """US dollars per million tokens, as decimals."""
    if isinstance(entry.price, FreePrice):
        return "free"
    if entry.price:
        return entry.price.model_dump(exclude_none=True)
    if entry.cost_per_1k_tokens:
        old = entry.cost_per_1k_tokens
        return {"input_mtok": old.input * 1000, "output_mtok": old.output * 1000}
    return None


def policies(book: Book) -> dict[str, Policy]:
    """The policies; every older spelling of a limit has become the limit that it means."""
    return {
        name: Policy(
            name=name,
            timezone=entry.timezone,
            limits=tuple(_limits(book, entry)),
            max_parallel=entry.max_parallel,
            tasks_may_choose=tuple(entry.tasks_may_choose),
            extras=_extras(book, entry),
        )
        for name, entry in book.policies.items()
    }


def _limits(book: Book, entry: PolicyEntry) -> Iterator[Limit]:
    for limit in entry.limits:
        yield Limit(
            period=limit.period,
            max_usd=MicroUsd(limit.max_usd),
            hard=limit.type == "hard",
            threshold_percent=limit.threshold_percent,
            scope=_scope(book, limit.scope),
        )
    old = entry.limit or OldLimitEntry.model_construct()
    hard = old.type == "hard" if old.type else entry.block_over_budget is not False
    percent = old.threshold_percent or entry.alert_threshold_percent or 80
    scope = _scope(book, old.scope)
    for period, most in (
        ("day", entry.daily_budget_usd),
        ("month", entry.monthly_budget_usd),
        (old.period, old.max_usd),
    ):
        if period and most:
            yield Limit(period=period, max_usd=MicroUsd(most), hard=hard, threshold_percent=percent, scope=scope)


def _scope(book: Book, scope: ScopeEntry) -> Mapping[str, str]:
    plain: dict[str, str] = scope.model_dump(exclude_none=True)
    return {key: book.canonical(value) if key == "model" else value for key, value in plain.items()}


_ELSEWHERE = frozenset(
    {"timezone", "limits", "max_parallel", "tasks_may_choose", "limit", "daily_budget_usd", "monthly_budget_usd"}
    | {"alert_threshold_percent", "block_over_budget"}
)


def _extras(book: Book, entry: PolicyEntry) -> Mapping[str, object]:
    """What the file gives and no step reads yet: money in micro-dollars, durations as timedelta, aliases resolved."""
    extras = entry.model_dump(exclude=set(_ELSEWHERE), exclude_unset=True, exclude_none=True)
    if entry.retries:
        extras["retries"] = entry.retries.model_dump()
    if entry.escalation:
        extras["escalation"] = [book.canonical_route(route) for route in entry.escalation]
    if entry.cost_optimization:
        cheap = [book.canonical(model) for model in entry.cost_optimization.simple_task_models]
        extras["cost_optimization"]["simple_task_models"] = cheap
    return extras


def checks(entries: Mapping[str, CheckEntry]) -> dict[str, Check]:
    """The declared checks."""
    return {name: Check(name=name, command=tuple(e.command), timeout=e.timeout) for name, e in entries.items()}


def trail(entry: TrailEntry | None) -> TrailSettings:
    """Where the commits go."""
    if entry is None:
        return TrailSettings()
    return TrailSettings(
        mode=TrailMode(entry.mode),
        branch=entry.branch,
        remote=entry.remote or "",
        publish_every=entry.publish_every,
    )


def intake(entry: IntakeEntry | None) -> IntakeSettings:
    """What is taken in; nothing where nothing is said."""
    return IntakeSettings(branch=entry.branch, paths=tuple(entry.paths)) if entry else IntakeSettings()


def retention(entry: RetentionEntry | None) -> Retention:
    """How long things stay where they are."""
    if entry is None:
        return Retention()
    return Retention(archive_after=entry.archive_after, output_logs=entry.output_logs)
