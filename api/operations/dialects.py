"""The dialect of a request for `$find`, `$hold` or `$book`: Medplum's, Argonaut Scheduling's or IHE's.

The names of the parameters decide. A bare Appointment is Medplum's if it contains its Slots, unless it is a proposal of
ours with its id.
"""

from enum import Enum

from rest_framework.request import Request

from api.fhir_view import body_of
from api.operations.ids import read_proposal_id
from api.operations.parameters import Inputs
from api.operations.proposals import is_slot
from clinic.fhir.datatypes import Json

BARE = "appointment"
MEDPLUM_FIND = frozenset({"service-type-reference", "schedule", "ignore-appointment", "occurrence-count"})


class Dialect(Enum):
    """A dialect of $hold and $book.

    Its value is the names of the parameters of each; the first ones name an Appointment.
    """

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


def is_medplum_find(request: Request, inputs: Inputs) -> bool:
    """True if a $find has Medplum's parameters.

    A POST without parameters counts as Medplum's, so that the refusal names the parameters that its clients need.
    """
    return bool(inputs.names & MEDPLUM_FIND) or (request.method == "POST" and not inputs.names)


def dialect_of(request: Request, inputs: Inputs, *, names_one: bool) -> Dialect:
    """Return the dialect of a $hold or $book. `names_one`: the address names an Appointment."""
    body = body_of(request)
    if body.get("resourceType") == "Appointment":
        return _of_bare(body)
    for dialect in (Dialect.IHE, Dialect.ARGONAUT):
        if inputs.names & {dialect.by_id, dialect.by_resource}:
            return dialect
    is_argonauts = names_one or (inputs.names - {BARE}) & set(Dialect.ARGONAUT.value[1])
    return Dialect.ARGONAUT if is_argonauts else Dialect.MEDPLUM


def _of_bare(appointment: Json) -> Dialect:
    contained, fhir_id = appointment.get("contained"), appointment.get("id")
    holds_slots = isinstance(contained, list) and any(isinstance(each, dict) and is_slot(each) for each in contained)
    if holds_slots and not (isinstance(fhir_id, str) and read_proposal_id(fhir_id)):
        return Dialect.MEDPLUM
    return Dialect.IHE if appointment.get("status") in ("booked", "cancelled") else Dialect.ARGONAUT
