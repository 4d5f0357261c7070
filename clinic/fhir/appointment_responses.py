"""AppointmentResponse: https://hl7.org/fhir/R4/appointmentresponse.html

FHIR's invariant apr-1 requires a type or an actor; this server always requires an actor, and returns it as `Type/id`.
Instants are returned in UTC.
"""

from clinic.fhir.appointments import ACTORS
from clinic.fhir.elements import CONCEPT, LIST, MOMENT, Element, NormalisedElement, ReferenceElement, code, text
from clinic.fhir.kinds import ResourceKind, reader, writer
from clinic.fhir.paths import Path
from clinic.fhir.people import IDENTIFIER
from clinic.fhir.readings import Reading
from clinic.fhir.references import local_reference
from clinic.fhir.slots import check_time
from clinic.models import AppointmentResponse

RESPONSE = (
    IDENTIFIER,
    ReferenceElement(Path("appointment", "reference"), "appointment", types=("Appointment",), required=True),
    NormalisedElement(Path("start"), "start", MOMENT),
    NormalisedElement(Path("end"), "end", MOMENT),
    Element(Path("participantType"), "participant_type", LIST),
    Element(Path("actor"), "actor", CONCEPT, required=True),
    Element(Path("participantStatus"), "participant_status", code(AppointmentResponse.Status), required=True),
    Element(Path("comment"), "comment", text()),
)


def _check_actor(reading: Reading) -> None:
    """Refuse an actor that is not a reference to a known row, and store the reference as `Type/id`."""
    actor = reading.draft.fields.get("actor")
    if not actor:
        return
    if "reference" in actor:
        path = "AppointmentResponse.actor.reference"
        reading.find(actor["reference"], *ACTORS, "RelatedPerson", path=path)
        reading.draft.fields["actor"] = {**actor, "reference": local_reference(actor["reference"])}
    else:
        reading.require("AppointmentResponse.actor.reference")


KINDS = {
    "AppointmentResponse": ResourceKind(
        AppointmentResponse,
        writer(RESPONSE),
        reader("AppointmentResponse", RESPONSE, _check_actor, check_time),
        related=("appointment",),
    ),
}
