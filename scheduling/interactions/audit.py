"""Audit of written versions of resources: https://hl7.org/fhir/R4/auditevent.html"""

from collections.abc import Iterable
from datetime import datetime

from clinic.models import Appointment, AppointmentResponse, AuditEvent, Resource, Schedule
from scheduling import access
from scheduling.access import Caller

Action = AuditEvent.Action

# The name of the interaction and the audit action, by outcome.
INTERACTIONS = {
    "created": ("create", Action.CREATE),
    "updated": ("update", Action.UPDATE),
    "deleted": ("delete", Action.DELETE),
}
# The use cases in scheduling.booking write audit lines for these.
AUDITED_BY_USE_CASES = (Appointment, AppointmentResponse)


def record_writes(done: Iterable[tuple[Resource, str]], *, caller: Caller, now: datetime) -> None:
    """Write an audit line for each changed row with one INSERT, in the transaction of the change."""
    AuditEvent.objects.bulk_create(
        [
            _line(row, *INTERACTIONS[outcome], caller=caller, now=now)
            for row, outcome in done
            if outcome in INTERACTIONS and not isinstance(row, AUDITED_BY_USE_CASES)
        ],
        batch_size=1000,
    )


def _line(row: Resource, subtype: str, action: Action, *, caller: Caller, now: datetime) -> AuditEvent:
    return access.audit_event(
        subtype,
        action,
        caller=caller,
        now=now,
        # The patient of a Schedule would need a query for each.
        patient_id=None if isinstance(row, Schedule) else access.patient_of(row),
        target=f"{row.reference}/_history/{row.version}",
    )
