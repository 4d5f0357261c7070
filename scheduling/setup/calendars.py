"""Calendars of practitioners, rooms and devices: opening and closing, their services, and their week."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from clinic.models import Bookable, Device, HealthcareService, Location, Practitioner, Schedule, Slot
from scheduling import access, booking, opening
from scheduling.access import Caller
from scheduling.errors import RuleBroken
from scheduling.interactions.audit import record_writes
from scheduling.opening import Version, Week
from scheduling.opening.changes import write_parameters
from scheduling.setup.writes import Written, write_row

ACTORS = {Practitioner: "practitioner", Location: "location", Device: "device"}


def open_calendars(
    actor: Practitioner | Location | Device, sites: Collection[Location], *, now: datetime
) -> list[Written]:
    """Give the actor an active calendar at each of these sites, and make those at other sites inactive.

    A new calendar offers all services. Calendars of roles, and those that are for any site, stay as they are.
    """
    named: dict[str, Any] = {ACTORS[type(actor)]: actor}
    bookable, _created = Bookable.objects.get_or_create(**named)
    rows = Schedule.objects.filter(bookable=bookable, practitioner_role=None, deleted_at=None, site__isnull=False)
    known = list(rows.select_for_update(no_key=True).order_by("pk"))
    kept = {site.pk for site in sites}
    written: list[Written] = []
    for schedule in known:
        if schedule.active and schedule.site_id not in kept:
            written.append(write_row(schedule, {"active": False}, version=schedule.version, now=now)[1])
    open_sites = {schedule.site_id for schedule in known if schedule.active}
    for site in sorted(sites, key=lambda site: site.pk):
        if site.pk in open_sites:
            continue
        closed = next((schedule for schedule in known if schedule.site_id == site.pk), None)
        schedule = closed or Schedule(bookable=bookable, site=site, offers_all_services=True)
        written.append(write_row(schedule, {"active": True}, version=schedule.version, now=now)[1])
    return written


def save_calendar(
    schedule: Schedule,
    values: Mapping[str, Any],
    services: Collection[HealthcareService],
    *,
    version: int,
    caller: Caller,
    now: datetime,
) -> None:
    """Save the columns of a calendar and the services that it offers."""
    access.may_set_up(caller)
    with booking.all_or_nothing():
        schedule, written = write_row(schedule, values, version=version, now=now)
        schedule.services.set(services)
        record_writes([written], caller=caller, now=now)


def set_week(schedule: Schedule, week: Week | None, *, version: int, caller: Caller, now: datetime) -> None:
    """Set one week of hours on a calendar for all its services; None: each service's own hours.

    Raises RuleBroken while visits are booked on it: the page of its hours shows what a change does to them.
    """
    access.may_set_hours(caller, schedule)
    with booking.all_or_nothing():
        schedule, _written = write_row(schedule, {}, version=version, now=now)
        if Slot.objects.filter(schedule=schedule, status=Slot.Status.BUSY, end__gt=now, deleted_at=None).exists():
            text = _(
                "Visits are booked on this calendar. Change its hours under Hours, which shows what becomes of them."
            )
            raise RuleBroken(text)
        availability = None if week is None else opening.write([Version(None, week)])
        for service in services_of(schedule):
            write_parameters(service, schedule, {"availability": availability})
        record_writes([(schedule, "updated")], caller=caller, now=now)


def services_of(schedule: Schedule) -> list[HealthcareService]:
    """The active services that a calendar offers."""
    rows = HealthcareService.objects if schedule.offers_all_services else schedule.services
    return list(rows.filter(active=True, deleted_at=None))
