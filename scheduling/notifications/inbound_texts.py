"""Text messages that people send to the clinic's number: who sends them, the visits they mean, and our answers.

A number is compared in E.164. It speaks for the patients who have it, or whose carers have it, as the links in the
texts to it do. Nothing that is answered says more than those texts did.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext_noop

from clinic import childhood, people_search, phones
from clinic.models import Appointment, Communication, Event, Medium, MessagePreferences, Patient, Person, RelatedPerson
from clinic.models.search_column import PHONE, quoted
from clinic.models.statements import insert_without_conflicts
from scheduling.notifications.announcements import announce

ASKING = (Event.CONFIRMATION, Event.CHANGE, Event.REMINDER)  # texts that are answered by C and X
REMEMBERED = timedelta(days=90)
REMINDER_COUNTS_FOR = timedelta(days=3)
REMINDED_TOGETHER = timedelta(hours=1)
ASKED_FOR = timedelta(minutes=30)
QUESTION = "cancel?"  # begins the occasion of the question if a visit is to be cancelled
LONGEST = 1600  # characters of a text
ANSWERS_AN_HOUR = 6  # to one number, which may belong to a machine that answers too

Status = Communication.Status


@dataclass(frozen=True, slots=True)
class InboundText:
    """A text message that somebody sent: the text service's id of it, the sender's number, and the words."""

    id: str
    sender: str
    words: str

    @classmethod
    def of(cls, message_id: str, sender: str, words: str) -> "InboundText | None":
        """Return the text with its number in E.164; None without an id or a number."""
        number = phones.text_to(sender)
        if not (message_id and number):
            return None
        return cls(message_id[:200], number[:20], words.replace("\0", "")[:LONGEST])


@dataclass(frozen=True, slots=True)
class TextThread:
    """The texts to a number about visits, the latest first, and the patients whose messages go to the number."""

    number: str
    patients: tuple[Patient, ...]
    texts: tuple[Communication, ...]
    now: datetime

    @property
    def upcoming(self) -> list[Communication]:
        """The latest text about each visit that is booked and still to come."""
        found: dict[tuple[int | None, int | None], Communication] = {}
        for text in self.texts:
            if _is_coming(text.appointment, self.now):
                found.setdefault((text.appointment_id, text.patient_id), text)
        return list(found.values())

    @property
    def meant(self) -> list[Communication]:
        """The visits that an answer means: the only one to come, else those of the last reminder; else none."""
        upcoming = self.upcoming
        if len(upcoming) < 2:
            return upcoming
        reminders = [text for text in upcoming if text.event == Event.REMINDER and text.sent is not None]
        last = max((text.sent for text in reminders if text.sent), default=None)
        if last is None or last <= self.now - REMINDER_COUNTS_FOR:
            return []
        return [text for text in reminders if text.sent and text.sent > last - REMINDED_TOGETHER]

    @property
    def language(self) -> str:
        """The language of the latest text, else that of a patient, else the clinic's."""
        known = (*(text.language for text in self.texts[:1]), *(patient.language for patient in self.patients))
        return next(filter(None, known), settings.LANGUAGE_CODE)


def thread_of(number: str, *, now: datetime) -> TextThread:
    """Return the texts to a number and its patients. Three statements at most."""
    patients = _patients_of(number, now)
    sent = Communication.objects.filter(
        patient__in=patients, medium=Medium.SMS, event__in=ASKING, sent__gt=now - REMEMBERED, deleted_at=None
    )
    rows = sent.exclude(appointment=None).select_related("appointment", "patient").order_by("-sent", "-pk")
    texts = tuple(text for text in rows if phones.text_to(text.address) == number)
    return TextThread(number, tuple(patients), texts, now)


def record(text: InboundText, thread: TextThread, about: Sequence[Communication]) -> list[Communication]:
    """Write the text as a reply: a row for each of the visits that the texts in `about` are about, or one without a
    visit. Returns none if the text service has delivered it before.
    """
    only = thread.patients[0] if len(thread.patients) == 1 else None
    places = [(each.appointment, each.patient) for each in about] or [(None, only)]
    rows = [_reply(text, visit, patient, thread.now) for visit, patient in places]
    rows[0].provider_id = text.id
    if not insert_without_conflicts(rows[:1]):
        return []
    for row in rows[1:]:
        row.part_of = rows[0]
    insert_without_conflicts(rows[1:])
    return rows


def close(replies: Sequence[Communication], done: str, *, is_dealt_with: bool, now: datetime) -> None:
    """Record what was done because of a reply, in a sentence for staff. What nobody dealt with waits for them."""
    keys = [reply.pk for reply in replies]
    Communication.objects.filter(pk__in=keys).update(status_reason=done, read=now if is_dealt_with else None)


def dealt_with(reply: Communication, *, now: datetime) -> None:
    """Record that staff have dealt with a reply."""
    rows = Communication.objects.filter(Q(pk=reply.pk) | Q(part_of=reply.pk), read=None)
    rows.update(read=now, last_updated=now, version=F("version") + 1)


def answer(reply: Communication, words: str, language: str, *, about: str = "", now: datetime) -> None:
    """Write the answer to a reply, which a worker sends at once, also in quiet hours. The answers an hour to one number
    are limited.
    """
    recent = Communication.objects.filter(event=Event.ANSWER, address=reply.address, due__gt=now - timedelta(hours=1))
    if recent.count() >= ANSWERS_AN_HOUR:
        return
    message = Communication(
        event=Event.ANSWER,
        medium=Medium.SMS,
        occasion=f"{about}-{reply.fhir_id}"[:100],
        patient=reply.patient,
        appointment=reply.appointment,
        address=reply.address,
        language=language,
        body=words,
        due=now,
        last_updated=now,
    )
    insert_without_conflicts([message])
    transaction.on_commit(lambda: announce([message.fhir_id], timedelta(0)), robust=True)


def is_asked(visit: Appointment, number: str, *, now: datetime) -> bool:
    """True if the last answer to the number asked if this visit, as it is now, is to be cancelled."""
    answers = Communication.objects.filter(event=Event.ANSWER, address=number, due__gt=now - ASKED_FOR)
    last = answers.order_by("-pk").first()
    return last is not None and last.appointment_id == visit.pk and last.occasion.startswith(question_about(visit))


def question_about(visit: Appointment) -> str:
    """Return the beginning of the occasion of the question if this visit, as it is now, is to be cancelled."""
    return f"{QUESTION}{visit.sequence}"


def withdraw_text_of_cancellation(visit: Appointment, number: str, *, now: datetime) -> None:
    """Withdraw the text that the visit is cancelled: the answer says so."""
    waiting = Communication.objects.filter(
        appointment=visit, event=Event.CANCELLATION, medium=Medium.SMS, status=Status.PREPARATION
    )
    same = [message.pk for message in waiting if phones.text_to(message.address) == number]
    why = gettext_noop("The answer to the patient's text says so.")
    changed = {"status": Status.NOT_DONE, "status_reason": why, "last_updated": now, "version": F("version") + 1}
    Communication.objects.filter(pk__in=same).update(**changed)


def stop(thread: TextThread) -> None:
    """Send no more texts to the number about these patients."""
    for patient in thread.patients:
        MessagePreferences.objects.get_or_create(patient=patient)
        rows = MessagePreferences.objects.select_for_update().filter(patient=patient)
        for row in rows.exclude(stopped_numbers__contains=[thread.number]):
            row.stopped_numbers.append(thread.number)
            row.save(update_fields=["stopped_numbers"])


def start(thread: TextThread) -> None:
    """Send texts to the number again."""
    rows = MessagePreferences.objects.select_for_update().filter(patient__in=thread.patients)
    for row in rows.filter(stopped_numbers__contains=[thread.number]):
        row.stopped_numbers.remove(thread.number)
        row.save(update_fields=["stopped_numbers"])


def _reply(text: InboundText, visit: Appointment | None, patient: Patient | None, now: datetime) -> Communication:
    return Communication(
        status=Status.COMPLETED,
        event=Event.REPLY,
        medium=Medium.SMS,
        patient=patient,
        appointment=visit,
        address=text.sender,
        body=text.words,
        due=now,
        sent=now,
        received=now,
        last_updated=now,
    )


def _is_coming(visit: Appointment | None, now: datetime) -> bool:
    return (
        visit is not None
        and visit.deleted_at is None
        and visit.status == Appointment.Status.BOOKED
        and visit.start is not None
        and visit.start > now
    )


def _patients_of(number: str, now: datetime) -> list[Patient]:
    """Return the patients whose number this is, or one of whose carers has it."""
    has_number = Q(people_search.matches(quoted(f"{PHONE}{number.removeprefix('+')}")))
    carers = RelatedPerson.objects.filter(has_number, active=True, deleted_at=None).select_related("patient")
    cared = [carer.patient_id for carer in carers if number in _numbers(carer) and childhood.lets(carer, now)]
    patients = Patient.objects.filter(has_number | Q(pk__in=cared), deleted_at=None).exclude(Patient.closed())
    return [patient for patient in patients.order_by("pk") if patient.pk in cared or number in _numbers(patient)]


def _numbers(person: Person) -> set[str]:
    points = [point for point in person.extra.get("telecom") or () if isinstance(point, dict)]
    return {phones.text_to(str(value)) for value in (person.phone, *(point.get("value") for point in points)) if value}
