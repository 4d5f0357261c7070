"""Actors and sites that can be away: people, rooms and devices with whose calendars staff work, and whole sites."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from clinic.fhir.schedules import ZONE_OF_HOURS
from clinic.models import Absence, Device, Location, Practitioner
from clinic.translations import actor_name
from scheduling import access
from scheduling.access import Caller
from scheduling.visit_zone import zone_of_schedule, zone_or_clinics


@dataclass(frozen=True, slots=True)
class Absentee:
    """A person, a room, a device or a site that can be away, with the zone of its times. `key` names it in forms.

    `bookable` and `site` are primary keys: a site need not have a Bookable yet.
    """

    key: str
    actor: Any
    zone: ZoneInfo
    bookable: int | None = None
    site: int | None = None

    @property
    def name(self) -> str:
        return actor_name(self.actor)

    def is_of(self, absence: Absence) -> bool:
        """True if it is away in this absence."""
        if absence.site is not None:
            return self.site == absence.site.pk
        return self.bookable == absence.bookable_id


def absentees(caller: Caller) -> list[Absentee]:
    """Return each person, room and device with whose calendars the caller works, and the sites that they run.

    Two queries.
    """
    rows = access.calendars(caller).filter(bookable__patient=None, bookable__healthcare_service=None)
    related = [f"bookable__{actor}" for actor in ("practitioner", "location", "device")]
    rows = rows.order_by("bookable", "pk").distinct("bookable").select_related("site", *related)
    found = [
        Absentee(schedule.fhir_id, schedule.bookable.actor, zone_of_schedule(schedule), bookable=schedule.bookable_id)
        for schedule in rows.prefetch_related(*ZONE_OF_HOURS)
        if not _is_site(schedule.bookable.actor)
    ]
    found += map(of_site, access.sites_run_by(caller))
    return sorted(found, key=lambda each: each.name.casefold())


def of_site(site: Location) -> Absentee:
    return Absentee(site.fhir_id, site, zone_or_clinics(site.timezone), site=site.pk)


def groups_of(found: Sequence[Absentee]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return them as choices of a form, by kind, without empty kinds."""
    kinds: dict[str, list[tuple[str, str]]] = {
        _("People"): [],
        _("Sites, as a whole"): [],
        _("Rooms"): [],
        _("Devices"): [],
    }
    people, sites, rooms, devices = kinds.values()
    of_kind: dict[type[Any], list[tuple[str, str]]] = {Practitioner: people, Location: rooms, Device: devices}
    for absentee in found:
        group = sites if absentee.site else of_kind[type(absentee.actor)]
        group.append((absentee.key, absentee.name))
    return [(kind, choices) for kind, choices in kinds.items() if choices]


def _is_site(actor: Any) -> bool:
    return isinstance(actor, Location) and actor.part_of_id is None
