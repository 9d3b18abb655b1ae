"""The daemon dies at random moments under load, again and again; whoever is killed with it differs. Seeded."""

import random
from pathlib import Path

import pytest
from crash_check import describe
from crash_launcher import Launcher
from crash_storm import Storm

KILLS = 10


@pytest.mark.parametrize("trail", ["own", "none"])
def test_a_daemon_that_dies_at_random_moments_under_load_loses_nothing(
    tmp_path: Path, launcher: Launcher, trail: str
) -> None:
    storm = Storm(tmp_path, launcher, trail=trail, dice=random.Random(20260212))
    storm.blow(KILLS)
    assert not (found := storm.settle()), describe(found)
    assert storm.tally.kills == KILLS
