"""The ways to have a service and the times at which it can be had."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, partial
from math import inf
from zoneinfo import ZoneInfo

from clinic.models import Appointment, HealthcareService, Location
from clinic.visit_place import site_and_town
from clinic.zones import zone_named
from portal.finding.positions import Position, away, kilometres_to
from portal.finding.starts import Starts
from scheduling.availability import (
    Arrangement,
    FoundTime,
    Offering,
    TimeQuery,
    arrangements_for,
    as_datetime,
    find_times,
    kept_of,
    places_left,
)
from scheduling.core.intervals import Span, merge
from scheduling.errors import Invalid

AHEAD = timedelta(days=180)
LOOK = timedelta(days=35)  # at once, where most of what is found may not be asked for
FIRST_FEW = 3
DAY = timedelta(days=1)
WEEK = timedelta(days=7)
FAR = datetime(2200, 1, 1, tzinfo=UTC).timestamp()  # from where on a plan is one without end


@dataclass(frozen=True, slots=True)
class Choice:
    """A time that can be had, as its button shows and posts it. `start` and `end` are local to `zone`.

    `there` is the same start by the clock of the visit's site, where the patient sees times in another zone; `away` is
    how far the site is, in words, where the patient said where they are.
    """

    start: datetime
    end: datetime
    zone: ZoneInfo
    with_whom: str
    where: str  # the site and its town; empty by video
    value: str
    there: datetime | None = None
    away: str = ""
    distance: float = 0.0  # km from the patient, where that is known; sites of which it is not come last
    places_left: int | None = None  # of a group


@dataclass(frozen=True, slots=True)
class Option:
    """One answer of a filter; `short` where there is little room."""

    value: str
    label: str
    short: str = ""


@dataclass(frozen=True, kw_only=True)
class Menu:
    """The ways to have a service, and the sites it is given at.

    `zone` is the patient's own, for visits by video; `starts` says which local starts are asked for. `without` is a
    visit whose own time does not stand in the way, as when it is moved. `position` is where the patient is, if they
    said so and it matters: with a site that they chose, or by video, it does not.
    """

    service: HealthcareService
    arrangements: tuple[Arrangement, ...]
    sites: dict[int, Location]
    zone: ZoneInfo | None = None
    starts: Starts | None = None
    without: Appointment | None = None
    position: Position | None = None
    _ways_of: dict[int, tuple[object, Sequence[tuple[Offering, ...]]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def all_offerings(self) -> Iterator[Offering]:
        return (each for arrangement in self.arrangements for pool in arrangement for each in pool)

    @cached_property
    def places(self) -> list[Location]:
        """The sites it is given at, by name."""
        at = {each.site for each in self.all_offerings}
        return sorted((site for pk, site in self.sites.items() if pk in at), key=lambda site: site.name)

    @cached_property
    def zones(self) -> list[ZoneInfo]:
        """The zones in which its times are shown, by name."""
        return sorted({self.zone_of(each) for each in self.all_offerings}, key=lambda zone: zone.key)

    def zone_of(self, offering: Offering) -> ZoneInfo:
        """The patient's own for visits by video; else a visit's time is its site's, or the schedule's without one."""
        return self.zone or self._zone_there(offering)

    def where(self, offering: Offering) -> str:
        """The site and town of a schedule's visits; empty by video, which is nowhere at a site."""
        site = None if self.service.telehealth else self.sites.get(offering.site or 0)
        return site_and_town(site) if site else ""

    @property
    def has_several_sites(self) -> bool:
        """True if one has to say at which site a time is."""
        return len(self.places) > 1 and not self.service.telehealth

    @property
    def has_phone(self) -> bool:
        """True if one of its sites has a telephone of its own."""
        return any(site.phone for site in self.places)

    @cached_property
    def planned_until(self) -> date | None:
        """The last day for which a schedule is planned; None where one is planned without end."""
        ends = [each.planned[1] if each.planned else None for each in self.all_offerings]
        known = [each for each in ends if each is not None and each < FAR]
        if not ends or len(known) < len(ends):
            return None
        return max(
            as_datetime(end - 1).astimezone(self.zone_of(each)).date()
            for end, each in zip(known, self.all_offerings, strict=True)
        )

    def kilometres_to(self, offering: Offering) -> float | None:
        """How far the site of a schedule is from the patient, where that is known."""
        site = self.sites.get(offering.site or 0)
        return kilometres_to(site, self.position) if site else None

    @property
    def by_distance(self) -> Iterator["Menu"]:
        """The menu of each site alone, the nearest first."""
        far = {site.pk: kilometres_to(site, self.position) for site in self.places}
        for pk in sorted(far, key=lambda pk: inf if far[pk] is None else far[pk] or 0.0):
            near = self.only(partial(_is_at, pk), self.starts)
            if near.arrangements:
                yield near

    def places_left(self, ways: Sequence[tuple[FoundTime, tuple[Offering, ...]]], *, now: datetime) -> list[int | None]:
        """How many more could come at each of these times; None where it is no group. No query where none is."""
        if not any(each.rules.capacity > 1 for each in self.all_offerings):
            return [None] * len(ways)
        asked = [(offerings, found.start) for found, offerings in ways]
        return places_left(self.service, asked, now=now, without=self.without)

    def only(self, keep: Callable[[Offering], bool], starts: Starts | None) -> "Menu":
        """Only with these schedules, only at these local times. Where a kind of schedule is left out, nothing stays."""
        arrangements = (
            tuple(tuple(each for each in pool if keep(each)) for pool in arrangement)
            for arrangement in self.arrangements
        )
        return replace(self, arrangements=tuple(each for each in arrangements if all(each)), starts=starts)

    def find(self, start: datetime, end: datetime, *, now: datetime, limit: int | None = None) -> list[FoundTime]:
        """One question about all of it. What is found may be with several people: see `ways`."""
        first = max(start, now)
        query = TimeQuery(
            service=self.service,
            arrangements=self.arrangements,
            start=first,
            end=end,
            within=self._asked_for(first, end),
            limit=limit,
            without=self.without,
        )
        return find_times(query, now=now) if first < end else []

    def _asked_for(self, start: datetime, end: datetime) -> tuple[Span, ...] | None:
        """When a visit may start, by any clock that shows its times; None where all times are asked for."""
        if self.starts is None or start >= end:
            return None
        return tuple(merge(span for zone in self.zones for span in self.starts.spans(zone, start, end)))

    def times(self, start: datetime, end: datetime, *, now: datetime) -> list[Choice]:
        """The free times in order, one for each person who could give the visit then."""
        return [choice for found in self.find(start, end, now=now) for choice in self.choices(found)]

    def first_times(self, start: datetime, *, now: datetime) -> list[Choice]:
        """The next few from `start` on, no two at once."""
        start = max(start, now)
        end = start + AHEAD
        # By several clocks a time within the spans asked for may yet not be one that is asked for.
        is_exact = self.starts is None or len(self.zones) == 1
        look, enough = (AHEAD, FIRST_FEW * max(1, len(self.arrangements))) if is_exact else (LOOK, None)
        few: list[Choice] = []
        while start < end and len(few) < FIRST_FEW:
            few += self.first_of(self.find(start, start + look, now=now, limit=enough))
            start += look
        return few[:FIRST_FEW]

    def first_of(self, found: Iterable[FoundTime]) -> list[Choice]:
        """The first few of what was found, no two at once."""
        few: dict[int, Choice] = {}
        for each in found:
            choice = next(self.choices(each), None)
            if choice:
                few.setdefault(each.start, choice)
            if len(few) == FIRST_FEW:
                break
        return list(few.values())

    def choices(self, found: FoundTime) -> Iterator[Choice]:
        """A found time with each of the people who could give the visit then, where they are asked for."""
        return (self.choice_of(offerings, as_datetime(found.start)) for offerings in self.ways(found))

    def ways(self, found: FoundTime) -> Sequence[tuple[Offering, ...]]:
        """The schedules of a found time: with each of the people who could give it, at a start that is asked for."""
        start, ways = as_datetime(found.start), self._by_person(found)
        if self.starts is None:
            return ways
        if len(self.zones) == 1:
            return ways if self.starts(start.astimezone(self.zones[0])) else ()
        return [each for each in ways if self.starts(start.astimezone(self.zone_of(placed(each))))]

    def local_starts(self, found: FoundTime) -> set[datetime]:
        """When a found time begins, by each clock that shows it; nothing if that is not asked for."""
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
            value=written(start, offerings),
            away="" if distance is None else away(distance),
            distance=(inf if distance is None else distance) if self.position else 0.0,
            there=there if there.utcoffset() != local.utcoffset() else None,
        )

    def offerings(self, schedules: Iterable[str]) -> tuple[Offering, ...]:
        """The schedules with these ids, if they are a way to have the service: one of each kind that it requires."""
        wanted = tuple(schedules)
        for arrangement in self.arrangements:
            if len(arrangement) == len(wanted):
                named = zip(arrangement, wanted, strict=True)
                picked = [next((each for each in pool if each.fhir_id == one), None) for pool, one in named]
                if all(picked):
                    return tuple(each for each in picked if each)
        raise Invalid("That is not one of the ways to have this visit.")

    def choice_with(self, schedule: str, start: datetime, *, now: datetime) -> Choice | None:
        """That very start with the schedule of this id, in whichever room is free; None if it cannot be had."""
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
        """As the function; worked out once for all times that the same schedules could serve."""
        known = self._ways_of.get(id(found.choices))
        if known is None:
            known = found.choices, tuple(_by_person(found))
            self._ways_of[id(found.choices)] = known  # with the choices, or another's could have their id
        return known[1]

    def _zone_there(self, offering: Offering) -> ZoneInfo:
        site = self.sites.get(offering.site or 0)
        return zone_named(site.timezone) if site and site.timezone else offering.zone


def read_menu(service: HealthcareService, *, moved: Appointment | None = None) -> Menu:
    """Two queries, whatever the service. `moved` is a visit that is to be moved: it keeps its length and its extras."""
    arrangements = arrangements_for(service)
    if moved is not None:
        arrangements = tuple(kept_of(moved).ways(arrangements))
    sites = {each.site for arrangement in arrangements for pool in arrangement for each in pool if each.site}
    return Menu(service=service, arrangements=arrangements, sites=Location.objects.in_bulk(sites), without=moved)


def nearest(menu: Menu, wanted: datetime, *, now: datetime) -> list[Choice]:
    """The few free times nearest to one that could not be had, in order of time."""
    around = menu.times(wanted - 3 * DAY, max(wanted, now) + 14 * DAY, now=now)
    closest = sorted(at_different_times(around), key=lambda choice: abs(choice.start - wanted))[:FIRST_FEW]
    return sorted(closest, key=lambda choice: choice.start) or menu.first_times(now, now=now)


def written(start: datetime, offerings: Iterable[Offering]) -> str:
    """A time and its schedules as a button posts them; `forms.TimeForm` reads it."""
    return "~".join([start.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), *(each.fhir_id for each in offerings)])


def at_different_times(choices: Iterable[Choice]) -> list[Choice]:
    first: dict[datetime, Choice] = {}
    for choice in choices:
        first.setdefault(choice.start.astimezone(UTC), choice)  # by its own clock an hour may come twice
    return list(first.values())


def is_person(offering: Offering) -> bool:
    return offering.actor.startswith("Practitioner")


def placed(offerings: tuple[Offering, ...]) -> Offering:
    """The one that says where: the first with a site."""
    return next((each for each in offerings if each.site is not None), offerings[0])


def _is_at(site: int, offering: Offering) -> bool:
    """True if a schedule is at the site; one without a site of its own comes to all."""
    return offering.site in (None, site)


def _by_person(found: FoundTime) -> Iterator[tuple[Offering, ...]]:
    """The ways to have a found time: with each of the people who could give it, else as it was found."""
    at = next((n for n, each in enumerate(found.offerings) if is_person(each)), None)
    if at is None:
        yield found.offerings
        return
    others = {each.bookable for n, each in enumerate(found.offerings) if n != at}
    for person in found.choices[at]:
        if person.bookable not in others:
            yield (*found.offerings[:at], person, *found.offerings[at + 1 :])
