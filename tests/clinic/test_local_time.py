"""Reading of ISO 8601 moments and times of day."""

from datetime import UTC, datetime, time

import pytest

from clinic.local_time import LAST, read_clock, read_iso


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2016-12-31T23:59:59Z", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC)),
        ("2016-12-31T18:59:60-05:00", datetime(2017, 1, 1, tzinfo=UTC)),
        ("2016-12-31T23:59:60.25Z", datetime(2017, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:60Z", LAST),
        ("2016-12-31T23:59:60", datetime(2017, 1, 1)),  # noqa: DTZ001 - what says no offset has none
    ],
)
def test_a_leap_second_is_the_second_after_it(text, moment):
    assert read_iso(text) == moment


@pytest.mark.parametrize("text", ["2016-12-31T23:59:61Z", "2016-12-31T23:60:60Z", "2016-13-31T23:59:60Z"])
def test_an_invalid_moment_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        read_iso(text)


@pytest.mark.parametrize(("text", "clock"), [("23:59:60", time(23, 59, 59)), ("14:00:00", time(14))])
def test_a_time_of_day_stays_on_its_day(text, clock):
    assert read_clock(text) == clock
