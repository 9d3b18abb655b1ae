"""Repositories as people have them, and trails on them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from trail_feeder import make_repository

from orchestrator.adapters import place as places
from orchestrator.adapters.trail import worktree
from orchestrator.adapters.trail.own import OwnTrail
from orchestrator.core.settings import TrailSettings

SETTINGS = TrailSettings()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A person's repository."""
    return make_repository(tmp_path / "with" / "repository")


@pytest.fixture
def open_trail() -> Iterator[Callable[[Path], OwnTrail]]:
    """Opens trails as a daemon does at its start (create, recover), and closes them at the end."""
    opened: list[OwnTrail] = []

    def open_one(folder: Path) -> OwnTrail:
        found = places.find(folder)
        worktree.create(found, SETTINGS)
        trail = OwnTrail(places.find(folder), SETTINGS)
        opened.append(trail)
        trail.recover()
        return trail

    yield open_one
    for trail in opened:
        trail.close()
