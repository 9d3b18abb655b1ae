"""Puts the layers of the four files together: the user's own, the project's, variables, flags."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from orchestrator.config.fields import shown
from orchestrator.config.layers import SECTIONS, Grafted, merged, prepared
from orchestrator.config.sheet import Sheet, document_of
from orchestrator.core.problem import Problem
from orchestrator.strictyaml import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What there is beside the files of the project."""

    user: Path | None = None  # the folder of the user's own files
    variables: Mapping[str, str] = field(default_factory=dict)  # of the environment; others than ours do not count
    flags: Sequence[str] = ()  # KEY=VALUE, as `--set` has them


ALONE = Around()


def lay(sheets: Mapping[str, Sheet], around: Around) -> None:
    """Makes each sheet, by the name of its file, say what all its layers say."""
    if around.user is not None:
        for name, sheet in sheets.items():
            _lay_user(sheet, around.user / name)
    if around.variables or around.flags:
        _lay_given(sheets, around)


def _lay_user(sheet: Sheet, file: Path) -> None:
    project = sheet.document
    if project is not None and not _is_mapping(project.root):
        return  # it is refused, and nothing else is to be said of it
    document = document_of(sheet, file, shown_as=str(file))
    if document is None:
        return
    if not _is_mapping(document.root):
        message = f"{shown(document.root.plain())} stands where a mapping is wanted"
        hint = f"start with `{SECTIONS[file.name][0]}:` and indent what is under it"
        sheet.problems.append(Problem(path=document.path, message=message, hint=hint))
        sheet.readable = False
        return
    user = prepared(document)
    if not sheet.readable:
        return  # the project's file cannot be read: what is in force is not known
    theirs = replace(user, value={}) if project is None else prepared(project)
    if user.value and "policies" in _names(user):
        from orchestrator.config.layers_bound import bound, refuse_older_spellings

        refuse_older_spellings(sheet, user)
        theirs = bound(user, theirs)
    sheet.root = merged(user, theirs)


def _lay_given(sheets: Mapping[str, Sheet], around: Around) -> None:
    from orchestrator.config.layers_given import GivenRefusedError, given_by

    given, problems = given_by(around.variables, around.flags)
    sheets["policies.yaml"].problems.extend(problems)
    of_section = {section: name for name, sections in SECTIONS.items() for section in sections}
    for one in given:
        sheet = sheets[of_section[one.section]]
        if not sheet.readable or (sheet.root is not None and not _is_mapping(sheet.root)):
            continue  # what names there are is not known
        below = _root(sheet)
        known = {"policies": ("default",), "providers": _providers(sheets["models.yaml"])}
        try:
            layer = one.layer(below, known)
        except GivenRefusedError as refused:
            sheet.problems.append(refused.problem)
            continue
        sheet.root = layer if below is None else merged(below, layer)


def _root(sheet: Sheet) -> Grafted | None:
    if isinstance(sheet.root, Grafted):
        return sheet.root
    return prepared(sheet.document) if sheet.document is not None else None


def _providers(models: Sheet) -> tuple[str, ...]:
    """The providers that models name."""
    entries = models.root.plain() if models.root is not None else None
    declared = entries.get("models") if isinstance(entries, dict) else None
    written = declared.values() if isinstance(declared, dict) else ()
    return tuple(dict.fromkeys(str(one["provider"]) for one in written if isinstance(one, dict) and "provider" in one))


def _is_mapping(node: Node) -> bool:
    return node.value is None or isinstance(node.value, dict)


def _names(root: Grafted) -> tuple[str, ...]:
    return tuple(root.value) if isinstance(root.value, dict) else ()
