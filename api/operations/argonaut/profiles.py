"""Appointments and Bundles in the profiles of Argonaut Scheduling and IHE.

http://fhir.org/guides/argonaut-scheduling and https://profiles.ihe.net/ITI/Scheduling: a
participant is a practitioner rather than a role, and never a device; a Bundle always has an OperationOutcome.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from api.outcomes import outcome_entry
from clinic.fhir.datatypes import Json
from clinic.fhir.schedules import service_type
from clinic.fhir.visit_types import ARGONAUT, visit_type_coding, visit_types
from clinic.models import HealthcareService
from scheduling.errors import Issue

IHE = "https://profiles.ihe.net/ITI/Scheduling/StructureDefinition"
APPOINTMENT_PROFILES = (f"{ARGONAUT}/StructureDefinition/argo-appt", f"{IHE}/ihe-sched-appt")
BUNDLE_PROFILES = (f"{ARGONAUT}/StructureDefinition/avail-bundle", f"{IHE}/ihe-sched-avail-bundle")
SLOT_PROFILE = f"{ARGONAUT}/StructureDefinition/prefetch-slot"
SLOT_BUNDLE_PROFILE = f"{ARGONAUT}/StructureDefinition/slot-bundle"


def profiled(appointment: Json) -> Json:
    """Return the Appointment with the profiles in its meta."""
    meta = appointment.get("meta", {})
    profiles = dict.fromkeys((*meta.get("profile", ()), *APPOINTMENT_PROFILES))
    return {**appointment, "meta": {**meta, "profile": list(profiles)}}


def service_types(service: HealthcareService) -> list[Json]:
    """Return the types of the service, with Argonaut's visit types for those that have one."""
    first, *others = service_type(service)
    known = [coding.get("code") for coding in first.get("coding", ())]
    visits = [visit_type_coding(visit) for visit in visit_types(service.type) if visit not in known]
    return [{**first, "coding": [*first.get("coding", ()), *visits]} if visits else first, *others]


def searchset(matches: Iterable[Json], issues: Sequence[Issue], severity: str = "information", **more: Any) -> Json:
    """A Bundle of matches that ends with an OperationOutcome, which `total` does not count."""
    entries = [*matches]
    return {
        "resourceType": "Bundle",
        "meta": {"profile": list(BUNDLE_PROFILES)},
        "type": "searchset",
        "total": len(entries),
        **more,
        "entry": [*entries, outcome_entry(issues, severity)],
    }


def match(resource: Json, base: str) -> Json:
    url = f"{base}{resource['resourceType']}/{resource['id']}"
    return {"fullUrl": url, "resource": resource, "search": {"mode": "match"}}
