"""Coverage, CareTeam and Encounter.

https://hl7.org/fhir/R4/coverage.html, careteam.html, encounter.html. The days of a Coverage's period are taken from its
dateTimes as written, with no change of zone. References in a list must name known rows, unless they are contained.
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
from clinic.fhir.paths import Path, extension_path
from clinic.fhir.people import IDENTIFIER
from clinic.fhir.readings import Reading
from clinic.fhir.references import MODELS, local_reference
from clinic.fhir.schedules import service_references, service_type
from clinic.models import CareTeam, Coverage, Encounter

PEOPLE = ("Practitioner", "PractitionerRole", "RelatedPerson")
# FHIR requires a payor; patients' pages do not ask for one.
UNKNOWN = {"extension": [{"url": codes.DATA_ABSENT_REASON, "valueCode": "unknown"}]}
PAYOR = Conversion(lambda value: [] if value == [UNKNOWN] else value or [], lambda value: value or [UNKNOWN])
DECLARED = Coverage.Verification.DECLARED
VERIFICATION = Conversion(
    code(Coverage.Verification, DECLARED).read, lambda value: None if value == DECLARED else value
)
AMBULATORY = Encounter.Class.AMBULATORY


def _read_class(coding: Json | None) -> str:
    """Return an ActCode, or ambulatory for a coding of another system, which stays in `extra` as it was sent."""
    is_act_code = coding is not None and coding.get("system") == codes.ACT_CODE
    act_code = coding.get("code", "") if coding and is_act_code else ""
    return act_code if 0 < len(act_code) <= 10 else AMBULATORY


def _write_class(value: str) -> Json:
    display = {"display": Encounter.Class(value).display} if value in Encounter.Class.values else {}
    return {"system": codes.ACT_CODE, "code": value, **display}


class EncounterServiceType:
    """The service that an extension of Encounter.serviceType names. The concept stays as it was sent."""

    def take(self, reading: Reading) -> None:
        path = "Encounter.serviceType"
        references = set(service_references(reading.resource.get("serviceType", {})))
        if len(references) > 1:
            reading.refuse(ResourceIssue("invalid", "An Encounter is for one service.", path))
        keys = [reading.find(reference, "HealthcareService", path=path) for reference in references]
        reading.draft.fields["service_id"] = keys[0] if keys else None

    def give(self, row: Encounter, resource: Json) -> None:
        named = {local_reference(each) for each in service_references(resource.get("serviceType", {}))}
        if named == ({row.service.reference} if row.service else set()):
            return
        resource.pop("serviceType", None)
        if row.service:
            resource["serviceType"] = service_type(row.service)[0]


@dataclass(frozen=True)
class KnownReferences:
    """A check that each reference in a list of its model's REFERENCE_LISTS names a known row."""

    element: str
    types: tuple[str, ...]

    def __call__(self, reading: Reading) -> None:
        inner = dict(MODELS[reading.type].REFERENCE_LISTS)[self.element]
        entries = reading.draft.fields.get(self.element, ())
        reading.find_all(_references(entries, inner, f"{reading.type}.{self.element}"), *self.types)


def _references(entries: Iterable[Json], inner: str, path: str) -> Iterator[tuple[str, str]]:
    """Yield each reference that is not to a contained resource, with its path."""
    for n, entry in enumerate(entries):
        reference = entry.get(inner, {}) if inner else entry
        if not (text := reference.get("reference", "#")).startswith("#"):
            yield text, ".".join(filter(None, (f"{path}[{n}]", inner, "reference")))


def ends_after_start(end: str) -> Callable[[Reading], None]:
    """Return a check of invariant per-1: the start is not after the end. The issue names the element `end`."""

    def check(reading: Reading) -> None:
        first, last = reading.draft.fields.get("start"), reading.draft.fields.get("end")
        if first and last and first > last:
            reading.refuse(ResourceIssue("invalid", "It ends before it starts (per-1).", f"{reading.type}.{end}"))

    return check


def _check_no_grouping(reading: Reading) -> None:
    """Refuse `grouping`, with a hint: Argonaut Scheduling is written for STU3, where R4's `class` has that name."""
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
    ReferenceElement(
        Path("extension", ("url", codes.INSURANCE_PLAN), "valueReference", "reference"),
        "insurance_plan",
        types=("InsurancePlan",),
    ),
    Element(extension_path(codes.COVERAGE_VERIFICATION, "valueCode"), "verification", VERIFICATION),
    Element(extension_path(codes.COVERAGE_REJECTION, "valueString"), "verification_reason", text()),
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
        related=("beneficiary", "insurance_plan"),
    ),
    "CareTeam": ResourceKind(
        CareTeam,
        writer(CARE_TEAM),
        reader(
            "CareTeam",
            CARE_TEAM,
            KnownReferences("participant", (*PEOPLE, "Patient", "Organization", "CareTeam")),
        ),
        related=("patient",),
    ),
    "Encounter": ResourceKind(
        Encounter,
        writer(ENCOUNTER),
        reader("Encounter", ENCOUNTER, KnownReferences("participant", PEOPLE), ends_after_start("period.end")),
        related=("patient", "appointment", "service"),
    ),
}
