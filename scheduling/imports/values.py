"""Values of cells, as people in the clinic's country and other systems write them."""

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from functools import cache
from typing import TypeVar
from zoneinfo import ZoneInfo

from babel import Locale
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from clinic import formats, phones, recurrence_text
from clinic.available_time import RecurringWeeks
from clinic.folding import joined
from clinic.models import Appointment, Gender
from clinic.models.schedule import DAY_MINUTES, WEEKDAYS

T = TypeVar("T")
ISO_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]0?0:00(?::00(?:\.0+)?)?)?")
LOCAL_DAY = re.compile(r"(\d{1,4})[./-] ?(\d{1,2})[./-] ?(\d{1,4})")
RANGE = re.compile(r"\s*[-\u2013\u2014]\s*")
EACH = re.compile(r"[,;/|]|\s+")
LONGEST_NUMBER = 200
GENDERS = {
    Gender.FEMALE: "f|female|woman|w|weiblich|frau|mujer|femenino|femenina",
    Gender.MALE: "m|male|man|männlich|mann|hombre|masculino|h",
    Gender.OTHER: "o|other|x|d|diverse|divers|otro|otra|diverso",
    Gender.UNKNOWN: "u|unknown|unbekannt|desconocido",
}
Status = Appointment.Status
STATUSES = {
    Status.BOOKED: "booked|scheduled|confirmed|planned|reservada|programada|confirmada|gebucht|geplant|bestätigt",
    Status.FULFILLED: "fulfilled|done|completed|attended|seen|realizada|atendida|completada|erledigt|abgeschlossen",
    Status.NOSHOW: "noshow|no-show|missed|did not attend|dna|no asistió|ausente|nicht erschienen|versäumt",
    Status.CANCELLED: "cancelled|canceled|cancelada|anulada|abgesagt|storniert",
}


class Unreadable(ValueError):
    """A cell that cannot be read. Its text tells the reader what to write there."""


def read_number(text: str) -> str:
    """Return the other system's number of a row, which may have letters."""
    if len(text) > LONGEST_NUMBER:
        raise Unreadable(_("The number is longer than %(most)d characters.") % {"most": LONGEST_NUMBER})
    return text


def read_day(text: str) -> date:
    """Return a day written as in the clinic's country, such as 3/27/1985, or as 1985-03-27."""
    try:
        if found := ISO_DAY.fullmatch(text):
            return date(*map(int, found.groups()))
        if (found := _local_day(text)) and _has_long_year(found.groups()):
            return date(**dict(zip(formats.date_order(), map(int, found.groups()), strict=True)))
    except ValueError:
        raise Unreadable(_("There is no such day: %(day)s.") % {"day": text}) from None
    example = formats.in_numbers(date(1985, 3, 27)).replace(" ", formats.conventions().date_mark)
    raise Unreadable(
        _("%(day)s is not a date. Write it as %(example)s or as 1985-03-27.") % {"day": text, "example": example}
    )


def _local_day(text: str) -> "re.Match[str] | None":
    """Match a day in numbers. Dots are not read where the month comes first: 03.04.1985 is from elsewhere, in April."""
    return None if "." in text and formats.date_order()[0] == "month" else LOCAL_DAY.fullmatch(text)


def _has_long_year(parts: tuple[str, ...]) -> bool:
    """True if the year, and nothing else, has four digits: 27/03/85 could be of two centuries."""
    return [len(part) == 4 for part in parts] == [name == "year" for name in formats.date_order()]


def read_clock(text: str) -> time:
    clock = formats.read_clock(text)
    if clock is None:
        raise Unreadable(_("%(time)s is not a time. Write it as 14:30.") % {"time": text})
    return clock


def read_moment(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """Return the local time of a day. Of two such times, when clocks go back, it is the first."""
    moment = datetime.combine(day, clock, zone)
    if moment.astimezone(ZoneInfo("UTC")).astimezone(zone).replace(tzinfo=None) != moment.replace(tzinfo=None):
        raise Unreadable(
            _("The clocks go forward then: there is no %(time)s on that day.") % {"time": formats.clock(clock)}
        )
    return moment


def read_minutes(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= DAY_MINUTES:
        raise Unreadable(_("%(minutes)s is not a number of minutes.") % {"minutes": text})
    return int(text)


def read_phone(text: str) -> str:
    try:
        return phones.read(text)
    except phones.NotANumber:
        raise Unreadable(
            _("%(phone)s is not a phone number. Write it as %(example)s.")
            % {"phone": text, "example": phones.example()}
        ) from None


def read_email(text: str) -> str:
    try:
        validate_email(text)
    except ValidationError:
        raise Unreadable(_("%(email)s is not an email address.") % {"email": text}) from None
    return text


def read_gender(text: str) -> str:
    return _choice(GENDERS, text, _("%(text)s is not a gender. Write female, male, other or unknown."))


def read_status(text: str) -> str:
    return _choice(STATUSES, text, _("%(text)s is not a status. Write booked, done, cancelled or no-show."))


def read_language(text: str) -> str:
    """Return the tag of one of the product's languages, by its tag or its name in any of them."""
    key = joined(text)
    for tag, _name in settings.LANGUAGES:
        if key in {tag, *(joined(Locale.parse(other).languages[tag]) for other, _label in settings.LANGUAGES)}:
            return tag
    raise Unreadable(_("%(language)s is not a language of these pages.") % {"language": text})


def read_days(text: str) -> list[str]:
    """Return FHIR's codes of weekdays: of Mon-Fri, mo, mi, or 1-5, where 1 is Monday."""
    days: list[str] = []
    for part in EACH.split(RANGE.sub("-", text)):
        first, _dash, last = part.partition("-")
        if part:
            start, end = _weekday(first), _weekday(last or first)
            days += [WEEKDAYS[(start + offset) % 7] for offset in range((end - start) % 7 + 1)]
    return sorted(set(days), key=WEEKDAYS.index)


def read_weeks(text: str) -> RecurringWeeks:
    """Return the weeks in which hours recur: of `every 2 weeks of 2026-11-30`, or of `1st, 3rd of month`."""
    try:
        return recurrence_text.read(text.lower())
    except ValueError as error:
        raise Unreadable(str(error)) from None


def _weekday(text: str) -> int:
    number = _weekdays().get(joined(text))
    if number is None:
        raise Unreadable(_("%(day)s is not a day of the week. Write it as Mon, or Mon-Fri.") % {"day": text})
    return number


@cache
def _weekdays() -> dict[str, int]:
    """Return the numbers of weekdays by their names in each language, in full and in short."""
    names = {str(number + 1): number for number in range(7)}
    for tag, _name in settings.LANGUAGES:
        for width in ("wide", "abbreviated", "short"):
            for number, name in Locale.parse(tag).days["format"][width].items():
                names.setdefault(joined(name), number)
    return names


def _choice(choices: Mapping[T, str], text: str, refusal: str) -> T:
    key = joined(text)
    for choice, names in choices.items():
        if key in map(joined, names.split("|")):
            return choice
    raise Unreadable(refusal % {"text": text})
