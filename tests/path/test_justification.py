"""A run that may cost much says why, or does not begin."""

from dataclasses import replace
from pathlib import Path

import pytest
from test_metering import settings
from world import Fake

from orchestrator.core.types import MicroUsd, Status


@pytest.mark.parametrize(
    ("most", "lines", "status"),
    [
        (999, (), Status.BLOCKED),
        (1000, (), Status.DONE),
        (999, ("justification: the release waits for it",), Status.DONE),
        (999, ("justification: '  '",), Status.BLOCKED),
    ],
)
def test_it_is_asked_for_above_the_line_of_the_policy(
    tmp_path: Path, most: int, lines: tuple[str, ...], status: Status
) -> None:
    given = settings(hard=True)
    policy = replace(given.policies["default"], justification_over=MicroUsd(most))
    fake = Fake(tmp_path, replace(given, policies={"default": policy}))
    fake.drop("x", *lines)
    fake.run()
    assert fake.status("x") is status
    if status is Status.BLOCKED:
        assert "above $0.000999 policy default wants a reason" in fake.trail.commits[-1].body
