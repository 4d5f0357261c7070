"""The calendars that a member of staff works with, and the ones that they have selected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import time_text
from clinic.models import Location, Schedule
from clinic.translations import actor_name
from portal.common.schedules import SCHEDULE, name_of
from portal.staff.sites import ALL_SITES
from scheduling import access
from scheduling.access import Caller
from scheduling.visit_zone import zone_of_schedule

FIRST_FEW = 8  # calendars that are selected for someone who has not chosen any
PEOPLE, ROOMS, DEVICES = "people", "rooms", "devices"
KINDS = {PEOPLE: gettext_lazy("People"), ROOMS: gettext_lazy("Rooms"), DEVICES: gettext_lazy("Devices")}
SESSION = "calendar"


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The calendars selected by a member of staff, of one site or of `all_sites`, out of `every` calendar they work
    with.

    `names_zone` says that other calendars are shown beside them by the clocks of another zone.
    """

    every: Sequence[Schedule]
    site: Location | None
    shown: Sequence[Schedule]
    all_sites: bool = False
    names_zone: bool = False

    @property
    def zone(self) -> ZoneInfo:
        """The zone of the first calendar, which all calendars of a site share."""
        return zone_of_schedule(self.shown[0])

    @cached_property
    def by_zone(self) -> list["Selection"]:
        """The same calendars by the zone of their clocks. Those of one site have one."""
        if not self.all_sites:
            return [self]
        zones: dict[str, list[Schedule]] = {}
        for schedule in self.shown:
            zones.setdefault(zone_of_schedule(schedule).key, []).append(schedule)
        return [replace(self, shown=shown, names_zone=len(zones) > 1) for shown in zones.values()]

    @property
    def has_one_zone(self) -> bool:
        return len(self.by_zone) == 1

    @property
    def first_site(self) -> Location | None:
        """The site, or that of the first calendar."""
        return self.site or self.shown[0].site

    @property
    def sites(self) -> list[Location]:
        return list({each.site.pk: each.site for each in self.every if each.site}.values())

    @property
    def groups(self) -> list[tuple[str, Any, list[Schedule]]]:
        """The calendars of the site by kind, without empty kinds."""
        here = [each for each in self.every if self.all_sites or each.site == self.site]
        groups = [(kind, word, [each for each in here if kind_of(each) == kind]) for kind, word in KINDS.items()]
        return [group for group in groups if group[2]]

    @property
    def ids(self) -> list[str]:
        return [each.fhir_id for each in self.shown]

    @property
    def bookables(self) -> list[int]:
        return sorted({each.bookable_id for each in self.shown})

    @property
    def names(self) -> str:
        """The names of their actors; of more than three, the number."""
        if len(self.shown) > 3:
            return _("%(count)d calendars") % {"count": len(self.shown)}
        return ", ".join(self.name_of(each) for each in self.shown)

    def name_of(self, schedule: Schedule) -> str:
        """Return the name of the calendar's actor; among all sites with its site, and with the zone if they differ."""
        if not self.all_sites:
            return actor_name(schedule.bookable.actor)
        if self.has_one_zone and not self.names_zone:
            return name_of(schedule)
        return f"{name_of(schedule)} ({time_text.zone_name(zone_of_schedule(schedule))})"

    def one(self, fhir_id: str) -> Schedule | None:
        """Return the calendar with this id if the caller works with it, selected or not."""
        return next((each for each in self.every if each.fhir_id == fhir_id), None)


def calendars(caller: Caller) -> list[Schedule]:
    """Return the calendars that the caller works with, their own first."""
    rows = access.calendars(caller).select_related(*SCHEDULE).prefetch_related("scheduling_parameters")
    own = caller.practitioner.pk if caller.practitioner else None
    return sorted(
        rows,
        key=lambda each: (kind_of(each) != PEOPLE, own is None or each.bookable.practitioner_id != own, name_of(each)),
    )


def run_by(caller: Caller, seen: Sequence[Schedule]) -> list[Schedule]:
    """Return those of the calendars that the caller sees whose visits and blocks they may change."""
    if caller.worker is caller:
        return list(seen)
    return [each for each in seen if each.pk in caller.worker.own_calendars]


def select(every: Sequence[Schedule], caller: Caller, remembered: Mapping[str, Any]) -> Selection:
    """Return the remembered selection, as far as it exists; else the caller's own calendar, else the site's people."""
    chosen = [each for each in every if each.fhir_id in remembered.get("calendars", ())]
    site_id = remembered.get("site")
    all_sites = site_id == ALL_SITES or len({each.site_id for each in chosen}) > 1
    first = next((each for each in every if site_id and each.site and each.site.fhir_id == site_id), None)
    site = None if all_sites else (chosen or [first or every[0]])[0].site
    here = [each for each in every if all_sites or each.site == site]
    selected = [each for each in chosen if each in here] or _of_kind(here, remembered.get("kind")) or _own(here, caller)
    return Selection(every=every, site=site, shown=selected or here[:FIRST_FEW], all_sites=all_sites)


def _of_kind(here: Sequence[Schedule], kind: str | None) -> list[Schedule]:
    return [each for each in here if kind and kind_of(each) == kind]


def _own(here: Sequence[Schedule], caller: Caller) -> list[Schedule]:
    own = caller.practitioner.pk if caller.practitioner else None
    mine = [each for each in here if own is not None and each.bookable.practitioner_id == own]
    return mine or _of_kind(here, PEOPLE)[:FIRST_FEW]


def kind_of(schedule: Schedule) -> str:
    if schedule.bookable.location_id is not None:
        return ROOMS
    return DEVICES if schedule.bookable.device_id is not None else PEOPLE
