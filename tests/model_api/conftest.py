"""A model API for each test, which must have no error of its own at the end."""

from collections.abc import Iterator

import pytest

from orchestrator.conformance.model_api import ModelApi


@pytest.fixture
def api() -> Iterator[ModelApi]:
    """The API, listening."""
    with ModelApi() as one:
        yield one
        assert one.troubles == []
