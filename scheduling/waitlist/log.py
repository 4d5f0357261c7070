"""The waiting list for staff: the entries, the offers with their reasons, and how much freed time was filled."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet

from clinic.models import Appointment, FreedTime, HealthcareService, WaitlistOffer
from scheduling import access, booking
from scheduling.access import Caller
from scheduling.waitlist.order import in_order


@dataclass(frozen=True, slots=True)
class Wait:
    """An entry of the waiting list, in its place, with the visit that would move and the offer that can be taken."""

    entry: Appointment
    place: int
    visit: Appointment | None
    offer: WaitlistOffer | None


@dataclass(frozen=True, slots=True)
class FillFigure:
    """The visits of a period that were cancelled or moved while somebody waited: all, the offered and the taken."""

    freed: int
    offered: int
    taken: int

    @property
    def share(self) -> float | None:
        """The taken share of the freed visits; None if none was freed."""
        return self.taken / self.freed if self.freed else None


def read_waits(caller: Caller, *, now: datetime) -> dict[HealthcareService, list[Wait]]:
    """Return those who wait for the services that the caller works with, in the order in which they are asked.

    A constant number of queries.
    """
    rows = access.waiting(caller).exclude(service=None).select_related("service", "patient", "site")
    by_service: dict[HealthcareService, list[Appointment]] = {}
    for entry in rows.order_by("service__name", "service_id"):
        assert entry.service is not None  # those without are left out
        by_service.setdefault(entry.service, []).append(entry)
    entries = [entry for of_service in by_service.values() for entry in of_service]
    visits = booking.visits_to_move(entries, now=now)
    offers = booking.standing_offers(entries, now=now)
    return {
        service: [
            Wait(entry, place, visits.get(entry.pk), offers.get(entry.pk))
            for place, entry in enumerate(in_order(service, of_service, visits), start=1)
        ]
        for service, of_service in by_service.items()
    }


def offers_of(caller: Caller, *, most: int | None) -> Sequence[WaitlistOffer]:
    """Return the last offers of services that the caller works with, or all of them, the newest first."""
    offers = WaitlistOffer.objects.filter(entry__service__in=access.services_worked_with(caller))
    related = ("entry__patient", "entry__service", "hold__site", "hold__service", "hold__patient")
    return list(offers.select_related(*related)[:most])


def fill_figure(start: datetime, end: datetime, *, services: Sequence[int] | None = None) -> FillFigure:
    """Return how many visits of the period [start, end) were cancelled or moved while somebody waited, and how many
    were filled.

    `services` are primary keys; None means all. One statement.
    """
    freed: QuerySet[FreedTime] = FreedTime.objects.filter(was_booked=True, freed__gte=start, freed__lt=end)
    if services is not None:
        freed = freed.filter(appointment__service__in=services)
    counts = freed.aggregate(
        freed=Count("appointment", distinct=True),
        offered=Count("appointment", distinct=True, filter=Q(offers__isnull=False)),
        taken=Count("appointment", distinct=True, filter=Q(offers__outcome=WaitlistOffer.Outcome.TAKEN)),
    )
    return FillFigure(**counts)
