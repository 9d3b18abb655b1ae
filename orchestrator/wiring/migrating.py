"""`orchestrator config migrate`: the files as they are written today, shown before anything is written."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from orchestrator.adapters.place import Place
from orchestrator.config.layers import SECTIONS
from orchestrator.config.migrating import migrated
from orchestrator.core.settings import Settings
from orchestrator.errors import InternalError
from orchestrator.wiring.configuring import read_settings
from orchestrator.wiring.editing import EditedFile, held, write_all
from orchestrator.wiring.setting import Whose, check, folder_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """The files that would change, with what they are to hold."""

    files: Sequence[EditedFile]

    def write(self) -> None:
        """All of them, or none."""
        write_all(self.files)


@contextmanager
def migration(place: Place, *, whose: Whose = Whose.PROJECT) -> Iterator[Migration]:
    """What would change. Until the block ends nobody else edits the configuration with these commands.

    Raises ConfigRefusedError where the configuration cannot be read as it is: mend that first.
    """
    folder = folder_of(place, whose)
    if whose is Whose.USER and not folder.is_dir():
        yield Migration(files=())
        return
    with held(folder):
        before = read_settings(place) if whose is Whose.PROJECT else None
        files = [_of_today(place, name, whose) for name in SECTIONS if (folder / name).exists()]
        changed = [one for one in files if one.is_changed]
        _means_the_same(place, changed, whose, before)
        yield Migration(files=changed)


def _of_today(place: Place, name: str, whose: Whose) -> EditedFile:
    edited = EditedFile(place, name, folder=folder_of(place, whose))
    edited.text = migrated(edited.document(), name).text
    return edited


def _means_the_same(place: Place, changed: Sequence[EditedFile], whose: Whose, before: Settings | None) -> None:
    if not changed:
        return
    contents = {one.name: one.content for one in changed}
    if before is None:
        check(place, whose, contents)  # with the older spellings it may be refused as a whole
        return
    if read_settings(place, contents) != before:
        names = ", ".join(one.shown for one in changed)
        raise InternalError(f"{names}: written as today it would mean something else; nothing was changed")
