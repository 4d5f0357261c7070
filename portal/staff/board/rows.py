"""The rows of a day's visits: few columns of all of them, and whole visits for their cards."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import Min, QuerySet

from clinic import time_text
from clinic.folding import folded
from clinic.models import Appointment, Encounter, Location
from clinic.translations import text_of
from portal.appointments.visits import Status
from portal.staff.board.cards import VisitCard
from portal.staff.board.steps import STEPS
from portal.staff.groups import seats_at
from scheduling import access
from scheduling.access import Caller
from scheduling.booking.encounters import UNDER_WAY
from scheduling.participants import PRACTITIONER, names_by_reference
from scheduling.waiting import NO_WAIT, bounds_of, delays_on, waits_of

_WORDS = (
    *("fhir_id", "status", "start", "participant", "service", "site"),
    *("patient__active", "patient__deleted_at", "patient__extra", "patient__birth_date", "patient__fhir_id"),
    *("patient__prefix", "patient__given", "patient__family"),
    *("patient__interpreter_required", "patient__interpreter_language", "patient__needs", "patient__other_needs"),
)


@dataclass(frozen=True, slots=True)
class DayVisit:
    """A visit of the day as it is counted; most have no card."""

    pk: int
    id: str
    status: str
    start: datetime
    practitioners: Mapping[str, str]  # their names by their FHIR references


@dataclass(frozen=True, slots=True)
class DayRows:
    """The rows of a day at the sites of each zone."""

    caller: Caller
    by_zone: Mapping[ZoneInfo, Collection[Location]]
    day: date
    now: datetime
    names_sites: bool

    def visits(self) -> list[DayVisit]:
        """The visits of the day, in order. One query for each zone."""
        columns = ("pk", "fhir_id", "status", "start", "participant")
        rows = (row for zone in self.by_zone for row in self._of(zone).values_list(*columns))
        found = (
            DayVisit(pk, fhir_id, status, start, names_by_reference(participant, PRACTITIONER))
            for pk, fhir_id, status, start, participant in rows
        )
        return sorted(found, key=lambda visit: (visit.start, visit.pk))

    def cards(self, visits: Iterable[DayVisit]) -> dict[int, VisitCard]:
        """The cards of these visits by their primary keys."""
        wanted = [each.pk for each in visits]
        cards = (card for zone in self.by_zone for card in self._cards(zone, wanted)) if wanted else ()
        return {card.appointment.pk: card for card in cards}

    def with_words(self, words: str) -> set[int]:
        """The primary keys of the visits whose cards have these words. A query for each zone, and two for all."""
        wanted = folded(words)
        return {
            visit.pk
            for zone in self.by_zone
            for visit in self._of(zone).select_related("patient").prefetch_related("service", "site").only(*_WORDS)
            if wanted in VisitCard(visit, zone, self.now, place=self._place(visit, zone)).words
        }

    def _of(self, zone: ZoneInfo) -> QuerySet[Appointment]:
        start, end = bounds_of(self.day, zone)
        seen = access.staff_appointments(self.caller).filter(start__gte=start, start__lt=end, deleted_at=None)
        return seen.filter(site__in=self.by_zone[zone], status__in=STEPS).order_by("start", "pk")

    def _cards(self, zone: ZoneInfo, wanted: Collection[int]) -> list[VisitCard]:
        now, today = self.now, self.now.astimezone(zone).date()
        rows = self._of(zone).filter(pk__in=wanted)
        visits = list(rows.select_related("patient").prefetch_related("service", "site"))  # the same few for all
        seats, extra = seats_at(self.by_zone[zone], *bounds_of(self.day, zone), now=now)
        waits = waits_of(visits, zone, delays_on(today), now=now) if self.day == today else {}
        arrivals = _arrivals(visits)
        return [
            VisitCard(
                each,
                zone,
                now,
                seats.get(each.pk),
                waits.get(each.pk, NO_WAIT),
                place=self._place(each, zone),
                is_extra=each.pk in extra,
                arrived=arrivals.get(each.pk),
            )
            for each in visits
        ]

    def _place(self, visit: Appointment, zone: ZoneInfo) -> str:
        if not self.names_sites:
            return ""
        name = text_of(visit.site, "name")
        return f"{name} ({time_text.zone_name(zone)})" if len(self.by_zone) > 1 else name


def _arrivals(visits: Iterable[Appointment]) -> dict[int, datetime]:
    """Return when each patient arrived who has not been called yet, by the primary key of the visit."""
    arrived = [visit.pk for visit in visits if visit.status == Status.ARRIVED]
    under_way = Encounter.objects.filter(appointment__in=arrived, status__in=UNDER_WAY, deleted_at=None)
    return dict(under_way.exclude(start=None).values_list("appointment").annotate(Min("start")).order_by())
