"""Where the files that ship with the program are: its configuration, templates and git hooks."""

from pathlib import Path

from orchestrator.errors import InternalError

NAMES = frozenset({"config", "templates", "hooks"})


def folder(name: str) -> Path:
    """The shipped folder of that name: in the installed package, else in the source checkout beside it.

    Raises InternalError where the installation lacks it.
    """
    assert name in NAMES, name
    package = Path(__file__).parent
    for candidate in (package / "_data" / name, package.parent / name):
        if candidate.is_dir():
            return candidate
    raise InternalError(f"the installation is incomplete: no folder {name} beside {package}; install it again")
