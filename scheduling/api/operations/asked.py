"""The parameters of $hold and $book in Argonaut Scheduling's words and in IHE's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from clinic.fhir.datatypes import Json
from clinic.fhir.issues import InvalidElement
from scheduling.api.looking import Named, named
from scheduling.api.operations.dialects import BARE, Dialect
from scheduling.api.parameters import Inputs, Reader, reference_to, resource


@dataclass(frozen=True)
class Asked:
    """The values of the parameters. `fhir_id` or `sent` says which Appointment; `at` is the parameter that did."""

    fhir_id: str
    sent: Json | None
    at: str
    patients: Sequence[Named]
    strangers: Sequence[Json]
    comment: str
    instead_of: str


def read_asked(inputs: Inputs, dialect: Dialect, fhir_id: str, holds: bool, base: str) -> Asked:
    """`fhir_id` is what the address names. Raises with every problem of the parameters."""
    inputs.rename({BARE: dialect.by_resource})
    inputs.only(dialect.value[0 if holds else 1])
    named_id = inputs.one(dialect.by_id, _appointment_id(base))
    sent = inputs.one(dialect.by_resource, resource("Appointment"))
    given = [each for each in (fhir_id, named_id, sent) if each]
    if not given:
        inputs.refuse(f"Name an Appointment with {dialect.by_id}, or bring one as {dialect.by_resource}", dialect.by_id)
    if (sent is not None and len(given) > 1) or (fhir_id and named_id and fhir_id != named_id):
        inputs.refuse("Two Appointments are named: it is one that is held or booked", dialect.by_id)
    asked = Asked(
        fhir_id=fhir_id or named_id or "",
        sent=sent,
        at=dialect.by_id if sent is None else dialect.by_resource,
        patients=inputs.every("patient-id", named(base, "Patient")),
        strangers=inputs.every("patient-resource", resource("Patient")),
        comment=inputs.one("comment", _text) or "",
        instead_of=inputs.one("cancelled-appt-id", _appointment_id(base)) or "",
    )
    inputs.finish()
    return asked


def _appointment_id(base: str) -> Reader[str]:
    """`Appointment/[id]`, or the id alone."""
    read = reference_to("Appointment", base, "appointment reference, such as Appointment/[id]")

    def read_id(value: Any) -> str:
        is_alone = isinstance(value, str) and value and "/" not in value
        return read(f"Appointment/{value}" if is_alone else value)

    return read_id


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidElement("Not a string")
    return value
