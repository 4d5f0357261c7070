"""The choice of a person's current name, phone number and email address among those in their FHIR resource.

A name or an address counts only within its period, so `now` is an argument:
https://hl7.org/fhir/R4/datatypes.html#HumanName, #ContactPoint
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from clinic.fhir.datatypes import Json, read_period
from clinic.fhir.issues import InvalidElement

# The order in which uses of names are preferred: the usual name before the official one, former names last.
NAMES = ("usual", "official", "", "nickname", "temp", "anonymous", "maiden", "old")
FORMER = ("maiden", "old")
CALLS = ("mobile", "home", "", "temp", "work")
LETTERS = ("home", "", "mobile", "temp", "work")
LAST_RANK = 2**31
LATEST = datetime.max.replace(tzinfo=UTC)

Choose = Callable[[Sequence[Json] | None, datetime], str]


@dataclass(frozen=True, slots=True)
class PersonName:
    """A name in the columns of a person. A name that was sent as text only is in `family`."""

    family: str = ""
    given: str = ""
    prefix: str = ""


def name_of(names: Sequence[Json] | None, now: datetime) -> PersonName:
    """Return the name to show; an empty one if there is none."""
    usable = [name for name in names or () if isinstance(name, dict) and read_name(name) != PersonName()]

    def order(name: Json) -> tuple[bool, int]:
        return _is_outside_period(name, now), _place(NAMES, name)

    return read_name(min(usable, key=order)) if usable else PersonName()


def phone_of(points: Sequence[Json] | None, now: datetime) -> str:
    """Return the number to call, chosen by rank, then by use (mobile, home, work); empty if there is none."""
    return _best(points, ("phone", "sms"), CALLS, now)


def texts_of(points: Sequence[Json] | None, now: datetime) -> str:
    """Return the number for text messages: one with the system sms, else a mobile number, else the number to call."""
    mobiles = [point for point in points or () if isinstance(point, dict) and point.get("use") == "mobile"]
    return _best(points, ("sms",), CALLS, now) or _best(mobiles, ("phone",), CALLS, now) or phone_of(points, now)


def email_of(points: Sequence[Json] | None, now: datetime) -> str:
    """Return the email address to use, chosen by rank, then by use (home before work); empty if there is none."""
    return _best([point for point in points or () if _is_mail(point)], ("email",), LETTERS, now)


def lasts(points: Sequence[Json], choose: Choose) -> bool:
    """True if one of the addresses has no period; an empty column then means that a page has removed the address."""
    return bool(choose([point for point in points if not point.get("period")], LATEST))


def current(column: str, points: Sequence[Json] | None, choose: Choose, now: datetime) -> str:
    """Return the current address of those that were sent, or the column's if a page has written another one there."""
    sent = [point for point in points or () if isinstance(point, dict)]
    is_from_sent = column in {point.get("value") for point in sent} if column else not lasts(sent, choose)
    return choose(sent, now) if is_from_sent else column


def _best(points: Sequence[Json] | None, systems: tuple[str, ...], uses: tuple[str, ...], now: datetime) -> str:
    usable = [
        point
        for point in points or ()
        if isinstance(point, dict)
        and point.get("system") in systems
        and point.get("value")
        and point.get("use") != "old"
        and not _is_outside_period(point, now)
    ]

    def order(point: Json) -> tuple[int, int, int]:
        return point.get("rank") or LAST_RANK, systems.index(point["system"]), _place(uses, point)

    return str(min(usable, key=order)["value"]) if usable else ""


def _is_mail(point: Any) -> bool:
    """True if the value is an email address."""
    try:
        validate_email(point.get("value"))
    except (ValidationError, AttributeError):
        return False
    return len(point["value"]) <= 254


def _place(uses: tuple[str, ...], element: Json) -> int:
    use = element.get("use") or ""
    return uses.index(use) if use in uses else len(uses)


def _is_outside_period(element: Json, now: datetime) -> bool:
    """True if the element's period is over, or has not begun."""
    start, end = _period(element)
    return (start is not None and now < start) or (end is not None and now >= end)


def _period(element: Any) -> tuple[datetime | None, datetime | None]:
    """Return start and end of an element's period; None for a period that cannot be read."""
    period = element.get("period") if isinstance(element, dict) else None
    try:
        return read_period(period) if period else (None, None)
    except (InvalidElement, AttributeError, TypeError):
        return None, None


def read_name(name: Json) -> PersonName:
    """Return a HumanName as columns hold it; an empty one if it has neither parts nor text."""
    given = " ".join(filter(None, name.get("given") or ()))
    family = name.get("family") or ""
    if not given and not family:
        family = name.get("text") or ""
    prefix = " ".join(filter(None, name.get("prefix") or ()))
    return PersonName(family, given, prefix) if given or family else PersonName()
