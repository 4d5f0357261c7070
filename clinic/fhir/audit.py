"""AuditEvent, written only: https://hl7.org/fhir/R4/auditevent.html"""

from clinic.fhir import codes
from clinic.fhir.datatypes import Json, instant, reference
from clinic.fhir.kinds import ResourceKind, head
from clinic.models import AuditEvent


def audit_event(row: AuditEvent) -> Json:
    """Who did which use case, to whose visit. What is recorded was done: its outcome is a success."""
    resource: Json = {
        **row.extra,
        **head(row),
        "type": {"system": codes.AUDIT_EVENT_TYPE, "code": "rest", "display": "RESTful Operation"},
        "subtype": [{"system": codes.USE_CASE, "code": row.subtype}],
        "action": row.action,
        "recorded": instant(row.recorded),
        "outcome": "0",
        "agent": [{"who": {"display": _agent(row)}, "requestor": True}],
        "source": {"observer": {"display": "Clinic scheduling"}},
    }
    entities = [{"what": reference(what)} for what in (row.appointment, row.patient) if what]
    return {**resource, "entity": entities} if entities else resource


def _agent(row: AuditEvent) -> str:
    return ", ".join(filter(None, (str(row.user or ""), row.client))) or "The system"


KINDS = {"AuditEvent": ResourceKind(AuditEvent, audit_event, related=("user", "appointment", "patient"))}
