"""Dates, times, distances and addresses by language and country, as in CLDR."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.utils.translation import override

from clinic import formats, time_text

LANGUAGES = [code for code, _name in settings.LANGUAGES]
NEW_YORK = ZoneInfo("America/New_York")
START = datetime(2026, 11, 24, 9, 20, tzinfo=NEW_YORK)
END, NOON = START + timedelta(minutes=30), START + timedelta(hours=3)

# Language and country, then: day and time, day of a year, long, full, plain, from and to, over noon.
TABLE = [
    (
        *("en", "US", "Tue, Nov 24, 9:20 AM", "Tue, Nov 24, 2026", "Tuesday, November 24"),
        *("Tuesday, November 24, 2026", "November 24, 2026", "9:20 – 9:50 AM", "9:20 AM – 12:20 PM"),
    ),
    (
        *("en", "GB", "Tue 24 Nov, 09:20", "Tue, 24 Nov 2026", "Tuesday 24 November"),
        *("Tuesday, 24 November 2026", "24 November 2026", "09:20–09:50", "09:20–12:20"),
    ),
    (
        *("es", "US", "mar, 24 de nov, 9:20 a.m.", "mar, 24 de nov de 2026", "martes, 24 de noviembre"),
        *("martes, 24 de noviembre de 2026", "24 de noviembre de 2026", "9:20–9:50 a.m.", "9:20 a.m. – 12:20 p.m."),
    ),
    (
        *("es", "ES", "mar, 24 nov, 9:20", "mar, 24 nov 2026", "martes, 24 de noviembre"),
        *("martes, 24 de noviembre de 2026", "24 de noviembre de 2026", "9:20–9:50", "9:20–12:20"),
    ),
    (
        *("de", "DE", "Di., 24. Nov., 09:20", "Di., 24. Nov. 2026", "Dienstag, 24. November"),
        *("Dienstag, 24. November 2026", "24. November 2026", "09:20–09:50 Uhr", "09:20–12:20 Uhr"),
    ),
    # CLDR has no German of the United States: with their 12-hour clock.
    (
        *("de", "US", "Di., 24. Nov., 9:20 AM", "Di., 24. Nov. 2026", "Dienstag, 24. November"),
        *("Dienstag, 24. November 2026", "24. November 2026", "9:20–9:50 AM", "9:20 AM – 12:20 PM"),
    ),
    # CLDR has no English of Mexico: world English, with Mexico's 12-hour clock.
    (
        *("en", "MX", "Tue, 24 Nov, 9:20 am", "Tue, 24 Nov 2026", "Tuesday 24 November"),
        *("Tuesday, 24 November 2026", "24 November 2026", "9:20 – 9:50 am", "9:20 am – 12:20 pm"),
    ),
    # No Spanish of Germany either: with Germany's 24-hour clock.
    (
        *("es", "DE", "mar, 24 nov, 9:20", "mar, 24 nov 2026", "martes, 24 de noviembre"),
        *("martes, 24 de noviembre de 2026", "24 de noviembre de 2026", "9:20–9:50", "9:20–12:20"),
    ),
]


@pytest.mark.parametrize(("language", "country", "short", "of_year", "long", "full", "plain", "hours", "noon"), TABLE)
def test_dates_and_clocks(settings, language, country, short, of_year, long, full, plain, hours, noon):
    settings.CLINIC_COUNTRY = country
    with override(language):
        assert time_text.day_and_time(START) == short
        assert time_text.short_day_of_year(START) == of_year
        assert time_text.long_day(START) == long
        assert time_text.full_day(START) == full
        assert time_text.plain_day(START) == plain
        assert time_text.hours(START, END) == hours
        assert time_text.hours(START, NOON) == noon


def test_neither_pages_nor_texts_hold_special_spaces():
    special = {"\u00a0", "\u202f", "\u2009"}
    assert not special & set(time_text.when(START, END, NEW_YORK) + formats.number(1234) + formats.distance(1234))
    with override("es"):
        assert not special & set(time_text.when(START, NOON, NEW_YORK))


@pytest.mark.parametrize(
    ("language", "country", "kilometres", "text"),
    [
        ("en", "US", 4, "2 miles"),
        ("en", "GB", 0.2, "1 mile"),
        ("es", "US", 1609.344, "1,000 millas"),
        ("en", "IE", 4, "4 kilometres"),
        ("en", "CA", 1, "1 kilometre"),
        ("es", "ES", 4, "4 kilómetros"),
        ("de", "DE", 1234, "1.234 Kilometer"),
        ("de", "CH", 1234, "1'234 Kilometer"),
    ],
)
def test_distances(settings, language, country, kilometres, text):
    settings.CLINIC_COUNTRY = country
    with override(language):
        assert formats.distance(kilometres) == text


@pytest.mark.parametrize(
    ("country", "weekday", "in_24_hours", "order"),
    [
        ("US", 6, False, ("month", "day", "year")),
        ("GB", 0, True, ("day", "month", "year")),
        ("MX", 6, False, ("day", "month", "year")),
        ("EG", 5, False, ("day", "month", "year")),
        ("JP", 6, True, ("year", "month", "day")),
    ],
)
def test_conventions_that_follow_the_country(settings, country, weekday, in_24_hours, order):
    settings.CLINIC_COUNTRY = country
    assert sorted(formats.weekdays()) == list(range(7))
    assert formats.weekdays()[0] == weekday
    assert (formats.first_weekday(), formats.in_24_hours(), formats.date_order()) == (weekday, in_24_hours, order)


@pytest.mark.parametrize(
    ("language", "zone", "city"),
    [
        ("en", "Europe/Kiev", "Kyiv"),
        ("en", "America/Buenos_Aires", "Buenos Aires"),
        ("es", "America/New_York", "Nueva York"),
        ("es", "Europe/London", "Londres"),
        ("de", "Europe/Vienna", "Wien"),
    ],
)
def test_a_zones_city_has_its_name_in_the_readers_language(language, zone, city):
    with override(language):
        assert formats.city(zone) == city


@pytest.mark.parametrize(
    ("written", "text"),
    [("1985-03-27", "March 27, 1985"), ("1985-03", "March 1985"), ("1985", "1985"), ("spring", "spring")],
)
def test_as_much_of_a_date_as_is_known(written, text):
    assert time_text.partial_day(written) == text


@pytest.mark.parametrize(
    ("typed", "clock"),
    [
        ("14:30", time(14, 30)),
        ("2:30 pm", time(14, 30)),
        ("2:30\u202fPM", time(14, 30)),
        ("02:30 PM", time(14, 30)),
        ("2:30 p. m.", time(14, 30)),
        ("2 p.m.", time(14)),
        ("12:05 am", time(0, 5)),
        ("12 pm", time(12)),
        ("0:30", time(0, 30)),
        ("9.15", time(9, 15)),
        ("14h30", time(14, 30)),
        ("09:00:30", time(9, 0, 30)),
        ("14", None),
        ("14:30 pm", None),
        ("0:30 am", None),
        ("24:00", None),
        ("9:60", None),
        ("noon", None),
        ("", None),
    ],
)
@pytest.mark.parametrize("country", ["US", "GB"])
def test_times_are_read_in_both_ways_everywhere(settings, country, typed, clock):
    settings.CLINIC_COUNTRY = country
    assert formats.read_clock(typed) == clock


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("country", "clock"), [("US", time(14, 5)), ("GB", time(0, 30)), ("MX", time(12))])
def test_a_time_can_be_typed_as_it_is_shown(settings, language, country, clock):
    settings.CLINIC_COUNTRY = country
    with override(language):
        assert formats.read_clock(formats.clock(clock)) == clock
