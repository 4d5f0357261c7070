"""The rows of an edition, and the files of them that seldom change: who gives what, and where."""

from collections.abc import Iterator
from functools import cached_property

from django.conf import settings
from django.db.models import QuerySet

from clinic.fhir.datatypes import Json, reference
from clinic.fhir.resources import RESOURCES, rows_of, to_fhir
from clinic.models import HealthcareService, Location, Practitioner, PractitionerRole, Resource, Schedule
from scheduling import availability
from scheduling.api.publishing.editions import Edition
from scheduling.availability import Criteria, Way

NPI = "http://hl7.org/fhir/sid/us-npi"
# Of people only what belongs to their profession, whatever else is known of them.
TOLD = {
    "Location": ("status", "name", "alias", "description", "identifier", "telecom", "address", "position"),
    "HealthcareService": ("active", "category", "name", "comment"),
    "Practitioner": ("active", "name", "communication", "qualification"),
    "PractitionerRole": ("active", "identifier", "code"),
}


class Published:
    """What is read is read once, when it is asked for, and with a constant number of statements."""

    def __init__(self, edition: Edition, base: str) -> None:
        self.edition = edition
        self.base = base

    @cached_property
    def ways(self) -> list[Way]:
        """Every way to have what is published, with those to choose from whose Schedules are."""
        ways = (way.among(tuple(each for each in way.choices if each.schedule in self.schedules)) for way in self._ways)
        return [way for way in ways if way.choices]

    @cached_property
    def schedules(self) -> dict[int, Schedule]:
        chosen = {each.schedule for way in self._ways for each in way.choices}
        rows = rows_of(RESOURCES["Schedule"]).filter(pk__in=chosen).order_by("pk")
        return {row.pk: row for row in rows if self.edition.takes(row)}

    @cached_property
    def services(self) -> dict[int, dict[HealthcareService, None]]:
        """What is given on each schedule."""
        given: dict[int, dict[HealthcareService, None]] = {pk: {} for pk in self.schedules}
        for way in self.ways:
            for each in way.choices:
                given[each.schedule][way.service] = None
        return given

    @cached_property
    def sites(self) -> dict[int, Location]:
        wanted = {schedule.site_id for schedule in self.schedules.values()}
        return {row.pk: row for row in rows_of(RESOURCES["Location"]).filter(pk__in=wanted).order_by("pk")}

    @property
    def states(self) -> list[str]:
        return sorted({site.state for site in self.sites.values() if site.state})

    def resources(self, kind: str) -> Iterator[Json]:
        """All of a file but Slot's."""
        match kind:
            case "Location":
                yield from (self._location(each) for each in self.sites.values())
            case "HealthcareService":
                services = {service: None for given in self.services.values() for service in given}
                rows = rows_of(RESOURCES["HealthcareService"]).in_bulk([each.pk for each in services])
                yield from (self._service(rows[each.pk]) for each in services)
            case "Practitioner":
                yield from (self._practitioner(each) for each in self._practitioners())
            case "PractitionerRole":
                yield from (self._role(each) for each in self._roles())
            case "Schedule":
                yield from (self._schedule(each) for each in self.schedules.values())

    @cached_property
    def _ways(self) -> list[Way]:
        return availability.ways_for(Criteria(), lambda service, _: self.edition.has(service))

    def _practitioners(self) -> QuerySet[Practitioner]:
        wanted = {each.bookable.practitioner_id for each in self.schedules.values()} - {None}
        return rows_of(RESOURCES["Practitioner"]).filter(pk__in=wanted, deleted_at=None).order_by("pk")

    def _roles(self) -> QuerySet[PractitionerRole]:
        rows = rows_of(RESOURCES["PractitionerRole"]).filter(practitioner__in=self._practitioners())
        return rows.filter(active=True, deleted_at=None).order_by("pk")

    def _location(self, row: Location) -> Json:
        told = _told(row)
        telecom = told.get("telecom", [])
        for system, value in (("phone", settings.CLINIC_PHONE), ("url", settings.SITE_URL)):
            if value and all(each.get("system") != system for each in telecom):
                telecom = [*telecom, {"system": system, "value": value}]
        return self.edition.location({**told, "identifier": self._identifier(row), "telecom": telecom})

    def _service(self, row: HealthcareService) -> Json:
        concept = {"text": row.name}
        given = [schedule for pk, schedule in self.schedules.items() if row in self.services[pk]]
        sites = [self.sites[each.site_id] for each in given if each.site_id in self.sites]
        return {
            **_told(row),
            "type": (row.type or [concept])[:1],
            "specialty": (row.specialty or [concept])[:1],
            **({"location": [reference(sites[0], sites[0].name)]} if sites else {}),
            "appointmentRequired": True,
        }

    def _practitioner(self, row: Practitioner) -> Json:
        known = [each for each in row.identifier if each.get("system") == NPI]
        return {**_told(row), "identifier": known[:1] or [self._own_identifier(row)]}

    def _role(self, row: PractitionerRole) -> Json:
        locations = [reference(each, each.name) for each in row.locations.all() if each.pk in self.sites]
        given = {service for services in self.services.values() for service in services}
        services = [reference(each, each.name) for each in row.services.all() if each in given]
        organization = row.organization and {"display": row.organization.name}
        said = {
            "practitioner": reference(row.practitioner, str(row.practitioner)),
            "organization": organization,
            "specialty": row.specialty,
            "location": locations,
            "healthcareService": services,
        }
        return {**_told(row), **{name: value for name, value in said.items() if value}}

    def _schedule(self, row: Schedule) -> Json:
        return {**_head(to_fhir(row)), "active": row.active, **self.edition.schedule(row, self.services[row.pk])}

    def _identifier(self, row: Location) -> list[Json]:
        known = [each for each in row.identifier if each.get("system") and each.get("value")]
        return known or [self._own_identifier(row)]

    def _own_identifier(self, row: Resource) -> Json:
        """Where there is none that the world knows."""
        return {"system": f"{self.base}{row.RESOURCE_TYPE}", "value": row.fhir_id}


def _told(row: Resource) -> Json:
    resource = to_fhir(row)
    told = TOLD[row.RESOURCE_TYPE]
    return {**_head(resource), **{name: resource[name] for name in told if name in resource}}


def _head(resource: Json) -> Json:
    return {
        "resourceType": resource["resourceType"],
        "id": resource["id"],
        "meta": {"lastUpdated": resource["meta"]["lastUpdated"]},
    }
