"""AuditEvent, which clients can only read: https://hl7.org/fhir/R4/auditevent.html

Events of reads and searches follow IHE's profiles: https://profiles.ihe.net/ITI/BALP.
"""

from base64 import b64encode
from collections.abc import Iterator

from clinic.fhir import codes
from clinic.fhir.datatypes import Json, instant, reference
from clinic.fhir.kinds import ResourceKind, identity_of
from clinic.models import AuditEvent

# Codes of https://hl7.org/fhir/R4/valueset-type-restful-interaction.html; the other subtypes are this product's.
INTERACTIONS = frozenset({"create", "read", "vread", "update", "delete", "search", "history"})

PERSON = {"code": "1", "display": "Person"}
SYSTEM_OBJECT = {"code": "2", "display": "System Object"}
PATIENT = {"code": "1", "display": "Patient"}
DOMAIN_RESOURCE = {"code": "4", "display": "Domain Resource"}
QUERY = {"code": "24", "display": "Query"}


def audit_event(row: AuditEvent) -> Json:
    """Return the AuditEvent as JSON. Only successful actions are recorded, so the outcome is 0."""
    resource: Json = {
        **row.extra,
        **identity_of(row),
        "type": {"system": codes.AUDIT_EVENT_TYPE, "code": "rest", "display": "RESTful Operation"},
        "subtype": [{"system": subtype_system(row.subtype), "code": row.subtype}],
        "action": row.action,
        "recorded": instant(row.recorded),
        "outcome": "0",
        "agent": list(_agents(row)),
        "source": {"observer": {"display": "Clinic scheduling"}},
    }
    entities = list(_entities(row))
    return {**resource, "entity": entities} if entities else resource


def subtype_system(subtype: str) -> str:
    return codes.RESTFUL_INTERACTION if subtype in INTERACTIONS else codes.USE_CASE


def _agents(row: AuditEvent) -> Iterator[Json]:
    """Yield the user and the software of a request. The requestor is the user, or the software if there is no user."""
    if row.user:
        yield {"who": {"display": str(row.user)}, "requestor": True}
    if row.client or not row.user:
        yield {"who": {"display": row.client or "The system"}, "requestor": row.user is None}


def _entities(row: AuditEvent) -> Iterator[Json]:
    if row.appointment:
        yield _entity(SYSTEM_OBJECT, DOMAIN_RESOURCE, what=reference(row.appointment))
    if row.patient:
        yield _entity(PERSON, PATIENT, what=reference(row.patient))
    if row.target:
        yield _entity(SYSTEM_OBJECT, DOMAIN_RESOURCE, what={"reference": row.target})
    if row.query:
        yield _entity(SYSTEM_OBJECT, QUERY, query=b64encode(row.query.encode()).decode())


def _entity(kind: Json, role: Json, **elements: Json | str) -> Json:
    return {
        **elements,
        "type": {"system": codes.AUDIT_ENTITY_TYPE, **kind},
        "role": {"system": codes.OBJECT_ROLE, **role},
    }


KINDS = {"AuditEvent": ResourceKind(AuditEvent, audit_event, related=("user", "appointment", "patient"))}
