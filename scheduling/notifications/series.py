"""Messages about several visits of a series: they are about the visits as they are when the message is sent."""

from datetime import datetime

from django.db.models import Q

from clinic.models import Appointment, Communication, Event

Status = Appointment.Status
OF_SERIES = "-series"  # in the occasion of such a message
OF_ONE_PATIENT = f"{OF_SERIES}-own"  # of one about the visits of one of several patients


def is_of_series(message: Communication) -> bool:
    """True if the message is about several visits of a series."""
    return OF_SERIES in message.occasion


def visits_of(message: Communication, *, now: datetime) -> list[Appointment]:
    """The visits of which the message is still true, in order of time; none for a message about one visit."""
    visit = message.appointment
    if visit is None or visit.series is None or not is_of_series(message):
        return []
    if message.event == Event.CANCELLATION:
        is_true = Q(status=Status.CANCELLED)
        if visit.occurrence is not None:
            is_true &= Q(occurrence__gte=visit.occurrence)
    elif message.event == Event.CHANGE:
        is_true = Q(status=Status.BOOKED) | Q(status=Status.PENDING, hold_expires_at=None)
        is_true &= Q(start__gte=visit.start)
    elif message.event == Event.CONFIRMATION:
        is_true = Q(status=Status.BOOKED)
    else:
        is_true = Q(status=Status.PENDING, hold_expires_at=None)
    if OF_ONE_PATIENT in message.occasion:
        is_true &= Q(patient=message.patient_id)
    visits = Appointment.objects.filter(is_true, series=visit.series, end__gt=now, deleted_at=None)
    return list(visits.select_related("patient", "service", "site").order_by("start", "pk"))
