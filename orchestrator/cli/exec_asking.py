"""What `exec` asks before it begins: whether to go on where a limit on money is nearly reached."""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from orchestrator.cli.screen import Paint, plain
from orchestrator.errors import InterruptedByPersonError, OrchestratorError

if TYPE_CHECKING:
    from orchestrator.cli.call import Call
    from orchestrator.wiring import Place


def can_ask(call: "Call") -> bool:
    """Whether somebody is there who sees a question, and can answer it."""
    return call.err.is_terminal and sys.stdin.isatty()


def has_agreed(call: "Call", place: "Place", arguments: Mapping[str, object]) -> bool:
    """Whether a person said yes to a warning; False where there was none to be given.

    Raises:
        OrchestratorError: they said no, and nothing was done.
    """
    from orchestrator.wiring.explaining import warnings_before

    warnings = warnings_before(place, arguments)
    if not warnings:
        return False
    for warning in warnings:
        call.err.wrapped(plain(warning), indent="", paint=Paint.WARN)
    call.err.piece("Go on? [y/N] ")
    call.err.flush()
    answer = sys.stdin.readline()
    if not answer:
        raise InterruptedByPersonError("nobody answered; nothing was done")
    if answer.strip().casefold() not in {"y", "yes"}:
        raise OrchestratorError("not begun: nothing was run, and nothing is held; --yes goes on without asking")
    return True
