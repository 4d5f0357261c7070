"""Coverage, CareTeam and Encounter.

https://hl7.org/fhir/R4/coverage.html, careteam.html, encounter.html. Days of a Coverage's period are those on the clock
of whoever said them. Who is named in a list of references is somebody here; what is contained stays as it is.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from clinic.fhir import codes
from clinic.fhir.datatypes import Json
from clinic.fhir.elements import (
    CONCEPT,
    FIRST_DAY,
    LAST_DAY,
    LIST,
    MOMENT,
    UNTIL,
    Conversion,
    Element,
    ReferenceElement,
    code,
    text,
)
from clinic.fhir.issues import ResourceIssue
from clinic.fhir.kinds import ResourceKind, reader, writer
from clinic.fhir.paths import Path
from clinic.fhir.people import IDENTIFIER
from clinic.fhir.readings import Reading
from clinic.fhir.references import local_reference
from clinic.fhir.schedules import service_references, service_type
from clinic.models import CareTeam, Coverage, Encounter

PEOPLE = ("Practitioner", "PractitionerRole", "RelatedPerson")
# FHIR wants a payor, and the patients' pages do not insist on one.
UNKNOWN = {"extension": [{"url": codes.DATA_ABSENT_REASON, "valueCode": "unknown"}]}
PAYOR = Conversion(lambda value: [] if value == [UNKNOWN] else value or [], lambda value: value or [UNKNOWN])
AMBULATORY = Encounter.Class.AMBULATORY


def _read_class(coding: Json | None) -> str:
    """A code of the one system that the column is of; anything else is kept as it was said, and is ambulatory."""
    of_act = coding is not None and coding.get("system") == codes.ACT_CODE
    said = coding.get("code", "") if coding and of_act else ""
    return said if 0 < len(said) <= 10 else AMBULATORY


def _write_class(value: str) -> Json:
    display = dict(Encounter.Class.choices).get(value)
    return {"system": codes.ACT_CODE, "code": value, **({"display": str(display)} if display else {})}


class EncounterServiceType:
    """The service that `serviceType` names by extension, as a Schedule's does; the concept stays as it was sent."""

    def take(self, reading: Reading) -> None:
        path = "Encounter.serviceType"
        named = set(service_references(reading.resource.get("serviceType", {})))
        if len(named) > 1:
            reading.refuse(ResourceIssue("invalid", "An Encounter is for one service.", path))
        found = [reading.find(each, "HealthcareService", path=path) for each in named]
        reading.draft.fields["service_id"] = found[0] if found else None

    def give(self, row: Encounter, resource: Json) -> None:
        named = {local_reference(each) for each in service_references(resource.get("serviceType", {}))}
        if named == ({row.service.reference} if row.service else set()):
            return
        resource.pop("serviceType", None)
        if row.service:
            resource["serviceType"] = service_type(row.service)[0]


@dataclass(frozen=True)
class KnownReferences:
    """A check: whom a list of references, or of elements with a reference as `inner`, names is somebody here."""

    element: str
    types: tuple[str, ...]
    inner: str = ""

    def __call__(self, reading: Reading) -> None:
        named = self._references(reading.draft.fields.get(self.element, ()), f"{reading.type}.{self.element}")
        reading.find_all(named, *self.types)

    def _references(self, entries: Iterable[Json], path: str) -> Iterator[tuple[str, str]]:
        for n, each in enumerate(entries):
            reference = each.get(self.inner, {}) if self.inner else each
            if not (said := reference.get("reference", "#")).startswith("#"):
                yield said, ".".join(filter(None, (f"{path}[{n}]", self.inner, "reference")))


def ends_after_start(end: str) -> Callable[[Reading], None]:
    """A check, invariant per-1: nothing ends before it starts. `end` is the element to blame."""

    def check(reading: Reading) -> None:
        first, last = reading.draft.fields.get("start"), reading.draft.fields.get("end")
        if first and last and first > last:
            reading.refuse(ResourceIssue("invalid", "It ends before it starts (per-1).", f"{reading.type}.{end}"))

    return check


def _check_no_grouping(reading: Reading) -> None:
    """Argonaut Scheduling, written for STU3, says `grouping` for what R4 calls `class`."""
    if reading.is_refused("grouping"):
        text = "There is no grouping in R4: say class, of type plan, with the plan's id as value and its name as name."
        reading.refuse(ResourceIssue("structure", text, "Coverage.class"))


COVERAGE = (
    IDENTIFIER,
    Element(Path("status"), "status", code(Coverage.Status), required=True),
    ReferenceElement(Path("beneficiary", "reference"), "beneficiary", types=("Patient",), required=True),
    Element(Path("type"), "type", CONCEPT),
    Element(Path("subscriberId"), "subscriber_id", text(100)),
    Element(Path("payor"), "payor", PAYOR),
    Element(Path("period", "start"), "start", FIRST_DAY),
    Element(Path("period", "end"), "end", LAST_DAY),
)
CARE_TEAM = (
    IDENTIFIER,
    Element(Path("status"), "status", code(CareTeam.Status, CareTeam.Status.ACTIVE)),
    Element(Path("name"), "name", text(200)),
    ReferenceElement(Path("subject", "reference"), "patient", types=("Patient",)),
    Element(Path("participant"), "participant", LIST),
)
ENCOUNTER = (
    IDENTIFIER,
    Element(Path("status"), "status", code(Encounter.Status), required=True),
    Element(Path("class"), "encounter_class", Conversion(_read_class, _write_class)),
    ReferenceElement(Path("subject", "reference"), "patient", types=("Patient",)),
    ReferenceElement(Path("appointment", 0, "reference"), "appointment", types=("Appointment",)),
    EncounterServiceType(),
    Element(Path("period", "start"), "start", MOMENT),
    Element(Path("period", "end"), "end", UNTIL),
    Element(Path("participant"), "participant", LIST),
)

KINDS = {
    "Coverage": ResourceKind(
        Coverage,
        writer(COVERAGE),
        reader(
            "Coverage",
            COVERAGE,
            KnownReferences("payor", ("Organization", "Patient", "RelatedPerson")),
            ends_after_start("period.end"),
            _check_no_grouping,
        ),
        related=("beneficiary",),
    ),
    "CareTeam": ResourceKind(
        CareTeam,
        writer(CARE_TEAM),
        reader(
            "CareTeam",
            CARE_TEAM,
            KnownReferences("participant", (*PEOPLE, "Patient", "Organization", "CareTeam"), "member"),
        ),
        related=("patient",),
    ),
    "Encounter": ResourceKind(
        Encounter,
        writer(ENCOUNTER),
        reader(
            "Encounter", ENCOUNTER, KnownReferences("participant", PEOPLE, "individual"), ends_after_start("period.end")
        ),
        related=("patient", "appointment", "service"),
    ),
}
