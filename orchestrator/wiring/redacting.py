"""Takes secrets out of what tools and checks printed, before anything is made of it that others may read."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from orchestrator.core.settings import Privacy
from orchestrator.core.verdict import Ran
from orchestrator.launch import SAFE_ENVIRONMENT, Host, environment

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestrator.core.privacy import Veil
    from orchestrator.core.settings import Settings

_ALWAYS_SEEN = (*SAFE_ENVIRONMENT, "HOME")


@dataclass(slots=True)
class Redaction:
    """The secrets of the settings in force: the values that tools and checks are given, and what looks like one."""

    settings: "Callable[[], Settings]"
    host: Host
    _made: "tuple[Settings, dict[Privacy, Veil]] | None" = None

    def __call__(self, ran: Ran, level: Privacy) -> Ran:
        """The run without secrets; at `redacted` without addresses and names of people's folders too."""
        if not (ran.text or ran.errors or ran.problem or ran.denials):
            return ran
        veil = self._veil(level)
        told = veil.told if level is Privacy.METADATA else veil.content
        return replace(
            ran,
            text=told(ran.text),
            errors=told(ran.errors),
            problem=told(ran.problem),
            denials=tuple(map(told, ran.denials)),
        )

    def _veil(self, level: Privacy) -> "Veil":
        from orchestrator.core.privacy import Veil  # 20 ms, once something was printed
        from orchestrator.core.redaction import Redactor, passed_secrets

        settings = self.settings()
        if self._made is None or self._made[0] is not settings:
            values: dict[str, str] = {}
            for tool in settings.tools.values():
                values |= passed_secrets(environment(self.host, tool.env, tool.env_pass), _ALWAYS_SEEN)
            for check in settings.checks.values():
                values |= passed_secrets(environment(self.host, {}, check.env_pass), _ALWAYS_SEEN)
            redactor = Redactor(values)
            self._made = settings, {one: Veil(level=one, redactor=redactor) for one in Privacy}
        return self._made[1][level]
