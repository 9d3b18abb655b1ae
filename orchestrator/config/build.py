"""Entries that were checked -> the frozen values of core.settings. Nothing can be refused here any more."""

import sys
from collections.abc import Iterator, Mapping

from orchestrator.config.book import Book
from orchestrator.config.drives import Machine
from orchestrator.config.environment import expand
from orchestrator.config.schema import (
    CheckEntry,
    FreePrice,
    IntakeEntry,
    ModelEntry,
    NamedReader,
    OldLimitEntry,
    OutputEntry,
    PolicyEntry,
    RetentionEntry,
    ScopeEntry,
    SingleEntry,
    ToolEntry,
    TrailEntry,
    WorkspacesEntry,
)
from orchestrator.core.invocation import Bounds
from orchestrator.core.pointers import Pointers, Shape, TokenPointers
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
    WorkspaceSettings,
)
from orchestrator.core.types import AgentKey, MicroUsd


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


def tools(book: Book, machine: Machine, single: SingleEntry) -> dict[str, Tool]:
    """The tools as they are on this machine."""
    return {name: _tool(book, name, entry, machine, single) for name, entry in book.tools.items()}


def _tool(book: Book, name: str, entry: ToolEntry, machine: Machine, single: SingleEntry) -> Tool:
    expanded = {variable: expand(value, machine.environ) for variable, value in entry.env.items()}
    env = {variable: value.text for variable, value in expanded.items() if not value.missing}
    wanted = [missing for value in expanded.values() for missing in value.missing]
    wanted += [one for one in entry.env_required if not (env.get(one) or machine.environ.get(one))]
    required = [variable for variable in entry.env_required if variable not in entry.env]
    return Tool(
        name=name,
        binary=_binary(entry, machine),
        command=tuple(entry.command or ("{binary}",)),
        prompt=PromptBy(entry.prompt),
        output=_output(entry.output),
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
        bounds=Bounds(**entry.limits.model_dump(exclude_none=True), orphan_grace=single.orphan_grace),
        version_command=tuple(entry.version_command or ()),
        tested_versions=tuple(entry.tested_versions),
        install=entry.install or "",
    )


def _output(entry: OutputEntry) -> str | Pointers:
    if isinstance(entry, NamedReader):
        return entry.reader
    tokens = entry.tokens
    return Pointers(
        format=Shape(entry.format),
        text=entry.text,
        tokens=TokenPointers(
            input=tokens.input or entry.tokens_input or "",
            cache_read=tokens.cache_read or entry.tokens_cache_read or "",
            cache_write=tokens.cache_write or entry.tokens_cache_write or "",
            output=tokens.output or entry.tokens_output or "",
        ),
        input_includes_cache=entry.input_includes_cache,
        cost_usd=entry.cost_usd or "",
        session_id=entry.session_id or "",
        turns=entry.turns or "",
        denials=entry.denials or "",
        error=entry.error or "",
        error_message=entry.error_message or "",
    )


def _binary(entry: ToolEntry, machine: Machine) -> str:
    """The program on this machine; empty where the tool names one for other platforms only."""
    named = entry.platforms.model_dump(exclude_none=True)
    first = entry.command[0] if entry.command and not named else ""
    binary: str = named.get(machine.system) or entry.binary or ("" if "{" in first else first)
    if not binary and machine.drives:
        binary = named.get("windows", "")  # WSL starts the programs of Windows too
    return sys.executable if binary == "{python}" else machine.path_here(binary)


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


def workspaces(entry: WorkspacesEntry | None) -> WorkspaceSettings:
    """How worktrees are made."""
    if entry is None:
        return WorkspaceSettings()
    return WorkspaceSettings(
        base=entry.base or "",
        folder=entry.folder or "",
        setup=tuple(entry.setup or ()),
        setup_timeout=entry.setup_timeout,
        copy=tuple(path.rstrip("/") for path in entry.copy_in),
        max_file=entry.max_file,
    )
