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
    ProviderEntry,
    RateLimitEntry,
    RatesEntry,
    RetentionEntry,
    ScopeEntry,
    SingleEntry,
    ToolEntry,
    TrailEntry,
    WorkspacesEntry,
)
from orchestrator.core.invocation import Bounds
from orchestrator.core.pointers import Pointers, Shape, TokenPointers
from orchestrator.core.prices import FREE, Price, Rates, Tier
from orchestrator.core.settings import (
    Agent,
    Check,
    CostOptimization,
    IntakeSettings,
    Limit,
    Model,
    OnExceeded,
    Period,
    Policy,
    Privacy,
    PromptBy,
    RateLimit,
    Retention,
    Retries,
    Tool,
    TrailMode,
    TrailSettings,
    WorkspaceKind,
    WorkspaceSettings,
)
from orchestrator.core.types import AgentKey, ErrorKind, MicroUsd

_SAID_BY = "config/models.yaml"


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
        rate_limit=_rate_limit(entry.rate_limit, entry.max_parallel),
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
            price=_price(entry, _said_by(book, name)),
            context_window=entry.context_window,
            task_suitability=tuple(entry.task_suitability),
            aliases=tuple(entry.aliases),
        )
        for name, entry in book.models.items()
    }


def _said_by(book: Book, model: str) -> str:
    """Which layer gives the price."""
    _, document = book.models_sheet.nearest(("models", model, "price"))
    return _SAID_BY if document is None or document.path == book.models_sheet.path else document.path


def _price(entry: ModelEntry, said_by: str) -> Price | None:
    if isinstance(entry.price, FreePrice):
        return FREE
    if entry.price:
        tiers = [Tier(above=tier.above_tokens, rates=_rates(tier)) for tier in entry.price.tiers]
        ordered = tuple(sorted(tiers, key=lambda tier: tier.above))
        return Price(rates=_rates(entry.price), tiers=ordered, source=said_by)
    if entry.cost_per_1k_tokens:
        old = entry.cost_per_1k_tokens
        return Price(rates=Rates(input=old.input * 1000, output=old.output * 1000), source=said_by)
    return None


def _rates(entry: RatesEntry) -> Rates:
    return Rates(
        input=entry.input_mtok,
        output=entry.output_mtok,
        cache_read=entry.cache_read_mtok,
        cache_write=entry.cache_write_mtok,
    )


def _rate_limit(entry: RateLimitEntry | None, max_parallel: int | None) -> RateLimit:
    if entry is None:
        return RateLimit(max_parallel=max_parallel)
    return RateLimit(per_minute=entry.per_minute, per_hour=entry.per_hour, max_parallel=max_parallel)


def providers(entries: Mapping[str, ProviderEntry]) -> dict[str, RateLimit]:
    """How often each provider may be asked."""
    return {name: _rate_limit(entry, entry.max_parallel) for name, entry in entries.items()}


def policies(book: Book) -> dict[str, Policy]:
    """The policies; every older spelling of a limit has become the limit that it means."""
    return {
        name: Policy(
            name=name,
            timezone=entry.timezone,
            limits=tuple(_limits(book, entry)),
            on_exceeded=OnExceeded(entry.on_exceeded),
            justification_over=_micro(entry.justification_over_usd),
            estimate=MicroUsd(entry.estimate_usd),
            max_parallel=entry.max_parallel,
            retries=_retries(entry),
            cost_optimization=_cost_optimization(book, entry),
            escalation=tuple(book.canonical_route(route) for route in entry.escalation),
            tasks_may_choose=tuple(entry.tasks_may_choose),
            unpriced_allowed=entry.unpriced == "allow",
            privacy=Privacy(entry.privacy),
            review=entry.review,
        )
        for name, entry in book.policies.items()
    }


def _limits(book: Book, entry: PolicyEntry) -> Iterator[Limit]:
    for limit in entry.limits:
        yield Limit(
            period=Period(limit.period),
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
            yield Limit(
                period=Period(period), max_usd=MicroUsd(most), hard=hard, threshold_percent=percent, scope=scope
            )


def _scope(book: Book, scope: ScopeEntry) -> Mapping[str, str]:
    plain: dict[str, str] = scope.model_dump(exclude_none=True)
    return {key: book.canonical(value) if key == "model" else value for key, value in plain.items()}


def _micro(amount: int | None) -> MicroUsd | None:
    return None if amount is None else MicroUsd(amount)


def _retries(entry: PolicyEntry) -> Retries:
    if entry.retries is None:
        return Retries()
    given = entry.retries
    return Retries(max=given.max, backoff=given.backoff, on=frozenset(ErrorKind(kind) for kind in given.on))


def _cost_optimization(book: Book, entry: PolicyEntry) -> CostOptimization | None:
    if (given := entry.cost_optimization) is None:
        return None
    models = tuple(book.canonical(model) for model in given.simple_task_models)
    return CostOptimization(threshold_tokens=given.simple_task_threshold_tokens, models=models)


def checks(entries: Mapping[str, CheckEntry]) -> dict[str, Check]:
    """The declared checks."""
    return {
        name: Check(name=name, command=tuple(e.command), timeout=e.timeout, env_pass=tuple(e.env_pass))
        for name, e in entries.items()
    }


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
