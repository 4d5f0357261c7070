"""Saving of sites, rooms, devices and practitioners. Rooms, devices and practitioners get calendars with it."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import QuerySet

from clinic.models import Device, Location, Practitioner, PractitionerRole
from scheduling import access, booking
from scheduling.access import Caller
from scheduling.interactions.audit import record_writes
from scheduling.setup.calendars import open_calendars
from scheduling.setup.writes import Written, write_row

Json = dict[str, Any]
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
    specialties: list[Json] | None = None,
    version: int,
    caller: Caller,
    now: datetime,
) -> Practitioner:
    """Save a new or changed practitioner, with a calendar at each of these sites. Calendars at other sites close.

    Visits that are booked on a calendar that closes stay booked. Without `specialties` those of their roles stay.
    """
    access.may_set_up(caller)
    with booking.all_or_nothing():
        person, written = write_row(person, values, version=version, now=now)
        roles = [] if specialties is None else _write_specialties(person, specialties, now=now)
        record_writes([written, *roles, *open_calendars(person, sites, now=now)], caller=caller, now=now)
    return person


def specialties_of(person: Practitioner) -> list[Json]:
    """Return the specialties of a person's roles, each once."""
    found: list[Json] = []
    for role in _roles_of(person):
        found += [concept for concept in role.specialty if concept not in found]
    return found


def _write_specialties(person: Practitioner, specialties: list[Json], *, now: datetime) -> list[Written]:
    """Write the specialties to the person's roles: those that are gone leave all of them, new ones come to the first.

    A person without a role gets one for their specialties.
    """
    before = specialties_of(person)
    added = [concept for concept in specialties if concept not in before]
    roles = list(_roles_of(person)) or ([PractitionerRole(practitioner=person)] if added else [])
    written: list[Written] = []
    for number, role in enumerate(roles):
        kept = [concept for concept in role.specialty if concept in specialties]
        entered = kept + (added if number == 0 else [])
        if entered != role.specialty:
            written.append(write_row(role, {"specialty": entered}, version=role.version, now=now)[1])
    return written


def _roles_of(person: Practitioner) -> "QuerySet[PractitionerRole]":
    return PractitionerRole.objects.filter(practitioner=person, active=True, deleted_at=None).order_by("pk")


def _site_of(place: Location | Device) -> Location | None:
    """The site of a room or device; None for a site itself."""
    if isinstance(place, Location):
        return place.part_of
    return place.location.site if place.location else None
