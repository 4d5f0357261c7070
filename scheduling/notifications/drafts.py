"""Unsaved messages about a visit: one Communication for each address."""

from collections.abc import Iterable
from datetime import datetime

from clinic.models import Appointment, Communication, Event, Medium
from scheduling.notifications.audience import Audience
from scheduling.participants import is_group


def drafts_for(
    appointment: Appointment,
    event: Event,
    medium: Medium,
    occasion: str,
    audience: Audience,
    due: datetime,
    now: datetime,
) -> Iterable[Communication]:
    """Yield the unsaved messages by one medium. `occasion` keeps the same message from being written twice.

    The visit is that of the patient to whom they go: see `visit_of_patient`.
    """
    if is_group(appointment):
        occasion = f"{occasion}/p{appointment.patient_id}"
    for number, address in enumerate(audience.addresses(medium), start=1):
        yield Communication(
            event=event,
            medium=medium,
            occasion=occasion if number == 1 else f"{occasion}/{number}",
            patient_id=appointment.patient_id,
            appointment=appointment,
            address=address,
            language=appointment.patient.language if appointment.patient else "",
            due=due,
            last_updated=now,
        )
