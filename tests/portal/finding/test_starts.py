"""Parts of the day and weekdays as spans of time: the same result as checking each start."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from portal.finding.starts import Starts

QUARTER = timedelta(minutes=15)
# around both clock changes, and a midnight that is skipped
WHEN = {
    "New York, spring": ("America/New_York", datetime(2027, 3, 13, 9, tzinfo=UTC)),
    "New York, autumn": ("America/New_York", datetime(2026, 10, 31, 9, tzinfo=UTC)),
    "Santiago, spring": ("America/Santiago", datetime(2026, 9, 5, 9, tzinfo=UTC)),
    "Sydney": ("Australia/Sydney", datetime(2026, 12, 30, 20, tzinfo=UTC)),
}
ASKED = {
    "mornings": ({"morning"}, set()),
    "evenings": ({"evening"}, set()),
    "mornings and evenings": ({"morning", "evening"}, set()),
    "Sundays": (set(), {"sun"}),
    "afternoons of weekdays": ({"afternoon"}, {"mon", "tue", "wed", "thu", "fri"}),
    "all": (set(), set()),
}


@pytest.mark.parametrize("query", ASKED)
@pytest.mark.parametrize("when", WHEN)
def test_a_start_lies_in_the_spans_when_it_is_asked_for(query, when):
    parts, weekdays = ASKED[query]
    name, first = WHEN[when]
    zone, last = ZoneInfo(name), first + timedelta(days=4)
    starts = Starts(frozenset(parts), frozenset(weekdays))
    spans = starts.spans(zone, first, last)
    moments = [first + n * QUARTER for n in range((last - first) // QUARTER)]
    within = [at for at in moments if any(begin <= at.timestamp() < end for begin, end in spans)]
    assert within == [at for at in moments if starts(at.astimezone(zone))]
    assert within
    assert all(first.timestamp() <= begin < end <= last.timestamp() for begin, end in spans)
