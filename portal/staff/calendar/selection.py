"""The calendars that a member of staff works with, and the ones that they have selected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.models import Location, Schedule
from clinic.translations import actor_name
from portal.common.schedules import SCHEDULE, name_of
from scheduling import access
from scheduling.access import Caller
from scheduling.visit_zone import zone_of_schedule

FIRST_FEW = 8  # calendars that are selected for someone who has not chosen any
PEOPLE, ROOMS, DEVICES = "people", "rooms", "devices"
KINDS = {PEOPLE: gettext_lazy("People"), ROOMS: gettext_lazy("Rooms"), DEVICES: gettext_lazy("Devices")}
SESSION = "calendar"


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The calendars selected by a member of staff, all of one site, out of `every` calendar they work with."""

    every: Sequence[Schedule]
    site: Location | None
    shown: Sequence[Schedule]

    @property
    def zone(self) -> ZoneInfo:
        """The zone of the first calendar, which all calendars of a site share."""
        return zone_of_schedule(self.shown[0])

    @property
    def sites(self) -> list[Location]:
        return list({each.site.pk: each.site for each in self.every if each.site}.values())

    @property
    def groups(self) -> list[tuple[str, Any, list[Schedule]]]:
        """The calendars of the site by kind, without empty kinds."""
        here = [each for each in self.every if each.site == self.site]
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
        return ", ".join(actor_name(each.bookable.actor) for each in self.shown)

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


def select(every: Sequence[Schedule], caller: Caller, remembered: Mapping[str, Any]) -> Selection:
    """Return the remembered selection, as far as it exists; else the caller's own calendar, else the site's people."""
    chosen = [each for each in every if each.fhir_id in remembered.get("calendars", ())]
    site_id = remembered.get("site")
    first = next((each for each in every if site_id and each.site and each.site.fhir_id == site_id), None)
    site = (chosen or [first or every[0]])[0].site
    here = [each for each in every if each.site == site]
    selected = (
        [each for each in chosen if each.site == site] or _of_kind(here, remembered.get("kind")) or _own(here, caller)
    )
    return Selection(every=every, site=site, shown=selected or here[:FIRST_FEW])


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
