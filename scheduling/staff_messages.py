"""Messages in the words of staff: a draft, the patients whom it reaches, and sending it, which can be undone."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from clinic import message_templates
from clinic.fhir.schedules import ZONE_OF_HOURS
from clinic.message_templates import MessageText
from clinic.models import (
    Appointment,
    AuditEvent,
    Communication,
    Event,
    Medium,
    Patient,
    Rebooking,
    Slot,
    StaffMessage,
    User,
)
from clinic.models.statements import insert
from scheduling import access, booking
from scheduling.access import Caller
from scheduling.availability import as_datetime
from scheduling.core.hours import whole_days
from scheduling.errors import NotFound, RuleBroken, VersionConflict
from scheduling.notifications import quiet_hours
from scheduling.notifications.audience import Audience, audience_of, audiences_of
from scheduling.notifications.message_writes import write_messages
from scheduling.notifications.undo_window import WAITING
from scheduling.notifications.visit_messages import VisitMessage
from scheduling.participants import is_group, patients_of, visit_of_patient
from scheduling.visit_zone import zone_of_place, zone_of_schedule

UNDO_FOR = timedelta(minutes=1)
MOST_PATIENTS = 500  # of one message
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Recipient:
    """A patient of the selection, with their visit or entry of the waiting list, and the ways to reach them."""

    visit: Appointment
    audience: Audience | None

    @property
    def patient(self) -> Patient | None:
        return self.visit.patient

    @property
    def media(self) -> list[Medium]:
        """The media by which they are reached; none if there is no way."""
        return self.audience.media(Event.NOTE) if self.audience else []

    @property
    def is_reached(self) -> bool:
        """True if a message goes to them by itself, not only on the pages."""
        return any(medium != Medium.IN_APP for medium in self.media)


def save_draft(message: StaffMessage, *, caller: Caller, now: datetime) -> StaffMessage:
    """Store a new draft, or a changed one. Raises VersionConflict if somebody else has changed it, RuleBroken if it was
    sent.
    """
    assert caller.user is not None  # the pages are for staff who have signed in
    if message._state.adding:
        message.created, message.created_by = now, caller.user
        message.save()
        return message
    with transaction.atomic():
        _locked(message.pk, message.version, caller)
        message.version += 1
        message.save()
    return message


def recipients_of(message: StaffMessage, *, caller: Caller, now: datetime) -> list[Recipient]:
    """The patients of the selection whose calendars the caller runs, each once, by their first visit in it.

    A constant number of statements, unless several patients come to one visit.
    """
    visits: dict[int, Appointment] = {}
    rows = _selected(message, caller.worker, now).select_related("patient", "service", "site").order_by("start", "pk")
    for row in rows:
        for visit in [visit_of_patient(row, each) for each in patients_of(row)] if is_group(row) else [row]:
            if visit.patient is not None and visit.patient.active and not visit.patient.has_died:
                visits.setdefault(visit.patient.pk, visit)
    single = audiences_of([visit for visit in visits.values() if not is_group(visit)], now=now)
    return [
        Recipient(visit, audience_of(visit, now=now) if is_group(visit) else single.get(visit.pk))
        for visit in visits.values()
    ]


def count_by_medium(recipients: Sequence[Recipient]) -> dict[Medium, int]:
    """The number of patients whom each medium reaches."""
    counts = Counter(medium for recipient in recipients for medium in recipient.media)
    return {medium: counts[medium] for medium in Medium if counts[medium]}


def wording_for(message: StaffMessage, recipient: Recipient, *, now: datetime) -> MessageText:
    """The message as this patient reads it."""
    visit = recipient.visit
    with translation.override(visit.patient.language if visit.patient else None):
        values = {"clinic": settings.CLINIC_NAME, "phone": settings.CLINIC_PHONE}
        if visit.start is None:
            values["name"] = visit.patient.given or str(visit.patient) if visit.patient else ""
        else:
            zone = recipient.audience.zone if recipient.audience else zone_of_place(visit)
            values = VisitMessage(visit, zone, Event.NOTE, now).values()
        return message_templates.fill_in(MessageText(message.subject, message.body), values)


def send(message_id: int, version: int, *, caller: Caller, now: datetime) -> int:
    """Write the message to every patient of the selection, to be sent after a minute. Returns the number of patients.

    The same said twice sends once. Raises RuleBroken for too many patients, or too many messages within a day.
    """
    with transaction.atomic(durable=True):
        message = _locked(message_id, version, caller)
        recipients = [each for each in recipients_of(message, caller=caller, now=now) if each.media]
        _require_few(message.created_by, recipients, now)
        messages: dict[tuple[str, str], Communication] = {}
        for recipient in recipients:
            for note in _notes(message, recipient, now):
                messages.setdefault((note.medium, note.address or str(note.patient_id)), note)
        write_messages(list(messages.values()), now)
        message.sent, message.version = now, message.version + 1
        message.save()
        insert([access.audit_event("write", AuditEvent.Action.CREATE, caller=caller, now=now)])
    return len(recipients)


def undo(message_id: int, *, caller: Caller, now: datetime) -> None:
    """Withdraw a message while it waits. Raises RuleBroken once it is being sent."""
    with transaction.atomic(durable=True):
        message = access.staff_messages(caller).select_for_update(of=("self",)).filter(pk=message_id).first()
        if message is None:
            raise NotFound("There is no such message.")
        notes = notes_of(message).select_for_update(of=("self",))
        if message.sent is None or any(note.status not in WAITING for note in notes):
            raise RuleBroken(_("It is being sent already."))
        notes_of(message).update(
            status=Communication.Status.NOT_DONE,
            status_reason=gettext_noop("It was withdrawn."),
            last_updated=now,
            version=F("version") + 1,
        )
        message.withdrawn = now
        message.save(update_fields=["withdrawn"])
        insert([access.audit_event("write undone", AuditEvent.Action.UPDATE, caller=caller, now=now)])


def notes_of(message: StaffMessage) -> QuerySet[Communication]:
    """The messages to the patients, in the order in which they were written."""
    return Communication.objects.filter(staff_message=message).order_by("pk")


def _selected(message: StaffMessage, caller: Caller, now: datetime) -> QuerySet[Appointment]:
    """The visits to come, or the entries of the waiting list, that the message is about."""
    if message.service is not None:
        return access.waiting(caller).filter(service=message.service)
    visits = access.staff_appointments(caller).filter(status=Appointment.Status.BOOKED, deleted_at=None, start__gt=now)
    if message.absence is not None:
        absence = message.absence
        still_open = Rebooking.objects.filter(absence=absence).exclude(state=Rebooking.State.MOVED)
        affected = booking.affected_visits(absence, now=now).order_by()
        return visits.filter(Q(pk__in=still_open.values("appointment")) | Q(pk__in=affected.values("pk")))
    schedules = access.calendars(caller).select_related("site").prefetch_related(*ZONE_OF_HOURS)
    if message.calendars:
        schedules = schedules.filter(pk__in=message.calendars)
    during = Q(pk__in=[])
    for schedule in schedules:
        start, end = _bounds(message, zone_of_schedule(schedule))
        during |= Q(schedule=schedule, start__gte=start, start__lt=end)
    return visits.filter(pk__in=_visits_at(during))


def _visits_at(during: Q) -> QuerySet[Slot, int | None]:
    """The primary keys of the visits that take this time."""
    slots = Slot.objects.filter(during, status=Slot.Status.BUSY, deleted_at=None, appointment__isnull=False)
    return slots.order_by().values_list("appointment", flat=True)


def _bounds(message: StaffMessage, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The days of the selection in this zone."""
    assert message.first is not None  # the form asks for it
    start, end = whole_days(message.first, message.last or message.first, zone)
    return as_datetime(start), as_datetime(end)


def _notes(message: StaffMessage, recipient: Recipient, now: datetime) -> Iterator[Communication]:
    """The unsaved messages to one patient. A text respects the quiet hours."""
    audience, visit, due = recipient.audience, recipient.visit, now + UNDO_FOR
    if audience is None or visit.patient is None:
        return
    words = wording_for(message, recipient, now=now)
    for medium in recipient.media:
        moment = due
        if medium == Medium.SMS:
            moment = quiet_hours.allowed_time(due, audience.zone, visit=visit.start, now=now) or due
        for address in audience.addresses(medium):
            yield Communication(
                event=Event.NOTE,
                medium=medium,
                patient=visit.patient,
                appointment=visit if visit.start else None,
                staff_message=message,
                address=address,
                language=visit.patient.language,
                subject=str(words.subject)[:200],
                body=str(words.body),
                due=moment,
                last_updated=now,
            )


def _require_few(author: User, recipients: Sequence[Recipient], now: datetime) -> None:
    """Raise RuleBroken for nobody, for too many patients, and if the author has sent too many messages today. Locks the
    author, so that two messages are counted together.
    """
    if not recipients:
        raise RuleBroken(_("None of these patients can be reached."))
    if len(recipients) > MOST_PATIENTS:
        raise RuleBroken(
            _("A message goes to %(count)s patients at most. Choose fewer days.") % {"count": MOST_PATIENTS}
        )
    User.objects.select_for_update(no_key=True).get(pk=author.pk)
    sent = Communication.objects.filter(staff_message__created_by=author, staff_message__sent__gt=now - DAY).count()
    if sent + len(recipients) > settings.STAFF_MESSAGES_PER_DAY:
        raise RuleBroken(_("You have sent many messages today. Send this one tomorrow, or ask a colleague."))


def _locked(message_id: int, version: int, caller: Caller) -> StaffMessage:
    """The draft, locked until commit, at this version."""
    rows = access.staff_messages(caller).select_related("absence", "service", "created_by")
    message = rows.select_for_update(of=("self",)).filter(pk=message_id).first()
    if message is None:
        raise NotFound("There is no such message.")
    if message.sent is not None:
        raise RuleBroken(_("This message was sent already."))
    if message.version != version:
        raise VersionConflict
    return message
