"""The people, rooms and devices that can be away: those with whose calendars staff work."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from clinic.fhir.schedules import ZONE_OF_HOURS
from clinic.models import Schedule
from clinic.translations import actor_name
from scheduling import access
from scheduling.access import Caller


def schedules_of(caller: Caller) -> list[Schedule]:
    """Return one calendar of each practitioner, room and device with whose calendars the caller works. One query."""
    rows = access.calendars(caller).filter(bookable__patient=None, bookable__healthcare_service=None)
    related = [f"bookable__{actor}" for actor in ("practitioner", "location", "device")]
    rows = rows.order_by("bookable", "pk").distinct("bookable").select_related("site", *related)
    rows = rows.prefetch_related(*ZONE_OF_HOURS)
    return sorted(rows, key=lambda schedule: actor_name(schedule.bookable.actor).casefold())


def groups_of(schedules: Sequence[Schedule]) -> list[tuple[str, list[tuple[str, str]]]]:
    """The calendars as choices of a form, by kind, without empty kinds."""
    kinds: dict[str, list[tuple[str, str]]] = {_("People"): [], _("Rooms"): [], _("Devices"): []}
    people, rooms, devices = kinds.values()
    for schedule in schedules:
        bookable = schedule.bookable
        group = people if bookable.practitioner_id else rooms if bookable.location_id else devices
        group.append((schedule.fhir_id, actor_name(bookable.actor)))
    return [(kind, choices) for kind, choices in kinds.items() if choices]


def name_of(bookable: Any) -> str:
    """The name of an actor, in the reader's language."""
    return actor_name(bookable.actor)
