"""What of a run may be recorded where git sees it: at `metadata` its length and hash, else what was printed.

Secrets went before (`world.redact`). What is withheld stays on this machine: in the output of the run, and, for the
prompt of the next attempt, in the reason that is kept beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator import launch
from orchestrator.core.settings import Privacy
from orchestrator.core.types import AgentKey, InvocationId
from orchestrator.core.verdict import CheckResult, Ran
from orchestrator.registrar import Held
from orchestrator.world import World


@dataclass(frozen=True, slots=True)
class _Clean:
    """In place of a redactor, for what has no secrets any more."""

    def text(self, text: str) -> str:
        """As it is."""
        return text

    def data(self, value: object) -> object:
        """As it is."""
        return value


def level(world: World, agent: AgentKey) -> Privacy:
    """What the agent's policy says."""
    return world.settings().policy(world.agent(agent).policy).privacy


def ran(world: World, agent: AgentKey, ran: Ran) -> Ran:
    """The run as it is judged for the record."""
    if level(world, agent) is not Privacy.METADATA:
        return ran
    from orchestrator.core import privacy

    return privacy.ran(privacy.Veil(redactor=_Clean()), ran)


def check(world: World, agent: AgentKey, result: CheckResult) -> CheckResult:
    """What a check said, for the record."""
    if level(world, agent) is not Privacy.METADATA:
        return result
    from orchestrator.core import privacy

    return privacy.check(privacy.Veil(redactor=_Clean()), result)


def work_log(world: World, agent: AgentKey, context: Mapping[str, object]) -> Mapping[str, object]:
    """What the template of a work log is filled with."""
    if level(world, agent) is not Privacy.METADATA:
        return context
    from orchestrator.core import privacy

    return privacy.work_log(privacy.Veil(redactor=_Clean()), context)


def keep_reason(world: World, held: Held, invocation_id: InvocationId, reason: str) -> None:
    """Keeps on this machine why a run failed, in all its words. Blocking."""
    path = _reason(world, held, invocation_id)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_text(reason, encoding="utf-8")


def kept_reason(world: World, held: Held, invocation_id: str) -> str:
    """Why a run failed; empty where that is not on this machine. Blocking."""
    try:
        return _reason(world, held, InvocationId(invocation_id)).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def _reason(world: World, held: Held, invocation_id: InvocationId) -> Path:
    return launch.output_folder(world.host, held) / f"{invocation_id}.failed"
