"""Who wrote which version of what: https://hl7.org/fhir/R4/auditevent.html"""

from collections.abc import Iterable
from datetime import datetime

from clinic.models import Appointment, AppointmentResponse, AuditEvent, Resource, Schedule
from scheduling import access
from scheduling.access import Caller

Action = AuditEvent.Action

# What was done, as the interaction is called that does it.
DEEDS = {
    "created": ("create", Action.CREATE),
    "updated": ("update", Action.UPDATE),
    "deleted": ("delete", Action.DELETE),
}
# Their use cases in scheduling.booking write a line of their own.
TOLD_ELSEWHERE = (Appointment, AppointmentResponse)


def record_writes(done: Iterable[tuple[Resource, str]], *, caller: Caller, now: datetime) -> None:
    """A line for each row and what became of it, in one INSERT and the transaction of the change."""
    AuditEvent.objects.bulk_create(
        [
            _line(row, *DEEDS[outcome], caller=caller, now=now)
            for row, outcome in done
            if outcome in DEEDS and not isinstance(row, TOLD_ELSEWHERE)
        ],
        batch_size=1000,
    )


def _line(row: Resource, subtype: str, action: Action, *, caller: Caller, now: datetime) -> AuditEvent:
    return AuditEvent(
        recorded=now,
        last_updated=now,
        action=action,
        subtype=subtype,
        user=caller.user,
        client=caller.client[:100],
        # Whose a Schedule is would take a query for each.
        patient_id=None if isinstance(row, Schedule) else access.patient_of(row),
        target=f"{row.reference}/_history/{row.version}",
    )
