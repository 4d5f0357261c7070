"""Whose operation `$hold` and `$book` are in a request: Medplum's, Argonaut Scheduling's or IHE's.

One address serves all three, for the names of their parameters differ. A bare Appointment is Medplum's if it contains
its Slots, unless it is a proposal of ours that comes back with its id.
"""

from enum import Enum

from rest_framework.request import Request

from api.parameters import Inputs
from api.proposal_ids import read_proposal_id
from api.submissions import is_slot
from api.views import body_of
from clinic.fhir.datatypes import Json

BARE = "appointment"


class Dialect(Enum):
    """The value is the names of the parameters of $hold, and of $book: first what names an Appointment."""

    MEDPLUM = ((BARE,), (BARE,))
    ARGONAUT = (
        ("appt-id", "appt-resource"),
        ("appt-id", "appt-resource", "patient-id", "patient-resource", "cancelled-appt-id", "comment"),
    )
    IHE = (
        ("appointment-reference", "appointment-resource"),
        ("appointment-reference", "appointment-resource", "patient-resource", "comment"),
    )

    @property
    def by_id(self) -> str:
        name: str = self.value[0][0]
        return name

    @property
    def by_resource(self) -> str:
        name: str = self.value[0][-1]
        return name


def dialect_of(request: Request, inputs: Inputs, *, names_one: bool) -> Dialect:
    """`names_one` says that the address names an Appointment."""
    body = body_of(request)
    if body.get("resourceType") == "Appointment":
        return _of_bare(body)
    for dialect in (Dialect.IHE, Dialect.ARGONAUT):
        if inputs.names & {dialect.by_id, dialect.by_resource}:
            return dialect
    is_argonauts = names_one or (inputs.names - {BARE}) & set(Dialect.ARGONAUT.value[1])
    return Dialect.ARGONAUT if is_argonauts else Dialect.MEDPLUM


def _of_bare(sent: Json) -> Dialect:
    contained, fhir_id = sent.get("contained"), sent.get("id")
    holds_slots = isinstance(contained, list) and any(isinstance(each, dict) and is_slot(each) for each in contained)
    if holds_slots and not (isinstance(fhir_id, str) and read_proposal_id(fhir_id)):
        return Dialect.MEDPLUM
    return Dialect.IHE if sent.get("status") in ("booked", "cancelled") else Dialect.ARGONAUT
