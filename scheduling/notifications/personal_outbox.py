"""Outbox without visits: the messages to somebody about their account, their insurance or a referral of theirs, and to
staff about visits of others.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from clinic.country import clinic_zone
from clinic.models import (
    Appointment,
    Communication,
    Coverage,
    Event,
    Medium,
    Patient,
    RelatedPerson,
    ServiceRequest,
    User,
)
from clinic.time_text import plain_day
from scheduling.notifications import letters, links, quiet_hours, undo_window
from scheduling.notifications.audience import addresses_of
from scheduling.notifications.message_writes import write_messages
from scheduling.referrals import occasion_of, reference_of


def prove(address: str, code: str, language: str, *, now: datetime) -> None:
    """Send a guest the code that proves their email address or telephone number.

    Works inside or outside a transaction. The guest waits for it: there are no quiet hours.
    """
    write_messages([_written(Event.PROOF, address, language, now, code=code)], now)


def invited(carer: RelatedPerson, *, now: datetime) -> None:
    """Write the invitation to manage a patient's visits: in the patient's language, by email or by text."""
    patient, address = carer.patient, carer.email or carer.phone
    link = links.invitation_link(carer)
    write_messages(
        [_written(Event.INVITATION, address, patient.language, now, patient, name=str(patient), link=link)], now
    )


def comes_of_age(patient: Patient, addresses: Iterable[str], day: date, *, now: datetime) -> None:
    """Write the news to a young patient and their parents that the parents' access ends on this day."""
    with translation.override(patient.language or None):
        about = {"name": patient.given or str(patient), "day": plain_day(day), "link": links.absolute("/")}
    write_messages(
        [_written(Event.OF_AGE, address, patient.language, now, patient, **about) for address in addresses], now
    )


def coverage_checked(coverage: Coverage, *, now: datetime) -> None:
    """Write the message to the patient that the clinic has verified or rejected their coverage, in the transaction of
    the check. It is about no visit: its words are those of this moment.
    """
    patient = coverage.beneficiary
    is_verified = coverage.verification == Coverage.Verification.VERIFIED
    event = Event.COVERAGE_VERIFIED if is_verified else Event.COVERAGE_REJECTED
    messages = []
    for medium, addresses in addresses_of(patient, now=now).items():
        with translation.override(patient.language or None):
            wording = letters.coverage_wording(event, medium, coverage, patient.language)
        messages += [
            Communication(
                event=event,
                medium=medium,
                patient=patient,
                address=address,
                language=patient.language,
                subject=wording.subject[:200],
                body=wording.body,
                due=now,
                last_updated=now,
            )
            for address in addresses
        ]
    write_messages(messages, now)


def referral_followed(referral: ServiceRequest, appointment: Appointment, *, now: datetime) -> None:
    """Write the email to the referrer that the visit of a referral is booked, done, missed or cancelled.

    A cancellation waits until it cannot be undone any more.
    """
    due = now + undo_window.UNDO_WINDOW if appointment.status == Appointment.Status.CANCELLED else now
    occasion = f"{appointment.status}-{appointment.version}"
    _write_to_referrer(referral, appointment.status, now, appointment=appointment, occasion=occasion, due=due)


def referral_ended(referral: ServiceRequest, *, now: datetime) -> None:
    """Write the email to the referrer that their referral has ended unused."""
    _write_to_referrer(referral, "ended", now, due=now)


def ticket_sent(referral: ServiceRequest, address: str, *, now: datetime) -> None:
    """Write the message with the link of a referral to its patient. It says nothing of the visit or the reason."""
    patient = referral.patient
    assert patient is not None  # a referral that names nobody is sent to nobody
    link = links.ticket_link(referral)
    with translation.override(patient.language or None):
        referrer = referral.referrer or _("Another practice")
    message = _written(
        Event.TICKET,
        address,
        patient.language,
        now,
        patient,
        name=patient.given or str(patient),
        referrer=referrer,
        reference=reference_of(referral),
        link=link,
    )
    if link not in message.body:
        message.body = f"{message.body} {link}"
    message.occasion = f"{occasion_of(referral)}{now.timestamp():.0f}"
    write_messages([message], now)


def messages_of(referral: ServiceRequest) -> QuerySet[Communication]:
    """The messages by which the link of a referral was sent to its patient, the latest first."""
    rows = Communication.objects.filter(patient=referral.patient_id, event=Event.TICKET, deleted_at=None)
    return rows.filter(occasion__startswith=occasion_of(referral)).order_by("-pk")


def staff_told(user: User, subject: str, body: str, *, now: datetime) -> None:
    """Write an email to a member of staff about visits that they see. It names no patient."""
    email = Communication(
        event=Event.STAFF_NEWS,
        medium=Medium.EMAIL,
        address=user.email,
        subject=subject[:200],
        body=body,
        due=now,
        last_updated=now,
    )
    write_messages([email], now)


def _written(
    event: Event, address: str, language: str, now: datetime, patient: Patient | None = None, **values: str
) -> Communication:
    """A message about no visit, with its wording. A text that nobody waits for respects the quiet hours."""
    medium = Medium.EMAIL if "@" in address else Medium.SMS
    with translation.override(language or None):
        wording = letters.wording_of(event, medium, language, **values)
    due = now
    if medium == Medium.SMS and event != Event.PROOF:
        due = quiet_hours.allowed_time(now, clinic_zone(), visit=None, now=now) or now
    return Communication(
        event=event,
        medium=medium,
        patient=patient,
        address=address,
        language=language,
        subject=wording.subject,
        body=wording.body,
        due=due,
        last_updated=now,
    )


def _write_to_referrer(referral: ServiceRequest, outcome: str, now: datetime, **message: Any) -> None:
    """Write an email to the referrer, if the referral was made on the pages. It names no patient."""
    referrer = referral.referred_by
    if referrer is None or not referrer.is_active:
        return
    wording = letters.referral_wording(referral, outcome)
    email = Communication(
        event=Event.REFERRAL,
        medium=Medium.EMAIL,
        address=referrer.email,
        subject=wording.subject,
        body=wording.body,
        last_updated=now,
        **message,
    )
    write_messages([email], now)
