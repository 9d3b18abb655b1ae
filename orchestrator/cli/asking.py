"""A question to whoever sits at the terminal. Where nobody does, nothing is asked."""

import sys
from typing import TYPE_CHECKING

from orchestrator.errors import InterruptedByPersonError

if TYPE_CHECKING:
    from orchestrator.cli.call import Call


def can_ask(call: "Call") -> bool:
    """Whether somebody is there who sees a question, and can answer it."""
    return call.err.is_terminal and sys.stdin.isatty()


def agrees(call: "Call", question: str) -> bool:
    """Whether they say yes. Anything else than yes is no."""
    call.err.piece(f"{question} [y/N] ")
    call.err.flush()
    answer = sys.stdin.readline()
    if not answer:
        raise InterruptedByPersonError("nobody answered; nothing was done")
    return answer.strip().casefold() in {"y", "yes"}
