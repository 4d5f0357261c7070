"""FHIR's data types, read and written: https://hl7.org/fhir/R4/datatypes.html

clinic.fhir.validation has checked the form of what is read here. A value that means nothing raises InvalidElement.
"""

import re
from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import Any, Protocol

from django.core.exceptions import ValidationError

from clinic import money
from clinic.fhir.codes import UCUM
from clinic.fhir.issues import InvalidElement
from clinic.local_time import LAST, in_zone, read_iso
from clinic.zones import validate_zone

Json = dict[str, Any]

MINUTES_IN = {"min": 1, "h": 60, "d": 24 * 60, "wk": 7 * 24 * 60}
MAX_NOTICE_MINUTES = 3650 * 24 * 60
END_OF_CALENDAR = ("9999", "9999-12", "9999-12-31")
PARTIAL = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")


class Referable(Protocol):
    """A row that a reference can name."""

    @property
    def reference(self) -> str: ...


def instant(moment: datetime) -> str:
    """Return a FHIR instant in UTC, such as `2026-01-05T14:00:00Z`, with milliseconds only if they are not zero."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    precision = "milliseconds" if moment.microsecond else "seconds"
    return moment.isoformat(timespec=precision)[:-6] + "Z"


date_time = instant


def reference(to: Referable, display: str = "") -> Json:
    return {"reference": to.reference, "display": display} if display else {"reference": to.reference}


def minutes(length: int) -> Json:
    """Return a length in minutes as a FHIR Duration."""
    return {"value": length, "unit": "min", "system": UCUM, "code": "min"}


def read_instant(text: str) -> datetime:
    """Return the moment of a FHIR instant, which must have an offset, in UTC."""
    try:
        moment = read_iso(text)
    except ValueError:
        raise InvalidElement(f"{text!r} is not an instant such as 2026-01-05T14:00:00Z.", "value") from None
    if moment.tzinfo is None:
        raise InvalidElement(f"{text!r} has no offset from UTC, such as Z or -05:00.", "value")
    return _utc(moment)


def read_date_time(text: str, zone: tzinfo = UTC, *, end: bool = False) -> datetime:
    """Return the moment of a FHIR dateTime, in UTC.

    A dateTime without a time is a day, a month or a year in `zone`: return its start, or with `end` its end, which is
    exclusive. So 2026-01-16 ends at midnight of the 17th, and 2026-01 on 1 February.
    """
    if partial := PARTIAL.fullmatch(text):
        day = _day(partial, end=end)
        return LAST if day is None else in_zone(datetime.combine(day, time(), zone), UTC)
    return read_instant(text)


def read_wall(text: str, zone: tzinfo) -> datetime:
    """Return the moment, in UTC, of a local date and time in the zone."""
    try:
        return in_zone(read_iso(text).replace(tzinfo=zone), UTC)
    except ValueError:
        raise InvalidElement(f"{text!r} is not a time such as 2026-01-05T14:00.", "value") from None


def read_period(period: Json, zone: tzinfo = UTC) -> tuple[datetime | None, datetime | None]:
    """Return start and end of a FHIR Period as [start, end); its first and last day are included."""
    start = read_date_time(period["start"], zone) if period.get("start") else None
    end = read_date_time(period["end"], zone, end=True) if period.get("end") else None
    if start and end and start >= end:
        raise InvalidElement("A period ends after it starts.", "value")
    return start, end


def read_first_day(text: str) -> date:
    """Return the day of a dateTime as written, whatever its offset; the first day of a month or a year."""
    year, month, day = _parts(text)
    return _date(text, year, month or 1, day or 1)


def read_last_day(text: str) -> date:
    """Return the day of a dateTime as written, whatever its offset; the last day of a month or a year."""
    year, month, day = _parts(text)
    first = _date(text, year, month or 12, 1)
    return _date(text, year, first.month, day or monthrange(first.year, first.month)[1])


def read_minutes(duration: Json) -> int:
    """Return a Duration in minutes. Like Medplum, it reads `unit`, which is min, h, d or wk, before `code`."""
    if duration.get("value") is None:
        raise InvalidElement("Got duration without value")
    if "comparator" in duration:
        raise InvalidElement("A duration is exact: comparator is not allowed.", at=".comparator")
    unit = duration.get("unit", duration.get("code"))
    if unit not in MINUTES_IN:
        raise InvalidElement(f'Got unhandled duration unit "{unit}"', at=".unit")
    length = Decimal(str(duration["value"])) * MINUTES_IN[unit]
    if length != length.to_integral_value():
        raise InvalidElement("A duration is a whole number of minutes.", at=".value")
    return int(length)


def read_notice(duration: Json) -> timedelta:
    """Return the length of a Duration, which must not be negative."""
    length = read_minutes(duration)
    if not 0 <= length <= MAX_NOTICE_MINUTES:
        raise InvalidElement("Notice is given from 0 minutes to ten years ahead.", at=".value")
    return timedelta(minutes=length)


def read_money(sent: Json, currency: str) -> int:
    """Return a Money, which must be in the given currency, in minor units."""
    if sent.get("currency") != currency:
        raise InvalidElement(f"Amounts are in the clinic's currency, {currency}.", at=".currency")
    try:
        return money.amount_of(Decimal(str(sent["value"])), currency)
    except (KeyError, ValueError):
        text = f"An amount is not negative and has {money.digits(currency)} digits after the point at most."
        raise InvalidElement(text, at=".value") from None


def write_money(amount: int, currency: str) -> Json:
    """Return an amount in minor units as a Money."""
    number = money.decimal_of(amount, currency)
    return {"value": int(number) if number == int(number) else float(number), "currency": currency}


def read_zone(name: str) -> str:
    """Return the name of an IANA time zone as it is. Raises InvalidElement for an unknown name."""
    try:
        validate_zone(name)
    except ValidationError as error:
        raise InvalidElement(error.messages[0]) from None
    return name


def _day(partial: re.Match[str], *, end: bool) -> date | None:
    """Return the first day of a year, a month or a day, or with `end` the day after its last; None after year 9999."""
    year, month, day = partial.groups()
    try:
        first = date(int(year), int(month or 1), int(day or 1))
        if not end:
            return first
        if partial.group() in END_OF_CALENDAR:
            return None
        if day:
            return first + timedelta(days=1)
        return date(first.year + 1, 1, 1) if not month or first.month == 12 else date(first.year, first.month + 1, 1)
    except ValueError:
        raise InvalidElement(f"{partial.group()!r} is not a date.", "value") from None


def _parts(text: str) -> tuple[int, int, int]:
    """Return year, month and day of a dateTime; 0 for a part that is missing."""
    partial = PARTIAL.fullmatch(text.partition("T")[0])
    if partial is None:
        raise InvalidElement(f"{text!r} is not a date.", "value")
    year, month, day = (int(part or 0) for part in partial.groups())
    return year, month, day


def _date(text: str, year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise InvalidElement(f"{text!r} is not a date.", "value") from None


def _utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise InvalidElement(f"{moment.isoformat()!r} is out of range.", "value") from None
