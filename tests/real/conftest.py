"""Tests with the real claude and codex: skipped unless ORCHESTRATOR_REAL_CLIS names the folder of their binaries.

`make test-real` installs them at the pinned versions and names it.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))  # the situations that these tests share

# Read here: for the tests themselves nothing of the caller's ORCHESTRATOR_* is left.
BINARIES = os.environ.get("ORCHESTRATOR_REAL_CLIS", "")


def pytest_configure(config: pytest.Config) -> None:
    """Knows the mark."""
    config.addinivalue_line("markers", "real: drives a real command-line agent, on loopback alone")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests of this folder, and skips them where the binaries are not."""
    here = Path(__file__).parent
    missing = [name for name in ("claude", "codex") if not Path(BINARIES, name).exists()] if BINARIES else ["any"]
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.real)
            if missing:
                why = (
                    f"ORCHESTRATOR_REAL_CLIS={BINARIES} lacks {', '.join(missing)}"
                    if BINARIES
                    else "run: make test-real"
                )
                item.add_marker(pytest.mark.skip(reason=f"the real programs are not here: {why}"))


@pytest.fixture
def shop(tmp_path: Path) -> Iterator["Shop"]:  # noqa: F821 - imported below, when it is needed
    """A repository whose agents are real programs."""
    from real_world import Shop

    made = Shop(tmp_path / "shop", Path(BINARIES).resolve())
    yield made
    made.end()
