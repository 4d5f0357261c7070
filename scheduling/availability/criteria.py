"""Search criteria for visits where the service is not known yet.

https://profiles.ihe.net/ITI/Scheduling: criteria of different kinds must all be met; of several values of one kind any
is enough, and values named first are preferred.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TypeAlias

from django.db.models import Q

from clinic.fhir.datatypes import Json
from clinic.fhir.visit_types import Coding, codings_of, meaning
from clinic.models import HealthcareService, Location, Schedule
from scheduling.availability.offerings import Offering, arrangements_of
from scheduling.availability.ways import Way, ways_of

MayBook: TypeAlias = Callable[[HealthcareService, Offering], bool]


@dataclass(frozen=True, kw_only=True)
class Criteria:
    """The criteria, None for any value. Rows are given by primary key; an empty tuple matches nothing.

    A location is a site or a room of one. Specialties are those of the service, the schedule or the practitioner.
    """

    services: tuple[int, ...] | None = None
    visit_types: tuple[Coding, ...] | None = None
    specialties: tuple[Coding, ...] | None = None
    practitioners: tuple[int, ...] | None = None
    organizations: tuple[int, ...] | None = None
    locations: tuple[int, ...] | None = None


@dataclass(frozen=True)
class _Narrowing:
    """Any of these services, or any of these schedules (primary keys, preferred ones first)."""

    schedules: tuple[int, ...]
    services: frozenset[int] = frozenset()

    def of(self, way: Way) -> Way:
        if way.service.pk in self.services:
            return way
        rank = {schedule: n for n, schedule in enumerate(self.schedules)}
        fitting = (each for each in way.choices if each.schedule in rank)
        return way.among(tuple(sorted(fitting, key=lambda each: rank[each.schedule])))


@dataclass(frozen=True)
class _Place:
    site: int
    room: str  # a FHIR reference; empty for the whole site


def ways_for(criteria: Criteria, may_book: MayBook) -> list[Way]:
    """Every arrangement of every bookable service that meets the criteria, with the possible choices; preferred ones
    first.

    A constant number of queries, regardless of the number of services and schedules.
    """
    services = _services(criteria)
    narrowings = list(_narrowings(criteria, services))
    places = None if criteria.locations is None else _places(criteria.locations)
    sites = None if places is None else list(dict.fromkeys(place.site for place in places))
    # With sites, practitioners are narrowed later: all schedules of a site decide what it offers.
    practitioners = criteria.practitioners if sites is None else None
    found = []
    for service, arrangements in arrangements_of(services, sites=sites, practitioners=practitioners).items():
        for way in ways_of(service, arrangements):
            way = way.among(tuple(each for each in way.choices if may_book(service, each)))
            way = reduce(lambda so_far, narrowing: narrowing.of(so_far), narrowings, way)
            found += [each for each in _in_rooms(way, places or ()) if all(each.pools)]
    return found


def _services(criteria: Criteria) -> list[HealthcareService]:
    """The active services of the visit types, in the order of the types."""
    rows = HealthcareService.objects.filter(active=True, deleted_at=None)
    if criteria.services is not None:
        rows = rows.filter(pk__in=criteria.services)
    services = list(rows.order_by("name", "pk"))
    if criteria.visit_types is None:
        return services
    typed = [(service, codings_of(service.type)) for service in services]
    meanings = [meaning(each) for each in criteria.visit_types]
    return list(dict.fromkeys(service for each in meanings for service, kinds in typed if kinds & each))


def _narrowings(criteria: Criteria, services: Iterable[HealthcareService]) -> Iterator[_Narrowing]:
    """The narrowing of each kind. Practitioners are last, so that their order decides."""
    if criteria.specialties is not None:
        specialties = frozenset[Coding]().union(*map(meaning, criteria.specialties))
        given = frozenset(each.pk for each in services if codings_of(each.specialty) & specialties)
        yield _Narrowing(_schedules(*(_of_specialty(each) for each in specialties)), given)
    if criteria.organizations is not None:
        given = frozenset(each.pk for each in services if each.organization_id in criteria.organizations)
        yield _Narrowing(_schedules(*(_of_organization(each) for each in criteria.organizations)), given)
    if criteria.practitioners is not None:
        rows = Schedule.objects.filter(bookable__practitioner__in=criteria.practitioners)
        pairs = rows.order_by("pk").values_list("pk", "bookable__practitioner")
        yield _Narrowing(tuple(pk for who in criteria.practitioners for pk, whose in pairs if whose == who))


def _schedules(*conditions: Q) -> tuple[int, ...]:
    if not conditions:
        return ()
    rows = Schedule.objects.filter(reduce(or_, conditions)).order_by("pk")
    return tuple(rows.values_list("pk", flat=True).distinct())


def _of_specialty(coding: Coding) -> Q:
    system, code = coding
    concept = [{"coding": [{"system": system, "code": code}]}]
    roles = Q(practitioner_role=None, bookable__practitioner__roles__specialty__contains=concept)
    return Q(specialty__contains=concept) | Q(practitioner_role__specialty__contains=concept) | roles


def specialties_of(schedules: Collection[int]) -> dict[int, list[Json]]:
    """The specialties by which `specialties` of Criteria find each of these schedules (primary keys). One query.

    They are its own, and those of its role or, if its actor is the practitioner, of all the practitioner's roles.
    """
    columns = ("pk", "specialty", "practitioner_role", "practitioner_role__specialty")
    of_practitioner = "bookable__practitioner__roles__specialty"
    rows = Schedule.objects.filter(pk__in=schedules).values_list(*columns, of_practitioner)
    found: dict[int, list[Json]] = {pk: [] for pk in schedules}
    for pk, own, role, of_role, of_roles in rows.order_by("pk", "bookable__practitioner__roles"):
        concepts = (*own, *((of_role if role else of_roles) or ()))
        found[pk] += [concept for concept in concepts if concept not in found[pk]]
    return found


def _of_organization(organization: int) -> Q:
    roles = Q(practitioner_role=None, bookable__practitioner__roles__organization=organization)
    return Q(site__organization=organization) | Q(practitioner_role__organization=organization) | roles


def _places(locations: Sequence[int]) -> list[_Place]:
    rows = Location.objects.filter(deleted_at=None).in_bulk(list(locations))
    known = [rows[pk] for pk in locations if pk in rows]
    return [_Place(each.part_of_id or each.pk, each.reference if each.part_of_id else "") for each in known]


def _in_rooms(way: Way, places: Sequence[_Place]) -> Iterator[Way]:
    """The arrangement limited to the named rooms, if only rooms of its site were named."""
    site = next((each.site for pool in way.pools for each in pool if each.site is not None), None)
    here = [place for place in places if place.site == site]
    if not here or any(not place.room for place in here):
        yield way
        return
    rooms = {place.room for place in here}
    for n, pool in enumerate(way.pools):
        if any(each.actor in rooms for each in pool):
            yield way.among(tuple(each for each in pool if each.actor in rooms), n)
