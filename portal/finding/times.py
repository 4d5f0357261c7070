"""The free times of a service, and the schedules that could give it at each of them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, partial
from math import inf
from zoneinfo import ZoneInfo

from clinic.models import Appointment, HealthcareService, Location, Patient
from clinic.visit_place import site_and_town
from clinic.zones import zone_named
from portal.finding.positions import Position, away, kilometres_to
from portal.finding.starts import Starts
from scheduling.availability import (
    Arrangement,
    FoundTime,
    MovedVisit,
    Offering,
    TimeQuery,
    arrangements_for,
    as_datetime,
    find_times,
    moved_visit_of,
    places_left,
    ways_of,
)
from scheduling.core.intervals import Span, merge
from scheduling.errors import Invalid

AHEAD = timedelta(days=180)
LOOK = timedelta(days=35)  # searched at once when most of the times found may not match
FIRST_FEW = 3
DAY = timedelta(days=1)
WEEK = timedelta(days=7)
FAR = datetime(2200, 1, 1, tzinfo=UTC).timestamp()  # a planning horizon from here on counts as none


@dataclass(frozen=True, slots=True)
class Choice:
    """A free time as its button shows and posts it. `start` and `end` are local to `zone`.

    `there` is the start in the site's zone, if the patient reads another; `away` is the distance to the site in words,
    if the patient's position is known.
    """

    start: datetime
    end: datetime
    zone: ZoneInfo
    with_whom: str
    where: str  # the site and its town; empty by video
    value: str
    there: datetime | None = None
    away: str = ""
    distance: float = 0.0  # km from the patient; inf, which sorts last, if only the site's position is unknown
    places_left: int | None = None  # of a group


@dataclass(frozen=True, slots=True)
class FilterOption:
    """One answer of a filter; `short` is its label where there is little room."""

    value: str
    label: str
    short: str = ""


@dataclass(frozen=True, kw_only=True)
class Menu:
    """The arrangements of schedules that can give a service, and its sites.

    `zone` is the zone that the patient chose for visits by video; `starts` limits the local starting times. `without`
    is a visit that is being moved, and `moved` its schedules: its own time counts as free, but its present start is not
    among the times. `besides` are the primary keys of visits that are moved with it. `position` is the patient's, if
    times are to be sorted by distance. `patient` is the one who is to come, if there is only one whom it can be.
    """

    service: HealthcareService
    arrangements: tuple[Arrangement, ...]
    sites: dict[int, Location]
    zone: ZoneInfo | None = None
    starts: Starts | None = None
    without: Appointment | None = None
    moved: MovedVisit | None = None
    besides: tuple[int, ...] = ()
    position: Position | None = None
    patient: Patient | None = None
    _ways_of: dict[int, tuple[object, Sequence[tuple[Offering, ...]]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def all_offerings(self) -> Iterator[Offering]:
        return (each for arrangement in self.arrangements for pool in arrangement for each in pool)

    @cached_property
    def places(self) -> list[Location]:
        """The sites of the service, sorted by name."""
        at = {each.site for each in self.all_offerings}
        return sorted((site for pk, site in self.sites.items() if pk in at), key=lambda site: site.name)

    @cached_property
    def zones(self) -> list[ZoneInfo]:
        """The zones in which the times are shown, sorted by name."""
        return sorted({self.zone_of(each) for each in self.all_offerings}, key=lambda zone: zone.key)

    def zone_of(self, offering: Offering) -> ZoneInfo:
        """Return the zone that the patient chose, else the site's, else the schedule's."""
        return self.zone or self._zone_there(offering)

    def where(self, offering: Offering) -> str:
        """Return the site and town of a schedule; empty for visits by video."""
        site = None if self.service.telehealth else self.sites.get(offering.site or 0)
        return site_and_town(site) if site else ""

    @property
    def has_several_sites(self) -> bool:
        """True if times must name their site."""
        return len(self.places) > 1 and not self.service.telehealth

    @property
    def has_phone(self) -> bool:
        """True if one of the sites has a telephone number of its own."""
        return any(site.phone for site in self.places)

    @cached_property
    def planned_until(self) -> date | None:
        """The last day of the planning horizons; None if one of them has no end."""
        ends = [each.planned[1] if each.planned else None for each in self.all_offerings]
        known = [each for each in ends if each is not None and each < FAR]
        if not ends or len(known) < len(ends):
            return None
        return max(
            as_datetime(end - 1).astimezone(self.zone_of(each)).date()
            for end, each in zip(known, self.all_offerings, strict=True)
        )

    def kilometres_to(self, offering: Offering) -> float | None:
        """Return the distance from the patient to the site of a schedule, or None if it is unknown."""
        site = self.sites.get(offering.site or 0)
        return kilometres_to(site, self.position) if site else None

    @property
    def by_distance(self) -> Iterator["Menu"]:
        """The menus of each single site, nearest first."""
        far = {site.pk: kilometres_to(site, self.position) for site in self.places}
        for pk in sorted(far, key=lambda pk: inf if far[pk] is None else far[pk] or 0.0):
            near = self.only(partial(_is_at, pk), self.starts)
            if near.arrangements:
                yield near

    def places_left(self, ways: Sequence[tuple[FoundTime, tuple[Offering, ...]]], *, now: datetime) -> list[int | None]:
        """Return the places left in a group at each of these times; None for a visit of one patient.

        No query if the service has no groups.
        """
        if not any(each.rules.capacity > 1 for each in self.all_offerings):
            return [None] * len(ways)
        times = [(offerings, found.start) for found, offerings in ways]
        return places_left(self.service, times, now=now, without=self.without)

    def only(self, keep: Callable[[Offering], bool], starts: Starts | None) -> "Menu":
        """Return the menu with the schedules for which `keep` is true and these local starts.

        An arrangement that loses all schedules of a kind is dropped.
        """
        arrangements = (
            tuple(tuple(each for each in pool if keep(each)) for pool in arrangement)
            for arrangement in self.arrangements
        )
        return replace(self, arrangements=tuple(each for each in arrangements if all(each)), starts=starts)

    def find(self, start: datetime, end: datetime, *, now: datetime, limit: int | None = None) -> list[FoundTime]:
        """Return the free times of all arrangements, in one search. See `ways` for the people of each."""
        first = max(start, now)
        query = TimeQuery(
            ways=ways_of(self.service, self.arrangements),
            start=first,
            end=end,
            within=self._start_spans(first, end),
            limit=limit + len(self.arrangements) if limit and self.moved else limit,
            without=self.without,
            besides=self.besides,
            patients=(self.patient,) if self.patient is not None else None,
        )
        found = find_times(query, now=now) if first < end else []
        return list(self.moved.other_times(found))[:limit] if self.moved else found

    def _start_spans(self, start: datetime, end: datetime) -> tuple[Span, ...] | None:
        """Return the spans in which a visit may start in any of the zones; None for all times."""
        if self.starts is None or start >= end:
            return None
        return tuple(merge(span for zone in self.zones for span in self.starts.spans(zone, start, end)))

    def times(self, start: datetime, end: datetime, *, now: datetime) -> list[Choice]:
        """Return the free times in order, once for each person who could give the visit."""
        return [choice for found in self.find(start, end, now=now) for choice in self.choices(found)]

    def first_times(self, start: datetime, *, now: datetime) -> list[Choice]:
        """Return the first few times from `start` on, each start once."""
        start = max(start, now)
        end = start + AHEAD
        # With several zones, a time within the spans may still be wrong in its own zone.
        is_exact = self.starts is None or len(self.zones) == 1
        look, enough = (AHEAD, FIRST_FEW * max(1, len(self.arrangements))) if is_exact else (LOOK, None)
        few: list[Choice] = []
        while start < end and len(few) < FIRST_FEW:
            few += self.first_of(self.find(start, start + look, now=now, limit=enough))
            start += look
        return few[:FIRST_FEW]

    def first_of(self, found: Iterable[FoundTime]) -> list[Choice]:
        """Return the first few of the found times, each start once."""
        few: dict[int, Choice] = {}
        for time in found:
            choice = next(self.choices(time), None)
            if choice:
                few.setdefault(time.start, choice)
            if len(few) == FIRST_FEW:
                break
        return list(few.values())

    def choices(self, found: FoundTime) -> Iterator[Choice]:
        """Yield a found time once for each person who could give the visit, if `starts` allows it."""
        return (self.choice_of(offerings, as_datetime(found.start)) for offerings in self.ways(found))

    def ways(self, found: FoundTime) -> Sequence[tuple[Offering, ...]]:
        """Return the schedules of a found time, once for each person who could give it, if `starts` allows it."""
        start, ways = as_datetime(found.start), self._by_person(found)
        if self.starts is None:
            return ways
        if len(self.zones) == 1:
            return ways if self.starts(start.astimezone(self.zones[0])) else ()
        return [each for each in ways if self.starts(start.astimezone(self.zone_of(placed(each))))]

    def local_starts(self, found: FoundTime) -> set[datetime]:
        """Return the local starts of a found time in the zones that show it; empty if `starts` does not allow it."""
        start = as_datetime(found.start)
        if len(self.zones) > 1:
            return {start.astimezone(self.zone_of(placed(offerings))) for offerings in self.ways(found)}
        local = start.astimezone(self.zones[0])
        return {local} if self.starts is None or self.starts(local) else set()

    def choice_of(self, offerings: tuple[Offering, ...], start: datetime) -> Choice:
        first = next((each for each in offerings if is_person(each)), offerings[0])
        site = placed(offerings)
        zone = self.zone_of(site)
        distance = self.kilometres_to(site)
        local, there = start.astimezone(zone), start.astimezone(self._zone_there(site))
        return Choice(
            start=local,
            end=(start + timedelta(seconds=offerings[0].rules.duration)).astimezone(zone),
            zone=zone,
            with_whom=first.actor_name,
            where=self.where(site),
            value=time_value(start, offerings),
            away="" if distance is None else away(distance),
            distance=(inf if distance is None else distance) if self.position else 0.0,
            there=there if there.utcoffset() != local.utcoffset() else None,
        )

    def offerings(self, schedules: Iterable[str]) -> tuple[Offering, ...]:
        """Return the schedules with these ids. Raises Invalid unless they are one of each kind that is required."""
        ids = tuple(schedules)
        for arrangement in self.arrangements:
            if len(arrangement) == len(ids):
                named = zip(arrangement, ids, strict=True)
                picked = [next((each for each in pool if each.fhir_id == fhir_id), None) for pool, fhir_id in named]
                if all(picked):
                    return tuple(each for each in picked if each)
        raise Invalid("That is not one of the ways to have this visit.")

    def choice_with(self, schedule: str, start: datetime, *, now: datetime) -> Choice | None:
        """Return the choice at exactly this start with this schedule and any free room; None if it is not free."""
        for arrangement in self.arrangements:
            named = [each for pool in arrangement for each in pool if each.fhir_id == schedule]
            if named:
                ways = tuple(tuple(named) if named[0] in pool else pool for pool in arrangement)
                end = start + timedelta(seconds=named[0].rules.duration)
                found = replace(self, arrangements=(ways,)).find(start, end, now=now)
                if found:
                    return self.choice_of(found[0].offerings, start)
        return None

    def _by_person(self, found: FoundTime) -> Sequence[tuple[Offering, ...]]:
        """Return the ways of a found time, cached for all times with the same schedules."""
        known = self._ways_of.get(id(found.choices))
        if known is None:
            known = found.choices, tuple(_by_person(found))
            self._ways_of[id(found.choices)] = known  # keeps the choices alive, so that their id is not reused
        return known[1]

    def _zone_there(self, offering: Offering) -> ZoneInfo:
        site = self.sites.get(offering.site or 0)
        return zone_named(site.timezone) if site and site.timezone else offering.zone


def read_menu(service: HealthcareService, *, moved: Appointment | None = None) -> Menu:
    """Return the menu of a service. Two queries. A visit that is being `moved` keeps its length and its extras."""
    arrangements = arrangements_for(service)
    moved_visit = None
    if moved is not None:
        moved_visit = moved_visit_of(moved)
        arrangements = tuple(moved_visit.ways(arrangements))
    sites = {each.site for arrangement in arrangements for pool in arrangement for each in pool if each.site}
    places = Location.objects.in_bulk(sites)
    return Menu(service=service, arrangements=arrangements, sites=places, without=moved, moved=moved_visit)


def nearest(menu: Menu, start: datetime, *, now: datetime) -> list[Choice]:
    """Return the few free times that are nearest to a time that is taken, in order of time."""
    around = menu.times(start - 3 * DAY, max(start, now) + 14 * DAY, now=now)
    closest = sorted(at_different_times(around), key=lambda choice: abs(choice.start - start))[:FIRST_FEW]
    return sorted(closest, key=lambda choice: choice.start) or menu.first_times(now, now=now)


def time_value(start: datetime, offerings: Iterable[Offering]) -> str:
    """Return a time and its schedules as a button posts them; `forms.TimeForm` reads it."""
    return "~".join([start.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), *(each.fhir_id for each in offerings)])


def at_different_times(choices: Iterable[Choice]) -> list[Choice]:
    first: dict[datetime, Choice] = {}
    for choice in choices:
        first.setdefault(choice.start.astimezone(UTC), choice)  # a local hour may come twice
    return list(first.values())


def is_person(offering: Offering) -> bool:
    return offering.actor.startswith("Practitioner")


def placed(offerings: tuple[Offering, ...]) -> Offering:
    """Return the first schedule with a site, which decides where the visit is."""
    return next((each for each in offerings if each.site is not None), offerings[0])


def _is_at(site: int, offering: Offering) -> bool:
    """True if a schedule is at the site, or has no site and so counts for all."""
    return offering.site in (None, site)


def _by_person(found: FoundTime) -> Iterator[tuple[Offering, ...]]:
    """Yield the schedules of a found time, once for each person who could give it."""
    at = next((n for n, each in enumerate(found.offerings) if is_person(each)), None)
    if at is None:
        yield found.offerings
        return
    others = {each.bookable for n, each in enumerate(found.offerings) if n != at}
    for person in found.choices[at]:
        if person.bookable not in others:
            yield (*found.offerings[:at], person, *found.offerings[at + 1 :])
