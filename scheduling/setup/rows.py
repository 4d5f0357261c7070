"""Saving of sites, rooms, devices and practitioners. Rooms, devices and practitioners get calendars with it."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, TypeVar

from clinic.models import Device, Location, Practitioner
from scheduling import access, booking
from scheduling.access import Caller
from scheduling.interactions.audit import record_writes
from scheduling.setup.calendars import open_calendars
from scheduling.setup.writes import Written, write_row

P = TypeVar("P", bound=Location | Device)


def save_place(place: P, values: Mapping[str, Any], *, version: int, caller: Caller, now: datetime) -> P:
    """Save a new or changed site, room or device. A room or device has a calendar at its site, for all services."""
    access.may_set_up(caller)
    with booking.all_or_nothing():
        place, written = write_row(place, values, version=version, now=now)
        site = _site_of(place)
        calendars: list[Written] = open_calendars(place, {site}, now=now) if site else []
        record_writes([written, *calendars], caller=caller, now=now)
    return place


def save_person(
    person: Practitioner,
    values: Mapping[str, Any],
    sites: Collection[Location],
    *,
    version: int,
    caller: Caller,
    now: datetime,
) -> Practitioner:
    """Save a new or changed practitioner, with a calendar at each of these sites. Calendars at other sites close.

    Visits that are booked on a calendar that closes stay booked.
    """
    access.may_set_up(caller)
    with booking.all_or_nothing():
        person, written = write_row(person, values, version=version, now=now)
        record_writes([written, *open_calendars(person, sites, now=now)], caller=caller, now=now)
    return person


def _site_of(place: Location | Device) -> Location | None:
    """The site of a room or device; None for a site itself."""
    if isinstance(place, Location):
        return place.part_of
    return place.location.site if place.location else None
