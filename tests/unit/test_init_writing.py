"""Several files written together: whoever is killed at any step leaves the old ones or the new ones, and no litter."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.adapters.place import Place, find
from orchestrator.wiring.initialising_writing import Batch, NewFile, clear_away, finish, pending

NAMES = ("agents.yaml", "tools.yaml")
NEW = {"config/agents.yaml": b"new agents", "config/tools.yaml": b"new tools", ".gitignore": b"old\nnew\n"}
OLD = {"config/agents.yaml": b"old agents", "config/tools.yaml": b"old tools", ".gitignore": b"old\n"}
KILLED = 42
FORKS = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")


def place_in(folder: Path, old: dict[str, bytes]) -> Place:
    place = find(folder, use_git=False)
    place.state.mkdir(parents=True)
    for name, content in old.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    return place


def wanted(old: dict[str, bytes]) -> list[NewFile]:
    return [
        NewFile(path=path, content=content, backup=f"{path}.bak" if path in old and path.startswith("config") else "")
        for path, content in NEW.items()
    ]


def files_in(place: Place) -> dict[str, bytes]:
    paths = [path for path in place.root.rglob("*") if path.is_file() and place.state not in path.parents]
    return {path.relative_to(place.root).as_posix(): path.read_bytes() for path in paths}


def carried_out(place: Place, old: dict[str, bytes], step: Callable[[str], None]) -> None:
    batch = Batch(place, step)
    try:
        batch.stage(wanted(old))
        batch.commit()
    except OSError:
        batch.undo()
        raise


def steps_of(folder: Path, old: dict[str, bytes]) -> list[str]:
    told: list[str] = []
    carried_out(place_in(folder, old), old, told.append)
    return told


def killed_at(number: int, place: Place, old: dict[str, bytes]) -> None:
    """Does it in a process that ends at that step as if by kill -9: no handler runs."""
    child = os.fork()
    if child == 0:
        left = iter(range(number))

        def step(_: str) -> None:
            if next(left, None) is None:
                os._exit(KILLED)

        try:
            carried_out(place, old, step)
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED


def in_force(place: Place) -> dict[str, bytes]:
    """What a reader of the configuration sees."""
    there = {name: (place.config / name).read_bytes() for name in NAMES if (place.config / name).exists()}
    return there | pending(place)


@FORKS
@pytest.mark.parametrize("old", [{}, OLD], ids=["nothing", "older files"])
def test_killed_at_any_step_it_is_the_old_state_or_the_new_one_and_can_be_finished(
    old: dict[str, bytes], tmp_path: Path
) -> None:
    steps = steps_of(tmp_path / "whole", old)
    new = {name: NEW[f"config/{name}"] for name in NAMES}
    before = {name: old[f"config/{name}"] for name in NAMES if old}
    whole = files_in(find(tmp_path / "whole", use_git=False))
    assert len(steps) > 8
    for number, name in enumerate(steps):
        place = place_in(tmp_path / str(number), old)
        killed_at(number, place, old)
        is_done = number > steps.index("commit")
        assert in_force(place) == (new if is_done else before), name
        notes = finish(place, lambda _: None)
        clear_away(place.config, NAMES)
        clear_away(place.root, (".gitignore",))
        assert bool(notes) is is_done, name
        assert files_in(place) == (whole if is_done else old), name
        assert list(place.state.iterdir()) == [], name


def test_a_failure_before_the_moment_takes_everything_back(tmp_path: Path) -> None:
    steps = steps_of(tmp_path / "whole", {})
    for number, name in enumerate(steps[: steps.index("commit") + 1]):
        place = place_in(tmp_path / str(number), {})
        left = iter(range(number))

        def step(_: str, left: "Callable[[], object]" = left.__next__) -> None:
            try:
                left()
            except StopIteration:
                raise OSError(28, "No space left on device") from None

        with pytest.raises(OSError, match="No space left"):
            carried_out(place, {}, step)
        assert list(place.root.iterdir()) == [place.state], name
        assert list(place.state.iterdir()) == [], name


@FORKS
def test_what_came_to_be_there_meanwhile_is_left_as_it_is(tmp_path: Path) -> None:
    steps = steps_of(tmp_path / "whole", {})
    place = place_in(tmp_path / "killed", {})
    killed_at(steps.index("commit") + 1, place, {})
    (place.config / "tools.yaml").write_bytes(b"by hand")
    notes = finish(place, lambda _: None)
    assert (place.config / "tools.yaml").read_bytes() == b"by hand"
    assert (place.config / "agents.yaml").read_bytes() == b"new agents"
    assert any("config/tools.yaml" in note for note in notes)
    clear_away(place.config, NAMES)
    assert len(files_in(place)) == 3


def test_a_list_that_cannot_be_read_is_cleared_away(tmp_path: Path) -> None:
    place = place_in(tmp_path / "a", OLD)
    for raw in (b"", b"[]", b'{"moves": [{}]}', b'{"moves": 7}', b"\xff"):
        (place.state / "init.json").write_bytes(raw)
        assert pending(place) == {}
        assert finish(place, lambda _: None) == []
        assert list(place.state.iterdir()) == []


def test_the_mode_of_a_file_is_kept_and_its_backup_is_the_file_itself(tmp_path: Path) -> None:
    place = place_in(tmp_path / "a", OLD)
    file = place.config / "agents.yaml"
    file.chmod(0o600)
    inode = file.stat().st_ino
    carried_out(place, OLD, lambda _: None)
    assert file.stat().st_mode & 0o777 == 0o600
    assert (place.config / "agents.yaml.bak").stat().st_ino == inode
