"""Texts for times, days and durations."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils.translation import override

from clinic import time_text

NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        ("America/New_York", "New York time"),
        ("America/Argentina/Buenos_Aires", "Buenos Aires time"),
        ("UTC", "UTC"),
    ],
)
def test_zones(zone, name):
    assert time_text.zone_name(ZoneInfo(zone)) == name


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (1, "1 minute"),
        (30, "30 minutes"),
        (60, "1 hour"),
        (75, "1 hour 15 minutes"),
        (1440, "24 hours"),
        (2880, "2 days"),
    ],
)
def test_lengths(minutes, text):
    assert time_text.length(timedelta(minutes=minutes)) == text


def test_a_visit():
    start = datetime(2026, 11, 24, 9, 20, tzinfo=NEW_YORK)
    text = time_text.when(start, start + timedelta(minutes=30), NEW_YORK)
    assert text == "Tue, Nov 24, 9:20 – 9:50 AM (New York time)"


def test_a_visit_past_midnight_says_on_which_day_it_ends():
    start = datetime(2026, 11, 24, 23, 50, tzinfo=NEW_YORK)
    assert time_text.hours(start, start + timedelta(minutes=30)) == "11:50 PM – Wed, Nov 25, 12:20 AM"


@pytest.mark.parametrize(("hour", "part"), [(0, "Morning"), (11, "Morning"), (12, "Afternoon"), (17, "Evening")])
def test_parts_of_the_day(hour, part):
    assert time_text.part_of_day(datetime(2026, 11, 24, hour, tzinfo=NEW_YORK)) == part


@pytest.mark.parametrize(
    ("utc_hour", "text"),
    [(4, "12:30 AM"), (5, "1:30 AM EDT"), (6, "1:30 AM EST"), (7, "2:30 AM")],
)
def test_an_hour_that_comes_twice_says_which(utc_hour, text):
    assert time_text.clock(datetime(2026, 11, 1, utc_hour, 30, tzinfo=UTC).astimezone(NEW_YORK)) == text


def test_a_visit_of_another_year_says_so():
    start = datetime(2026, 11, 24, 9, 20, tzinfo=NEW_YORK)
    text = time_text.when(start, start + timedelta(minutes=30), NEW_YORK, year=True)
    assert text == "Tue, Nov 24, 2026, 9:20 – 9:50 AM (New York time)"


def test_in_spanish_nothing_english_is_left():
    start = datetime(2026, 11, 24, 9, 20, tzinfo=NEW_YORK)
    with override("es"):
        assert time_text.when(start, start + timedelta(minutes=30), NEW_YORK) == (
            "mar, 24 de nov, 9:20–9:50 a.m. (hora de Nueva York)"
        )
        assert time_text.long_day(start) == "martes, 24 de noviembre"
        assert time_text.full_day(start) == "martes, 24 de noviembre de 2026"
        assert time_text.day_and_time(start) == "mar, 24 de nov, 9:20 a.m."
        assert time_text.length(timedelta(hours=1, minutes=15)) == "1 hora 15 minutos"
        assert time_text.length(timedelta(days=2)) == "2 días"
        assert time_text.free_times(0) == "ninguna hora libre"
        assert time_text.free_times(1) == "1 hora libre"
        assert time_text.part_of_day(start) == "Mañana"
        assert time_text.zone_name(ZoneInfo("UTC")) == "UTC"


def test_in_german_nothing_english_is_left(settings):
    settings.CLINIC_COUNTRY = "DE"
    start = datetime(2026, 11, 24, 9, 20, tzinfo=NEW_YORK)
    with override("de"):
        assert time_text.when(start, start + timedelta(minutes=30), NEW_YORK) == (
            "Di., 24. Nov., 09:20–09:50 Uhr (Ortszeit New York)"
        )
        assert time_text.full_day(start) == "Dienstag, 24. November 2026"
        assert time_text.day_and_time(start) == "Di., 24. Nov., 09:20"
        assert time_text.length(timedelta(hours=1, minutes=15)) == "1 Stunde 15 Minuten"
        assert time_text.length(timedelta(days=2)) == "2 Tage"
        assert time_text.free_times(0) == "keine freien Zeiten"
        assert time_text.free_times(1) == "1 freie Zeit"
        assert time_text.part_of_day(start) == "Vormittag"
