"""The use case of a text message that a patient sends: C confirms, X asks to cancel, STOP, START and HELP.

The number acts as the holder of the links in the texts that were sent to it, and of nothing else. A visit is cancelled
by a second X only: the answer to the first names it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from clinic import phones
from clinic.models import Appointment, Communication
from clinic.time_text import in_short
from clinic.visit_place import zone_for_patient
from scheduling import notifications
from scheduling.access import Caller
from scheduling.booking.attendance import confirm_attendance_locked
from scheduling.booking.cancellation import cancel_locked
from scheduling.booking.idempotency import refusals
from scheduling.booking.transitions import locked, require_notice, require_transition
from scheduling.errors import SchedulingError
from scheduling.notifications import inbound_texts
from scheduling.notifications.inbound_texts import InboundText, TextThread
from scheduling.notifications.reply_words import ReplyIntent, intent_of
from scheduling.visit_zone import zone_of_place


class _Outcome(NamedTuple):
    """The result of a reply: a sentence for staff, the answer to the sender, and if staff need not deal with it."""

    done: str
    answer: str
    is_dealt_with: bool = True
    about: str = ""


def receive_text(text: InboundText, *, now: datetime) -> bool:
    """Record a text message and do what it asks, in one transaction.

    Returns False if the text service has delivered it before: then nothing is done.
    """
    with refusals(), transaction.atomic(durable=True):
        thread = inbound_texts.thread_of(text.sender, now=now)
        about = thread.meant or thread.texts[:1]
        replies = inbound_texts.record(text, thread, about)
        if not replies:
            return False
        with translation.override(thread.language):
            outcome = _Reply(text, thread, now).outcome()
        inbound_texts.close(replies, outcome.done, is_dealt_with=outcome.is_dealt_with, now=now)
        if outcome.answer and thread.patients:
            words = f"{settings.CLINIC_NAME}: {outcome.answer}"
            inbound_texts.answer(replies[0], words, thread.language, about=outcome.about, now=now)
    return True


@dataclass(frozen=True, slots=True)
class _Reply:
    """A text message in the thread that it answers."""

    text: InboundText
    thread: TextThread
    now: datetime

    def outcome(self) -> _Outcome:
        """Do what the text asks."""
        acts: Mapping[ReplyIntent | None, Callable[[], _Outcome]] = {
            ReplyIntent.CONFIRM: self._confirm,
            ReplyIntent.CANCEL: self._cancel,
            ReplyIntent.STOP: self._stop,
            ReplyIntent.START: self._start,
            ReplyIntent.HELP: self._help,
        }
        act = acts.get(intent_of(self.text.words))
        return act() if act else _Outcome("", "", is_dealt_with=False)

    def _confirm(self) -> _Outcome:
        meant = self.thread.meant
        if not meant:
            return self._unclear()
        for message in meant:
            visit, caller = _locked(message)
            if visit.status == Appointment.Status.BOOKED:
                confirm_attendance_locked(visit, caller=caller, now=self.now)
        done = gettext_noop("The patient says they will come")
        return _Outcome(done, _("Thank you. The clinic now knows that you are coming."))

    def _cancel(self) -> _Outcome:
        meant = self.thread.meant
        if len(meant) != 1:
            return self._unclear()
        visit, caller = _locked(meant[0])
        when = {"time": _time_of(visit)}
        try:
            require_transition(visit, Appointment.Status.CANCELLED)
            require_notice(visit, caller, self.now, "cancelled")
        except SchedulingError as refusal:
            done = gettext_noop("The visit can no longer be cancelled by text.")
            return _Outcome(done, f"{refusal}{_phone()}", is_dealt_with=False)
        if not inbound_texts.is_asked(visit, self.text.sender, now=self.now):
            question = _("To cancel the visit on %(time)s, reply X again within 30 minutes.") % when
            done = gettext_noop("The patient was asked if the visit is to be cancelled.")
            return _Outcome(done, question, about=inbound_texts.question_about(visit))
        cancel_locked(visit, caller=caller, now=self.now)
        inbound_texts.withdraw_text_of_cancellation(visit, self.text.sender, now=self.now)
        return _Outcome(gettext_noop("The visit was cancelled."), _("The visit on %(time)s is cancelled.") % when)

    def _stop(self) -> _Outcome:
        inbound_texts.stop(self.thread)
        done = gettext_noop("No more text messages are sent to this number.")
        return _Outcome(done, _("You get no more text messages from us. Reply START to get them again."))

    def _start(self) -> _Outcome:
        inbound_texts.start(self.thread)
        for patient in self.thread.patients:
            notifications.plan_reminders(patient, now=self.now)
        done = gettext_noop("Text messages are sent to this number again.")
        return _Outcome(done, _("You get text messages about your visits again. Reply STOP to end them."))

    def _help(self) -> _Outcome:
        words = _("Reply C to confirm your visit, X to cancel it, STOP to get no more text messages.")
        return _Outcome(gettext_noop("The patient asked what they can reply."), f"{words}{_phone()}")

    def _unclear(self) -> _Outcome:
        """The outcome of a text that means no visit, or does not say which."""
        if self.thread.upcoming:
            done = gettext_noop("There are several visits, and it is not clear which one is meant.")
            words = _("You have several visits. Please open the link in the message about the one you mean.")
        else:
            done = gettext_noop("There is no upcoming visit for this number.")
            words = _("We do not know of an upcoming visit for this number.")
        return _Outcome(done, f"{words}{_phone()}", is_dealt_with=False)


def _locked(message: Communication) -> tuple[Appointment, Caller]:
    """Return the visit of a message, locked, and its patient as the caller who holds the link in the message."""
    assert message.appointment is not None  # texts are about visits
    patient = message.patient.reference if message.patient else ""
    caller = Caller(visit=message.appointment.fhir_id, visit_patient=patient)
    return locked(message.appointment.fhir_id, caller), caller


def _time_of(visit: Appointment) -> str:
    assert visit.start is not None  # it is booked
    zone = zone_for_patient(visit, zone_of_place(visit))
    return in_short(visit.start.astimezone(zone), zone)


def _phone() -> str:
    """Return the clinic's number as a last word, if it has one."""
    return f" {phones.display(settings.CLINIC_PHONE)}" if settings.CLINIC_PHONE else ""
