"""Payments at the desks on a day, with the totals of each site."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from django.db.models import Q

from clinic.models import DeskPayment, Location
from scheduling import access
from scheduling.access import Caller
from scheduling.availability import as_datetime
from scheduling.core.hours import whole_days
from scheduling.visit_zone import zone_or_clinics

Method = DeskPayment.Method


@dataclass(frozen=True, slots=True)
class SiteDay:
    """Payments at the desk of one site on a day in one currency, in the order of time. The site can be None."""

    site: Location | None
    currency: str
    entries: Sequence[DeskPayment]

    @property
    def zone(self) -> ZoneInfo:
        return zone_of(self.site)

    @property
    def cash(self) -> int:
        return self._sum(Method.CASH)

    @property
    def card(self) -> int:
        return self._sum(Method.CARD)

    @property
    def total(self) -> int:
        return self.cash + self.card

    def _sum(self, method: DeskPayment.Method) -> int:
        return sum(each.amount for each in self.entries if each.method == method)


def payment_sites(caller: Caller) -> list[Location]:
    """Return the sites whose payments the caller handles."""
    rows = Location.objects.filter(part_of=None, deleted_at=None).order_by("name", "pk")
    where = caller.bounds(access.Action.PAYMENTS)
    return list(rows if where.everywhere else rows.filter(pk__in=where.sites))


def read_day(caller: Caller, day: date, sites: Sequence[Location], *, with_siteless: bool) -> list[SiteDay]:
    """Return what was taken at these sites on the day by their clocks. One query, however much was taken."""
    taken = Q(pk__in=[])
    for site in sites:
        taken |= Q(site=site) & _during(day, site)
    if with_siteless:
        taken |= Q(site=None) & _during(day, None)
    rows = access.desk_payments(caller).filter(taken)
    rows = rows.select_related("site", "taken_by", "appointment__service", "appointment__patient", "patient")
    by_site: dict[tuple[Location | None, str], list[DeskPayment]] = defaultdict(list)
    for row in rows.order_by("site__name", "site", "taken", "pk"):
        by_site[row.site, row.currency].append(row)
    return [SiteDay(site, currency, entries) for (site, currency), entries in by_site.items()]


def zone_of(site: Location | None) -> ZoneInfo:
    return zone_or_clinics(site.timezone if site else "")


def _during(day: date, site: Location | None) -> Q:
    start, end = whole_days(day, day, zone_of(site))
    return Q(taken__gte=as_datetime(start), taken__lt=as_datetime(end))
