"""Which visits patients can book, and which of them they look for."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _

from clinic import ages
from clinic.models import HealthcareService, Location, Practitioner, Schedule, SchedulingParameters
from clinic.translations import all_texts

MANY = 4  # visits, beyond which a search is of use
ALL = -1  # instead of the primary key of a service

Eligibility = HealthcareService.Eligibility


@dataclass(frozen=True, slots=True)
class Card:
    """A visit as it is offered: what it takes is said before anybody has spent time on it."""

    service: HealthcareService
    duration: timedelta | None
    asks: bool
    sites: Sequence[Location] = ()  # where it is given; none for a visit by video

    @property
    def ages(self) -> str:
        """For patients from 12 years; empty where they can be of any age."""
        limits = ages.limits(self.service)
        return _("For patients %(ages)s") % {"ages": limits} if limits else ""

    @property
    def must_fill_in(self) -> bool:
        """A form without which it cannot be booked."""
        return self.asks and self.service.requires_questionnaires


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """All visits that can be booked, and those of them that are looked for."""

    services: Sequence[HealthcareService]
    found: Sequence[HealthcareService]
    sites: Mapping[int, Sequence[Location]]

    @property
    def cards(self) -> list[Card]:
        return [card_of(each, self.sites.get(each.pk, ())) for each in self.found]

    @property
    def has_many(self) -> bool:
        return len(self.services) > MANY

    @property
    def has_both_ways(self) -> bool:
        """True if there are visits by video and others in person."""
        return len({each.telehealth for each in self.services}) > 1

    @property
    def has_newcomers(self) -> bool:
        """True if it matters to any visit that one has been here before."""
        return any(each.eligibility != Eligibility.EVERYONE for each in self.services)


def bookable() -> QuerySet[HealthcareService]:
    return HealthcareService.objects.filter(
        active=True, deleted_at=None, bookable_by=HealthcareService.BookableBy.PATIENTS
    )


def with_facts() -> QuerySet[HealthcareService]:
    """What `card_of` reads of each."""
    general = SchedulingParameters.objects.filter(schedule=None)
    return bookable().prefetch_related(
        "questionnaires", Prefetch("scheduling_parameters", general, to_attr="general_parameters")
    )


def card_of(service: Any, sites: Sequence[Location] = ()) -> Card:
    minutes = next((each.duration for each in service.general_parameters), None)
    return Card(
        service=service,
        duration=timedelta(minutes=minutes) if minutes else None,
        asks=bool(service.questionnaires.all()),
        sites=sites,
    )


def read_catalogue(
    *, search: str, eligibility: str, by: str, practitioner: Practitioner | None, location: Location | None
) -> Catalogue:
    """Five queries; one more to narrow it down to a person or a place."""
    services = list(with_facts())
    given = _given_by(practitioner, location) if practitioner or location else {ALL}
    found = [
        each
        for each in services
        if given & {ALL, each.pk}
        and (not eligibility or each.eligibility in (Eligibility.EVERYONE, eligibility))
        and (not by or each.telehealth == (by == "video"))
        and _answers(each, search)
    ]
    return Catalogue(services=services, found=found, sites=_sites_of(found))


def _sites_of(services: Iterable[HealthcareService]) -> dict[int, list[Location]]:
    """The sites at which each service is given in person, by name, by its primary key. Two queries."""
    schedules = Schedule.objects.filter(active=True, deleted_at=None, site__status=Location.Status.ACTIVE)
    rows = set(schedules.values_list("offers_all_services", "services", "site"))
    sites = Location.objects.in_bulk({site for _, _, site in rows})
    at: dict[int, list[Location]] = {}
    for service in services:
        given = {site for offers_all, offered, site in rows if offers_all or offered == service.pk}
        if given and not service.telehealth:
            at[service.pk] = sorted((sites[site] for site in given), key=lambda site: site.name)
    return at


def _given_by(practitioner: Practitioner | None, location: Location | None) -> set[int | None]:
    """The services on the schedules of a person, at a place; ALL where one of those gives them all."""
    schedules = Schedule.objects.filter(active=True, deleted_at=None)
    if practitioner:
        schedules = schedules.filter(bookable__practitioner=practitioner)
    if location:
        schedules = schedules.filter(site=location)
    rows = schedules.values_list("offers_all_services", "services")
    return {ALL if offers_all else service for offers_all, service in rows}


def _answers(service: HealthcareService, search: str) -> bool:
    """Every word of the search is in what is said about the visit, whatever its accents and capitals."""
    text = _plain(" ".join([*all_texts(service, ("name", "comment")), *_displays([*service.type, *service.specialty])]))
    return all(word in text for word in _plain(search).split())


def _displays(concepts: Iterable[dict[str, Any]]) -> list[str]:
    codings = [coding for concept in concepts for coding in concept.get("coding", [])]
    return [str(coding.get("display", "")) for coding in codings] + [str(each.get("text", "")) for each in concepts]


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(each for each in letters if not unicodedata.combining(each))
