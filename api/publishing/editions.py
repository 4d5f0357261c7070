"""Editions of the published files: which resources, in which version of the specification."""

from collections.abc import Iterable

from django.conf import settings

from clinic.fhir.datatypes import Json, reference
from clinic.fhir.schedules import service_type
from clinic.models import HealthcareService, Location, Schedule

REGISTRY = "http://fhir-registry.smarthealthit.org"
SERVICE_TYPE = "http://terminology.hl7.org/CodeSystem/service-type"
COVID_SERVICE_TYPE = f"{REGISTRY}/CodeSystem/service-type"
IMMUNIZATION = {"system": SERVICE_TYPE, "code": "57", "display": "Immunization"}
COVID_IMMUNIZATION = {
    "system": COVID_SERVICE_TYPE,
    "code": "covid19-immunization",
    "display": "COVID-19 Immunization Appointment",
}
CVX = "http://hl7.org/fhir/sid/cvx"
VACCINE_PRODUCT = f"{REGISTRY}/StructureDefinition/vaccine-product"
VACCINE_DOSE = f"{REGISTRY}/StructureDefinition/vaccine-dose"
LINKS = "http://hl7.org/fhir/uv/smart-scheduling-links"
PHYSICAL_TYPE = "http://terminology.hl7.org/CodeSystem/location-physical-type"
ACCEPTING = "http://terminology.hl7.org/CodeSystem/accepting-patients"
NEW_PATIENTS = {"system": ACCEPTING, "code": "newpt"}
EXISTING_PATIENTS = {"system": ACCEPTING, "code": "existptonly"}


class Edition:
    """Edition with all services that patients can book, as in Scheduling Links 0.1.0."""

    name = "all"
    path = "$bulk-publish"
    needs_site = False
    # The base of the extensions of Slots, and the id of the Location of video visits, if the edition has one.
    extensions = REGISTRY
    virtual_location = ""
    kinds: tuple[str, ...] = (
        "Location",
        "HealthcareService",
        "Practitioner",
        "PractitionerRole",
        "Schedule",
        "Slot",
    )

    def has(self, service: HealthcareService) -> bool:
        """True if every patient can book the service, not only staff or patients of a care team."""
        return service.bookable_by == HealthcareService.BookableBy.PATIENTS and not service.requires_care_team

    def takes(self, schedule: Schedule) -> bool:
        """True if an offering can be published, which one of a patient cannot."""
        return schedule.bookable.patient_id is None

    def status(self, taken: str) -> str:
        """Return the status of a Slot that is taken."""
        return taken

    def patients(self, service: HealthcareService) -> Json | None:
        """Return the coding for the patients that a service accepts, new ones or only those the clinic knows."""
        match service.eligibility:
            case HealthcareService.Eligibility.NEW:
                return NEW_PATIENTS
            case HealthcareService.Eligibility.RETURNING:
                return EXISTING_PATIENTS
        return None

    def location(self, resource: Json) -> Json:
        return resource

    def schedule(self, schedule: Schedule, site: Location | None, services: Iterable[HealthcareService]) -> Json:
        """Return the published Schedule; `site` is its place, or None if the place is not published."""
        services = list(services)
        actors = {each.reference: each for each in (site, schedule.actor) if each is not None}
        specialty = _specialty(schedule, services)
        return {
            "serviceType": [concept for each in services for concept in self.service_type(each)],
            **({"specialty": specialty} if specialty else {}),
            "actor": [reference(each, str(each)) for each in actors.values()],
        }

    def service_type(self, service: HealthcareService) -> list[Json]:
        return service_type(service)


class BallotEdition(Edition):
    """Edition with the same services as in Scheduling Links 1.0.0-ballot (2026May).

    Its extensions have addresses of the guide. Each Slot says whether it is for new patients too or only for existing
    ones, and video visits are given at a virtual Location.
    """

    name = "links-1.0"
    path = "links-1.0/$bulk-publish"
    extensions = LINKS
    virtual_location = "video-visits"

    def patients(self, service: HealthcareService) -> Json:
        return super().patients(service) or NEW_PATIENTS

    def schedule(self, schedule: Schedule, site: Location | None, services: Iterable[HealthcareService]) -> Json:
        services = list(services)
        elements = super().schedule(schedule, site, services)
        specialties = [
            {"url": f"{LINKS}/StructureDefinition/schedule-specialty", "valueCoding": coding}
            for concept in _specialty(schedule, services)
            for coding in concept.get("coding", ())
            if coding.get("system") and coding.get("code")
        ]
        actors = elements["actor"]
        if any(service.telehealth for service in services):
            actors = [*actors, virtual_reference(self.virtual_location)]
        return {**({"extension": specialties} if specialties else {}), **elements, "actor": actors}


class VaccineEdition(Edition):
    """Edition with vaccinations against COVID-19, as in 2023: a Schedule is for a place, and a Slot is free or busy.

    The services are those of the type `covid19-immunization`. A coding of CVX among their types names the vaccine,
    `vaccine-dose` extensions the doses.
    """

    name = "vaccine"
    path = "vaccine/$bulk-publish"
    kinds = ("Location", "Schedule", "Slot")
    needs_site = True

    def has(self, service: HealthcareService) -> bool:
        vaccination = (COVID_IMMUNIZATION["system"], COVID_IMMUNIZATION["code"])
        return super().has(service) and vaccination in {
            (each.get("system"), each.get("code")) for each in _codings(service)
        }

    def status(self, taken: str) -> str:
        return "busy"

    def location(self, resource: Json) -> Json:
        """Return the published Location: the parts of its address, telephone and web."""
        telecom = [each for each in resource.get("telecom", ()) if each.get("system") in ("phone", "url")]
        address = {name: value for name, value in resource.get("address", {}).items() if name != "text"}
        return {**resource, "telecom": telecom, **({"address": address} if address else {})}

    def schedule(self, schedule: Schedule, site: Location | None, services: Iterable[HealthcareService]) -> Json:
        assert site is not None  # needs_site
        services = list(services)
        vaccines = [each for service in services for each in _codings(service) if each.get("system") == CVX]
        extension = [
            *({"url": VACCINE_PRODUCT, "valueCoding": each} for each in vaccines[:1]),
            *(each for service in services for each in _doses(service)),
        ]
        return {
            **({"extension": extension} if extension else {}),
            "serviceType": self.service_type(services[0]),
            "actor": [reference(site, site.name)],
        }

    def service_type(self, service: HealthcareService) -> list[Json]:
        return [{"coding": [IMMUNIZATION, COVID_IMMUNIZATION]}]


EDITIONS = (Edition(), BallotEdition(), VaccineEdition())


def virtual_reference(fhir_id: str) -> Json:
    return {"reference": f"{Location.RESOURCE_TYPE}/{fhir_id}", "display": virtual_name()}


def virtual_name() -> str:
    return f"{settings.CLINIC_NAME}: video visits"


def _specialty(schedule: Schedule, services: Iterable[HealthcareService]) -> list[Json]:
    return schedule.specialty or [concept for each in services for concept in each.specialty]


def _codings(service: HealthcareService) -> list[Json]:
    return [coding for concept in service.type for coding in concept.get("coding", ())]


def _doses(service: HealthcareService) -> list[Json]:
    return [each for each in service.extra.get("extension", ()) if each.get("url") == VACCINE_DOSE]
