"""Looks at a machine and a repository for `init`: what is there, by name. It changes nothing, and nothing makes it wait
for longer than it was told to.
"""

import json
import os
import platform
import re
import shutil
import threading
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.adapters.doctor import credentials
from orchestrator.adapters.doctor.asking import ask
from orchestrator.adapters.files import read_at_most
from orchestrator.adapters.git import Git, GitError
from orchestrator.adapters.place import Place
from orchestrator.config.machine import EMBEDDED, FoundCheck, FoundTool, Repository, Scan, in_order
from orchestrator.core import arguments
from orchestrator.core.settings import Tool

SECONDS = 3.0  # that a tool may take to tell its version
_VERSION = re.compile(r"(?<![\w.-])v?(\d{1,6}(?:\.\d{1,6}){1,3})(?!\d)")
_MOST = 1 << 20  # bytes of a file of the project


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What the tools are looked for in."""

    environ: Mapping[str, str]
    system: str  # a sys.platform
    seconds: float = SECONDS


def look(place: Place, tools: Mapping[str, tuple[Tool, Mapping[str, str]]], around: Around, *, is_wsl: bool) -> Scan:
    """All of it. `tools` has, by name, each tool of the catalogue and the environment that a run of it would get."""
    git, trouble = _git_version(place.root)
    return Scan(
        system=f"{platform.system()} {platform.release()} on {platform.machine()}",
        is_wsl=is_wsl,
        python=platform.python_version(),
        git=git,
        git_trouble=trouble,
        tools=tools_found(tools, around),
        checks=checks_of(place.root, around.environ) if not place.bare else (),
        repository=repository(place),
    )


def tools_found(tools: Mapping[str, tuple[Tool, Mapping[str, str]]], around: Around) -> tuple[FoundTool, ...]:
    """Each of them; those that are there are asked for their versions side by side."""
    found: dict[str, FoundTool] = {}

    def find(name: str, tool: Tool, env: Mapping[str, str]) -> None:
        found[name] = _found(tool, env, around)

    threads = [
        threading.Thread(target=find, args=(name, tool, env), name=f"scan-{name}", daemon=True)
        for name, (tool, env) in tools.items()
    ]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + around.seconds + 1  # a file server that is dead keeps even a look waiting
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    answered = dict(found)
    return in_order(
        [answered.get(name) or FoundTool(name=name, install=tool.install) for name, (tool, _) in tools.items()]
    )


def _found(tool: Tool, env: Mapping[str, str], around: Around) -> FoundTool:
    path = program(tool.binary, env.get("PATH", ""))
    seen = credentials.look(Path(tool.binary).name, env, around.environ, around.system) if tool.binary else None
    version, trouble = _version(tool, path, env, around.seconds) if path and tool.name != EMBEDDED else ("", "")
    # On Linux a log-in is in a file or a variable that can be looked for; on a Mac it is in the keychain.
    elsewhere = seen.elsewhere if seen is not None and around.system == "darwin" else ""
    return FoundTool(
        name=tool.name,
        path=path,
        version=version,
        trouble=trouble,
        keys=seen.there if seen is not None else (),
        key_names=credentials.KNOWN[Path(tool.binary).name].variables if seen is not None else (),
        may_be_elsewhere=elsewhere,
        wants_key=seen is not None,
        models=tool.models,
        edits="edits_files" in tool.capabilities,
        is_charged=tool.billing == "api",
        install=tool.install,
    )


def program(name: str, path: str) -> str:
    """Where it is; empty where it is not. Only absolute folders of PATH count: the repository may be a stranger's."""
    safe = os.pathsep.join(folder for folder in path.split(os.pathsep) if Path(folder).is_absolute())
    found = shutil.which(name, path=safe) if name and (safe or "/" in name) else None
    return found or ""


def _version(tool: Tool, path: str, env: Mapping[str, str], seconds: float) -> tuple[str, str]:
    """Its version, or why that is not known."""
    if not tool.version_command:
        return "", ""
    argv = arguments.fill(tool.version_command, {"binary": path})
    said = ask(argv, env=env, folder=Path("/"), seconds=seconds)
    if said.refused:
        return "", f"cannot be started: {said.refused}"
    if said.late:
        return "", f"no answer within {seconds:.0f} s"
    if said.code != 0:
        return "", f"`{Path(path).name} {' '.join(argv[1:])}` ended with exit code {said.code}"
    # Only a number is ever shown: a program may print anything, its variables too.
    match = _VERSION.search(said.text)
    return (match[1], "") if match else ("", "its answer holds no version")


def _git_version(folder: Path) -> tuple[str, str]:
    try:
        return Git(folder).text("version", seconds=SECONDS).removeprefix("git version ").strip(), ""
    except GitError as error:
        return "", str(error)


def repository(place: Place) -> Repository:
    """What git says of it."""
    if place.git_dir is None:
        return Repository(has_git=False, has_commits=False)
    from git import Repo  # it takes 40 ms, and only `init` asks

    with Repo(place.root, expand_vars=False) as git:  # opened and closed at once: it is not for long-running processes
        tracked = not place.bare and bool(git.git.ls_files("--", "work"))
        return Repository(is_bare=place.bare, has_commits=git.head.is_valid(), tracks_work=tracked)


def checks_of(root: Path, environ: Mapping[str, str]) -> tuple[FoundCheck, ...]:
    """The commands that test this project, as its files tell. Named `tests` where there is one, else each its own."""
    found = [check for find in (_pytest, _npm, _cargo, _go, _make) if (check := find(root)) is not None]
    if any(check.name != "make" for check in found):  # `make test` runs what was found already
        found = [check for check in found if check.name != "make"]
    path = environ.get("PATH", "")
    return tuple(
        FoundCheck(
            name="tests" if len(found) == 1 else f"tests-{check.name}",
            command=check.command,
            because_of=check.because_of,
            setup=check.setup,
            is_there=bool(program(check.command[0], path)),
        )
        for check in found
    )


def _pytest(root: Path) -> FoundCheck | None:
    because: str = ""
    if (root / "pytest.ini").is_file() or (root / "conftest.py").is_file() or (root / "tests/conftest.py").is_file():
        because = "pytest.ini or conftest.py"
    elif isinstance(tool := _table(root / "pyproject.toml", tomllib.loads).get("tool"), dict) and "pytest" in tool:
        because = "pyproject.toml"
    elif re.search(r"(?m)^\[(tool:)?pytest\]", _text(root / "setup.cfg") + "\n" + _text(root / "tox.ini")):
        because = "setup.cfg or tox.ini"
    elif any(_names(root / "tests", "test_*.py")):
        because = "tests/test_*.py"
    return FoundCheck(name="pytest", command=("pytest", "-q"), because_of=because) if because else None


def _npm(root: Path) -> FoundCheck | None:
    scripts = _table(root / "package.json", json.loads).get("scripts")
    script = scripts.get("test") if isinstance(scripts, dict) else None
    if not isinstance(script, str) or "no test specified" in script:
        return None
    setup = ("npm", "ci") if (root / "package-lock.json").is_file() else ()
    return FoundCheck(name="npm", command=("npm", "test"), because_of="package.json", setup=setup)


def _cargo(root: Path) -> FoundCheck | None:
    there = (root / "Cargo.toml").is_file()
    return FoundCheck(name="cargo", command=("cargo", "test"), because_of="Cargo.toml") if there else None


def _go(root: Path) -> FoundCheck | None:
    there = (root / "go.mod").is_file()
    return FoundCheck(name="go", command=("go", "test", "./..."), because_of="go.mod") if there else None


def _make(root: Path) -> FoundCheck | None:
    for name in ("GNUmakefile", "makefile", "Makefile"):
        if re.search(r"(?m)^test[ \t]*:(?!=)", _text(root / name)):
            return FoundCheck(name="make", command=("make", "test"), because_of=name)
    return None


def _names(folder: Path, pattern: str) -> Sequence[Path]:
    return list(folder.glob(pattern)) if folder.is_dir() else ()


def _text(file: Path) -> str:
    """What it says; empty where it is missing, huge, a link, or no text: it only helps to guess."""
    try:
        raw = read_at_most(file, _MOST)
        return raw.decode() if len(raw) <= _MOST else ""
    except (OSError, UnicodeDecodeError):
        return ""


def _table(file: Path, load: Callable[[str], object]) -> dict[str, object]:
    try:
        found = load(_text(file))
    except (ValueError, RecursionError):  # both parsers' own errors are ValueErrors
        return {}
    return found if isinstance(found, dict) else {}
