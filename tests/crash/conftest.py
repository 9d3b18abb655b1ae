"""One launcher for the tests of a worker: what it imports is paid for once."""

from collections.abc import Iterator

import pytest
from crash_launcher import Launcher


@pytest.fixture(scope="session")
def launcher() -> Iterator[Launcher]:
    one = Launcher()
    yield one
    one.close()
