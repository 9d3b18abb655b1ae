"""Profiles of agents (FORMATS section 8): front matter that people write for other tools too, and a Markdown body.

`name` is one more name of the agent, and the body is its system prompt. Keys that we do not know are nobody's mistake.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from orchestrator import strictyaml
from orchestrator.core.problem import Problem
from orchestrator.taskfile.frontmatter import front_matter_body, split

SUFFIX = ".agent.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One profile, as far as it can be read."""

    path: str
    name: str = ""
    description: str = ""
    tools: tuple[str, ...] = ()  # what the front matter says; other programs use it, we show it
    extras: Mapping[str, object] = field(default_factory=dict)  # every other key
    body: str = ""
    problems: tuple[Problem, ...] = ()  # it is refused with the configuration
    faults: tuple[Problem, ...] = ()  # it can be used, and is not what it should be
    remarks: tuple[Problem, ...] = ()  # it could be better


def parse(raw: bytes, *, path: str) -> Profile:
    """The profile that a file holds. Whatever is wrong is in it, with its place."""
    try:
        text = strictyaml.decode(raw, path=path)
        return _with_remarks(_parsed(text, path))
    except strictyaml.YamlRefused as refusal:
        return Profile(path=path, problems=refusal.problems)


def _parsed(text: str, path: str) -> Profile:
    first = text.partition("\n")[0]
    if first.partition("#")[0].rstrip() != "---":
        return Profile(path=path, body=front_matter_body(text))
    parts = split(text)
    if parts.yaml_end == len(text):
        message = "the front matter that begins here has no end"
        hint = "put a line --- below its last key; what is below that is the system prompt"
        fault = Problem(path=path, message=message, hint=hint, line=1, column=1, length=3, source=first.rstrip())
        return Profile(path=path, faults=(fault,))
    document = strictyaml.read(text[: parts.yaml_end], path=path)
    keys = document.root.value
    body = front_matter_body(text)
    if keys is None:
        return Profile(path=path, body=body)
    if not isinstance(keys, dict):
        message = f"{_shown(document.root)} stands where the keys of the front matter are wanted"
        problem = strictyaml.problem_at(document, document.root, message, "write `name: ...` and `description: ...`")
        return Profile(path=path, body=body, problems=(problem,))
    return _with_keys(Profile(path=path, body=body), document, keys)


def _with_keys(profile: Profile, document: strictyaml.Document, keys: Mapping[str, strictyaml.Node]) -> Profile:
    problems: list[Problem] = []
    faults: list[Problem] = []
    texts: dict[str, str] = {}
    for key, into in (("name", problems), ("description", faults)):
        node = keys.get(key)
        if node is None or node.value is None:
            continue
        if isinstance(node.value, str):
            texts[key] = node.value.strip()
            continue
        message = f"{_shown(node)} stands where a text is wanted"
        into.append(strictyaml.problem_at(document, node, message, "put it in quotes", key=key))
    tools = _tools(keys.get("tools"))
    if tools is None:
        node = keys["tools"]
        message = f"{_shown(node)} is no list of tools"
        faults.append(strictyaml.problem_at(document, node, message, "write e.g. [read, edit], or read, edit", "tools"))
    return replace(
        profile,
        name=texts.get("name", ""),
        description=texts.get("description", ""),
        tools=tools or (),
        extras={key: node.plain() for key, node in keys.items() if key not in {"name", "description", "tools"}},
        problems=tuple(problems),
        faults=tuple(faults),
    )


def _tools(node: strictyaml.Node | None) -> tuple[str, ...] | None:
    """As a list or as a text with commas; None where it is neither."""
    if node is None or node.value is None:
        return ()
    if isinstance(node.value, str):
        return tuple(tool for part in node.value.split(",") if (tool := part.strip()))
    if not isinstance(node.value, list) or not all(isinstance(one.value, str) for one in node.value):
        return None
    return tuple(str(one.value).strip() for one in node.value)


def _with_remarks(profile: Profile) -> Profile:
    """What is not there, at the whole file: there is no place where it is not."""
    if profile.problems or any(one.line == 1 for one in profile.faults):  # nothing of it was read
        return profile
    faults, remarks = list(profile.faults), []
    if not profile.body:
        hint = "write below the front matter who the agent is: it is the system prompt"
        faults.append(Problem(path=profile.path, message="the body is empty", hint=hint))
    if not profile.name:
        hint = "add `name: ...` to its front matter; until then its file and the key in agents.yaml name it"
        remarks.append(Problem(path=profile.path, message="it has no name", hint=hint))
    if not profile.description and not any(one.key == "description" for one in faults):
        hint = "add `description: ...` to its front matter: one sentence, shown by `orchestrator agent list`"
        remarks.append(Problem(path=profile.path, message="it has no description", hint=hint))
    return replace(profile, faults=tuple(faults), remarks=tuple(remarks))


def _shown(node: strictyaml.Node) -> str:
    match node.value:
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case bool():
            return "true" if node.value else "false"
        case _:
            return str(node.value)[:60]
