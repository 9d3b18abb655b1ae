"""What `exec` asks before it begins: whether to go on where a limit on money is nearly reached."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from orchestrator.cli.asking import agrees
from orchestrator.cli.screen import Paint, plain
from orchestrator.errors import OrchestratorError

if TYPE_CHECKING:
    from orchestrator.cli.call import Call
    from orchestrator.wiring import Place


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
    if not agrees(call, "Go on?"):
        raise OrchestratorError("not begun: nothing was run, and nothing is held; --yes goes on without asking")
    return True
