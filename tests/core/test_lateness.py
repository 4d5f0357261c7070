"""Delays of the visits of a day after its person has said that they run late."""

import pytest

from scheduling.core.lateness import lateness_of

MINUTE, HOUR = 60, 3600


def at(hour: int, minute: int = 0, length: int = 20) -> tuple[int, int]:
    start = hour * HOUR + minute * MINUTE
    return start, start + length * MINUTE


@pytest.mark.parametrize(
    ("visits", "late", "since", "minutes"),
    [
        pytest.param([], 20, 9 * HOUR, [], id="no visits"),
        pytest.param([at(10), at(10, 20), at(10, 40)], 20, 9 * HOUR, [20, 20, 20], id="back to back, all are as late"),
        pytest.param([at(10), at(10, 30), at(11)], 20, 9 * HOUR, [20, 10, 0], id="ten minutes between make up for ten"),
        pytest.param([at(10), at(13)], 20, 9 * HOUR, [20, 0], id="a pause makes up for all of it"),
        pytest.param(
            [at(9), at(9, 30), at(10)], 20, 9 * HOUR + 30 * MINUTE, [0, 20, 10], id="those begun are not late"
        ),
        pytest.param([at(9, 40), at(10)], 20, 10 * HOUR, [0, 20], id="what should begin at this moment has begun"),
        pytest.param([at(10), at(10, 20)], 0, 9 * HOUR, [0, 0], id="nobody is late"),
    ],
)
def test_lateness(visits, late, since, minutes):
    assert lateness_of(visits, late=late * MINUTE, since=since) == [each * MINUTE for each in minutes]
