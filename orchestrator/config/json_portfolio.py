"""The JSON Schemas (2020-12) of a run and of a specification's front matter, as FORMATS sections 1, 2 and 7 have them.

Both are open: other keys are kept.
"""

from typing import Any

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_ID: Schema = {"type": ["string", "number"]}
_TASK: Schema = {"type": "string", "pattern": r"^[A-Za-z0-9][A-Za-z0-9._-]*$", "maxLength": 205}
_PRIORITY: Schema = {"type": ["string", "number", "null"], "examples": ["critical", "high", "medium", "normal", "low"]}
_COMPLETION: Schema = {
    "anyOf": [
        {"type": "number", "minimum": 0, "maximum": 100},
        {"type": ["string", "null"]},  # real ones hold 100%, and dates
    ]
}


def run_schema() -> Schema:
    """`runs/<RUN-YYYYMMDD-NNN>/run.yaml`: a group of tasks."""
    return {
        "title": "orchestrator: run",
        "description": "A group of tasks.",
        "type": "object",
        "properties": {
            "id": {
                "description": "The name of its folder.",
                "type": "string",
                "pattern": r"^RUN-[0-9]{8}-[0-9]{3,}$",
                "examples": ["RUN-20260212-001"],
            },
            "title": {"description": "What it is for, in a line."} | _TEXT,
            "description": {"description": "What is to come of it."} | _TEXT,
            "specification": {"description": "The path of the specification that it works for."} | _TEXT,
            "tasks": {"description": "Ids of its tasks.", "type": "array", "items": _TASK},
        },
        "additionalProperties": True,
    }


def specification_schema() -> Schema:
    """The front matter of a specification."""
    feature = {
        "type": "object",
        "properties": {
            "id": {"description": "By which tasks name it in `feature:`."} | _ID,
            "title": {"description": "What it is, in a line."} | _TEXT,
            "status": {"description": "done counts 1, in_progress 0.5, blocked 0.25, anything else 0."} | _TEXT,
            "priority": {"description": "How urgent it is."} | _PRIORITY,
        },
        "required": ["id", "title"],
        "additionalProperties": True,
    }
    return {
        "title": "orchestrator: specification",
        "description": "What is to be built, above the Markdown that tells it.",
        "type": "object",
        "properties": {
            "id": {"description": "Its name."} | _ID,
            "title": {"description": "What it is, in a line."} | _TEXT,
            "status": {"description": "Where it stands, e.g. draft, approved, in_progress, done."} | _TEXT,
            "initiative": {"description": "The initiative that it belongs to."} | _TEXT,
            "priority": {"description": "How urgent it is."} | _PRIORITY,
            "epic": {"description": "The epic that it belongs to.", "type": ["string", "null"]},
            "features": {"description": "Its parts.", "type": ["array", "null"], "items": feature},
            "completion": {"description": "0 to 100, where neither tasks nor features tell."} | _COMPLETION,
        },
        "required": ["id", "title", "status", "initiative"],
        "additionalProperties": True,
    }
