"""The order in which those who wait are asked, and the reasons why one is passed over."""

from collections.abc import Callable, Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

from clinic.models import Appointment, HealthcareService

Order = HealthcareService.WaitlistOrder
NO_PRIORITY = 10  # iCalendar's least is 9; 0 is none


class PassedOver(StrEnum):
    """A reason why somebody on the waiting list is not asked for a time although they come first."""

    PRACTITIONER = "practitioner"
    SITE = "site"
    WEEKDAY = "weekday"
    PART_OF_DAY = "part-of-day"
    TOO_EARLY = "too-early"
    TOO_LATE = "too-late"
    NOTICE = "notice"
    NOT_EARLIER = "not-earlier"
    VISIT_FIXED = "visit-fixed"
    NO_VISIT = "no-visit"
    ASKED_BEFORE = "asked-before"
    HAS_OFFER = "has-offer"
    NOT_POSSIBLE = "not-possible"


# Reasons that may be over soon, so that the time waits for them.
PASSING = frozenset({PassedOver.HAS_OFFER})


def in_order(
    service: HealthcareService, entries: Iterable[Appointment], visits: dict[int, Appointment]
) -> list[Appointment]:
    """Return the entries of a service in the order in which they are asked. `visits` are those that would move."""
    keys: dict[str, Callable[[Appointment], Any]] = {
        Order.LONGEST: lambda entry: (),
        Order.URGENT: lambda entry: entry.extra.get("priority") or NO_PRIORITY,
        Order.BOOKED: lambda entry: -_start(visits.get(entry.pk)).timestamp() if entry.pk in visits else 0.0,
    }
    key = keys[service.waitlist_order]
    return sorted(entries, key=lambda entry: (key(entry), entry.created, entry.pk))


def _start(visit: Appointment | None) -> datetime:
    assert visit is not None  # it is among the visits
    assert visit.start is not None  # it is booked
    return visit.start
