"""Fifteen seconds of ``./dev bench bank``: the minute is for machines that do nothing else."""

import pytest

from tests.bench.rig.bank.size import Size
from tests.bench.rig.bank.storm import endured

SHORT = Size(clients=16, people=12, seconds=15.0, kill_seconds=(1.5, 3.0))


@pytest.mark.timeout(300)
def test_money_survives_the_death_of_everything_that_moves_it():
    weather = endured(SHORT)

    assert weather.proof.violations == []
    assert set(weather.proof.off_by.values()) == {0}
    killed = weather.killer.counted
    # It was a storm, and clients, readers and subscribers were in it.
    assert killed["postgres"] >= 1
    assert killed.total() >= 3
    assert weather.tally.retries.total() > 0
    assert weather.tally.acknowledged > 10
    assert weather.tally.refused
    assert weather.tally.replayed > 0
    assert weather.inside.moments > 0
    assert sum(each.reads for each in weather.outside) > 0
    assert sum(each.resumed for each in weather.followers) > 0
