"""Communication, which clients can only read: https://hl7.org/fhir/R4/communication.html

Only the outbox writes them. The text of a message with a guest's code is not shown: only the guest may know the code.
"""

from clinic.fhir import codes
from clinic.fhir.datatypes import Json, instant, reference
from clinic.fhir.kinds import ResourceKind, identity_of
from clinic.models import Communication, Event, Medium

# The system and the code of each medium.
MEDIA: dict[str, tuple[str, str]] = {
    Medium.EMAIL: (codes.PARTICIPATION_MODE, "EMAILWRIT"),
    Medium.SMS: (codes.PARTICIPATION_MODE, "SMSWRIT"),
    Medium.IN_APP: (codes.MEDIUM, "in-app"),
}
EVENTS: dict[str, tuple[str, str]] = {event: (codes.EVENT, event) for event in Event.values}


def communication(row: Communication) -> Json:
    """Return the Communication as JSON."""
    optional = {
        "language": row.language,
        "statusReason": row.status_reason and {"text": row.status_reason},
        "subject": row.patient and reference(row.patient),
        "about": row.appointment and [reference(row.appointment)],
        "partOf": row.part_of and [reference(row.part_of)],
        "recipient": [] if row.event == Event.REPLY else _recipient(row),
        "sender": row.patient and reference(row.patient) if row.event == Event.REPLY else None,
        "sent": row.sent and instant(row.sent),
        "received": row.received and instant(row.received),
        "payload": [{"contentString": text} for text in _texts(row) if text],
    }
    resource: Json = {
        **row.extra,
        **identity_of(row),
        "status": row.status,
        "category": [_concept(*EVENTS[row.event], Event(row.event).display)],
        "medium": [_concept(*MEDIA[row.medium], Medium(row.medium).display)],
    }
    return resource | {name: value for name, value in optional.items() if value}


def _recipient(row: Communication) -> list[Json]:
    """Return the patient, or the address of a guest who has no patient record yet."""
    if row.patient:
        return [reference(row.patient)]
    return [{"display": row.address}] if row.address else []


def _texts(row: Communication) -> tuple[str, ...]:
    return () if row.event == Event.PROOF else (row.subject, row.body)


def _concept(system: str, code: str, text: str) -> Json:
    return {"coding": [{"system": system, "code": code}], "text": text}


KINDS = {"Communication": ResourceKind(Communication, communication, related=("patient", "appointment", "part_of"))}
