"""The parameters of $hold and $book in Argonaut Scheduling's words and in IHE's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from api.looking import Named, named
from api.operations.dialects import BARE, Dialect
from api.parameters import Inputs, Reader, resource
from clinic.fhir.datatypes import Json
from clinic.fhir.issues import InvalidElement


@dataclass(frozen=True)
class Asked:
    """The values of the parameters. `named` or `sent` says which Appointment; `at` is the parameter that did."""

    named: Named | None
    sent: Json | None
    at: str
    patients: Sequence[Named]
    strangers: Sequence[Json]
    comment: str
    instead_of: Named | None

    @property
    def which(self) -> Named:
        """The Appointment of ours that it is about, if it is about one."""
        return self.named or Named("Appointment", str((self.sent or {}).get("id", "")))


def read_asked(inputs: Inputs, dialect: Dialect, fhir_id: str, holds: bool, base: str) -> Asked:
    """`fhir_id` is what the address names. Raises with every problem of the parameters."""
    inputs.rename({BARE: dialect.by_resource})
    inputs.only(dialect.value[0 if holds else 1])
    in_address = Named("Appointment", fhir_id) if fhir_id else None
    by_id = inputs.one(dialect.by_id, _appointment(base))
    sent = inputs.one(dialect.by_resource, resource("Appointment"))
    given = [each for each in (in_address, by_id, sent) if each]
    if not in_address and not inputs.names & {dialect.by_id, dialect.by_resource}:
        inputs.refuse(f"Name an Appointment with {dialect.by_id}, or bring one as {dialect.by_resource}", dialect.by_id)
    if (sent is not None and len(given) > 1) or (in_address and by_id and in_address != by_id):
        inputs.refuse("Two Appointments are named: it is one that is held or booked", dialect.by_id)
    asked = Asked(
        named=in_address or by_id,
        sent=sent,
        at=dialect.by_id if sent is None else dialect.by_resource,
        patients=inputs.every("patient-id", named(base, "Patient")),
        strangers=inputs.every("patient-resource", resource("Patient")),
        comment=inputs.one("comment", _text) or "",
        instead_of=inputs.one("cancelled-appt-id", _appointment(base)),
    )
    inputs.finish()
    return asked


def _appointment(base: str) -> Reader[Named]:
    """`Appointment/[id]`, the id alone, or an identifier."""
    read = named(base, "Appointment")

    def read_one(value: Any) -> Named:
        is_alone = isinstance(value, str) and value and "/" not in value
        return read(f"Appointment/{value}" if is_alone else value)

    return read_one


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidElement("Not a string")
    return value
