"""A fake world for each test."""

from pathlib import Path

import pytest
from world import Fake


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    """All ports as plain lists and dicts."""
    return Fake(tmp_path)
