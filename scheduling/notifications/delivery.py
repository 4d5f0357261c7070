"""Delivery of due messages: claimed in one transaction, sent outside any, and recorded in another.

Delivery is at least once: if a worker dies after the claim, the claim expires and the message is sent again with the
same Message-ID. Two workers never hold one message at a time. While PostgreSQL is away, a worker waits with the outcome
of the message that it has sent, which is therefore not sent twice.
"""

import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_noop

from clinic import database
from clinic.models import Appointment, Communication, Event, Medium, Patient
from clinic.parking import Parking, park
from clinic.visit_place import zone_for_patient
from scheduling.notifications import letters, mail, quiet_hours, recall_letters, sms, visits_of_day
from scheduling.notifications.audience import ONLY_IF_WANTED, Audience, audience_of
from scheduling.notifications.delays import is_latest
from scheduling.notifications.errors import NotNow, Undeliverable
from scheduling.notifications.failure_text import NOT_HANDED_OVER
from scheduling.notifications.letters import Letter
from scheduling.notifications.outbox import sequence_of
from scheduling.notifications.series import visits_of
from scheduling.notifications.staff import emails_of_staff
from scheduling.notifications.visit_messages import ABOUT_MONEY
from scheduling.participants import visit_of_patient
from scheduling.referrals import ReferralState, referral_of
from scheduling.visit_zone import zone_of_place

DELIVERING = "deliver messages"
logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)  # longer than all the timeouts of one delivery together
ATTEMPTS = 5
FIRST_PAUSE = timedelta(seconds=30)
PROOF_LASTS = timedelta(minutes=30)

Status = Communication.Status
TO_OTHERS = (Event.STAFF_REQUEST, Event.REFERRAL)  # than the patient
CALLED_OFF = {
    Appointment.Status.CANCELLED: gettext_noop("The visit was cancelled."),
    Appointment.Status.ENTERED_IN_ERROR: gettext_noop("The visit was entered in error."),
}


CLAIM = """
    UPDATE clinic_communication
    SET status = 'in-progress', claimed_until = %(until)s, attempts = attempts + 1, last_updated = %(now)s
    WHERE id = (
        SELECT id FROM clinic_communication
        WHERE status IN ('preparation', 'in-progress') AND deleted_at IS NULL AND due <= %(now)s
            AND (status = 'preparation' OR claimed_until <= %(now)s) AND id <> ALL(%(aside)s::bigint[]) {among}
        ORDER BY due, id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
    )
    RETURNING *
"""


class NotNeeded(Exception):
    """The message is no longer true. The text of the exception is a sentence for staff."""


class Batch:
    """The messages that one task of a worker sends, one after another: those with the ids `among`, or all that are due.

    Each is claimed just before it is sent, so that until then it can be withdrawn, and other workers can take it.
    """

    def __init__(self, among: Collection[str] | None = None, *, now: datetime) -> None:
        self._among = among
        self._left = None if among is None else len(among)
        self._aside = Parking(DELIVERING, Communication, now=now)

    def deliver_next(self, *, now: datetime) -> bool:
        """Send the message that has been due longest. Returns False if there is none."""
        message = self.claim(now=now)
        if message is None:
            return False
        try:
            _deliver(message, now)
        except Exception as error:  # the outcome cannot be recorded: the other messages go on
            park(DELIVERING, Communication.__name__, message.pk, error, now=now)
        return True

    def claim(self, *, now: datetime) -> Communication | None:
        """Claim the message that has been due longest until the lease ends, skipping those claimed by other workers."""
        if self._left == 0:
            return None
        try:
            message = self._claim_first(now)
        except DatabaseError:  # perhaps of one row
            message = self._claim_first_sound(now)
        if self._left is not None:
            self._left -= 1
        return message

    def _claim_first(self, now: datetime) -> Communication | None:
        values = {"now": now, "until": now + LEASE, "aside": self._aside.waiting, "among": list(self._among or ())}
        statement = CLAIM.format(among="" if self._among is None else "AND fhir_id = ANY(%(among)s)")
        with transaction.atomic(durable=True):
            return next(iter(Communication.objects.raw(statement, values)), None)

    def _claim_first_sound(self, now: datetime) -> Communication | None:
        """Claim the first message whose row can be written, and set those before it aside."""
        due = Communication.objects.filter(
            Q(status=Status.PREPARATION) | Q(status=Status.IN_PROGRESS, claimed_until__lte=now),
            due__lte=now,
            deleted_at=None,
        )
        if self._among is not None:
            due = due.filter(fhir_id__in=self._among)
        with transaction.atomic(durable=True):
            return self._aside.claim(due.order_by("due", "pk"), partial(_take, now=now))


def _deliver(message: Communication, now: datetime) -> None:
    along: list[Communication] = []
    try:
        _send(message, along, now)
    except NotNeeded as why:
        _close(message, Status.NOT_DONE, now, status_reason=str(why), attempts=0)
    except Undeliverable as why:
        for lost in (message, *along):
            _close(lost, Status.NOT_DONE, now, status_reason=str(why))
    except Exception as error:  # of a backend, or a bug in one message: the other messages go on
        if database.is_away(error):
            for waiting in (message, *along):
                _close(waiting, Status.PREPARATION, now, attempts=waiting.attempts - 1)
            return
        logger.warning("Message %s was not sent (%s)", message.fhir_id, type(error).__name__)
        reason = str(error) if isinstance(error, NotNow) else NOT_HANDED_OVER % {"error": type(error).__name__}
        for waiting in (message, *along):
            _try_later(waiting, now, reason)


def _take(message: Communication, now: datetime) -> None:
    message.status = Status.IN_PROGRESS
    message.claimed_until = now + LEASE
    message.attempts += 1
    message.last_updated = now
    message.save(update_fields=["status", "claimed_until", "attempts", "last_updated"])


def _send(message: Communication, along: list[Communication], now: datetime) -> None:
    """Send the message, together with those about other visits of the day, which are appended to `along`."""
    if message.attempts > ATTEMPTS:
        raise Undeliverable(gettext_noop("Sending it was broken off each time."))
    if message.event == Event.ANSWER:
        _send_answer(message, now)
        return
    appointment = _appointment(message, now)
    audience = audience_of(appointment, now=now) if appointment else None
    message.appointment = appointment
    _require_still_true(message, now)
    zone, address = audience.zone if audience else None, message.address
    if appointment is not None and message.event in TO_OTHERS:
        zone = zone_of_place(appointment)
    elif audience is not None and not _may_send(message, audience, now):
        return
    if zone is not None:
        along += _going_along(message, address, zone, now)
    letter = letters.compose(message, zone, now=now, along=along)
    provider_id = ""
    if message.medium == Medium.EMAIL:
        provider_id = mail.send(message, letter)
    elif message.medium == Medium.SMS:
        provider_id = sms.send(message, letter.text)
    for sent in (message, *along):
        _close(
            sent,
            Status.COMPLETED,
            now,
            sent=now,
            address=message.address,
            **_kept(message, letter),
            provider_id=provider_id,
            status_reason="",
            part_of=None if sent is message else message,
            **({"received": now} if message.medium == Medium.IN_APP else {}),
        )


def _going_along(message: Communication, address: str, zone: ZoneInfo, now: datetime) -> list[Communication]:
    """Return the messages about other visits of the day to send together with this one, claimed and still true."""
    along = []
    for other in visits_of_day.claim_others(message, address, zone, now=now):
        visit = other.appointment = _appointment(other, now)
        try:
            _require_still_true(other, now)
        except NotNeeded as why:
            _close(other, Status.NOT_DONE, now, status_reason=str(why), attempts=0)
            continue
        if visit is None or zone_for_patient(visit, zone_of_place(visit)) != zone:
            _close(other, Status.PREPARATION, now, attempts=other.attempts - 1)
            continue
        along.append(other)
    return along


def _send_answer(message: Communication, now: datetime) -> None:
    """Send the answer to a patient's text, in quiet hours too: they have just written."""
    if now - message.due > PROOF_LASTS:
        raise NotNeeded(gettext_noop("It was too late for an answer."))
    _close(message, Status.COMPLETED, now, sent=now, provider_id=sms.send(message, message.body), status_reason="")


def _kept(message: Communication, letter: Letter) -> dict[str, str]:
    """The subject and body to store; never a code, unless the text is only recorded, as in the demo."""
    if message.event == Event.PROOF and (message.medium == Medium.EMAIL or settings.SMS_URL):
        return {"subject": "", "body": ""}
    return {"subject": letter.subject[:200], "body": letter.body}


def _appointment(message: Communication, now: datetime) -> Appointment | None:
    """The appointment as it is now, and as the patient has it to whom the message goes; of a message about a series,
    the first one of which it is still true.
    """
    if message.appointment_id is None:
        return None
    if visits := visits_of(message, now=now):
        return visits[0]
    appointment = Appointment.objects.select_related("patient", "service", "site").get(pk=message.appointment_id)
    if message.patient is None or message.patient_id == appointment.patient_id:
        return appointment
    return visit_of_patient(appointment, message.patient)


def _require_still_true(message: Communication, now: datetime) -> None:
    """Raise NotNeeded if the message would no longer be true, or comes too late."""
    visit = message.appointment
    if message.event == Event.REFERRAL:
        _require_outcome(message, visit)
        return
    if message.event == Event.RECALL:
        _require_open_recall(message, now)
        return
    if message.event == Event.TICKET:
        _require_open_referral(message, now)
        return
    if visit is None:
        if message.event == Event.PROOF and now - message.due > PROOF_LASTS:
            raise NotNeeded(gettext_noop("The code had expired."))
        return
    if visit.patient is not None:
        _require_open_record(visit.patient)
    if visit.deleted_at is not None or visit.start is None or visit.end is None:
        raise NotNeeded(gettext_noop("The visit was deleted."))
    if message.event == Event.CANCELLATION:
        if visit.status != Appointment.Status.CANCELLED:
            raise NotNeeded(gettext_noop("The visit is not cancelled."))
        return
    if message.event in ABOUT_MONEY:
        return
    if message.event == Event.SUGGESTION and not _is_held(visit, now):
        raise NotNeeded(gettext_noop("The suggested time is no longer held."))
    if message.event == Event.OFFER and not _is_held(visit, now):
        raise NotNeeded(gettext_noop("The time is no longer kept for them."))
    if message.event == Event.REBOOKING and not visit.to_rebook:
        raise NotNeeded(gettext_noop("The visit has another time by now, or stays as booked."))
    called_off = CALLED_OFF.get(Appointment.Status(visit.status))
    if called_off:
        raise NotNeeded(called_off)
    if message.event in (Event.REQUEST, Event.STAFF_REQUEST) and not visit.is_request:
        raise NotNeeded(gettext_noop("The clinic has answered."))
    if message.event == Event.STAFF_REQUEST and message.address not in emails_of_staff(visit):
        raise NotNeeded(gettext_noop("They do not answer requests for this visit any more."))
    if message.event == Event.REMINDER:
        if visit.to_rebook:
            raise NotNeeded(gettext_noop("The clinic cannot keep the visit."))
        if sequence_of(message) != str(visit.sequence):
            raise NotNeeded(gettext_noop("The visit was moved."))
        if visit.start <= now or visit.status != Appointment.Status.BOOKED:
            raise NotNeeded(gettext_noop("The visit had begun."))
    if message.event == Event.DELAY:
        if visit.status != Appointment.Status.BOOKED:
            raise NotNeeded(gettext_noop("The patient has arrived."))
        if not is_latest(message):
            raise NotNeeded(gettext_noop("Something else has been said since."))
    if visit.end <= now:
        raise NotNeeded(gettext_noop("The visit was over."))


def _require_open_recall(message: Communication, now: datetime) -> None:
    """Raise NotNeeded if the patient has booked or declined by now, or staff have ended the recall."""
    if message.patient is not None:
        _require_open_record(message.patient)
    recall = recall_letters.recall_of(message)
    if recall is None or not recall.is_open:
        raise NotNeeded(gettext_noop("The recall had ended."))


def _require_open_referral(message: Communication, now: datetime) -> None:
    """Raise NotNeeded if the link of the referral gives no visit any more."""
    if message.patient is not None:
        _require_open_record(message.patient)
    referral = referral_of(message, now=now)
    if referral is None or referral.state != ReferralState.OPEN:
        raise NotNeeded(gettext_noop("The referral had been used, or had ended."))


def _require_outcome(message: Communication, visit: Appointment | None) -> None:
    """Raise NotNeeded if the visit of a referral is not cancelled any more, or is cancelled by now."""
    is_cancellation = message.occasion.startswith(Appointment.Status.CANCELLED)
    if visit is not None and is_cancellation != (visit.status == Appointment.Status.CANCELLED):
        raise NotNeeded(gettext_noop("The visit has changed since."))


def _is_held(visit: Appointment, now: datetime) -> bool:
    expires = visit.hold_expires_at
    return visit.status == Appointment.Status.PENDING and expires is not None and expires > now


def _require_open_record(patient: Patient) -> None:
    """Raise NotNeeded if the patient has died, or the record is inactive or merged."""
    if patient.has_died:
        raise NotNeeded(gettext_noop("The patient has died."))
    if patient.merged_into:
        raise NotNeeded(gettext_noop("The patient's record was merged into another one."))
    if not patient.active:
        raise NotNeeded(gettext_noop("The patient's record is inactive."))


def _may_send(message: Communication, audience: Audience, now: datetime) -> bool:
    """True if the message can be sent now, to a current address that wants it.

    A text message during quiet hours is postponed.
    """
    if message.event in ONLY_IF_WANTED and Medium(message.medium) not in audience.media(message.event):
        raise NotNeeded(gettext_noop("The patient does not want reminders this way."))
    addresses = audience.addresses(message.medium)
    if not addresses:
        raise NotNeeded(gettext_noop("The patient has no such address any more."))
    if message.address not in addresses:
        message.address = addresses[0]
    if message.medium != Medium.SMS:
        return True
    visit = message.appointment.start if message.appointment and message.event != Event.RECALL else None
    moment = quiet_hours.allowed_time(now, audience.zone, visit=visit, now=now)
    if moment is not None and moment > now:
        _close(message, Status.PREPARATION, now, due=moment, attempts=message.attempts - 1)
        return False
    if moment is None and message.event in (Event.REMINDER, Event.OFFER):
        raise NotNeeded(gettext_noop("The quiet hours last until the visit."))
    return True


def _try_later(message: Communication, now: datetime, reason: str) -> None:
    if message.attempts >= ATTEMPTS:
        _close(message, Status.NOT_DONE, now, status_reason=reason)
        return
    pause = FIRST_PAUSE * 4 ** (message.attempts - 1)
    _close(message, Status.PREPARATION, now, due=now + pause, status_reason=reason)


def _close(message: Communication, status: Status, now: datetime, **what: object) -> None:
    """Record the outcome, unless the claim has expired and another worker has the message.

    While PostgreSQL is away it is tried again until the claim expires.
    """
    if message.event == Event.PROOF and status == Status.NOT_DONE:
        what |= {"subject": "", "body": ""}
    mine = Communication.objects.filter(pk=message.pk, status=Status.IN_PROGRESS, claimed_until=message.claimed_until)
    version = F("version") + int(message.event != Event.PROOF)  # old versions are stored, and a code must not be
    database.outlast(
        lambda: mine.update(status=status, claimed_until=None, last_updated=now, version=version, **what),
        LEASE.total_seconds(),
    )
