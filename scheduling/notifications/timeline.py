"""Timeline of the messages about a visit, for staff."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from clinic.message_kinds import WITHOUT_TEMPLATE
from clinic.models import Appointment, Communication, Event, Medium
from scheduling.notifications.failure_text import failure_text
from scheduling.notifications.series import OF_SERIES

Status = Communication.Status

EVENTS = {
    Event.REQUEST: _("Request"),
    Event.STAFF_REQUEST: _("Request, to the staff"),
    Event.STAFF_NEWS: _("News, to the staff"),
    Event.SUGGESTION: _("Another time suggested"),
    Event.OFFER: _("A time that came free offered"),
    Event.CONFIRMATION: _("Confirmation"),
    Event.CHANGE: pgettext_lazy("message", "Change"),
    Event.CANCELLATION: _("Cancellation"),
    Event.RECEIPT: _("Receipt"),
    Event.REFUND: _("Refund"),
    Event.TIME_LOST: _("Payment after the time was gone"),
    Event.FEE: _("Fee for a missed visit"),
    Event.REMINDER: _("Reminder"),
    Event.RECALL: _("Recall"),
    Event.REBOOKING: _("Another time needed"),
    Event.KEPT: _("Stays as booked"),
    Event.DELAY: _("Running late"),
    Event.COVERAGE_VERIFIED: _("Insurance checked"),
    Event.COVERAGE_REJECTED: _("Insurance rejected"),
    Event.NOTE: _("In the clinic\u2019s own words"),
    Event.PROOF: _("Code"),
    Event.REPLY: _("Text from the patient"),
    Event.ANSWER: _("Answer to a text"),
    Event.REFERRAL: _("To the referrer"),
    Event.TICKET: _("Link of a referral"),
    Event.INVITATION: _("Invitation"),
    Event.OF_AGE: _("Becoming an adult"),
}
# Events of a moment, whose messages cannot be sent again.
SENT_ONCE = (Event.DELAY, Event.REBOOKING, Event.KEPT, Event.RECALL, *WITHOUT_TEMPLATE)
MEDIA = {Medium.EMAIL: _("email"), Medium.SMS: _("text message"), Medium.IN_APP: _("on the pages")}


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """A message in the timeline: its event, medium, status in words, time, and why it failed."""

    message: Communication
    word: Any
    icon: str
    tone: str
    moment: datetime

    @property
    def id(self) -> str:
        return self.message.fhir_id

    @property
    def event(self) -> Any:
        return EVENTS[Event(self.message.event)]

    @property
    def medium(self) -> Any:
        return MEDIA[Medium(self.message.medium)]

    @property
    def why(self) -> str:
        return failure_text(self.message.status_reason)

    @property
    def words(self) -> str:
        """The words of a text that the patient sent; empty for other messages."""
        return self.message.body if self.message.event == Event.REPLY else ""

    @property
    def has_failed(self) -> bool:
        return self.message.status == Status.NOT_DONE and self.message.attempts > 0

    @property
    def can_go_again(self) -> bool:
        """True if staff can send it again: it was sent or failed, it is not an in-app message, and it is still true."""
        visit = self.message.appointment
        done = self.has_failed or self.message.status == Status.COMPLETED
        if self.message.event == Event.REFERRAL:
            return False
        status = Appointment.Status.CANCELLED if self.message.event == Event.CANCELLATION else Appointment.Status.BOOKED
        if self.message.medium == Medium.IN_APP or self.message.event in SENT_ONCE:
            return False
        return done and visit is not None and visit.status == status


def timeline(appointment: Appointment) -> list[TimelineEntry]:
    """Return all messages about a visit, in the order of sending, by one statement.

    Also those about its whole series, and about times suggested for it.
    """
    visits = Q(pk=appointment.pk) | Q(suggested_for=appointment)
    if appointment.series is not None:
        visits |= Q(series=appointment.series)
    # The visits are found first: for one condition over both tables PostgreSQL would read all messages.
    found = Appointment.objects.filter(visits).order_by().values("pk")
    rows = Communication.objects.filter(appointment__in=found, deleted_at=None).select_related("appointment")
    messages = (message for message in rows if _is_about(message, appointment))
    return sorted(map(timeline_entry, messages), key=lambda entry: (entry.moment, entry.message.pk))


def _is_about(message: Communication, appointment: Appointment) -> bool:
    """True if it is about this visit or a time suggested for it, or about the whole series of its visit."""
    visit = message.appointment
    assert visit is not None  # the messages are found by their visits
    return appointment.pk in (visit.pk, visit.suggested_for_id) or OF_SERIES in message.occasion


def failed(sites: Collection[int] | None, *, now: datetime) -> int:
    """The number of `failures`."""
    return failures(sites, now=now).count()


def failures(sites: Collection[int] | None, *, now: datetime) -> QuerySet[Communication]:
    """Messages about future visits that failed and were not sent again since, at these sites (None for all)."""
    later = Communication.objects.filter(
        appointment=OuterRef("appointment"),
        event=OuterRef("event"),
        pk__gt=OuterRef("pk"),
        status__in=(Status.PREPARATION, Status.IN_PROGRESS, Status.COMPLETED),
    )
    lost = Communication.objects.filter(
        status=Status.NOT_DONE, attempts__gt=0, appointment__start__gt=now, appointment__deleted_at=None
    )
    if sites is not None:
        lost = lost.filter(appointment__site__in=sites)
    return (
        lost.exclude(Exists(later))
        .select_related("appointment__patient", "appointment__site")
        .order_by("appointment__start", "pk")
    )


def timeline_entry(message: Communication) -> TimelineEntry:
    """Return a message as the timeline shows it."""
    if message.event == Event.REPLY:
        is_new = message.read is None
        return TimelineEntry(
            message, _("To be read") if is_new else _("Received"), "message", "warn" if is_new else "good", message.due
        )
    if message.status == Status.NOT_DONE:
        if message.attempts > 0:
            return TimelineEntry(message, _("Failed"), "missed", "bad", message.sent or message.last_updated)
        return TimelineEntry(message, _("Not needed"), "cross", "quiet", message.last_updated)
    if message.received is not None and message.medium != Medium.IN_APP:
        return TimelineEntry(message, _("Delivered"), "check", "good", message.received)
    if message.read is not None:
        return TimelineEntry(message, _("Read"), "check", "good", message.read)
    if message.sent is not None:
        return TimelineEntry(message, _("Sent"), "done", "info", message.sent)
    if message.status == Status.IN_PROGRESS:
        return TimelineEntry(message, _("Being sent"), "clock", "info", message.due)
    if message.attempts > 0:
        return TimelineEntry(message, _("Trying again"), "clock", "warn", message.due)
    return TimelineEntry(message, _("Planned"), "clock", "info", message.due)
