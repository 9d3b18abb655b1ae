"""The variables of the environment, where a tool's `env` names them (core.environment: read without this package)."""

from orchestrator.core.environment import Expanded, expand, unreadable_variable

__all__ = ["Expanded", "expand", "unreadable_variable"]
