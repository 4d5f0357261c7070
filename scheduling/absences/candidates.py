"""The nearest equal times for a visit that cannot take place, the best first."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from clinic.models import Appointment, Location, Practitioner
from clinic.time_text import part_code
from scheduling.availability import (
    FoundTime,
    Offering,
    TimeQuery,
    arrangements_for,
    as_datetime,
    find_times,
    moved_visit_of,
    ways_of,
)
from scheduling.booking import RescheduleRequest

AHEAD = timedelta(days=42)  # how long after the visit, or from now on, times are looked for
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A free time for a visit with one schedule of each pool."""

    start: datetime
    end: datetime
    offerings: tuple[Offering, ...]

    @property
    def request(self) -> RescheduleRequest:
        return RescheduleRequest(offerings=self.offerings, start=self.start)

    def is_at(self, site: Location) -> bool:
        return any(each.site == site.pk for each in self.offerings)

    def overlaps(self, other: "Candidate") -> bool:
        return self.start < other.end and other.start < self.end


def candidates(visit: Appointment, *, now: datetime, closed: Location | None = None) -> Iterator[Candidate]:
    """Yield the times to offer a patient, none of which overlaps another: first the nearest with the same practitioner,
    then the best of all, each on another day while there are any. If a site is `closed`, the best at another site comes
    before these.

    The number of statements does not depend on the number of times.
    """
    ranked = _ranked(visit, now)
    firsts = [next((each for each in ranked if _Rank.is_same(visit, each)), None)]
    if closed is not None:
        firsts.append(next((each for each in ranked if not each.is_at(closed)), None))
    order = [*filter(None, firsts), *(each for each in ranked if not any(each is first for first in firsts))]
    chosen: list[Candidate] = []
    for is_spread in (True, False):
        for candidate in order:
            if any(candidate.overlaps(each) for each in chosen):
                continue
            if is_spread and any(abs(candidate.start - each.start) < DAY for each in chosen):
                continue
            chosen.append(candidate)
            yield candidate


class _Rank:
    """The order of times for one visit: needs, site, part of day, and how near day and clock are."""

    def __init__(self, visit: Appointment, speakers: frozenset[str]) -> None:
        self._visit, self._speakers = visit, speakers

    def __call__(self, candidate: Candidate) -> tuple[bool, bool, bool, int, int]:
        visit, zone = self._visit, candidate.offerings[0].zone
        assert visit.start is not None  # it is booked
        before, after = visit.start.astimezone(zone), candidate.start.astimezone(zone)
        people = {each.person for each in candidate.offerings}
        return (
            bool(self._speakers) and not people & self._speakers,
            visit.site_id is not None and all(each.site != visit.site_id for each in candidate.offerings),
            part_code(after) != part_code(before),
            abs((after.date() - before.date()).days),
            abs(after.hour * 60 + after.minute - before.hour * 60 - before.minute),
        )

    @staticmethod
    def is_same(visit: Appointment, candidate: Candidate) -> bool:
        """True if a practitioner of the visit gives it at this time too, later than planned."""
        assert visit.start is not None  # it is booked
        names = {str(each.get("actor", {}).get("reference", "")) for each in visit.participant}
        people = {name for each in candidate.offerings for name in (each.actor, each.person)}
        return candidate.start > visit.start and any(name.startswith("Practitioner") for name in names & people)


def _ranked(visit: Appointment, now: datetime) -> list[Candidate]:
    """Return all times of the visit's service, the best first."""
    assert visit.service is not None  # a visit without a service has no other times
    assert visit.start is not None  # it is booked
    moved = moved_visit_of(visit)
    ways = ways_of(visit.service, moved.ways(arrangements_for(visit.service)))
    query = TimeQuery(ways=ways, start=now, end=max(now, visit.start) + AHEAD, without=visit)
    times = moved.other_times(find_times(query, now=now)) if ways else ()
    found = [candidate for time in times for candidate in _with_each_person(time, ways[0].chosen)]
    return sorted(found, key=_Rank(visit, _speakers(visit)))


def _with_each_person(time: FoundTime, chosen: int) -> Iterator[Candidate]:
    """The found time with each of the people who could give the visit then."""
    start, end = as_datetime(time.start), as_datetime(time.end)
    at = min(chosen, len(time.choices) - 1)
    taken = {each.bookable for n, each in enumerate(time.offerings) if n != at}
    for person in time.choices[at]:
        if person.bookable not in taken:
            yield Candidate(start, end, (*time.offerings[:at], person, *time.offerings[at + 1 :]))


def _speakers(visit: Appointment) -> frozenset[str]:
    """The references of the practitioners who speak the language for which the patient needs an interpreter."""
    patient = visit.patient
    if patient is None or not patient.interpreter_required or not patient.interpreter_language:
        return frozenset()
    spoken = [{"coding": [{"code": patient.interpreter_language}]}]
    rows = Practitioner.objects.filter(communication__contains=spoken, active=True, deleted_at=None)
    return frozenset(f"Practitioner/{fhir_id}" for fhir_id in rows.values_list("fhir_id", flat=True))
