"""The name by which a person is shown, and the addresses by which they are reached.

The one place that decides it, for what comes through FHIR, is loaded, or is written on a page. `now` is an argument:
a name or an address counts only within its period (https://hl7.org/fhir/R4/datatypes.html#HumanName, #ContactPoint).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from clinic.fhir.datatypes import Json, read_period
from clinic.fhir.issues import InvalidElement

# The name that a person goes by, before the one in their papers; former names only where there is no other.
NAMES = ("usual", "official", "", "nickname", "temp", "anonymous", "maiden", "old")
FORMER = ("maiden", "old")
CALLS = ("mobile", "home", "", "temp", "work")
LETTERS = ("home", "", "mobile", "temp", "work")
LAST_RANK = 2**31
LATEST = datetime.max.replace(tzinfo=UTC)

Choose = Callable[[Sequence[Json] | None, datetime], str]


@dataclass(frozen=True, slots=True)
class PersonName:
    """A name as the columns of a person hold it. One that was sent as a text alone is all in `family`."""

    family: str = ""
    given: str = ""
    prefix: str = ""


def name_of(names: Sequence[Json] | None, now: datetime) -> PersonName:
    """Return the name to show; empty where there is none."""
    usable = [each for each in names or () if isinstance(each, dict) and read_name(each) != PersonName()]

    def order(name: Json) -> tuple[bool, int]:
        return _is_over(name, now), _place(NAMES, name)

    return read_name(min(usable, key=order)) if usable else PersonName()


def phone_of(points: Sequence[Json] | None, now: datetime) -> str:
    """Return the number to call: by rank, else the mobile before that at home and at work; empty without one."""
    return _best(points, ("phone", "sms"), CALLS, now)


def texts_of(points: Sequence[Json] | None, now: datetime) -> str:
    """Return the number that texts go to: one for texts, else a mobile one, else the number to call."""
    mobiles = [each for each in points or () if isinstance(each, dict) and each.get("use") == "mobile"]
    return _best(points, ("sms",), CALLS, now) or _best(mobiles, ("phone",), CALLS, now) or phone_of(points, now)


def email_of(points: Sequence[Json] | None, now: datetime) -> str:
    """Return the address that mail goes to: by rank, else the one at home before that at work; empty without one."""
    return _best([each for each in points or () if _is_mail(each)], ("email",), LETTERS, now)


def lasts(points: Sequence[Json], choose: Choose) -> bool:
    """True if one of them counts always, so that an empty column means that somebody took it out on a page."""
    return bool(choose([each for each in points if not each.get("period")], LATEST))


def current(column: str, points: Sequence[Json] | None, choose: Choose, now: datetime) -> str:
    """Return the address that counts now of those that were sent; the column's, if a page has written another."""
    sent = [each for each in points or () if isinstance(each, dict)]
    is_one_of_them = column in {each.get("value") for each in sent} if column else not lasts(sent, choose)
    return choose(sent, now) if is_one_of_them else column


def _best(points: Sequence[Json] | None, systems: tuple[str, ...], uses: tuple[str, ...], now: datetime) -> str:
    usable = [
        each
        for each in points or ()
        if isinstance(each, dict)
        and each.get("system") in systems
        and each.get("value")
        and each.get("use") != "old"
        and not _is_over(each, now)
    ]

    def order(point: Json) -> tuple[int, int, int]:
        return point.get("rank") or LAST_RANK, systems.index(point["system"]), _place(uses, point)

    return str(min(usable, key=order)["value"]) if usable else ""


def _is_mail(point: Any) -> bool:
    """True if mail can go to it."""
    try:
        validate_email(point.get("value"))
    except (ValidationError, AttributeError):
        return False
    return len(point["value"]) <= 254


def _place(uses: tuple[str, ...], element: Json) -> int:
    use = element.get("use") or ""
    return uses.index(use) if use in uses else len(uses)


def _is_over(element: Json, now: datetime) -> bool:
    """True if it no longer counts, or does not yet."""
    start, end = _period(element)
    return (start is not None and now < start) or (end is not None and now >= end)


def _period(element: Any) -> tuple[datetime | None, datetime | None]:
    """Return the period of a name or an address; of one that cannot be read, none."""
    period = element.get("period") if isinstance(element, dict) else None
    try:
        return read_period(period) if period else (None, None)
    except (InvalidElement, AttributeError, TypeError):
        return None, None


def read_name(name: Json) -> PersonName:
    given = " ".join(each for each in name.get("given") or () if each)
    family = name.get("family") or ""
    if not given and not family:
        family = name.get("text") or ""
    prefix = " ".join(each for each in name.get("prefix") or () if each)
    return PersonName(family, given, prefix) if given or family else PersonName()
