"""The front matter of an agent's profile (FORMATS section 8): its `name`, by which tasks may call the agent."""

from pathlib import Path

from orchestrator import strictyaml
from orchestrator.config.fields import shown
from orchestrator.config.sheet import Sheet
from orchestrator.config.wording import Finding

_FENCE = "---"


def read_name(sheet: Sheet, agent: str, profile: str, repository: Path) -> str:
    """The profile's name, empty where it gives none. A missing or unreadable profile is a problem of `sheet`."""
    at = ("agents", agent, "profile")
    try:
        raw = (repository / profile).read_bytes()
    except FileNotFoundError:
        hint = "paths are relative to the repository; write the profile, or remove the key"
        sheet.refuse(Finding(at=at, message=f"there is no file {shown(profile)}", hint=hint))
        return ""
    except OSError as error:
        sheet.refuse(Finding(at=at, message=f"{profile} cannot be read: {error.strerror or error}"))
        return ""
    try:
        document = strictyaml.read(_front_matter(strictyaml.decode(raw, path=profile)), path=profile)
    except strictyaml.YamlRefused as refusal:
        sheet.problems.extend(refusal.problems)
        return ""
    node = document.at("name")
    if node is None or node.value is None:
        return ""
    if not isinstance(node.value, str):
        message = f"{shown(node.plain())} stands where a text is wanted"
        sheet.problems.append(strictyaml.problem_at(document, node, message, "put it in quotes", key="name"))
        return ""
    return node.value.strip()


def _front_matter(text: str) -> str:
    """The lines between the fences, with an empty line for the first fence, so that positions are those of the file."""
    lines = text.splitlines()
    if not lines or lines[0].rstrip() != _FENCE:
        return "{}"
    for number, line in enumerate(lines[1:], start=1):
        if line.rstrip() == _FENCE:
            return "\n".join(("", *lines[1:number], ""))
    return "{}"
