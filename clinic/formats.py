"""Dates, clocks, distances and numbers as they are written in the language of the moment and the clinic's country.

All of it is CLDR's (https://cldr.unicode.org), by Babel: the locale is the language with the country, such as en_US,
es_US or en_GB. CLDR's special spaces (U+00A0, U+202F, U+2009) become ordinary ones here, once for pages, mails and
texts: a single one of them would make a text message cost twice as much, and style sheets keep times on one line.
"""

import re
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple

from babel import Locale, UnknownLocaleError, dates, numbers, units
from babel.core import get_global
from django.conf import settings
from django.utils.translation import get_language

from clinic.country import clinic_country

_SPACES = str.maketrans(dict.fromkeys("\u00a0\u202f\u2009", " "))
_ANY_DAY = date(2000, 1, 1)
# CLDR's measurementData and unitPreferences, which Babel leaves out: where roads are measured in miles.
IN_MILES = frozenset({"US", "GB", "LR", "MM"})
KM_OF_MILE = 1.609344
PARTS_OF_DATE = {"d": "day", "M": "month", "L": "month", "y": "year"}
TYPED_CLOCK = re.compile(
    r"(?P<hour>\d{1,2})(?: ?[:.h]? ?(?P<minute>\d\d))?(?::(?P<second>\d\d))?\s*(?:(?P<half>[ap])\.?\s*(?:m\.?)?)?",
    re.IGNORECASE,
)
# The next of CLDR's patterns for what a locale may not have; its fields are made as wide as asked for.
NARROWER = {"MMMMEEEEd": ("MMMMEd", "MMMEd")}


class Conventions(NamedTuple):
    """A language in a country: hashable, and quick to compare."""

    language: str
    country: str

    @property
    def locale(self) -> Locale:
        return _locale(self.language, self.country)

    @property
    def tag(self) -> str:
        """The name of the locale for browsers, such as en-US."""
        return str(self.locale).replace("_", "-")

    @property
    def date_order(self) -> tuple[str, ...]:
        return _date_order(self)

    def pattern(self, skeleton: str) -> str:
        """CLDR's pattern for a skeleton."""
        return _pattern(self.locale, skeleton).translate(_SPACES)

    @property
    def hour_cycle(self) -> str:
        """The name of the hour cycle for browsers."""
        return "h23" if _in_24_hours(self) else "h12"


def conventions() -> Conventions:
    """The conventions of the active language in the clinic's country."""
    return Conventions(get_language() or settings.LANGUAGE_CODE, clinic_country())


def clock(at: time | datetime) -> str:
    """9:20 AM in the United States, 09:20 in Britain."""
    return _clock(conventions(), at.hour, at.minute)


def exact_clock(at: datetime) -> str:
    """9:20:05 AM in the United States, 09:20:05 in Britain."""
    return dates.format_time(at.time(), "medium", locale=conventions().locale).translate(_SPACES)


def day(date: date, skeleton: str) -> str:
    """A date with the fields of one of CLDR's skeletons, such as yMMMEd."""
    return _day(conventions(), date.toordinal(), skeleton)


def day_and_clock(day: str, clock: str) -> str:
    """A day and a time, or times, as one text."""
    pattern: str = conventions().locale.datetime_formats["medium"]
    return pattern.replace("'", "").format(clock, day).translate(_SPACES)


def clocks(start: time | datetime, end: time | datetime) -> str:
    """9:20 – 9:50 AM, of one day."""
    return _clocks(conventions(), start.hour * 60 + start.minute, end.hour * 60 + end.minute)


def days(first: date, last: date, skeleton: str = "MMMEd") -> str:
    """Tue, Nov 24 – Mon, Nov 30"""
    return _days(conventions(), first.toordinal(), last.toordinal(), skeleton)


def between(first: str, last: str) -> str:
    """Two texts as the ends of one stretch."""
    pattern: str = conventions().locale.interval_formats[None]
    return pattern.format(first, last).translate(_SPACES)


def distance(kilometres: float) -> str:
    """4 miles, or 4 kilometres where roads are measured in them: at least 1."""
    own = conventions()
    count = max(1, round(kilometres / unit_of_distance()))
    unit = "length-mile" if own.country in IN_MILES else "length-kilometer"
    return units.format_unit(count, unit, "long", locale=own.locale).translate(_SPACES)


def unit_of_distance() -> float:
    """How many kilometres are one of what distances are measured in."""
    return KM_OF_MILE if clinic_country() in IN_MILES else 1.0


def city(zone: str) -> str:
    """The city that stands for a time zone, by any of the zone's names: New York, Kyiv."""
    return _city(conventions(), zone)


def number(value: int | float) -> str:
    """1,234"""
    return numbers.format_decimal(value, locale=conventions().locale).translate(_SPACES)


def in_24_hours() -> bool:
    """True if clocks count to 24: by the language in that country, or by the country where it is not its own."""
    return _in_24_hours(conventions())


def first_weekday() -> int:
    """The day that weeks begin with, where Monday is 0."""
    return int(_country_locale(clinic_country()).first_week_day)


def weekdays() -> list[int]:
    """The days of a week in the country's order, where Monday is 0."""
    return [(first_weekday() + later) % 7 for later in range(7)]


def date_order() -> tuple[str, ...]:
    """The order in which day, month and year are written."""
    return _date_order(conventions())


def in_numbers(day: date) -> str:
    """3 27 1985 in the United States, 27 3 1985 in Britain: a day as it is typed into three fields."""
    return " ".join(str(getattr(day, part)) for part in date_order())


def read_clock(text: str) -> time | None:
    """Return the time that is written as 14:30, 14.30, 2:30 pm, 2 p. m. or 14h30; None where it is none.

    Both ways of counting hours are read in every country. An hour alone is a time with am or pm only.
    """
    match = TYPED_CLOCK.fullmatch(text.translate(_SPACES).strip())
    if match is None or (match["minute"] is None and match["half"] is None):
        return None
    hour = int(match["hour"])
    if match["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + 12 * (match["half"].lower() == "p")
    try:
        return time(hour, int(match["minute"] or 0), int(match["second"] or 0))
    except ValueError:
        return None


@lru_cache(maxsize=64)
def _locale(language: str, country: str) -> Locale:
    """The language as it is written in a country; where CLDR knows it not there, as it is written in the world."""
    own = Locale.parse(language, sep="-")
    for territory in (country, "001"):
        try:
            return Locale(own.language, territory=territory, script=own.script)
        except UnknownLocaleError:
            continue
    return own


@lru_cache(maxsize=64)
def _country_locale(country: str) -> Locale:
    """The country's first language as it is written there."""
    spoken = get_global("territory_languages").get(country, {})
    official = sorted(
        spoken, key=lambda name: (not spoken[name]["official_status"], -spoken[name]["population_percent"], name)
    )
    for language in official:
        try:
            return Locale.parse(f"{language}_{country}")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale.parse("en_001")


@lru_cache(maxsize=64)
def _in_24_hours(own: Conventions) -> bool:
    """True if clocks count to 24: by the language in that country, or by the country where it is not its own."""
    locale = own.locale if own.locale.territory == own.country else _country_locale(own.country)
    return "H" in _letters(locale.time_formats["short"].pattern)


@lru_cache(maxsize=64)
def _date_order(own: Conventions) -> tuple[str, ...]:
    locale = own.locale if own.locale.territory == own.country else _country_locale(own.country)
    letters = _letters(locale.date_formats["short"].pattern)
    return tuple(dict.fromkeys(PARTS_OF_DATE[letter] for letter in letters if letter in PARTS_OF_DATE))


@lru_cache(maxsize=4096)
def _clock(own: Conventions, hour: int, minute: int) -> str:
    pattern = _pattern(own.locale, "Hm" if _in_24_hours(own) else "hm")
    return dates.format_time(time(hour, minute), pattern, locale=own.locale).translate(_SPACES)


@lru_cache(maxsize=4096)
def _clocks(own: Conventions, start: int, end: int) -> str:
    first, last = (datetime.combine(_ANY_DAY, time()) + timedelta(minutes=each) for each in (start, end))
    skeleton = "Hm" if _in_24_hours(own) else "hm"
    return dates.format_interval(first, last, skeleton, locale=own.locale).translate(_SPACES)


@lru_cache(maxsize=4096)
def _day(own: Conventions, ordinal: int, skeleton: str) -> str:
    pattern = _pattern(own.locale, skeleton)
    return dates.format_date(date.fromordinal(ordinal), pattern, locale=own.locale).translate(_SPACES)


@lru_cache(maxsize=1024)
def _days(own: Conventions, first: int, last: int, skeleton: str) -> str:
    ends = date.fromordinal(first), date.fromordinal(last)
    return dates.format_interval(*ends, skeleton, locale=own.locale).translate(_SPACES)


@lru_cache(maxsize=4096)
def _city(own: Conventions, zone: str) -> str:
    found = dates.get_timezone_location(zone, locale=own.locale, return_city=True)
    return found.rpartition("/")[2].translate(_SPACES)  # Babel leaves America's regions before what CLDR leaves out


@lru_cache(maxsize=256)
def _pattern(locale: Locale, skeleton: str) -> str:
    """The locale's pattern for a skeleton, for full, long or medium; anything else is a pattern already."""
    if skeleton in locale.date_formats:
        return str(locale.date_formats[skeleton].pattern)
    patterns = locale.datetime_skeletons
    if skeleton in patterns:
        return str(patterns[skeleton].pattern)
    narrower = next((each for each in NARROWER.get(skeleton, ()) if each in patterns), None)
    return _widened(str(patterns[narrower].pattern)) if narrower else skeleton


def _widened(pattern: str) -> str:
    """A pattern with the month and the weekday in full: https://unicode.org/reports/tr35/tr35-dates.html"""
    parts = re.split(r"('[^']*')", pattern)
    return "".join(part if part.startswith("'") else re.sub(r"M{3,}|E+", _in_full, part) for part in parts)


def _in_full(field: re.Match[str]) -> str:
    return field[0][0] * 4


def _letters(pattern: str) -> str:
    """The fields of a pattern, without what is quoted in it."""
    return re.sub(r"'[^']*'", "", pattern)
