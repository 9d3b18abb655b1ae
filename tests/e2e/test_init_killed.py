"""`init` killed at each of its steps: the old configuration or the new one is read, and a second `init` finishes."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_world import World, repository

from orchestrator.adapters.place import find
from orchestrator.config.sets import ConfigSet
from orchestrator.core.settings import Settings
from orchestrator.errors import ConfigRefusedError, OrchestratorError
from orchestrator.wiring.configuring import read_settings
from orchestrator.wiring.initialising import Wish, embedded_alone, set_up
from orchestrator.wiring.validating import validate

KILLED = 42
WISH = Wish(chosen=ConfigSet.DEVELOPMENT)
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")


def make(root: Path, kind: str) -> World:
    """A folder of that kind, with what was there before."""
    if kind == "no git":
        root.mkdir()
        return World(root)
    if kind == "bare":
        subprocess.run(["git", "init", "-q", "--bare", str(root)], check=True)
        return World(root)
    if kind == "configured" and (root.parent / "template").exists():
        return World(root.parent / "template").copied(root)
    world = repository(root.parent / "template" if kind == "configured" else root)
    if kind == "configured":
        place = find(world.root)
        set_up(place, Wish(), embedded_alone(place))
        return world.copied(root)
    return world


def wish_for(kind: str) -> Wish:
    return Wish(chosen=ConfigSet.DEVELOPMENT, force=kind == "configured")


def steps_of(root: Path, kind: str) -> list[str]:
    make(root, kind)
    place = find(root, use_git=kind != "no git")
    told: list[str] = []
    set_up(place, wish_for(kind), embedded_alone(place), step=told.append)
    return told


def killed_at(number: int, root: Path, kind: str) -> None:
    child = os.fork()
    if child == 0:
        left = iter(range(number))

        def step(_: str) -> None:
            if next(left, None) is None:
                os._exit(KILLED)

        try:
            place = find(root, use_git=kind != "no git")
            set_up(place, wish_for(kind), embedded_alone(place), step=step)
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED


def settings_in(root: Path, kind: str) -> Settings | None:
    place = find(root, use_git=kind != "no git")
    if (place.config / "agents.yaml").exists() or (place.state / "init.json").exists():
        return read_settings(place)
    with pytest.raises(ConfigRefusedError, match="make it with: orchestrator init"):
        read_settings(place)
    return None


def configuration(root: Path) -> dict[str, bytes]:
    """Its files, whatever the time in the names of backups is."""
    folder = root / ("orchestrator-config" if (root / "orchestrator-config").is_dir() else "config")
    return {re.sub(r"\.\d{8}T\d{6}\.", ".", name): (folder / name).read_bytes() for name in os.listdir(folder)}


@pytest.mark.parametrize("kind", ["fresh", "configured", "bare", "no git"])
def test_killed_at_any_step_it_leaves_the_old_or_the_new_and_a_second_one_finishes(kind: str, tmp_path: Path) -> None:
    steps = steps_of(tmp_path / "whole", kind)
    whole = settings_in(tmp_path / "whole", kind)
    make(tmp_path / "old", kind)
    old = settings_in(tmp_path / "old", kind)
    assert whole is not None
    assert "tester" in whole.agents
    some = 1 if kind in {"fresh", "configured"} else 4  # the other kinds differ in what the trail does
    for number, name in list(enumerate(steps))[::some]:
        root = tmp_path / str(number)
        make(root, kind)
        killed_at(number, root, kind)
        seen = settings_in(root, kind)
        is_new = number > steps.index("commit")
        assert (seen.agents if seen else None) == (whole.agents if is_new else old.agents if old else None), name
        place = find(root, use_git=kind != "no git")
        again = Wish(chosen=ConfigSet.DEVELOPMENT, force=kind == "configured" and not is_new)
        made = set_up(place, again, embedded_alone(place))
        assert any("interrupted" in note for note in made.notes) is is_new, name
        assert configuration(root) == configuration(tmp_path / "whole"), name
        assert validate(place).is_good
        assert (place.work / "collaboration/inbox").is_dir()
        litter = [path for path in root.rglob("*.orchestrator.tmp") if ".git" not in path.parts]
        assert litter == [], name
        assert not (place.state / "init.json").exists()
        if kind == "fresh":
            assert World(root).git("status", "--porcelain") == "?? config/\n"


def tree(root: Path) -> dict[str, bytes | None]:
    """All of it, git's own as well but for objects, which nothing names, and logs of a branch that is gone."""
    left_out = {"objects", "logs"}
    return {
        path.relative_to(root).as_posix(): path.read_bytes() if path.is_file() else None
        for path in root.rglob("*")
        if not left_out & set(path.relative_to(root).parts[:2])
    }


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=["full", "Ctrl-C"])
def test_what_fails_at_any_step_before_the_moment_leaves_everything_as_it_was(
    error: BaseException, tmp_path: Path
) -> None:
    steps = steps_of(tmp_path / "whole", "fresh")
    root = tmp_path / "again"
    make(root, "fresh")
    before = tree(root)
    for number, name in enumerate(steps[: steps.index("commit") + 1]):
        left = iter(range(number))

        def step(_: str, left: Iterator[int] = left) -> None:
            if next(left, None) is None:
                raise error

        with pytest.raises((OrchestratorError, KeyboardInterrupt)) as raised:
            set_up(find(root), WISH, embedded_alone(find(root)), step=step)
        assert isinstance(raised.value, KeyboardInterrupt) or "nothing was changed" in str(raised.value)
        assert tree(root) == before, name
    set_up(find(root), WISH, embedded_alone(find(root)))
    assert configuration(root) == configuration(tmp_path / "whole")


def test_what_fails_after_the_moment_says_that_the_new_configuration_holds(tmp_path: Path) -> None:
    steps = steps_of(tmp_path / "whole", "fresh")
    root = tmp_path / "again"
    make(root, "fresh")
    left = iter(range(steps.index("commit") + 2))

    def step(_: str) -> None:
        if next(left, None) is None:
            raise OSError(28, "No space left on device")

    with pytest.raises(OrchestratorError, match=r"the new configuration holds.*: orchestrator init"):
        set_up(find(root), WISH, embedded_alone(find(root)), step=step)
    assert "tester" in read_settings(find(root)).agents
    World(root).well("init")
    assert configuration(root) == configuration(tmp_path / "whole")
