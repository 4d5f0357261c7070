"""ServiceRequest, that is a referral: https://hl7.org/fhir/R4/servicerequest.html

The HealthcareService among `performer` is the service that it is a ticket for, and the end of `occurrencePeriod` is
when the ticket ends. FHIR requires a subject; one that is not known yet is written as data that is absent.
"""

from clinic.fhir import codes
from clinic.fhir.datatypes import Json
from clinic.fhir.elements import CONCEPT, MOMENT, UNTIL, Element, ReferenceElement, code, text
from clinic.fhir.issues import ResourceIssue
from clinic.fhir.kinds import ResourceKind, reader, writer
from clinic.fhir.paths import Path
from clinic.fhir.people import IDENTIFIER
from clinic.fhir.readings import Reading
from clinic.fhir.references import local_reference
from clinic.models import ServiceRequest

UNKNOWN = {"extension": [{"url": codes.DATA_ABSENT_REASON, "valueCode": "unknown"}]}


class Performer:
    """The service among the performers. All of them stay in `extra` as they were sent."""

    def take(self, reading: Reading) -> None:
        path = "ServiceRequest.performer"
        named = {local_reference(text): text for text in _services(reading.resource)}
        if len(named) > 1:
            reading.refuse(ResourceIssue("invalid", "A referral is for one service.", path))
        keys = [reading.find(text, "HealthcareService", path=path) for text in named.values()]
        reading.draft.fields["service_id"] = keys[0] if keys else None

    def give(self, row: ServiceRequest, resource: Json) -> None:
        own = {row.service.reference} if row.service else set()
        if {local_reference(text) for text in _services(resource)} == own:
            return
        others = [each for each in resource.get("performer", ()) if not _is_service(each)]
        added = [{"reference": row.service.reference, "display": row.service.name}] if row.service else []
        resource["performer"] = [*added, *others]


class UnknownSubject:
    """The subject of a referral that names no patient."""

    def take(self, reading: Reading) -> None:
        if reading.resource.get("subject") == UNKNOWN:
            del reading.resource["subject"]

    def give(self, row: ServiceRequest, resource: Json) -> None:
        resource.setdefault("subject", UNKNOWN)


def _is_service(reference: Json) -> bool:
    return local_reference(reference.get("reference", "")).startswith("HealthcareService/")


def _services(resource: Json) -> list[str]:
    return [each["reference"] for each in resource.get("performer", ()) if _is_service(each)]


SERVICE_REQUEST = (
    IDENTIFIER,
    Element(Path("status"), "status", code(ServiceRequest.Status), required=True),
    Element(Path("intent"), "intent", code(ServiceRequest.Intent), required=True),
    ReferenceElement(Path("subject", "reference"), "patient", types=("Patient",)),
    Element(Path("subject", "display"), "patient_name", text(400)),
    Performer(),
    Element(Path("requester"), "requester", CONCEPT),
    Element(Path("reasonCode", 0, "text"), "reason", text()),
    Element(Path("authoredOn"), "authored", MOMENT),
    Element(Path("occurrencePeriod", "end"), "valid_until", UNTIL),
    UnknownSubject(),  # last: the parts of a known one are there then
)
KINDS = {
    "ServiceRequest": ResourceKind(
        ServiceRequest,
        writer(SERVICE_REQUEST),
        reader("ServiceRequest", SERVICE_REQUEST),
        related=("patient", "service"),
    ),
}
