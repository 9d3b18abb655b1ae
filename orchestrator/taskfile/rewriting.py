"""Changing top-level fields of a task file by splicing its text: what need not change keeps every byte."""

from collections.abc import Mapping

from orchestrator.errors import InternalError
from orchestrator.strictyaml import Document, YamlRefused, read
from orchestrator.strictyaml.emit import cleaned
from orchestrator.taskfile.blockstyle import BlockMapping
from orchestrator.taskfile.file import TaskFile, parse_read
from orchestrator.taskfile.flowstyle import FlowMapping


def rewrite(file: TaskFile, changes: Mapping[str, object | None]) -> bytes:
    """The file's bytes with these top-level fields set, or removed where the value is None.

    Values are str, int, float, bool, aware datetime (written in UTC to the second), lists and mappings of these.
    Characters that no task file may hold are written as U+FFFD. New fields go below the last field (above it
    where that is text which a line end would change). The result is read
    again and compared before it is given: raises InternalError where it would not say exactly what was asked.
    """
    written = _written(file, changes, file.path)
    return written[0] if written else file.raw


def changed(file: TaskFile, changes: Mapping[str, object | None], *, path: str) -> TaskFile:
    """The task file that `rewrite` makes, as it will be at `path`; the same one where nothing changes.

    Raises:
        InternalError: as `rewrite`; TaskFileRefused: with these fields it is no task.
    """
    written = _written(file, changes, path)
    if not written:
        return file
    raw, text, document = written
    return parse_read(raw, text, document, name=path.rpartition("/")[2])


def _written(file: TaskFile, changes: Mapping[str, object | None], path: str) -> tuple[bytes, str, Document] | None:
    """The new bytes, their text, and its YAML part as it was read again; None where nothing is to change."""
    wanted = {name: cleaned(value) for name, value in changes.items()}
    before = _plain(file.document)
    wanted = {name: value for name, value in wanted.items() if not _stands(before, name, value)}
    if not wanted:
        return None
    after = {**before, **wanted}
    expected = {name: value for name, value in after.items() if name not in wanted or value is not None}
    for careful in (False, True):  # text as a block reads best; where its surroundings would change it, on one line
        spliced = _spliced(file.document, wanted, careful=careful)
        if (document := _read_again(spliced, expected, path)) is not None:
            text = spliced + file.text[len(file.document.text) :]
            return file.mark + text.encode(), text, document
    fields = ", ".join(wanted)
    raise InternalError(
        f"{file.path}: {fields} cannot be written without changing other fields; the file is left as it is"
    )


def _spliced(document: Document, wanted: Mapping[str, object], *, careful: bool) -> str:
    assert isinstance(document.root.value, dict)  # parse refuses anything else
    is_flow = document.root.style == "flow"
    mapping = FlowMapping(document) if is_flow else BlockMapping(document, careful=careful)
    for name, value in wanted.items():
        node = document.root.value.get(name)
        if value is None:
            mapping.remove(name)
        elif node is None:
            mapping.add(name, value)
        else:
            mapping.replace(node, value)
    return mapping.text()


def _read_again(text: str, expected: Mapping[str, object], path: str) -> Document | None:
    """The text as it is read; None where it does not say exactly that."""
    try:
        document = read(text, path=path)
    except YamlRefused:
        return None
    is_so = _same(dict(sorted(_plain(document).items())), dict(sorted(expected.items())))
    return document if is_so else None


def _plain(document: Document) -> dict[str, object]:
    value = document.root.value
    return {name: node.plain() for name, node in value.items()} if isinstance(value, dict) else {}


def _stands(before: Mapping[str, object], name: str, value: object) -> bool:
    """Whether nothing is to do: an absent field is to be absent, or a present one has the value already."""
    if name not in before or value is None:
        return name not in before and value is None
    return _same(before[name], value)


def _same(one: object, other: object) -> bool:
    """Equal, and of the same types throughout: to people, 1, 1.0 and true are three things."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return one == other
