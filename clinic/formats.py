"""Formats of dates, times, distances and numbers in the active language and the clinic's country.

They are CLDR's (https://cldr.unicode.org), by Babel. The locale is the language with the country, such as en_US, es_US
or en_GB. CLDR's special spaces (U+00A0, U+202F, U+2009) become ordinary ones, since a single one of them would double
the price of a text message.
"""

import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from babel import Locale, UnknownLocaleError, dates, lists, numbers, units
from babel.core import get_global
from django.conf import settings
from django.utils.translation import get_language

from clinic.country import clinic_country

_SPACES = str.maketrans(dict.fromkeys("\u00a0\u202f\u2009", " "))
_ANY_DAY = date(2000, 1, 1)
# Countries where roads are measured in miles, from CLDR's unitPreferences, which Babel does not have.
IN_MILES = frozenset({"US", "GB", "LR", "MM"})
KM_OF_MILE = 1.609344
DATE_MARKS = "/.-"
PARTS_OF_DATE = {"d": "day", "M": "month", "L": "month", "y": "year"}
TYPED_CLOCK = re.compile(
    r"(?P<hour>\d{1,2})(?: ?[:.h]? ?(?P<minute>\d\d))?(?::(?P<second>\d\d))?\s*(?:(?P<half>[ap])\.?\s*(?:m\.?)?)?",
    re.IGNORECASE,
)
# Narrower skeletons to use if a locale has no pattern for one; their fields are widened.
NARROWER = {"MMMMEEEEd": ("MMMMEd", "MMMEd")}


class Conventions(NamedTuple):
    """A language in a country, as a hashable key for caches."""

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

    @property
    def date_mark(self) -> str:
        """The mark between the numbers of a date, such as / in the United States and . in Germany."""
        return next((mark for mark in _date_pattern(self) if mark in DATE_MARKS), DATE_MARKS[0])

    def pattern(self, skeleton: str) -> str:
        """Return CLDR's pattern for a skeleton."""
        return _pattern(self.locale, skeleton).translate(_SPACES)

    @property
    def hour_cycle(self) -> str:
        """The name of the hour cycle for browsers."""
        return "h23" if _in_24_hours(self) else "h12"


def conventions() -> Conventions:
    """Return the conventions of the active language in the clinic's country."""
    return Conventions(get_language() or settings.LANGUAGE_CODE, clinic_country())


def clock(at: time | datetime) -> str:
    """Return a time of day: 9:20 AM in the United States, 09:20 in Britain."""
    return _clock(conventions(), at.hour, at.minute)


def exact_clock(at: datetime) -> str:
    """Return a time of day with seconds: 9:20:05 AM in the United States, 09:20:05 in Britain."""
    return dates.format_time(at.time(), "medium", locale=conventions().locale).translate(_SPACES)


def day(date: date, skeleton: str) -> str:
    """Return a date with the fields of one of CLDR's skeletons, such as yMMMEd."""
    return _day(conventions(), date.toordinal(), skeleton)


def day_and_clock(day: str, clock: str) -> str:
    """Return a day and a time, or a time range, joined to one text."""
    pattern: str = conventions().locale.datetime_formats["medium"]
    return pattern.replace("'", "").format(clock, day).translate(_SPACES)


def clocks(start: time | datetime, end: time | datetime) -> str:
    """Return a time range of one day: 9:20 – 9:50 AM."""
    return _clocks(conventions(), start.hour * 60 + start.minute, end.hour * 60 + end.minute)


def days(first: date, last: date, skeleton: str = "MMMEd") -> str:
    """Return a range of days: Tue, Nov 24 – Mon, Nov 30."""
    return _days(conventions(), first.toordinal(), last.toordinal(), skeleton)


def between(first: str, last: str) -> str:
    """Return two texts as the ends of a range."""
    pattern: str = conventions().locale.interval_formats[None]
    return pattern.format(first, last).translate(_SPACES)


def money(number: Decimal, currency: str) -> str:
    """Return an amount of money: $40.00, 40,00 €."""
    return numbers.format_currency(number, currency, locale=conventions().locale).translate(_SPACES)


def listed(texts: Iterable[str]) -> str:
    """Return texts as a list in words: 9:20 AM, 10:00 AM and 11:00 AM."""
    return lists.format_list(list(texts), locale=conventions().locale)


def distance(kilometres: float) -> str:
    """Return a distance in the country's unit, at least 1: 4 miles, 4 kilometres."""
    own = conventions()
    count = max(1, round(kilometres / unit_of_distance()))
    unit = "length-mile" if own.country in IN_MILES else "length-kilometer"
    return units.format_unit(count, unit, "long", locale=own.locale).translate(_SPACES)


def unit_of_distance() -> float:
    """Return the length of the country's unit of distance in kilometres."""
    return KM_OF_MILE if clinic_country() in IN_MILES else 1.0


def city(zone: str) -> str:
    """Return the city of a time zone, by any of the zone's names: New York, Kyiv."""
    return _city(conventions(), zone)


def language_name(tag: str) -> str:
    """Return the name of a language by its BCP 47 tag: Spanish; the tag itself if CLDR has no name for it."""
    return str(conventions().locale.languages.get(tag.replace("-", "_"), tag))


def number(value: int | float) -> str:
    """Return a number with the locale's separators: 1,234."""
    return numbers.format_decimal(value, locale=conventions().locale).translate(_SPACES)


def in_24_hours() -> bool:
    """True if times are written from 0 to 24 hours in the active language and the clinic's country."""
    return _in_24_hours(conventions())


def first_weekday() -> int:
    """Return the first day of the week; Monday is 0."""
    return int(_country_locale(clinic_country()).first_week_day)


def weekdays() -> list[int]:
    """Return the days of a week in the country's order; Monday is 0."""
    return [(first_weekday() + later) % 7 for later in range(7)]


def date_order() -> tuple[str, ...]:
    """Return the order in which day, month and year are written."""
    return _date_order(conventions())


def in_numbers(day: date) -> str:
    """Return a day as it is typed into three fields: 3 27 1985 in the United States, 27 3 1985 in Britain."""
    return " ".join(str(getattr(day, part)) for part in date_order())


def read_clock(text: str) -> time | None:
    """Return the time typed as 14:30, 14.30, 2:30 pm, 2 p. m. or 14h30, or None for other texts.

    Both ways of counting hours are read in every country. An hour without minutes needs am or pm.
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
    """Return the locale of a language in a country, or of the language in the world if CLDR has no such locale."""
    own = Locale.parse(language, sep="-")
    for territory in (country, "001"):
        try:
            return Locale(own.language, territory=territory, script=own.script)
        except UnknownLocaleError:
            continue
    return own


@lru_cache(maxsize=64)
def _country_locale(country: str) -> Locale:
    """Return the locale of the country's main official language."""
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
    """True if the locale writes 24 hours; that of the country's main language if CLDR has no own locale."""
    locale = own.locale if own.locale.territory == own.country else _country_locale(own.country)
    return "H" in _letters(locale.time_formats["short"].pattern)


@lru_cache(maxsize=64)
def _date_order(own: Conventions) -> tuple[str, ...]:
    letters = _date_pattern(own)
    return tuple(dict.fromkeys(PARTS_OF_DATE[letter] for letter in letters if letter in PARTS_OF_DATE))


def _date_pattern(own: Conventions) -> str:
    """Return the pattern of a date in numbers; that of the country's main language if CLDR has no own locale."""
    locale = own.locale if own.locale.territory == own.country else _country_locale(own.country)
    return _letters(locale.date_formats["short"].pattern)


@lru_cache(maxsize=4096)
def _clock(own: Conventions, hour: int, minute: int) -> str:
    pattern = _pattern(own.locale, "Hm" if _in_24_hours(own) else "hm")
    return dates.format_time(time(hour, minute), pattern, locale=own.locale).translate(_SPACES)


@lru_cache(maxsize=4096)
def _clocks(own: Conventions, start: int, end: int) -> str:
    first, last = (datetime.combine(_ANY_DAY, time()) + timedelta(minutes=minutes) for minutes in (start, end))
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
    city = dates.get_timezone_location(zone, locale=own.locale, return_city=True)
    return city.rpartition("/")[2].translate(_SPACES)  # for zones without a city in CLDR, Babel returns Region/City


@lru_cache(maxsize=256)
def _pattern(locale: Locale, skeleton: str) -> str:
    """Return the locale's pattern for a skeleton, or for full, long or medium; any other text is a pattern itself."""
    if skeleton in locale.date_formats:
        return str(locale.date_formats[skeleton].pattern)
    patterns = locale.datetime_skeletons
    if skeleton in patterns:
        return str(patterns[skeleton].pattern)
    narrower = next((other for other in NARROWER.get(skeleton, ()) if other in patterns), None)
    return _widened(str(patterns[narrower].pattern)) if narrower else skeleton


def _widened(pattern: str) -> str:
    """Return a pattern with month and weekday in full: https://unicode.org/reports/tr35/tr35-dates.html"""
    parts = re.split(r"('[^']*')", pattern)
    return "".join(part if part.startswith("'") else re.sub(r"M{3,}|E+", _in_full, part) for part in parts)


def _in_full(field: re.Match[str]) -> str:
    return field[0][0] * 4


def _letters(pattern: str) -> str:
    """Return a pattern without its quoted text."""
    return re.sub(r"'[^']*'", "", pattern)
