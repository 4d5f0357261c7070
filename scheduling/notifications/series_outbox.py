"""Outbox of series: the messages about several visits that were booked together, one for all of them."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext_noop

from clinic.models import Appointment, Communication, Event
from scheduling.notifications import undo_window
from scheduling.notifications.audience import audience_of
from scheduling.notifications.message_writes import news_of, withdraw_messages, write_messages, write_to_staff
from scheduling.notifications.reminders import lead_times_of, reminders_of
from scheduling.notifications.series import OF_ONE_PATIENT, OF_SERIES


def combined_agreed(appointments: Sequence[Appointment], *, now: datetime, tell: bool = True) -> None:
    """Write the messages about visits that were booked or requested together: one for those of a kind."""
    requests = [each for each in appointments if each.is_request]
    booked_visits = [each for each in appointments if not each.is_request]
    if requests:
        series_requested(requests, now=now, tell=tell)
    if booked_visits:
        series_booked(booked_visits, now=now, tell=tell)


def series_requested(appointments: Sequence[Appointment], *, now: datetime, tell: bool = True) -> None:
    """Write the messages about a request for all visits of a series: see `requested`."""
    _write_series_news(appointments, Event.REQUEST if tell else None, now, reminders=False)
    if appointments[0].is_combined:  # each has its own people, who answer for it alone
        for appointment in appointments:
            write_to_staff(appointment, now)
    else:
        write_to_staff(appointments[0], now, about=OF_SERIES)


def series_booked(appointments: Sequence[Appointment], *, now: datetime, tell: bool = True) -> None:
    """Write one confirmation for all these visits of a series if `tell`, and plan the reminders of each."""
    _write_series_news(appointments, Event.CONFIRMATION if tell else None, now)


def series_moved(appointments: Sequence[Appointment], *, now: datetime, tell: bool = True) -> None:
    """Write the news that these visits of a series have other times, and move the reminders of each."""
    for appointment in appointments:
        events = (Event.REMINDER, Event.CONFIRMATION, Event.CHANGE) if tell else (Event.REMINDER,)
        withdraw_messages(appointment, now, gettext_noop("The visit was moved."), events=events)
    _write_series_news(appointments, Event.CHANGE if tell else None, now)


def series_cancelled(appointments: Sequence[Appointment], *, now: datetime, undoable: bool = False) -> None:
    """Write one cancellation for all these visits of a series, each of which is `cancelled` without `tell`."""
    _write_series_news(appointments, Event.CANCELLATION, now, reminders=False, undoable=undoable)


def _write_series_news(
    appointments: Sequence[Appointment],
    event: Event | None,
    now: datetime,
    *,
    reminders: bool = True,
    undoable: bool = False,
) -> None:
    """Write the messages of an event about visits of a series, and the reminders of each: one INSERT, and one read for
    each patient. Patients whose messages go to the same people are told together, others each of their own visits.
    """
    due = now + undo_window.UNDO_WINDOW if undoable else now
    by_patient: dict[int | None, list[Appointment]] = {}
    for appointment in appointments:
        by_patient.setdefault(appointment.patient_id, []).append(appointment)
    audiences = {patient: audience_of(theirs[0], now=now) for patient, theirs in by_patient.items()}
    reached = {audience.people for audience in audiences.values() if audience is not None}
    messages: list[Communication] = []
    for patient, theirs in by_patient.items():
        audience = audiences[patient]
        if audience is None:
            continue
        if event is not None and (len(reached) > 1 or not messages):
            about = OF_ONE_PATIENT if len(reached) > 1 else OF_SERIES
            messages += news_of(theirs[0], event, audience, due, now, about=about)
        for appointment in theirs if reminders else ():
            messages += reminders_of(appointment, lead_times_of(appointment, now), audience, now)
    write_messages(messages, now)
