"""Values of search parameters: https://hl7.org/fhir/R4/search.html#escaping and #prefix

Unreadable values raise Invalid.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Generic, TypeVar

from clinic.country import clinic_zone
from clinic.fhir.datatypes import read_date_time, read_wall
from clinic.fhir.issues import InvalidElement
from clinic.local_time import later
from scheduling.errors import Invalid

T = TypeVar("T", date, datetime, Decimal)

PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
MAX_VALUES = 1000
A_DAY = timedelta(days=1)

VALUE = re.compile(r"(?:\\.|[^,\\]|\\$)+")
BAR = re.compile(r"((?:\\.|[^|\\]|\\$)*)\|(.*)", re.DOTALL)
DOLLAR = re.compile(r"((?:\\.|[^$\\]|\\$)*)\$(.*)", re.DOTALL)
ESCAPED = re.compile(r"\\([,$|\\])")
DATE = re.compile(
    rf"(?P<prefix>{'|'.join(PREFIXES)})?"
    r"(?P<day>\d{4}(-\d\d(-\d\d)?)?)"
    r"(?P<time>T\d\d:\d\d(?P<second>:\d\d(\.\d{1,9})?)?)?(?P<offset>Z|[+ -]\d\d:\d\d)?",
    re.ASCII,
)
NUMBER = re.compile(
    rf"(?P<prefix>{'|'.join(PREFIXES)})?(?P<number>[+-]?\d{{1,20}}(\.\d{{1,20}})?([eE][+-]?\d)?)", re.ASCII
)


def split_values(value: str) -> list[str]:
    """Split a value at its commas, still escaped."""
    values = VALUE.findall(value)
    if not values:
        raise Invalid(f"{value!r} holds no value.")
    if len(values) > MAX_VALUES:
        raise Invalid(f"There are {len(values)} values; {MAX_VALUES} at most can be asked for at once.")
    return values


def plain(value: str) -> str:
    """Return a value without its escaping backslashes."""
    return ESCAPED.sub(r"\1", value)


def split_token(value: str) -> tuple[str | None, str]:
    """Split `system|code`, each of which may be empty; None for a code of any system."""
    system, code = _split(BAR, value)
    if not (system or code):
        raise Invalid(f"{value!r} names neither a system nor a code.")
    return system, code


def split_composite(value: str) -> tuple[str, str]:
    """Split `this$that`, both still escaped."""
    match = DOLLAR.fullmatch(value)
    if not match:
        raise Invalid(f"{value!r} is not two values with a $ between them.")
    return match[1], match[2]


@dataclass(frozen=True)
class Span(Generic[T]):
    """The range [first, after) of a value, and its comparison."""

    prefix: str
    first: T
    after: T


def read_span(value: str, zone: tzinfo | None = None) -> Span[datetime]:
    """Read a date; without a time it is its whole day, month or year. `ap` adds a day on either side.

    A value without a zone is in `zone`, by default the clinic's.
    """
    match = DATE.fullmatch(value)
    if not match or (match["offset"] and not match["time"]) or (match["time"] and len(match["day"]) < 10):
        raise Invalid(f"{value!r} is not a date such as ge2026-01-05 or lt2026-01-05T14:00:00Z.")
    try:
        first, after = _moments(match, UTC if match["offset"] else zone or clinic_zone())
        if match["prefix"] == "ap":
            first, after = later(first, -A_DAY), later(after, A_DAY)
    except InvalidElement:
        raise Invalid(f"{value!r} is not a date.") from None
    return Span(match["prefix"] or "eq", first, after)


def read_days(value: str) -> Span[date]:
    """Read a date in whole days, which have no zone; an instant counts as its day."""
    span = read_span(value, UTC)
    first = span.first.date()
    return Span(span.prefix, first, max(span.after.date(), later(span.first, A_DAY).date()))


def read_number(value: str) -> Span[Decimal]:
    """Read a number.

    It matches all numbers that are rounded to it, 5.4 for [5.35, 5.45); with a prefix such as `gt` only itself counts.
    `ap` is within a tenth of it.
    """
    match = NUMBER.fullmatch(value)
    if not match:
        raise Invalid(f"{value!r} is not a number such as 5.4 or ge100.")
    number = Decimal(match["number"])
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    prefix = match["prefix"] or "eq"
    rounding = Decimal(5).scaleb(exponent - 1)
    reach = {"ap": abs(number) / 10, "eq": rounding, "ne": rounding}.get(prefix, Decimal(0))
    return Span(prefix, number - reach, number + reach)


def _split(separator: re.Pattern[str], value: str) -> tuple[str | None, str]:
    match = separator.fullmatch(value)
    return (plain(match[1]), plain(match[2])) if match else (None, plain(value))


def _moments(match: re.Match[str], zone: tzinfo) -> tuple[datetime, datetime]:
    if not match["time"]:
        return read_date_time(match["day"], zone), read_date_time(match["day"], zone, end=True)
    second = match["second"]
    length = timedelta(minutes=1) if not second else timedelta(seconds=1)
    if second and "." in second:
        length = timedelta(milliseconds=1)
    if match["offset"]:
        # A plus sign that was not encoded has become a space.
        first = read_date_time(match["day"] + match["time"] + match["offset"].replace(" ", "+"))
    else:
        first = read_wall(match["day"] + match["time"], zone)
    return first, later(first, length)
