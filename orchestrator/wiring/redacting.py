"""Takes secrets out of what tools and checks printed, before anything is made of it that others may read."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from orchestrator.core.settings import Privacy
from orchestrator.core.verdict import Ran
from orchestrator.launch import SAFE_ENVIRONMENT, Host, environment

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestrator.core.privacy import Veil
    from orchestrator.core.redaction import Redactor
    from orchestrator.core.settings import Settings

_ALWAYS_SEEN = (*SAFE_ENVIRONMENT, "HOME")


@dataclass(slots=True)
class Redaction:
    """The secrets of the settings in force: the values that tools and checks are given, and what looks like one."""

    settings: "Callable[[], Settings]"
    host: Host
    _made: "tuple[Settings, Redactor, dict[Privacy, Veil]] | None" = None

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

    def secret_in(self, raw: bytes, shown: str) -> str:
        """Why a task file may not be kept in git, with the place; '' where it may. The secret itself is not told."""
        text = raw.decode("utf-8", "replace").removeprefix("\ufeff")
        found = self._secrets()[1].certain(text)
        if not found:
            return ""
        first = found[0]
        line, column = text.count("\n", 0, first.start) + 1, first.start - text.rfind("\n", 0, first.start)
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        return (
            f"{shown}:{line}:{column}: holds what looks like a secret ({first.kind}){more}; take it out, and revoke it "
            "where others may have seen it: a task file is kept in git; tools get secrets by `env` in config/tools.yaml"
        )

    def _veil(self, level: Privacy) -> "Veil":
        return self._secrets()[2][level]

    def _secrets(self) -> "tuple[Settings, Redactor, dict[Privacy, Veil]]":
        from orchestrator.core.privacy import Veil  # 20 ms, at the first task
        from orchestrator.core.redaction import Redactor, passed_secrets

        settings = self.settings()
        if self._made is None or self._made[0] is not settings:
            values: dict[str, str] = {}
            for tool in settings.tools.values():
                values |= passed_secrets(environment(self.host, tool.env, tool.env_pass), _ALWAYS_SEEN)
            for check in settings.checks.values():
                values |= passed_secrets(environment(self.host, {}, check.env_pass), _ALWAYS_SEEN)
            redactor = Redactor(values)
            self._made = settings, redactor, {one: Veil(level=one, redactor=redactor) for one in Privacy}
        return self._made
