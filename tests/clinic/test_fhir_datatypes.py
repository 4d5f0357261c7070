from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.fhir.datatypes import instant, read_instant, read_minutes, read_notice, read_period, read_zone
from clinic.fhir.issues import InvalidElement

NEW_YORK = ZoneInfo("America/New_York")


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 1, 5, 14, tzinfo=UTC), "2026-01-05T14:00:00Z"),
        (datetime(2026, 1, 5, 9, tzinfo=NEW_YORK), "2026-01-05T14:00:00Z"),
        (datetime(2026, 1, 5, 14, 0, 0, 250_000, tzinfo=UTC), "2026-01-05T14:00:00.250Z"),
    ],
)
def test_instants_are_written_in_utc(moment, text):
    assert instant(moment) == text


@given(
    st.integers(-2_000_000_000, 4_000_000_000),
    st.integers(-14 * 60, 14 * 60),
)
def test_an_instant_is_the_same_whatever_its_offset(seconds, offset):
    moment = datetime.fromtimestamp(seconds, timezone(timedelta(minutes=offset)))
    assert read_instant(moment.isoformat()) == moment == read_instant(instant(moment))


@pytest.mark.parametrize("text", ["2026-01-05T14:00:00", "noon", "0001-01-01T00:00:00+14:00"])
def test_an_instant_has_an_offset_and_a_place_in_time(text):
    with pytest.raises(InvalidElement):
        read_instant(text)


@pytest.mark.parametrize(
    ("period", "start", "end"),
    [
        pytest.param(
            {"start": "2026-01-05", "end": "2026-01-16"}, "2026-01-05T05:00", "2026-01-17T05:00", id="whole days"
        ),
        pytest.param({"start": "2026-03", "end": "2026-03"}, "2026-03-01T05:00", "2026-04-01T04:00", id="a month"),
        pytest.param({"start": "2026", "end": "2026"}, "2026-01-01T05:00", "2027-01-01T05:00", id="a year"),
        pytest.param({"end": "2026-12"}, None, "2027-01-01T05:00", id="no start"),
        pytest.param({"start": "2026-01-05T09:00:00-05:00"}, "2026-01-05T14:00", None, id="no end"),
        pytest.param({}, None, None, id="always"),
    ],
)
def test_the_days_of_a_period_are_whole_local_days(period, start, end):
    assert read_period(period, NEW_YORK) == (start and utc(start), end and utc(end))


@pytest.mark.parametrize(
    "period",
    [
        {"start": "2026-01-06", "end": "2026-01-05"},
        {"start": "2026-01-05T14:00:00Z", "end": "2026-01-05T14:00:00Z"},
        {"start": "2026-13"},
    ],
)
def test_a_period_takes_time(period):
    with pytest.raises(InvalidElement):
        read_period(period)


@pytest.mark.parametrize("end", ["9999", "9999-12", "9999-12-31"])
def test_a_period_may_end_with_the_calendar(end):
    assert read_period({"end": end}, NEW_YORK) == (None, datetime.max.replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("duration", "length"),
    [
        ({"value": 30, "unit": "min"}, 30),
        ({"value": 1.5, "unit": "h"}, 90),
        ({"value": 1, "unit": "d"}, 1440),
        ({"value": 1, "unit": "wk"}, 10080),
        ({"value": 5, "code": "min"}, 5),
    ],
)
def test_durations_are_minutes(duration, length):
    assert read_minutes(duration) == length


@pytest.mark.parametrize(
    ("duration", "message"),
    [
        ({"unit": "min"}, "Got duration without value"),
        ({"value": 1, "unit": "mo"}, 'Got unhandled duration unit "mo"'),
        ({"value": 1, "unit": "minutes", "code": "min"}, 'Got unhandled duration unit "minutes"'),
        ({"value": 0.5, "unit": "min"}, "A duration is a whole number of minutes."),
        ({"value": 5, "unit": "min", "comparator": "<"}, "A duration is exact: comparator is not allowed."),
    ],
)
def test_durations_that_are_not(duration, message):
    with pytest.raises(InvalidElement) as refusal:
        read_minutes(duration)
    assert refusal.value.text == message


def test_notice_is_not_given_backwards():
    assert read_notice({"value": 2, "unit": "h"}) == timedelta(hours=2)
    with pytest.raises(InvalidElement):
        read_notice({"value": -2, "unit": "h"})


def test_zones_are_iana_names():
    assert read_zone("America/New_York") == "America/New_York"
    with pytest.raises(InvalidElement, match="Mars"):
        read_zone("Mars/Olympus")
