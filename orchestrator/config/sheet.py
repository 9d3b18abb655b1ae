"""One configuration file while it is read, all its layers as one: its entries by name, its problems with their places.

What does not fit is dropped and the rest is still read and checked, so that one run shows everything there is to mend.
"""

from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from orchestrator import strictyaml
from orchestrator.config.fields import ModelName, Name, shown
from orchestrator.config.layers import Grafted
from orchestrator.config.schema import Entry
from orchestrator.config.wording import Finding, Step, findings, unknown_key
from orchestrator.core.problem import Problem

E = TypeVar("E", bound=Entry)
_NAMES = TypeAdapter[str](Name, config={"strict": True, "defer_build": True})
_MODEL_NAMES = TypeAdapter[str](ModelName, config={"strict": True, "defer_build": True})


class Sheet:
    """A configuration file. Where it is missing or unreadable it has no entries, and `readable` is false."""

    def __init__(self, path: str) -> None:
        self.path = path  # of the project's file
        self.document: strictyaml.Document | None = None  # the project's
        self.root: strictyaml.Node | None = None  # of all layers
        self.missing = False  # the project has no such file
        self.problems: list[Problem] = []
        self.dropped: set[tuple[Step, ...]] = set()
        self.readable = True  # where the names in this file are not known, nobody is told that a name is wrong

    def refuse(self, finding: Finding) -> None:
        """Note a problem, at the place that is nearest to what the finding names."""
        node, document = self.nearest(finding.at)
        if document is None or node is None or (node is self.root and isinstance(node.value, dict | None)):
            key = _dotted(finding.at)
            self.problems.append(Problem(path=self.path, message=finding.message, hint=finding.hint, key=key))
            return
        self.note(finding, node, document)

    def note(self, finding: Finding, node: strictyaml.Node, document: strictyaml.Document) -> None:
        """Note a problem at a node of one of the layers."""
        key = _dotted(finding.at)
        at_key = finding.at_key and node.key_span is not None
        self.problems.append(
            strictyaml.problem_at(document, node, finding.message, finding.hint, key=key, at_key=at_key)
        )

    def is_whole(self, *at: Step) -> bool:
        """Whether nothing was dropped at that place: what is said there is what is known there."""
        return self.readable and not any(at[: len(dropped)] == dropped for dropped in self.dropped)

    def sections(self, *known: str, required: tuple[str, ...] = ()) -> None:
        """Check the keys of the file itself."""
        if self.root is None:
            if self.missing and required:
                self._refuse_missing()
            return
        root = {} if self.root.value is None else self.root.value
        if not isinstance(root, dict):
            self.readable = False
            message = f"{shown(self.root.plain())} stands where a mapping is wanted"
            self.refuse(Finding(at=(), message=message, hint=f"start with `{known[0]}:` and indent what is under it"))
            return
        for key in root:
            if key not in known:
                self.refuse(unknown_key((key,), known))
        for key in required:
            if key in root:
                continue
            if self.missing:
                self._refuse_missing()
                continue
            self.readable = False
            self.refuse(Finding(at=(), message=f'"{key}" is missing', hint=f"add `{key}:`"))

    def names(self, section: str) -> tuple[str, ...]:
        """The names under a section, of dropped entries as well."""
        node = self._at((section,))
        return tuple(node.value) if node is not None and isinstance(node.value, dict) else ()

    def entries(self, section: str, model: type[E]) -> dict[str, E]:
        """The entries under a section, without what does not fit in them."""
        node = self._at((section,))
        if node is None or node.value is None:
            return {}
        if not isinstance(node.value, dict):
            self.readable = False
            message = f"{shown(node.plain())} stands where a mapping of names is wanted"
            hint = "write each name with its keys under it"
            self.refuse(Finding(at=(section,), message=message, hint=hint))
            return {}
        naming = _MODEL_NAMES if section == "models" else _NAMES
        good: dict[str, E] = {}
        folded: dict[str, str] = {}
        for name in node.value:
            named = self._named(section, name, naming, folded)
            entry = self.entry(model, section, name)
            if named and entry is not None:
                good[name] = entry
        return good

    def entry(self, model: type[E], *at: str) -> E | None:
        """The entry at a place, without the keys that do not fit; all defaults where nothing stands there."""
        node = self._at(at)
        plain = {} if node is None or node.value is None else node.plain()
        try:
            return model.model_validate(plain)
        except ValidationError as error:
            wrong = findings(error, model)
        for found in wrong:
            self.refuse(Finding(at=(*at, *found.at), message=found.message, hint=found.hint, at_key=found.at_key))
            self.dropped.add((*at, *found.at[:1]))
        rest = (
            {key: value for key, value in plain.items() if (*at, key) not in self.dropped}
            if isinstance(plain, dict)
            else {}
        )
        try:
            return model.model_validate(rest)
        except ValidationError:  # a key that it cannot do without is missing, and was just noted
            return None

    def single(self, model: type[E]) -> E:
        """The values of the file's own keys that `model` knows, those that do not fit by their default."""
        root = self._at(())
        keys = root.value if root is not None and isinstance(root.value, dict) else {}
        plain = {key: node.plain() for key, node in keys.items() if key in model.model_fields}
        try:
            return model.model_validate(plain)
        except ValidationError as error:
            wrong = findings(error, model)
        for found in wrong:
            self.refuse(found)
        bad = {found.at[0] for found in wrong}
        return model.model_validate({key: value for key, value in plain.items() if key not in bad})

    def holds(self, section: str) -> bool:
        """Whether anything stands under a section."""
        node = self._at((section,))
        return node is not None and node.value is not None

    def _named(self, section: str, name: str, naming: TypeAdapter[str], folded: dict[str, str]) -> bool:
        """Whether the name will do: names become folders, and some machines do not tell `Writer` from `writer`."""
        try:
            naming.validate_python(name)
        except ValidationError as error:
            context = error.errors()[0].get("ctx", {})
            self.refuse(Finding(at=(section, name), message=context["message"], hint=context["hint"], at_key=True))
            return False
        twin = folded.setdefault(name.casefold(), name)
        if twin != name:
            message = f"{shown(name)} and {shown(twin)} differ in capitals only"
            self.refuse(Finding(at=(section, name), message=message, hint="rename one of them", at_key=True))
        return twin == name

    def _refuse_missing(self) -> None:
        self.readable = False
        self.refuse(Finding(at=(), message="the file is missing", hint="make it with: orchestrator init"))

    def _at(self, at: tuple[Step, ...]) -> strictyaml.Node | None:
        node = self.root
        for step in at:
            node = _child(node, step) if node is not None else None
        return node

    def nearest(self, at: tuple[Step, ...]) -> tuple[strictyaml.Node | None, strictyaml.Document | None]:
        """The node there, else the closest one above it that exists, and the layer that says it."""
        node, document = self.root, self.document
        if isinstance(node, Grafted):
            document = node.document
        for step in at:
            below = _child(node, step) if node is not None else None
            if below is None:
                break
            node = below
            if isinstance(node, Grafted):
                document = node.document
        return node, document


def _child(node: strictyaml.Node, step: Step) -> strictyaml.Node | None:
    if isinstance(node.value, dict):
        return node.value.get(str(step))
    if isinstance(node.value, list) and isinstance(step, int) and step < len(node.value):
        return node.value[step]
    return None


def _dotted(at: tuple[Step, ...]) -> str:
    text = ""
    for step in at:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def open_sheet(file: Path, *, shown_as: str, instead: bytes | None = None) -> Sheet:
    """Read a project's file, or what is to stand there; whatever is in the way becomes a problem of the sheet."""
    sheet = Sheet(shown_as)
    sheet.document = document_of(sheet, file, shown_as=shown_as, instead=instead)
    sheet.root = sheet.document.root if sheet.document else None
    sheet.missing = sheet.document is None and sheet.readable
    return sheet


def document_of(sheet: Sheet, file: Path, *, shown_as: str, instead: bytes | None = None) -> strictyaml.Document | None:
    """What a file says; None where there is none, or where it cannot be read, which the sheet then tells."""
    try:
        raw = file.read_bytes() if instead is None else instead
        return strictyaml.read(strictyaml.decode(raw, path=shown_as), path=shown_as)
    except FileNotFoundError:
        return None
    except OSError as error:
        reason = error.strerror or str(error)
        hint = "make it a file that you may read"
        sheet.problems.append(Problem(path=shown_as, message=f"cannot be read: {reason}", hint=hint))
    except strictyaml.YamlRefused as refusal:
        sheet.problems.extend(refusal.problems)
    sheet.readable = False
    return None
