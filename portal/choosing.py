"""The ways to have a service and the times at which it can be had."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from clinic.models import HealthcareService, Location
from scheduling.availability import (
    Arrangement,
    FoundTime,
    Offering,
    TimeQuery,
    arrangements_for,
    as_datetime,
    find_times,
)
from scheduling.errors import Invalid

AHEAD = timedelta(days=180)
FIRST_FEW = 3
DAY = timedelta(days=1)
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Choice:
    """A time that can be had, as its button shows and posts it. `start` and `end` are local to `zone`."""

    start: datetime
    end: datetime
    zone: ZoneInfo
    with_whom: str
    where: str
    value: str


@dataclass(frozen=True, slots=True)
class Option:
    """One line of a filter."""

    value: str
    label: str


@dataclass(frozen=True, kw_only=True)
class Menu:
    """The ways to have a service, and the sites it is given at."""

    service: HealthcareService
    arrangements: tuple[Arrangement, ...]
    sites: dict[int, Location]

    @property
    def people(self) -> list[Option]:
        """Who gives it, by name. One person with two schedules is one line."""
        people: dict[int, Option] = {}
        for each in self._offerings():
            if _is_person(each):
                people.setdefault(each.bookable, Option(_actor_id(each), each.actor_name))
        return sorted(people.values(), key=lambda option: option.label)

    @property
    def places(self) -> list[Option]:
        return sorted(
            (Option(site.fhir_id, site.name) for site in self.sites.values()), key=lambda option: option.label
        )

    @property
    def zones(self) -> list[ZoneInfo]:
        """The zones in which its times are shown, by name."""
        return sorted({self.zone_of(each) for each in self._offerings()}, key=lambda zone: zone.key)

    def zone_of(self, offering: Offering) -> ZoneInfo:
        """A visit's time is its site's; the schedule's own where there is none."""
        site = self.sites.get(offering.site or 0)
        return ZoneInfo(site.timezone) if site and site.timezone else offering.zone

    def narrowed(self, practitioner: str, location: str) -> "Menu":
        """Only with this person (the id of the actor), only at this site. Ids that nobody has leave nothing."""
        people = {each.bookable for each in self._offerings() if _actor_id(each) == practitioner}
        sites = {pk for pk, site in self.sites.items() if site.fhir_id == location}
        kept = []
        for arrangement in self.arrangements:
            pools = tuple(
                tuple(
                    each
                    for each in pool
                    if (not practitioner or not _is_person(each) or each.bookable in people)
                    and (not location or each.site is None or each.site in sites)
                )
                for pool in arrangement
            )
            if all(pools):
                kept.append(pools)
        return Menu(service=self.service, arrangements=tuple(kept), sites=self.sites)

    def times(self, start: datetime, end: datetime, *, now: datetime, limit: int | None = None) -> list[Choice]:
        """The free times in order, one for each person who could give the visit then."""
        query = TimeQuery(
            service=self.service, arrangements=self.arrangements, start=max(start, now), end=end, limit=limit
        )
        return [
            self.choice_of(offerings, as_datetime(found.start))
            for found in find_times(query, now=now)
            for offerings in _by_person(found)
        ]

    def first_times(self, start: datetime, *, now: datetime) -> list[Choice]:
        """The next few from `start` on, no two at once."""
        enough = FIRST_FEW * max(1, len(self.arrangements))
        return at_different_times(self.times(start, max(start, now) + AHEAD, now=now, limit=enough))[:FIRST_FEW]

    def choice_of(self, offerings: tuple[Offering, ...], start: datetime) -> Choice:
        first = next((each for each in offerings if _is_person(each)), offerings[0])
        site = next((each for each in offerings if each.site is not None), first)
        zone = self.zone_of(site)
        end = start + timedelta(seconds=offerings[0].rules.duration)
        return Choice(
            start=start.astimezone(zone),
            end=end.astimezone(zone),
            zone=zone,
            with_whom=first.actor_name,
            where=site.site_name,
            value=written(start, offerings),
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

    def _offerings(self) -> Iterator[Offering]:
        return (each for arrangement in self.arrangements for pool in arrangement for each in pool)


def read_menu(service: HealthcareService) -> Menu:
    """Two queries, whatever the service."""
    arrangements = arrangements_for(service)
    sites = {each.site for arrangement in arrangements for pool in arrangement for each in pool if each.site}
    return Menu(service=service, arrangements=arrangements, sites=Location.objects.in_bulk(sites))


def nearest(menu: Menu, wanted: datetime, *, now: datetime) -> list[Choice]:
    """The few free times nearest to one that could not be had, in order of time."""
    around = menu.times(wanted - 3 * DAY, max(wanted, now) + 14 * DAY, now=now)
    closest = sorted(at_different_times(around), key=lambda choice: abs(choice.start - wanted))[:FIRST_FEW]
    return sorted(closest, key=lambda choice: choice.start) or menu.first_times(now, now=now)


def written(start: datetime, offerings: Iterable[Offering]) -> str:
    """A time and its schedules as a button posts them; `forms.TimeForm` reads it."""
    return "~".join([start.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), *(each.fhir_id for each in offerings)])


def _by_person(found: FoundTime) -> Iterator[tuple[Offering, ...]]:
    """The ways to have a found time: with each of the people who could give it, else as it was found."""
    at = next((n for n, each in enumerate(found.offerings) if _is_person(each)), None)
    if at is None:
        yield found.offerings
        return
    others = {each.bookable for n, each in enumerate(found.offerings) if n != at}
    for person in found.choices[at]:
        if person.bookable not in others:
            yield (*found.offerings[:at], person, *found.offerings[at + 1 :])


def at_different_times(choices: Iterable[Choice]) -> list[Choice]:
    first: dict[datetime, Choice] = {}
    for choice in choices:
        first.setdefault(choice.start, choice)
    return list(first.values())


def _is_person(offering: Offering) -> bool:
    return offering.actor.startswith("Practitioner")


def _actor_id(offering: Offering) -> str:
    return offering.actor.partition("/")[2]
