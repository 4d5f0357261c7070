"""Group visits: how many of their seats are taken."""

from collections import Counter
from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple, TypeAlias

from django.db.models import Q

from clinic.models import OCCUPYING, Location, SchedulingParameters, Slot

Capacities: TypeAlias = dict[tuple[int, int | None], int]
Shared: TypeAlias = tuple[int, int, datetime]  # schedule and service (primary keys), and the start


class Seats(NamedTuple):
    """The number of seats taken, and of all seats."""

    taken: int
    of: int


def capacities(services: Collection[int]) -> Capacities:
    """Return the seats by service and schedule (primary keys), with None for the service's default. One query."""
    if not services:
        return {}
    rows = SchedulingParameters.objects.filter(service__in=services, slot_capacity__gt=1)
    known: Capacities = {}
    for service, schedule, of in rows.values_list("service", "schedule", "slot_capacity"):
        known[service, schedule] = of or 1
    return known


def capacity_of(known: Capacities, service: int, schedule: int) -> int:
    return known.get((service, schedule)) or known.get((service, None)) or 1


def seats_at(
    sites: Collection[Location], start: datetime, end: datetime, *, now: datetime
) -> tuple[dict[int, Seats], set[int]]:
    """Return the seats of the groups at these sites by the primary keys of their visits, and those of extra visits.

    At most two queries.
    """
    rows = Slot.objects.filter(
        Q(hold_expires_at=None) | Q(hold_expires_at__gt=now),
        schedule__site__in=sites,
        seat__isnull=False,
        start__gte=start,
        start__lt=end,
        status__in=OCCUPYING,
        appointment__service__isnull=False,
        deleted_at=None,
    ).values_list("appointment", "seat", "schedule", "appointment__service", "start")
    extra = {visit for visit, seat, *_ in rows if seat is not None and seat < 0}
    groups: dict[int, Shared] = {
        visit: (schedule, service, begins) for visit, _seat, schedule, service, begins in rows if visit not in extra
    }
    if not groups:
        return {}, extra
    known = capacities({service for _, service, _ in groups.values()})
    taken = Counter(groups.values())
    seats = {visit: Seats(taken[group], capacity_of(known, group[1], group[0])) for visit, group in groups.items()}
    return seats, extra
