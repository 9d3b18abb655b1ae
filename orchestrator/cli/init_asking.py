"""What `init` asks a person at a terminal, where there is a choice: which configuration, and whether git gets hooks."""

import sys
from typing import TYPE_CHECKING

from orchestrator.cli.screen import Paint, plain
from orchestrator.errors import InterruptedByPersonError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.cli.call import Call
    from orchestrator.wiring import Place
    from orchestrator.wiring.initialising_telling import Told

_TRIES = 5


def ask(call: "Call", place: "Place", told: "Told", *, hooks: bool | None) -> "tuple[Told, bool | None]":
    """What they chose. Raises InterruptedByPersonError where they leave; nothing was written by then."""
    from orchestrator.wiring.initialising_telling import lacks_hooks

    if not told.asked_for and told.configures:
        chosen = _choice(call, told.choices)
        if chosen != told.wish.chosen:
            told = told.with_set(chosen)
            call.out.wrapped(f"{chosen}: " + "; ".join(f"{row.name}: {row.use}" for row in told.rows), indent="  ")
            call.out.flush()
    if hooks is None and lacks_hooks(place):
        hooks = _yes(call, "Install git hooks, which check task files when you commit and wake the daemon?")
    return told, hooks


def _choice(call: "Call", choices: "Sequence[tuple[str, str]]") -> str:
    call.err.line("Which configuration?")
    for number, (name, about) in enumerate(choices, start=1):
        first = call.err.paint(f"{number} {name}", Paint.STRONG)
        call.err.line(f"  {first}")
        call.err.wrapped(about, indent="    ")
    names = [name for name, _ in choices]
    for _ in range(_TRIES):
        answer = _answer(call, f"Number or name [1, {names[0]}]: ").casefold() or "1"
        if answer.isascii() and answer.isdigit() and 1 <= int(answer[:3]) <= len(names):
            return names[int(answer[:3]) - 1]
        matching = [name for name in names if name.startswith(answer)]
        if len(matching) == 1:
            return matching[0]
        call.err.line(f"{plain(answer[:40])}: there is none; answer 1 to {len(names)}, or a name")
    raise InterruptedByPersonError(f"no answer was understood; nothing was written; name one: --template {names[0]}")


def _yes(call: "Call", question: str) -> bool:
    return _answer(call, f"{question} [y/N] ").casefold() in {"y", "yes"}


def _answer(call: "Call", question: str) -> str:
    call.err.piece(question)
    call.err.flush()
    line = sys.stdin.readline()
    if not line:
        raise InterruptedByPersonError("nobody answered; nothing was written; --yes asks nothing")
    return line.strip()
