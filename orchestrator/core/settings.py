"""What the four configuration files say, as values that cannot be wrong (FORMATS section 3)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from orchestrator.core.invocation import Bounds
from orchestrator.core.pointers import Pointers
from orchestrator.core.prices import Price
from orchestrator.core.types import AgentKey, ErrorKind, MicroUsd


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """A role with its preferred tools and models."""

    key: AgentKey
    profile: str = ""  # path relative to the repository
    profile_name: str = ""  # `name` of the profile's front matter, where it could be read
    aliases: tuple[str, ...] = ()
    manual: bool = False  # a person's role: assigned, then left to wait for `start` and `complete`
    preferred_tool: str = ""
    preferred_model: str = ""
    fallback_chain: tuple[str, ...] = ()  # tool or tool:model
    task_types: Mapping[str, str] = field(default_factory=dict)
    policy: str = "default"


class PromptBy(StrEnum):
    """How a tool is given its prompt."""

    STDIN = "stdin"
    ARGUMENT = "argument"
    FILE = "file"


class WorkspaceKind(StrEnum):
    """Where a tool works."""

    WORKTREE = "worktree"
    CHECKOUT = "checkout"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """How often something may be started, and how many at once; None: without a limit."""

    per_minute: int | None = None
    per_hour: int | None = None
    max_parallel: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A program that can do the work, declared in YAML."""

    name: str
    binary: str  # already chosen for this platform
    command: tuple[str, ...]  # one element is one argument, with {placeholders}
    prompt: PromptBy = PromptBy.STDIN
    output: str | Pointers = "text"  # a named reader, or where the answer is in its JSON
    models: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    workspace: WorkspaceKind = WorkspaceKind.NONE
    timeout: timedelta = timedelta(minutes=30)
    env: Mapping[str, str] = field(default_factory=dict)  # ${VAR} expanded
    env_missing: tuple[str, ...] = ()  # names that `env` or `env_required` wanted and the environment lacks
    env_pass: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    rate_limit: RateLimit = RateLimit()
    billing: str = "free"  # api: money; subscription, free: tokens only
    bounds: Bounds = field(default_factory=Bounds)
    version_command: tuple[str, ...] = ()  # prints its version; empty: it is not asked
    tested_versions: tuple[str, ...] = ()  # those whose output the reader is known to read
    install: str = ""  # how to get it, told where it is missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What a tool runs on."""

    name: str
    provider: str = ""
    price: Price | None = None  # None: neither the file nor the price table says; a policy with a limit refuses it
    context_window: int | None = None
    task_suitability: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A declared command that proves work."""

    name: str
    command: tuple[str, ...]
    timeout: timedelta = timedelta(minutes=10)
    env_pass: tuple[str, ...] = ()  # names of the daemon's environment that it sees beyond the usual ones


class Period(StrEnum):
    """For how long a limit counts what is spent. Day, week and month are those of the calendar in the policy's zone."""

    TASK = "task"
    DAY = "day"
    WEEK = "week"  # from Monday
    MONTH = "month"
    TOTAL = "total"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One limit on money."""

    period: Period
    max_usd: MicroUsd
    hard: bool = True
    threshold_percent: int = 80  # from there on a person is warned, once a window
    scope: Mapping[str, str] = field(default_factory=dict)  # agent, tool, model, provider, run; empty: everything


class OnExceeded(StrEnum):
    """What is done with a task for which a hard limit has no money left."""

    BLOCK = "block"
    WAIT = "wait"  # for the next window
    DOWNGRADE = "downgrade"  # to the cheapest candidate that fits


class Privacy(StrEnum):
    """What is written where git sees it of what was asked and answered."""

    METADATA = "metadata"
    REDACTED = "redacted"
    FULL = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """When a failed run is tried again by itself, with the same tool and model."""

    max: int = 2
    backoff: timedelta = timedelta(seconds=10)  # before the first; doubled with each, with jitter
    # Not after a crash unless a policy says so: what fails once for no known reason mostly fails, and costs, again.
    on: frozenset[ErrorKind] = frozenset({ErrorKind.RATE_LIMITED, ErrorKind.OVERLOADED})


@dataclass(frozen=True, slots=True, kw_only=True)
class CostOptimization:
    """Small tasks go to cheap models."""

    threshold_tokens: int
    models: tuple[str, ...]


_ESTIMATE = MicroUsd(500_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Limits and what a task may choose."""

    name: str
    timezone: str = "UTC"
    limits: tuple[Limit, ...] = ()
    on_exceeded: OnExceeded = OnExceeded.BLOCK
    justification_over: MicroUsd | None = None  # a run that may cost more needs a person's reason
    estimate: MicroUsd = _ESTIMATE  # what a run is taken to cost while nothing is known of its like
    max_parallel: int = 4
    retries: Retries = Retries()
    cost_optimization: CostOptimization | None = None
    escalation: tuple[str, ...] = ()  # tool or tool:model, the cheapest first
    tasks_may_choose: tuple[str, ...] = ()
    unpriced_allowed: bool = False
    privacy: Privacy = Privacy.METADATA
    review: str = "branch"


class TrailMode(StrEnum):
    """Where the commits of the trail go."""

    OWN = "own"
    TRACKED = "tracked"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailSettings:
    """`trail:` of policies.yaml."""

    mode: TrailMode = TrailMode.OWN
    branch: str = "orchestrator/work"
    remote: str = ""  # where `orchestrator sync` pushes to and fetches from; empty: nowhere
    publish_every: timedelta = timedelta(seconds=30)  # tracked mode in a person's checkout


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeSettings:
    """`intake:` of policies.yaml: task files committed there are dropped into the inbox."""

    branch: str = ""  # empty: no intake
    paths: tuple[str, ...] = ()  # repo-relative folders, ending with /


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceSettings:
    """`workspaces:` of policies.yaml: how the worktrees of tasks are made."""

    base: str = ""  # the branch on which tasks begin; empty: what the person has checked out
    folder: str = ""  # absolute: where they lie; empty: in the user's state folder
    setup: tuple[str, ...] = ()  # run in each new worktree before the tool
    setup_timeout: timedelta = timedelta(minutes=10)
    copy: tuple[str, ...] = ()  # repo-relative files that are not in git and that the tool needs, e.g. .env.test
    max_file: int = 100 << 20  # bytes: a larger file is not committed


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """`retention:` of policies.yaml."""

    archive_after: timedelta = timedelta(days=30)
    output_logs: timedelta = timedelta(days=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All of the configuration."""

    agents: Mapping[AgentKey, Agent]
    tools: Mapping[str, Tool]
    models: Mapping[str, Model] = field(default_factory=dict)
    policies: Mapping[str, Policy] = field(default_factory=dict)
    checks: Mapping[str, Check] = field(default_factory=dict)
    trail: TrailSettings = TrailSettings()
    intake: IntakeSettings = IntakeSettings()
    retention: Retention = Retention()
    workspaces: WorkspaceSettings = WorkspaceSettings()
    providers: Mapping[str, RateLimit] = field(default_factory=dict)

    def model(self, name: str) -> Model:
        """The model of that name; one that is not declared has no price and no provider."""
        return self.models.get(name) or Model(name=name)

    def policy(self, name: str) -> Policy:
        """The policy of that name, else `default`, else the built-in one."""
        return self.policies.get(name) or self.policies.get("default") or Policy(name="default")
