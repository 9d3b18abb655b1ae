"""The checks that a commit waits for, without the parser of arguments: its 20 ms are a quarter of what they take."""

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from orchestrator.cli.screen import Colour, Paint, Screen, forgive_encodings, plain, plain_lines

if TYPE_CHECKING:
    from orchestrator.wiring.hooks_checking import Checked

FOUND = 65  # sysexits.h: the input data was incorrect
_NAMES = ("pre-commit", "commit-msg")


def run(arguments: Sequence[str]) -> int | None:
    """The exit code of `orchestrator hook ARGUMENTS`; None where it has to go the ordinary way, which says why."""
    if len(arguments) != 2 or arguments[0] not in _NAMES or "ORCHESTRATOR_ROOT" in os.environ:
        return None
    from orchestrator.wiring import find_place
    from orchestrator.wiring.hooking import check

    try:
        checked = check(find_place(None, use_git=True), arguments[0], "", [arguments[1]])
    except Exception:  # noqa: BLE001 - whatever it is, the ordinary way meets it again and makes a message of it
        return None
    forgive_encodings()
    tell(Screen(sys.stderr, Colour.AUTO, os.environ), checked)
    return FOUND if checked.problems else 0


def tell(screen: Screen, checked: "Checked") -> None:
    """Everything that was found, then how to go on."""
    from dataclasses import replace

    from orchestrator.core.problem import render

    for problem in checked.problems:
        # A file's name may hold the end of a line, and a message may quote it.
        safe = replace(problem, message=plain(problem.message), hint=plain(problem.hint))
        first, *rest = plain_lines(render(safe))
        screen.line(screen.paint(first, Paint.BAD))
        for line in rest:
            screen.line(line)
    for note in checked.notes:
        screen.line(f"orchestrator: {note}")
    if checked.problems:
        screen.line(f"orchestrator: {checked.advice}")
