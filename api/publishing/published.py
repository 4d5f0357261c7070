"""Rows of an edition, and its files that seldom change: Locations and Schedules."""

from collections.abc import Iterator
from datetime import datetime
from functools import cached_property

from django.conf import settings
from django.db.models import QuerySet

from api.publishing.editions import PHYSICAL_TYPE, Edition, virtual_name, virtual_reference
from clinic.fhir.datatypes import Json, instant, read_period, reference
from clinic.fhir.resources import RESOURCES, rows_of, to_fhir
from clinic.models import HealthcareService, Location, Practitioner, PractitionerRole, Resource, Schedule
from scheduling import availability
from scheduling.availability import Criteria, Way

NPI = "http://hl7.org/fhir/sid/us-npi"
ADDRESS = ("line", "city", "state", "postalCode")
# Published elements by type. For people only those of their profession.
PUBLIC_ELEMENTS = {
    "Location": ("status", "name", "alias", "description", "identifier", "telecom", "address", "position"),
    "HealthcareService": ("active", "category", "name", "comment"),
    "Practitioner": ("active", "name", "communication", "qualification"),
    "PractitionerRole": ("active", "identifier", "code"),
}


class Published:
    """The rows of an edition, each table read once on first use, with a constant number of statements.

    Rows that their profile would refuse are left out: a place without a complete address, a service without a published
    place, a role that has ended.
    """

    def __init__(self, edition: Edition, base: str, as_of: datetime) -> None:
        self.edition = edition
        self.base = base
        self.as_of = as_of

    @cached_property
    def ways(self) -> list[Way]:
        """Every way to book a published service, limited to published Schedules."""
        ways = (way.among(tuple(each for each in way.choices if each.schedule in self.schedules)) for way in self._ways)
        return [way for way in ways if way.choices]

    @cached_property
    def schedules(self) -> dict[int, Schedule]:
        rows = self._schedules
        return {row.pk: row for row in rows if row.site_id in self.sites or not self.edition.needs_site}

    @cached_property
    def services(self) -> dict[int, dict[HealthcareService, None]]:
        """Return the services of each schedule."""
        found: dict[int, dict[HealthcareService, None]] = {pk: {} for pk in self.schedules}
        for way in self.ways:
            for offering in way.choices:
                found[offering.schedule][way.service] = None
        return found

    @cached_property
    def sites(self) -> dict[int, Location]:
        keys = {schedule.site_id for schedule in self._schedules}
        rows = rows_of(RESOURCES["Location"]).filter(pk__in=keys, status=Location.Status.ACTIVE, deleted_at=None)
        return {row.pk: row for row in rows.order_by("pk") if _is_whole(self._location(row))}

    @property
    def states(self) -> list[str]:
        return sorted({site.state for site in self.sites.values() if site.state})

    def resources(self, kind: str) -> Iterator[Json]:
        """Return the resources of a file, except Slots."""
        match kind:
            case "Location":
                yield from (self._location(each) for each in self.sites.values())
                if any(service.telehealth for service in self._places_of):
                    yield from self._virtual_location()
            case "HealthcareService":
                rows = rows_of(RESOURCES["HealthcareService"]).in_bulk([each.pk for each in self._places_of])
                yield from (self._service(rows[service.pk], place) for service, place in self._places_of.items())
            case "Practitioner":
                yield from (self._practitioner(each) for each in self._practitioners())
            case "PractitionerRole":
                yield from (self._role(each) for each in self._roles())
            case "Schedule":
                yield from (self._schedule(each) for each in self.schedules.values())

    @cached_property
    def _ways(self) -> list[Way]:
        return availability.ways_for(Criteria(), lambda service, _: self.edition.has(service))

    @cached_property
    def _schedules(self) -> list[Schedule]:
        """Return all published schedules, whether or not their sites are published."""
        chosen = {each.schedule for way in self._ways for each in way.choices}
        rows = rows_of(RESOURCES["Schedule"]).filter(pk__in=chosen).order_by("pk")
        return [row for row in rows if self.edition.takes(row) and not self._is_over(row.practitioner_role)]

    @cached_property
    def _places_of(self) -> dict[HealthcareService, Json]:
        """Return the published services, each with a reference to a place where it is given."""
        found: dict[HealthcareService, Json] = {}
        for pk, services in self.services.items():
            site = self.sites.get(self.schedules[pk].site_id or 0)
            for service in services:
                if service.telehealth and self.edition.virtual_location:
                    found[service] = virtual_reference(self.edition.virtual_location)
                elif site:
                    found.setdefault(service, reference(site, site.name))
        return found

    def _is_over(self, role: PractitionerRole | None) -> bool:
        _, end = read_period(role.extra.get("period", {})) if role else (None, None)
        return end is not None and end <= self.as_of

    def _practitioners(self) -> QuerySet[Practitioner]:
        keys = {each.bookable.practitioner_id for each in self.schedules.values()} - {None}
        return rows_of(RESOURCES["Practitioner"]).filter(pk__in=keys, deleted_at=None).order_by("pk")

    def _roles(self) -> list[PractitionerRole]:
        rows = rows_of(RESOURCES["PractitionerRole"]).filter(practitioner__in=self._practitioners())
        return [row for row in rows.filter(active=True, deleted_at=None).order_by("pk") if not self._is_over(row)]

    def _location(self, row: Location) -> Json:
        elements = _public_elements(row)
        telecom = _with_contacts(
            [each for each in elements.get("telecom", ()) if each.get("system") and each.get("value")]
        )
        return self.edition.location({**elements, "identifier": self._identifier(row), "telecom": telecom})

    def _virtual_location(self) -> Iterator[Json]:
        """Yield the Location of video visits, if the edition has one."""
        if fhir_id := self.edition.virtual_location:
            yield {
                "resourceType": Location.RESOURCE_TYPE,
                "id": fhir_id,
                "meta": {"lastUpdated": instant(self.as_of)},
                "status": Location.Status.ACTIVE.value,
                "identifier": [{"system": f"{self.base}{Location.RESOURCE_TYPE}", "value": fhir_id}],
                "name": virtual_name(),
                "telecom": _with_contacts([]),
                "physicalType": {"coding": [{"system": PHYSICAL_TYPE, "code": "vi", "display": "Virtual"}]},
            }

    def _service(self, row: HealthcareService, place: Json) -> Json:
        concept, elements = {"text": row.name}, _public_elements(row)
        category = {"category": elements["category"][:1]} if "category" in elements else {}
        return {
            **elements,
            **category,
            "type": (row.type or [concept])[:1],
            "specialty": (row.specialty or [concept])[:1],
            "location": [place],
            "appointmentRequired": True,
        }

    def _practitioner(self, row: Practitioner) -> Json:
        known = [each for each in row.identifier if each.get("system") == NPI]
        return {**_public_elements(row), "identifier": known[:1] or [self._own_identifier(row)]}

    def _role(self, row: PractitionerRole) -> Json:
        locations = [reference(each, each.name) for each in row.locations.all() if each.pk in self.sites]
        services = [reference(each, each.name) for each in row.services.all() if each in self._places_of]
        organization = row.organization and {"display": row.organization.name}
        elements = {
            "practitioner": reference(row.practitioner, str(row.practitioner)),
            "organization": organization,
            "specialty": row.specialty,
            "location": locations,
            "healthcareService": services,
        }
        return {**_public_elements(row), **{name: value for name, value in elements.items() if value}}

    def _schedule(self, row: Schedule) -> Json:
        elements = self.edition.schedule(row, self.sites.get(row.site_id or 0), self.services[row.pk])
        return {**_head(to_fhir(row)), "active": row.active, **elements}

    def _identifier(self, row: Location) -> list[Json]:
        known = [each for each in row.identifier if each.get("system") and each.get("value")]
        return known or [self._own_identifier(row)]

    def _own_identifier(self, row: Resource) -> Json:
        """Return our own identifier, for a resource without a public one."""
        return {"system": f"{self.base}{row.RESOURCE_TYPE}", "value": row.fhir_id}


def _with_contacts(telecom: list[Json]) -> list[Json]:
    """Return the contacts of a place, with the clinic's where it has none of its own."""
    own = {each["system"] for each in telecom}
    clinics = (("phone", settings.CLINIC_PHONE), ("url", settings.SITE_URL))
    return [*telecom, *({"system": kind, "value": value} for kind, value in clinics if value and kind not in own)]


def _is_whole(location: Json) -> bool:
    """True if the Location has what its profile requires: a telecom and an address in parts."""
    address = location.get("address", {})
    return bool(location["telecom"]) and all(address.get(part) for part in ADDRESS)


def _public_elements(row: Resource) -> Json:
    resource = to_fhir(row)
    names = PUBLIC_ELEMENTS[row.RESOURCE_TYPE]
    return {**_head(resource), **{name: resource[name] for name in names if name in resource}}


def _head(resource: Json) -> Json:
    return {
        "resourceType": resource["resourceType"],
        "id": resource["id"],
        "meta": {"lastUpdated": resource["meta"]["lastUpdated"]},
    }
