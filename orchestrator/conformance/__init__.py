"""Whether the installed tools still behave as their readers expect: a scripted model API, and scenarios run on it."""

from orchestrator.conformance.examine import Examined, examine_all

__all__ = ["Examined", "examine_all"]
