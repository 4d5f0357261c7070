"""Schedule: the services for which one actor can be booked.

https://hl7.org/fhir/R4/schedule.html. `serviceType` names services by extension; it is returned as it was sent, without
services that are no longer offered and with new ones added. `planningHorizon` is returned as it was sent; days without
a time are whole local days, both included, in the schedule's zone. An extension holds the `site` if it is not the one
that follows from the actor.
"""

from collections.abc import Iterable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

from clinic.fhir import codes, parameters
from clinic.fhir.datatypes import Json, instant, read_period
from clinic.fhir.elements import VISITS, WEB, Element, ReferenceElement, text
from clinic.fhir.issues import InvalidElement, ResourceIssue
from clinic.fhir.kinds import ResourceKind, reader, writer
from clinic.fhir.paths import MISSING, Path, extension_path
from clinic.fhir.people import ACTIVE, IDENTIFIER, SPECIALTY
from clinic.fhir.readings import ParametersDraft, Reading
from clinic.fhir.references import local_reference
from clinic.fhir.services import own_parameters
from clinic.models import HealthcareService, Schedule
from clinic.models.schedule import site_of

ACTOR_FIELDS = {
    "Practitioner": "practitioner",
    "PractitionerRole": "practitioner",
    "Location": "location",
    "Device": "device",
    "HealthcareService": "healthcare_service",
    "Patient": "patient",
}
ALL_SERVICES = {"system": codes.SERVICE_TYPE_SYSTEM, "code": codes.ALL_SERVICE_TYPES}


class ScheduleActor:
    """The actor of a Schedule. The time of a role is its practitioner's."""

    path = Path("actor", 0, "reference")

    def take(self, reading: Reading) -> None:
        actors = reading.resource.get("actor", ())
        if len(actors) > 1:
            text = "Scheduling only supported on schedules with exactly one actor"
            reading.refuse(ResourceIssue("business-rule", text, "Schedule.actor"))
        elif not actors or "reference" not in actors[0]:
            reading.require("Schedule.actor[0].reference")
        else:
            self._take_only(local_reference(actors[0]["reference"]), reading)

    def give(self, row: Schedule, resource: Json) -> None:
        sent = self.path.get(resource)
        actor = row.actor
        if not isinstance(sent, str) or local_reference(sent) != actor.reference:
            resource["actor"] = [{"reference": actor.reference, "display": str(actor)}]

    def _take_only(self, reference: str, reading: Reading) -> None:
        sent = self.path.get(reading.resource)
        pk = reading.find(sent, *ACTOR_FIELDS, path="Schedule.actor[0].reference")
        if pk is None:
            return
        kind = reference.partition("/")[0]
        actor = reading.refs.actor(kind, pk)
        is_role = kind == "PractitionerRole"
        reading.draft.actor = (ACTOR_FIELDS[kind], actor.practitioner_id if is_role else pk)
        reading.actor = actor
        site = site_of(actor)
        reading.draft.fields["practitioner_role_id"] = pk if is_role else None
        reading.draft.fields["site_id"] = site.pk if site else None


class ScheduleServices:
    """Schedule.serviceType: a reference to each service, or Medplum's code for all services.

    https://www.medplum.com/docs/scheduling
    """

    def take(self, reading: Reading) -> None:
        concepts = reading.resource.get("serviceType", [])
        found = [
            (text, f"Schedule.serviceType[{n}].extension.valueReference.reference")
            for n, concept in enumerate(concepts)
            for text in service_references(concept)
        ]
        reading.draft.many["services"] = reading.find_all(found, "HealthcareService")
        reading.draft.fields["offers_all_services"] = any(map(_names_all, concepts))

    def give(self, row: Schedule, resource: Json) -> None:
        services = {service.reference: service for service in row.services.all()}
        kept, named = [], set()
        for concept in resource.get("serviceType", ()):
            references = {local_reference(text) for text in service_references(concept)}
            if references <= services.keys() and (row.offers_all_services or not _names_all(concept)):
                kept.append(concept)
                named |= references
        kept += [
            concept for text, service in services.items() if text not in named for concept in service_type(service)
        ]
        if row.offers_all_services and not any(map(_names_all, kept)):
            kept.append({"coding": [ALL_SERVICES], "text": "All service types"})
        resource["serviceType"] = kept


class ScheduleParameters:
    """The SchedulingParameters extensions of a Schedule, at most one for each service."""

    def take(self, reading: Reading) -> None:
        seen: set[int] = set()
        for n, extension in enumerate(reading.resource.get("extension", ())):
            if extension["url"] == codes.SCHEDULING_PARAMETERS:
                self._take_one(extension, f"extension[{n}]", seen, reading)

    def give(self, row: Schedule, resource: Json) -> None:
        parameters.give(resource, row.scheduling_parameters.all())

    def _take_one(self, sent: Json, path: str, seen: set[int], reading: Reading) -> None:
        fields = {
            **parameters.read_attributes(sent, path, reading.refuse_element),
            **parameters.read_availability(sent, path, reading.refuse_element),
        }
        reference = parameters.service_reference(sent)
        if reference is None:
            text = "SchedulingParameters on a Schedule have no effect without the service they are for."
            reading.refuse_element(InvalidElement(text, "required"), path)
            return
        pk = reading.find(reference, "HealthcareService", path=f"Schedule.{path}")
        if pk in seen:
            text = "Schedule has too many scheduling parameters extensions for one service"
            reading.refuse_element(InvalidElement(text), path)
        if pk is not None:
            seen.add(pk)
            reading.draft.parameters.append(ParametersDraft(pk, fields))


class PlanningHorizon:
    """Schedule.planningHorizon. It is read after the parameters, which can name the zone."""

    def take(self, reading: Reading) -> None:
        start = end = None
        if sent := reading.resource.get("planningHorizon"):
            try:
                start, end = read_period(sent, ZoneInfo(_zone_of_hours(reading) or "UTC"))
            except InvalidElement as error:
                reading.refuse_element(error, "planningHorizon")
        reading.draft.fields |= {"planning_start": start, "planning_end": end}

    def give(self, row: Schedule, resource: Json) -> None:
        columns = (row.planning_start, row.planning_end)
        if self._meaning(resource.get("planningHorizon", {}), row) != columns:
            named = zip(("start", "end"), columns, strict=True)
            resource["planningHorizon"] = {name: instant(moment) for name, moment in named if moment}

    def _meaning(self, sent: Json, row: Schedule) -> Any:
        """Return the period in the schedule's current zone; None if it is not valid there."""
        try:
            return read_period(sent, ZoneInfo((zone_of_hours(row) if sent else "") or "UTC"))
        except InvalidElement:
            return None


class ScheduleSite(ReferenceElement):
    """The site of a Schedule's visits, as an extension unless it follows from the actor."""

    def give(self, row: Schedule, resource: Json) -> None:
        sent = self.path.get(resource)
        if sent is MISSING or not row.site or self.read(sent) != row.site.reference:
            super().give(row, resource)

    def value(self, row: Schedule) -> str | None:
        return row.site.reference if row.site and row.site != site_of(row.actor) else None

    def keep(self, value: Any, reading: Reading) -> None:
        if value is not None:
            super().keep(value, reading)

    def _leave_what_is_lost(self, value: Any, resource: Json) -> None:
        """Keep the extension as it was sent, since the column does not tell if there was one."""


def service_references(concept: Json) -> Iterator[str]:
    """Yield the services that a CodeableConcept names: https://medplum.com/fhir/service-type-reference"""
    for extension in concept.get("extension", ()):
        if extension["url"] == codes.SERVICE_TYPE_REFERENCE:
            reference = extension.get("valueReference", {}).get("reference")
            if reference:
                yield reference


def service_type(service: HealthcareService) -> list[Json]:
    """Return the types of a service, each with a reference to the service; only the reference if there are none."""
    reference = {"reference": service.reference, "display": service.name}
    extension = [{"url": codes.SERVICE_TYPE_REFERENCE, "valueReference": reference}]
    return [{**concept, "extension": [*concept.get("extension", ()), *extension]} for concept in service.type or [{}]]


# Rows that `zone_of_hours` reads, to prefetch them for many schedules.
ZONE_OF_HOURS = ("scheduling_parameters", "services__scheduling_parameters")


def zone_of_hours(schedule: Schedule) -> str:
    """Return the zone of a schedule's hours by name: of its parameters, services or actor, in that order; else empty.

    Services and the actor are read only if they are needed.
    """
    own = sorted(schedule.scheduling_parameters.all(), key=lambda row: row.service_id)
    services = (service for service in sorted(schedule.services.all(), key=lambda service: service.pk))
    return _zone((row.timezone for row in own), services, schedule.actor)


def _zone_of_hours(reading: Reading) -> str:
    """Return the name of the zone of the hours of a schedule that is being read."""
    own = sorted(reading.draft.parameters, key=lambda draft: int(draft.service_id))
    keys = sorted(reading.draft.many.get("services", ()))
    services = (reading.refs.actor("HealthcareService", pk) for pk in keys)
    return _zone((draft.fields["timezone"] for draft in own), services, reading.actor)


def _zone(own: Iterable[str], services: Iterable[HealthcareService], actor: Any) -> str:
    """Return the first zone that is set. Services and the actor are read only if they are needed."""
    return next(filter(None, own), "") or next(filter(None, map(_service_zone, services)), "") or _actor_zone(actor)


def _service_zone(service: HealthcareService) -> str:
    own = own_parameters(service)
    return own.timezone if own else ""


def _actor_zone(actor: Any) -> str:
    """Return the actor's zone: a role's own, its practitioner's or its site's; a service's is in its parameters."""
    if isinstance(actor, HealthcareService):
        return _service_zone(actor)
    rows = (actor, getattr(actor, "practitioner", None), getattr(actor, "location", None), site_of(actor))
    return next(filter(None, (getattr(row, "timezone", "") for row in rows)), "")


def _names_all(concept: Json) -> bool:
    return any(
        coding.get("system") == codes.SERVICE_TYPE_SYSTEM and coding.get("code") == codes.ALL_SERVICE_TYPES
        for coding in concept.get("coding", ())
    )


SCHEDULE = (
    ACTIVE,
    IDENTIFIER,
    SPECIALTY,
    Element(Path("comment"), "comment", text(500)),
    Element(extension_path(codes.MEETING_URL, "valueUrl"), "meeting_url", WEB),
    Element(extension_path(codes.VISITS_PER_DAY, "valuePositiveInt"), "total_day_limit", VISITS),
    Element(extension_path(codes.VISITS_PER_WEEK, "valuePositiveInt"), "total_week_limit", VISITS),
    Element(extension_path(codes.EXTRA_VISITS_PER_DAY, "valueUnsignedInt"), "extra_limit", VISITS),
    ScheduleActor(),
    ScheduleSite(Path("extension", ("url", codes.SITE), "valueReference", "reference"), "site", types=("Location",)),
    ScheduleServices(),
    ScheduleParameters(),
    PlanningHorizon(),
)

KINDS = {
    "Schedule": ResourceKind(
        Schedule,
        writer(SCHEDULE),
        reader("Schedule", SCHEDULE),
        related=(
            "bookable__practitioner",
            "bookable__location__part_of",
            "bookable__device__location__part_of",
            "bookable__healthcare_service",
            "bookable__patient",
            "practitioner_role__practitioner",
            "site",
        ),
        prefetch=(
            "services__scheduling_parameters",
            "scheduling_parameters__service",
            "practitioner_role__locations__part_of",
            "bookable__healthcare_service__scheduling_parameters",
        ),
    ),
}
