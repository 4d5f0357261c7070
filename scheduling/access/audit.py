"""Lines of the audit log: https://hl7.org/fhir/R4/auditevent.html"""

from datetime import datetime
from typing import Any

from clinic.models import AuditEvent
from scheduling.access.callers import Caller

MOST_LETTERS = 100  # of a client id


def audit_event(subtype: str, action: AuditEvent.Action, *, caller: Caller, now: datetime, **about: Any) -> AuditEvent:
    """An unsaved AuditEvent: who did what, and when. `about` are the other fields, such as `patient_id`."""
    return AuditEvent(
        recorded=now,
        last_updated=now,
        action=action,
        subtype=subtype,
        user=caller.user,
        client=_client(caller),
        **about,
    )


def _client(caller: Caller) -> str:
    """The client id of the software that acted, or how an anonymous caller came."""
    if caller.client or caller.user:
        return caller.client[:MOST_LETTERS]
    return "manage link" if caller.visit else "guest"
