"""One call of the program: its global options, its two streams, and where it finds the workspace."""

import gc
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from orchestrator.cli.screen import Colour, Screen
from orchestrator.errors import BusyError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestrator.query import QueryService
    from orchestrator.wiring import Place

T = TypeVar("T")
_PATIENCE = 5.0  # seconds that a reader waits for a daemon that is rebuilding the index


class Call:
    """What every command is given."""

    def __init__(
        self,
        *,
        root: Path | None = None,
        use_git: bool = True,
        colour: Colour = Colour.AUTO,
        flags: tuple[str, ...] = (),
    ) -> None:
        self.flags = flags  # KEY=VALUE for the configuration
        self.root = root
        self.use_git = use_git
        self.colour = colour
        self.out = Screen(sys.stdout, colour, os.environ)
        self.err = Screen(sys.stderr, colour, os.environ)
        self.found: Place | None = None  # kept for the report of a bug, which must not look for it again

    def stay(self) -> None:
        """For a command that lives longer than a moment: garbage is collected again (`main` says why it was not)."""
        gc.enable()

    def place(self) -> "Place":
        """The workspace around here or at --root. Raises NotFoundError where there is none."""
        if self.found is None:
            from orchestrator.wiring import find_place

            try:
                self.found = find_place(self.root, use_git=self.use_git)
            except NotFoundError:
                without = find_place(self.root, use_git=False)
                if not without.state.is_dir():  # else it was made with --no-git, and need not be told so each time
                    raise
                self.found = without
            if self.flags:
                from dataclasses import replace

                self.found = replace(self.found, flags=self.flags)
        return self.found

    def workspace(self) -> "Place":
        """The same, where it has been made a workspace. Raises NotFoundError where it has not."""
        place = self.place()
        if not (place.work / "collaboration").is_dir() and not place.state.is_dir():
            raise NotFoundError(f"{place.root} is no workspace yet; run: orchestrator init")
        return place

    def ask(self, question: "Callable[[QueryService], T]") -> T:
        """The answer of the read side. A missing or damaged index is rebuilt first, and that is said."""
        from orchestrator.query import IndexNeeded
        from orchestrator.wiring import query_service

        place = self.workspace()
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                return question(query_service(place))
            except IndexNeeded as needed:
                if time.monotonic() > deadline:
                    raise
                self._rebuild(place, str(needed))

    def _rebuild(self, place: "Place", why: str) -> None:
        from orchestrator.wiring import rebuild_index

        try:
            rebuilt = rebuild_index(place, None)
        except BusyError:
            time.sleep(0.05)  # whoever holds the workspace is rebuilding it
            return
        if rebuilt.events:
            self.err.line(f"rebuilt the index from {rebuilt.events} events ({why.partition('; ')[0]})")

    def act(self, verb: str, arguments: dict[str, object]) -> dict[str, Any]:
        """Has it carried out, by the running daemon or at once. Raises what it refuses."""
        from orchestrator.wiring import act

        return act(self.workspace(), verb, arguments)


pass_call = click.make_pass_decorator(Call)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


def words(text: str) -> str:
    """A help text, whose examples click is told to leave as they stand."""
    paragraphs = text.strip("\n").split("\n\n")
    return "\n\n".join(f"\b\n{part}" if "\n  " in part or part.startswith("  ") else part for part in paragraphs)
