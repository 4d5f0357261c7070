"""Catalogue of the services that patients can book, and the search in it."""

import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Prefetch, Q, QuerySet
from django.utils.translation import gettext as _

from clinic import ages, money
from clinic.models import HealthcareService, InsurancePlan, Location, Practitioner, Schedule, SchedulingParameters
from clinic.translations import all_texts

MANY = 4  # services; with more of them the page has a search
ALL = -1  # means all services in place of a primary key

Eligibility = HealthcareService.Eligibility


@dataclass(frozen=True, slots=True)
class ServiceCard:
    """A service in the list: length, sites, and whether there are questions to answer."""

    service: HealthcareService
    duration: timedelta | None
    asks: bool
    sites: Sequence[Location] = ()  # empty for a visit by video

    @property
    def ages(self) -> str:
        """The age limits in words, such as "For patients from 12 years"; empty without limits."""
        limits = ages.limits(self.service)
        return _("For patients %(ages)s") % {"ages": limits} if limits else ""

    @property
    def price(self) -> str:
        """The price in words; empty if the clinic does not say it."""
        return money.price_text(self.service)

    @property
    def must_fill_in(self) -> bool:
        """True if the service cannot be booked without answers to its questions."""
        return self.asks and self.service.requires_questionnaires


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """Services that can be booked, and the ones that match the search."""

    services: Sequence[HealthcareService]
    found: Sequence[HealthcareService]
    sites: Mapping[int, Sequence[Location]]
    plans: Sequence[InsurancePlan]

    @property
    def cards(self) -> list[ServiceCard]:
        return [card_of(each, self.sites.get(each.pk, ())) for each in self.found]

    @property
    def has_many(self) -> bool:
        return len(self.services) > MANY

    @property
    def has_both_ways(self) -> bool:
        """True if there are services by video and services in person."""
        return len({each.telehealth for each in self.services}) > 1

    @property
    def has_plans(self) -> bool:
        """True if a service is not paid by each of the insurance plans."""
        return any(not accepts(plan, service) for plan in self.plans for service in self.services)

    @property
    def has_newcomers(self) -> bool:
        """True if a service is only for new or only for returning patients."""
        return any(each.eligibility != Eligibility.EVERYONE for each in self.services)


def bookable(referred: Collection[str] = ()) -> QuerySet[HealthcareService]:
    """Return the services that patients can book, with those for referred patients whose ids are given."""
    rows = HealthcareService.objects.filter(active=True, deleted_at=None)
    is_open = Q(bookable_by=HealthcareService.BookableBy.PATIENTS)
    if referred:
        is_open |= Q(bookable_by=HealthcareService.BookableBy.REFERRED, fhir_id__in=referred)
    return rows.filter(is_open)


def with_facts(referred: Collection[str] = ()) -> QuerySet[HealthcareService]:
    """Return the bookable services with the related rows that `card_of` reads."""
    general = SchedulingParameters.objects.filter(schedule=None)
    return bookable(referred).prefetch_related(
        "questionnaires", Prefetch("scheduling_parameters", general, to_attr="general_parameters")
    )


def card_of(service: Any, sites: Sequence[Location] = ()) -> ServiceCard:
    minutes = next((each.duration for each in service.general_parameters), None)
    return ServiceCard(
        service=service,
        duration=timedelta(minutes=minutes) if minutes else None,
        asks=bool(service.questionnaires.all()),
        sites=sites,
    )


def read_catalogue(
    *,
    search: str,
    eligibility: str,
    by: str,
    practitioner: Practitioner | None,
    location: Location | None,
    plan: str = "",
    referred: Collection[str] = (),
) -> Catalogue:
    """Return the catalogue. Six queries; one more with a practitioner or a location, and two with insurance plans."""
    services, plans = list(with_facts(referred)), accepted_plans()
    accepted = next((each for each in plans if each.fhir_id == plan), None)
    given = _given_by(practitioner, location) if practitioner or location else {ALL}
    found = [
        each
        for each in services
        if given & {ALL, each.pk}
        and (not eligibility or each.eligibility in (Eligibility.EVERYONE, eligibility))
        and (not by or each.telehealth == (by == "video"))
        and (accepted is None or accepts(accepted, each))
        and _answers(each, search)
    ]
    return Catalogue(services=services, found=found, sites=_sites_of(found), plans=plans)


def accepted_plans() -> list[InsurancePlan]:
    """Return the insurance plans that the clinic accepts, by name."""
    plans = InsurancePlan.objects.filter(status=InsurancePlan.Status.ACTIVE, deleted_at=None).select_related("payer")
    return sorted(plans.prefetch_related("services", "locations"), key=lambda plan: str(plan).casefold())


def accepts(plan: InsurancePlan, service: HealthcareService) -> bool:
    """True if the clinic accepts the plan for the service, at all sites or at some."""
    services = {each.pk for each in plan.services.all()}
    return not services or service.pk in services


def _sites_of(services: Iterable[HealthcareService]) -> dict[int, list[Location]]:
    """Return the sites of each service in person, sorted by name, by the service's primary key. Two queries."""
    schedules = Schedule.objects.filter(active=True, deleted_at=None, site__status=Location.Status.ACTIVE)
    rows = set(schedules.values_list("offers_all_services", "services", "site"))
    sites = Location.objects.in_bulk({site for _, _, site in rows})
    at: dict[int, list[Location]] = {}
    for service in services:
        given = {site for offers_all, service_pk, site in rows if offers_all or service_pk == service.pk}
        if given and not service.telehealth:
            at[service.pk] = sorted((sites[site] for site in given), key=lambda site: site.name)
    return at


def _given_by(practitioner: Practitioner | None, location: Location | None) -> set[int | None]:
    """Return the primary keys of the services of a practitioner, at a location; ALL if a schedule offers all."""
    schedules = Schedule.objects.filter(active=True, deleted_at=None)
    if practitioner:
        schedules = schedules.filter(bookable__practitioner=practitioner)
    if location:
        schedules = schedules.filter(site=location)
    rows = schedules.values_list("offers_all_services", "services")
    return {ALL if offers_all else service for offers_all, service in rows}


def _answers(service: HealthcareService, search: str) -> bool:
    """True if every word of the search is in the service's texts. Accents and case do not matter."""
    text = _plain(" ".join([*all_texts(service, ("name", "comment")), *_displays([*service.type, *service.specialty])]))
    return all(word in text for word in _plain(search).split())


def _displays(concepts: Iterable[dict[str, Any]]) -> list[str]:
    codings = [coding for concept in concepts for coding in concept.get("coding", [])]
    return [str(coding.get("display", "")) for coding in codings] + [str(each.get("text", "")) for each in concepts]


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(each for each in letters if not unicodedata.combining(each))
