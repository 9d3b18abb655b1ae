"""The JSON Schema (2020-12) of a task file: what `build` asks of each field, in the words of a schema, for editors.

It refuses nothing that is read; `task validate` says the rest. Of a file with a body it is about the front matter.
"""

from collections.abc import Mapping
from typing import Any

from orchestrator.core.durations import IN_JSON_SCHEMA
from orchestrator.core.types import Priority, Status
from orchestrator.taskfile.build import PRIORITIES, STATUSES

Schema = dict[str, Any]

_ANY: Schema = {}
# A number or a truth value stands for its own spelling, and nothing for a field that is not there.
_TEXT: Schema = {"type": ["string", "number", "boolean", "null"]}
_ID = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_NOT_A_PATH: Schema = {  # a remark in brackets may follow a path: what is said there is nobody's business
    "type": "string",
    "anyOf": [
        {"pattern": r"^\s*(?:\./)?(?:[/~:]|[A-Za-z]:)"},
        {"pattern": r"^\s*(?:[^\s/(]*/)*\.\.(?:/|\s*$)"},
        {"pattern": r"^\s*(?:[^\s/(]*/)*\.[gG][iI][tT](?:/|\s*$)"},
        {"pattern": r"^[^(]*\\"},
    ],
}
_PATH: Schema = {"not": _NOT_A_PATH}
_MOMENT: Schema = {
    "anyOf": [
        {"type": "string", "pattern": r"^\s*(?:[0-9]{4}-?(?:[0-9]{2}|W[0-9]{2})|$)"},
        {"type": ["integer", "null"]},  # 20260212, or nothing
    ],
    "examples": ["2026-02-12T11:01:00Z"],
}
_USD = r"^\s*[0-9]{1,12}(?:\.[0-9]{1,12})?(?:[eE][+-]?[0-9])?\s*$"


def _listed(entry: Schema) -> Schema:
    """A list, or one entry for a list of one."""
    inner = {"allOf": [_TEXT, entry]} if entry else _TEXT
    return {"anyOf": [{"type": "array", "items": inner}, inner]}


def _chosen(names: Mapping[str, object], today: tuple[str, ...]) -> Schema:
    """Today's names, which an editor offers; and any other spelling of them that is read."""
    spelled = "|".join(_spelled(name) for name in names)
    return {"anyOf": [{"enum": [*today, None]}, {"type": "string", "pattern": rf"^[\s_-]*(?:{spelled})[\s_-]*$"}]}


def _spelled(name: str) -> str:
    """In any case, with any separators: In Progress is in_progress."""
    words = ["".join(f"[{sign}{sign.upper()}]" for sign in word) for word in name.split("_")]
    return r"[\s_-]+".join(words)


_IDS = _listed({"if": {"type": "string"}, "then": {"pattern": rf"^\s*(?:{_ID})?\s*$"}})

# Every field that `build` asks for, in the order of docs/reference/task-file.md; older spellings below.
FIELDS: Mapping[str, tuple[str, Schema]] = {
    "id": (
        "The file's name without .yaml; may be left out.",
        _TEXT | {"maxLength": 200, "pattern": rf"^\s*(?:(?![\s\S]*\.\.){_ID})\s*$"},
    ),
    "agent": ("Who does it: a key, a profile's file or name, or an alias of agents.yaml.", _TEXT),
    "status": ("Written by the program; agrees with the folder.", _chosen(STATUSES, tuple(map(str, Status)))),
    "title": ("What it is, in a line.", _TEXT),
    "description": ("What is to be done.", _TEXT),
    "prompt": ("Given to the tool as it is; absent: made from the fields.", _TEXT),
    "priority": ("Default: normal.", _chosen(PRIORITIES, tuple(map(str, Priority)))),
    "mode": ("How to work, e.g. /analysis-mode; reaches the prompt.", _TEXT),
    "task_type": ("Picks the agent's model for that type.", _TEXT),
    "depends_on": ("Ids of tasks: it runs only when all of them are done.", _IDS),
    "dependencies": ("The same where an entry is the id of a known task; other entries are notes.", _ANY),
    "context": (
        "Anything that the tool should know; `files` are paths that it should read.",
        {"properties": {"files": _PATH | {"items": _PATH}}},
    ),
    "artefacts": ("Paths that it should produce.", _listed(_PATH)),
    "verify": ("Names of checks in policies.yaml; all must pass before it is done.", _listed({})),
    "timeout": (
        "Less than the tool's own limit: 90s, 10m, 1h30m.",
        {"type": ["string", "null"], "pattern": IN_JSON_SCHEMA, "examples": ["90s", "10m", "1h30m"]},
    ),
    "budget_usd": (
        "US dollars that a run may cost at most.",
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": 1_000_000},
                {"type": "string", "pattern": _USD},
                {"type": "null"},
            ]
        },
    ),
    "tool": ("A wish, honoured where the policy's tasks_may_choose allows it.", _TEXT),
    "model": ("A wish, honoured where the policy's tasks_may_choose allows it.", _TEXT),
    "run": ("The run that it belongs to, e.g. RUN-20260212-001.", _TEXT),
    "specification": ("The path of the specification that it works for.", _TEXT),
    "feature": ("The feature of that specification.", _TEXT),
    "created_at": ("When it was written. Without a zone: UTC.", _MOMENT),
    "created_by": ("Who wrote it.", _TEXT),
    "pinned": ("Never given to another agent by the daemon.", {"type": ["boolean", "null"]}),
    "assigned_at": ("Written by the program.", _MOMENT),
    "started_at": ("Written by the program.", _MOMENT),
    "completed_at": ("Written by the program.", _MOMENT),
    "last_modified": ("Written by the program.", _MOMENT),
    "result": ("Written by the program when it is done.", _ANY),
    "error": ("Written by the program when it failed.", _ANY),
}
OLDER: Mapping[str, tuple[str, Schema]] = {
    "assignee": ("Older spelling of agent.", _ANY),
    "to_agent": ("Older spelling of agent.", _ANY),
    "objective": ("Older spelling of description.", _ANY),
    "artifacts": ("Older spelling of artefacts.", _ANY),
    "context_files": ("Older spelling of context.files.", _listed(_PATH)),
    "created": ("Older spelling of created_at.", _ANY),
    "created_date": ("Older spelling of created_at.", _ANY),
    "completed": ("Older spelling of completed_at.", _ANY),
    "completed_date": ("Older spelling of completed_at.", _ANY),
    "updated": ("Older spelling of last_modified.", _ANY),
}


def schema() -> Schema:
    """The schema. Any other field is kept, and given to the tool."""
    return {
        "title": "orchestrator: task",
        "description": "One task: a file, an id. Fields that are not here are kept, and given to the tool.",
        "type": "object",
        "properties": {name: {"description": words} | kind for name, (words, kind) in {**FIELDS, **OLDER}.items()},
        "additionalProperties": True,
    }
