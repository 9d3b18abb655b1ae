"""`orchestrator config set`: one value set or taken out, and the whole checked before it is written."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory

from orchestrator.adapters.place import Place
from orchestrator.config.layers import NAMED, SECTIONS
from orchestrator.config.places import At, dotted
from orchestrator.config.placing import placed
from orchestrator.config.setting import file_of, meant, place_of
from orchestrator.config.taking import removed
from orchestrator.core.problem import Problem
from orchestrator.errors import NotFoundError
from orchestrator.strictyaml import Document
from orchestrator.wiring.editing import EditedFile, held


class Whose(StrEnum):
    """Whose file is edited."""

    PROJECT = "project"
    USER = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """What became of one file."""

    file: str
    before: str
    after: str
    key: str = ""
    made: str = ""  # the entry that was not there before
    left: tuple[Problem, ...] = ()  # problems that the configuration had before as well


def set_value(place: Place, key: str, text: str, *, whose: Whose = Whose.PROJECT) -> Edited:
    """Sets the value. Raises UsageError for key or value, ConfigRefused where the configuration would be worse."""
    with _edited(place, key, whose) as edited:
        document = edited.document()
        at = place_of(key, document)
        value = meant(at, text)
        changed = placed(document, at, value.value, written=value.written)
        edited.text = changed.text
        return _written(place, edited, whose, at, made=_made(document, at) if whose is Whose.PROJECT else "")


def unset(place: Place, key: str, *, whose: Whose = Whose.PROJECT) -> Edited:
    """Takes the value out. Raises NotFoundError where it is not there, and as `set_value`."""
    with _edited(place, key, whose) as edited:
        document = edited.document()
        at = place_of(key, document)
        if document.at(*at) is None:
            raise NotFoundError(f"{edited.shown} does not say {dotted(at)}; nothing is to be taken out")
        edited.text = removed(document, at).text
        return _written(place, edited, whose, at)


def overridden(place: Place, edited: Edited, whose: Whose) -> str:
    """Which layer above says something else, so that the edit changes nothing yet; empty where none does."""
    from orchestrator.config.origins import Layer
    from orchestrator.config.refused import ConfigRefused
    from orchestrator.wiring.configuring import around
    from orchestrator.wiring.showing import show

    layers = around(place)
    if whose is Whose.PROJECT and not layers.variables and not layers.flags:
        return ""
    above = {Layer.VARIABLE.value, Layer.FLAG.value}
    if whose is Whose.USER and not edited.key.startswith("policies."):  # limits of the user bind in any case
        above.add(Layer.PROJECT.value)
    try:
        lines = show(place, edited.key).lines
    except (NotFoundError, ConfigRefused):
        return ""
    over = next((line for line in lines if line.layer in above), None)
    return f"in force is {over.key}: {over.written} all the same, from {over.origin}" if over else ""


@contextmanager
def _edited(place: Place, key: str, whose: Whose) -> Iterator[EditedFile]:
    name = file_of(key)
    folder = folder_of(place, whose)
    if whose is Whose.USER:
        folder.mkdir(parents=True, exist_ok=True)
    with held(folder):
        yield EditedFile(place, name, folder=folder)


def folder_of(place: Place, whose: Whose) -> Path:
    """Where the files are. Raises NotFoundError where the user has no home."""
    if whose is Whose.PROJECT:
        return place.config
    import os

    from orchestrator.wiring.configuring import user_folder

    folder = user_folder(os.environ)
    if folder is None:
        raise NotFoundError("you have no folder for configuration: neither XDG_CONFIG_HOME nor HOME is set")
    return folder


def _written(place: Place, edited: EditedFile, whose: Whose, at: At, *, made: str = "") -> Edited:
    left: tuple[Problem, ...] = ()
    if edited.is_changed:
        left = check(place, whose, {edited.name: edited.content})
        edited.write()
    return Edited(file=edited.shown, before=edited.before, after=edited.text, key=dotted(at), made=made, left=left)


def _made(document: Document, at: At) -> str:
    """The entry that is new with this value; a slip in a name makes one."""
    is_new = len(at) > 2 and isinstance(at[1], str) and document.at(*at[:2]) is None
    is_known = at[:2] == ("policies", "default")
    return dotted(at[:2]) if is_new and at[0] in NAMED and not is_known else ""


def check(place: Place, whose: Whose, contents: Mapping[str, bytes]) -> tuple[Problem, ...]:
    """Reads the whole configuration with these contents. Problems that it has already are given, new ones refused.

    Raises ConfigRefused.
    """
    from orchestrator.config.refused import ConfigRefused

    after = problems_with(place, whose, contents)
    if not after:
        return ()
    known = {_about(problem) for problem in problems_with(place, whose, {})}
    if new := [problem for problem in after if _about(problem) not in known]:
        raise ConfigRefused(new)
    return tuple(after)


def _about(problem: Problem) -> tuple[str, str, str]:
    return problem.path, problem.key, problem.message


def problems_with(place: Place, whose: Whose, contents: Mapping[str, bytes]) -> list[Problem]:
    """Every problem of the configuration with these contents instead of those files."""
    from orchestrator.wiring.configuring import around, examined

    if whose is Whose.PROJECT or not contents:
        return examined(place, contents or None).problems
    from orchestrator.config.loading import examine

    folder = folder_of(place, whose)
    with TemporaryDirectory(prefix="orchestrator-") as other:
        for name in SECTIONS:
            if name in contents or (folder / name).exists():
                (Path(other) / name).write_bytes(contents.get(name) or (folder / name).read_bytes())
        layers = replace(around(place), user=Path(other))
        found = examine(place.config, repository=place.root, around=layers).problems
        return [replace(problem, path=problem.path.replace(other, str(folder))) for problem in found]
