"""`config schema`: the JSON Schemas of what people write, where editors look for them, and the line that names them.

They are written into a folder beside the four files and committed with them: whoever opens one has its schema, and an
editor asks nobody. Each is small.
"""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.adapters.place import Place
from orchestrator.errors import NotFoundError

FOLDER = "schemas"  # beside the four files: config/schemas/
ABOUT: Mapping[str, str] = {
    "agents": "config/agents.yaml",
    "tools": "config/tools.yaml",
    "models": "config/models.yaml",
    "policies": "config/policies.yaml",
    "task": "a task file",
    "run": "work/runs/RUN-.../run.yaml",
    "specification": "the front matter of a specification",
}
NAMES = tuple(ABOUT)
CONFIGURATION = NAMES[:4]
DIALECT = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What was written."""

    name: str
    file: str  # as a person sees it
    line: str  # for the first line of a file of that kind; empty: it has no one place
    is_new: bool  # it was not there, or said something else


def schema_text(name: str) -> str:
    """The schema as a file has it. Raises NotFoundError for a name that is none of NAMES."""
    makers: Mapping[str, Callable[[], Mapping[str, object]]] = {
        "task": _task,
        "run": _run,
        "specification": _specification,
    }
    if name not in NAMES:
        from orchestrator.config.fields import nearest

        near = nearest(name, NAMES)
        raise NotFoundError(
            f"there is no schema {name!r}; " + (f"did you mean {near}?" if near else f"there are {', '.join(NAMES)}")
        )
    made = makers[name]() if name in makers else _configuration(name)
    return json.dumps({"$schema": DIALECT, **made}, indent=2, ensure_ascii=False) + "\n"


def file_name(name: str) -> str:
    """agents.schema.json."""
    return f"{name}.schema.json"


def modeline(name: str, folder: str = FOLDER) -> str:
    """The comment by which an editor with a YAML language server finds the schema; `folder` as seen from the file."""
    return f"# yaml-language-server: $schema={folder}/{file_name(name)}"


def write(place: Place, folder: Path) -> list[Written]:
    """Writes all of them into a folder. One that says the same already is left alone."""
    from orchestrator.adapters.files import write_beside_and_rename

    folder.mkdir(parents=True, exist_ok=True)
    # As a configuration file sees it; with slashes on every platform, because an editor reads it as an address.
    seen = os.path.relpath(os.path.realpath(folder), os.path.realpath(place.config)).replace(os.sep, "/")
    done = []
    for name in NAMES:
        file, content = folder / file_name(name), schema_text(name).encode()
        is_new = not file.is_file() or file.read_bytes() != content
        if is_new:
            write_beside_and_rename(file, content)
        line = modeline(name, seen) if name in CONFIGURATION else ""
        done.append(Written(name=name, file=str(file), line=line, is_new=is_new))
    return done


def _configuration(name: str) -> Mapping[str, object]:
    from orchestrator.config.json_schema import schema_of

    return schema_of(name)


def _task() -> Mapping[str, object]:
    from orchestrator.taskfile.json_schema import schema

    return schema()


def _run() -> Mapping[str, object]:
    from orchestrator.config.json_portfolio import run_schema

    return run_schema()


def _specification() -> Mapping[str, object]:
    from orchestrator.config.json_portfolio import specification_schema

    return specification_schema()
