"""Slot: https://hl7.org/fhir/R4/slot.html. It never names a patient.

Instants are returned in UTC, to the millisecond; references to the schedule as `Schedule/id`.
"""

from clinic.fhir.datatypes import Json, instant
from clinic.fhir.elements import INSTANT, LIST, NormalisedElement, ReferenceElement, code, text
from clinic.fhir.issues import ResourceIssue
from clinic.fhir.kinds import ResourceKind, identity_of, reader
from clinic.fhir.paths import Path
from clinic.fhir.readings import Reading
from clinic.models import Slot

SLOT = (
    ReferenceElement(Path("schedule", "reference"), "schedule", types=("Schedule",), required=True),
    NormalisedElement(Path("status"), "status", code(Slot.Status), required=True),
    NormalisedElement(Path("start"), "start", INSTANT, required=True),
    NormalisedElement(Path("end"), "end", INSTANT, required=True),
    NormalisedElement(Path("comment"), "comment", text(500)),
    NormalisedElement(Path("serviceType"), "service_type", LIST),
    NormalisedElement(Path("identifier"), "identifier", LIST),
)


def slot(row: Slot) -> Json:
    """Return the Slot as JSON. It is not built from SLOT and copies nothing, since thousands are written at once."""
    extra = row.extra
    reference = {"reference": f"Schedule/{row.schedule.fhir_id}"}
    resource: Json = {
        **extra,
        **identity_of(row),
        "schedule": {**extra["schedule"], **reference} if "schedule" in extra else reference,
        "status": row.status,
        "start": instant(row.start),
        "end": instant(row.end),
    }
    if row.is_extra:
        resource["overbooked"] = True
    if row.comment:
        resource["comment"] = row.comment
    if row.service_type:
        resource["serviceType"] = row.service_type
    if row.identifier:
        resource["identifier"] = row.identifier
    return resource


def check_time(reading: Reading) -> None:
    """Refuse a resource that does not end after it starts."""
    start, end = reading.draft.fields.get("start"), reading.draft.fields.get("end")
    if start and end and start >= end:
        text = f"{reading.type}.end is not after {reading.type}.start."
        reading.refuse(ResourceIssue("business-rule", text, f"{reading.type}.end"))


KINDS = {"Slot": ResourceKind(Slot, slot, reader("Slot", SLOT, check_time), related=("schedule",))}
