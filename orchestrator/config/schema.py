"""The entries of the four files as pydantic models: what may stand where (docs/reference/configuration.md explains).

Strict: `on` is no boolean and 8080 no text, because a file that means something else than it says costs a night.
Names that stand for something in another place are checked in `crosscheck`.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from orchestrator.config.fields import (
    AbsolutePath,
    Branch,
    Command,
    Count,
    Duration,
    EnvName,
    FilePath,
    FolderPath,
    ModelName,
    Name,
    OptionName,
    Percent,
    Pointer,
    Rate,
    Remote,
    Retries,
    Size,
    Text,
    Usd,
    Word,
    Zone,
    nearest,
    refused,
    shown,
)
from orchestrator.core.pointers import READER_NAMES

Choice = Literal["tool", "model", "budget_usd", "timeout"]
RetriedKind = Literal["rate_limited", "overloaded", "crashed", "timeout", "bad_output", "lost"]


class Entry(BaseModel):
    """One mapping of a file; keys that it does not know are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


class AgentEntry(Entry):
    """`agents.<key>`: a role."""

    profile: FilePath | None = None
    aliases: list[Text] = []
    manual: bool = False
    preferred_tool: Name | None = None
    preferred_model: ModelName | None = None
    fallback_chain: list[Text] = []
    task_types: dict[Word, ModelName] = {}
    policy: Name = "default"


class PlatformsEntry(Entry):
    """`tools.<name>.platforms`: where the binary is called differently."""

    linux: Text | None = None
    macos: Text | None = None
    windows: Text | None = None


class RateLimitEntry(Entry):
    """`tools.<name>.rate_limit`: how often a tool may be started."""

    per_minute: Count | None = None
    per_hour: Count | None = None


class TokensEntry(Entry):
    """`tools.<name>.output.tokens`: where the four counters are."""

    input: Pointer | None = None
    cache_read: Pointer | None = None
    cache_write: Pointer | None = None
    output: Pointer | None = None


class OutputEntry(Entry):
    """`tools.<name>.output` as a mapping: where the answer and the rest are in a tool's JSON."""

    format: Literal["json", "jsonl"] = "json"
    text: Pointer
    tokens: TokensEntry = TokensEntry.model_construct()
    input_includes_cache: bool = False
    cost_usd: Pointer | None = None
    session_id: Pointer | None = None
    turns: Pointer | None = None
    denials: Pointer | None = None
    error: Pointer | None = None
    error_message: Pointer | None = None
    tokens_input: Pointer | None = None
    tokens_cache_read: Pointer | None = None
    tokens_cache_write: Pointer | None = None
    tokens_output: Pointer | None = None


class NamedReader(OutputEntry):
    """`output: claude-stream-json`: a reader that the program has."""

    text: Pointer = ""
    reader: str = "text"


def _reader(value: object) -> object:
    if isinstance(value, dict):
        return value
    if isinstance(value, str) and value in READER_NAMES:
        return NamedReader.model_construct(reader=value)
    near = nearest(value, READER_NAMES) if isinstance(value, str) else ""
    known = f"use one of {', '.join(READER_NAMES)}, or a mapping such as {{text: /result}}"
    raise refused(f"{shown(value)} names no reader", f"did you mean {near}?" if near else known)


class LimitsEntry(Entry):
    """`tools.<name>.limits`: what a run of it may take."""

    output: Size | None = None
    kept: Size | None = None
    silence: Duration | None = None
    memory: Size | None = None
    processes: Count | None = None
    file_size: Size | None = None


class ToolEntry(Entry):
    """`tools.<name>`: a program that can do the work."""

    binary: Text | None = None
    platforms: PlatformsEntry = PlatformsEntry.model_construct()
    command: Command | None = None
    prompt: Literal["stdin", "argument", "file"] = "stdin"
    output: Annotated[OutputEntry, BeforeValidator(_reader)] = NamedReader.model_construct()
    models: list[ModelName] = []
    capabilities: list[Word] = []
    workspace: Literal["worktree", "checkout", "none"] = "none"
    timeout: Duration = timedelta(minutes=30)
    limits: LimitsEntry = LimitsEntry.model_construct()
    env: dict[EnvName, str] = {}
    env_required: list[EnvName] = []
    env_pass: list[EnvName] = []
    options: dict[OptionName, str] = {}
    max_parallel: Count | None = None
    rate_limit: RateLimitEntry | None = None
    billing: Literal["api", "subscription", "free"] = "api"
    version_command: Command | None = None
    tested_versions: list[Text] = []
    install: Text | None = None


class RatesEntry(Entry):
    """US dollars per million tokens."""

    input_mtok: Rate
    output_mtok: Rate
    cache_read_mtok: Rate | None = None
    cache_write_mtok: Rate | None = None


class TierEntry(RatesEntry):
    """`models.<name>.price.tiers[]`: other rates for a request whose input is larger."""

    above_tokens: Count


class PriceEntry(RatesEntry):
    """`models.<name>.price`."""

    tiers: list[TierEntry] = []


class FreePrice(PriceEntry):
    """`price: free`: nothing is ever charged, which is another thing than not to know."""

    input_mtok: Rate = Decimal(0)
    output_mtok: Rate = Decimal(0)


def _free(value: object) -> object:
    if value == "free":
        return FreePrice.model_construct()
    if value is None or isinstance(value, dict):
        return value
    raise refused(
        f"{shown(value)} is not a price",
        "write `price: free`, or e.g. `price: {input_mtok: 2, output_mtok: 10}` in USD per million tokens",
    )


class OldPriceEntry(Entry):
    """`models.<name>.cost_per_1k_tokens`: the older spelling, US dollars per thousand tokens."""

    input: Rate
    output: Rate


class ModelEntry(Entry):
    """`models.<name>`: what a tool runs on."""

    provider: Word | None = None
    price: Annotated[PriceEntry | None, BeforeValidator(_free)] = None
    cost_per_1k_tokens: OldPriceEntry | None = None
    context_window: Count | None = None
    task_suitability: list[Word] = []
    aliases: list[ModelName] = []


class ScopeEntry(Entry):
    """`limits[].scope`: what a limit is about; empty: everything."""

    agent: Name | None = None
    tool: Name | None = None
    model: ModelName | None = None
    provider: Word | None = None
    run: Word | None = None


class LimitEntry(Entry):
    """`policies.<name>.limits[]`: one limit on money."""

    period: Literal["task", "day", "week", "month", "total"]
    max_usd: Usd
    type: Literal["hard", "soft"] = "hard"
    threshold_percent: Percent = 80
    scope: ScopeEntry = ScopeEntry.model_construct()


class OldLimitEntry(Entry):
    """`policies.<name>.limit`: the older spelling; it shapes the older budgets, or is a limit by itself."""

    period: Literal["task", "day", "week", "month", "total"] | None = None
    max_usd: Usd | None = None
    type: Literal["hard", "soft"] | None = None
    threshold_percent: Percent | None = None
    scope: ScopeEntry = ScopeEntry.model_construct()


class RetriesEntry(Entry):
    """`policies.<name>.retries`: when a failed run is tried again by itself."""

    max: Retries = 2
    backoff: Duration = timedelta(seconds=10)
    on: list[RetriedKind] = ["rate_limited", "overloaded"]


class CostOptimizationEntry(Entry):
    """`policies.<name>.cost_optimization`: small tasks go to cheap models."""

    simple_task_threshold_tokens: Count
    simple_task_models: Annotated[list[ModelName], Field(min_length=1)]


class PolicyEntry(Entry):
    """`policies.<name>`: limits, rates, retries, escalation, privacy, review."""

    timezone: Zone = "UTC"
    limits: list[LimitEntry] = []
    on_exceeded: Literal["block", "wait", "downgrade"] = "block"
    justification_over_usd: Usd | None = None
    estimate_usd: Usd = 500_000
    max_parallel: Count = 4
    retries: RetriesEntry | None = None
    cost_optimization: CostOptimizationEntry | None = None
    escalation: list[Text] = []
    tasks_may_choose: list[Choice] = []
    unpriced: Literal["refuse", "allow"] = "refuse"
    privacy: Literal["metadata", "redacted", "full"] = "metadata"
    review: Literal["branch", "merge", "none"] = "branch"
    daily_budget_usd: Usd | None = None
    monthly_budget_usd: Usd | None = None
    alert_threshold_percent: Percent | None = None
    block_over_budget: bool | None = None
    limit: OldLimitEntry | None = None


class ProviderEntry(RateLimitEntry):
    """`providers.<name>`: how often all tools together may ask a provider."""

    max_parallel: Count | None = None


class CheckEntry(Entry):
    """`checks.<name>`: a declared command that proves work."""

    command: Command
    timeout: Duration = timedelta(minutes=10)
    env_pass: list[EnvName] = []


class TrailEntry(Entry):
    """`trail`: where the commits go."""

    mode: Literal["own", "tracked", "none"] = "own"
    branch: Branch = "orchestrator/work"
    remote: Remote | None = None
    publish_every: Duration = timedelta(seconds=30)


class IntakeEntry(Entry):
    """`intake`: task files committed there are dropped into the inbox."""

    branch: Branch
    paths: Annotated[list[FolderPath], Field(min_length=1)]


class WorkspacesEntry(Entry):
    """`workspaces`: how the worktrees of tasks are made."""

    base: Branch | None = None
    folder: AbsolutePath | None = None
    setup: Command | None = None
    setup_timeout: Duration = timedelta(minutes=10)
    copy_in: Annotated[list[FilePath], Field(alias="copy")] = []  # pydantic has a method named copy
    max_file: Size = 100 << 20


class SingleEntry(Entry):
    """The keys of policies.yaml that hold one value."""

    orphan_grace: Duration = timedelta(minutes=5)


class RetentionEntry(Entry):
    """`retention`: how long things stay where they are."""

    archive_after: Duration = timedelta(days=30)
    output_logs: Duration = timedelta(days=14)


ENTRIES: dict[str, type[Entry]] = {  # by section of the four files
    "agents": AgentEntry,
    "tools": ToolEntry,
    "models": ModelEntry,
    "policies": PolicyEntry,
    "checks": CheckEntry,
    "providers": ProviderEntry,
    "retention": RetentionEntry,
    "trail": TrailEntry,
    "intake": IntakeEntry,
    "workspaces": WorkspacesEntry,
    "orphan_grace": SingleEntry,
}
