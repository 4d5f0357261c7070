"""Links in messages: absolute, unguessable, and short enough for a text message.

A token is an id with Django's signature; each kind of link has its own salt. The token is the authorisation: whoever
has the link may do what its page offers. The pages are in portal; only their paths are here.
"""

import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import suppress
from datetime import datetime, timedelta

from django.conf import settings
from django.core.signing import BadSignature, Signer

from clinic.models import (
    Appointment,
    Communication,
    HealthcareService,
    Location,
    Medium,
    Patient,
    RelatedPerson,
    ServiceRequest,
    Task,
)
from scheduling.participants import is_group

VISIT_PATH = "/v/"
CHECK_IN_PATH = "check-in/"  # below the path of the visit
ARRIVAL_PATH = "/here/"
TICKET_PATH = "/r/"
REFERRAL_PATH = "/referrals/"
VISITS_PATH = "/appointments/"
BOOKING_PATH = "/book/"
WAITLIST_PATH = "/w/"
UNSUBSCRIBE_PATH = "/unsubscribe/"
INVITATION_PATH = "/carers/"
STAFF_VISIT_PATH = "/staff/appointments/"
TEXT_STATUS_PATH = "/messages/text-status/"
RECALL_PATH = "/again/"
KEPT_AFTER = timedelta(days=1)

_VISIT = Signer(sep=".", salt="visit")
_TICKET = Signer(sep=".", salt="ticket")
_WAITLIST = Signer(sep=".", salt="waitlist")
_INVITATION = Signer(sep=".", salt="invitation")
_UNSUBSCRIBE = Signer(sep=".", salt="unsubscribe")
_RECALL = Signer(sep=".", salt="recall")
_MEDIA = {Medium.EMAIL: "e", Medium.SMS: "s", Medium.IN_APP: "i"}


def absolute(path: str) -> str:
    """The absolute address of a page of this site."""
    return f"{settings.SITE_URL}{path}"


def staff_link(appointment: Appointment) -> str:
    """The page of a visit for staff who have signed in."""
    return absolute(f"{STAFF_VISIT_PATH}{appointment.fhir_id}/")


def booking_link(service: HealthcareService) -> str:
    """The page on which a patient chooses a time of a service."""
    return absolute(f"{BOOKING_PATH}{service.fhir_id}/")


def payment_link(appointment: Appointment) -> str:
    """The page on which a patient pays for a hold of theirs."""
    return absolute(f"{VISITS_PATH}{appointment.fhir_id}/pay/")


def manage_link(appointment: Appointment) -> str:
    """The page on which a visit is seen, confirmed, moved and cancelled without signing in. Add #confirm or #cancel.

    The link to a visit of several patients is for one of them: see `visit_of_patient`.
    """
    value = _short(appointment.fhir_id)
    if is_group(appointment) and appointment.patient is not None:
        value += f",{_short(appointment.patient.fhir_id)}"
    return absolute(f"{VISIT_PATH}{_VISIT.sign(value)}/")


def check_in_link(appointment: Appointment) -> str:
    """The page on which the patient of a visit checks in on the day."""
    return f"{manage_link(appointment)}{CHECK_IN_PATH}"


def arrival_link(site: Location) -> str:
    """The page on which everybody who comes to a site finds their visit of today. It is the same for all."""
    return absolute(f"{ARRIVAL_PATH}{site.fhir_id}/")


def read_manage_link(token: str) -> tuple[str, str] | None:
    """The ids of the Appointment and of the Patient in a manage link's token; None for an invalid token.

    The Patient is empty for a visit of one patient. Check `is_over` too: the link ends a day after the visit.
    """
    try:
        visit, _, patient = _VISIT.unsign(token).partition(",")
        return _long(visit), _long(patient) if patient else ""
    except (BadSignature, ValueError):
        return None


def ticket_link(referral: ServiceRequest) -> str:
    """The page on which a referral is used, without signing in."""
    return absolute(f"{TICKET_PATH}{_TICKET.sign(_short(referral.fhir_id))}/")


def read_ticket_link(token: str) -> str | None:
    """The id of the ServiceRequest in a ticket link's token; None for an invalid token."""
    try:
        return _long(_TICKET.unsign(token))
    except BadSignature:
        return None


def referral_link(referral: ServiceRequest) -> str:
    """The page of a referral for its referrer, who has signed in."""
    return absolute(f"{REFERRAL_PATH}{referral.fhir_id}/")


def waitlist_link(entry: Appointment) -> str:
    """The page of an entry of the waiting list, on which an offered time is taken, and the list is left, without
    signing in.
    """
    return absolute(f"{WAITLIST_PATH}{_WAITLIST.sign(_short(entry.fhir_id))}/")


def read_waitlist_link(token: str) -> str | None:
    """The id of the entry in a waitlist link's token; None for an invalid token."""
    try:
        return _long(_WAITLIST.unsign(token))
    except (BadSignature, ValueError):
        return None


def is_over(appointment: Appointment, *, now: datetime) -> bool:
    """True if links to this visit have ended."""
    return appointment.end is not None and now >= appointment.end + KEPT_AFTER


def unsubscribe_link(patient: Patient, medium: str = Medium.EMAIL) -> str:
    """The page on which reminders are turned off without signing in."""
    token = _UNSUBSCRIBE.sign(_MEDIA[Medium(medium)] + _short(patient.fhir_id))
    return absolute(f"{UNSUBSCRIBE_PATH}{token}/")


def read_unsubscribe_link(token: str) -> tuple[str, Medium] | None:
    """The id of the Patient and the medium in an unsubscribe link's token; None for an invalid token."""
    try:
        value = _UNSUBSCRIBE.unsign(token)
    except BadSignature:
        return None
    medium = next(medium for medium, letter in _MEDIA.items() if letter == value[0])
    return _long(value[1:]), medium


def invitation_link(carer: RelatedPerson) -> str:
    """The page on which somebody accepts to manage a patient's visits."""
    return absolute(f"{INVITATION_PATH}{_INVITATION.sign(_short(carer.fhir_id))}/")


def read_invitation_link(token: str) -> str | None:
    """The id of the RelatedPerson in an invitation's token; None for an invalid token."""
    try:
        return _long(_INVITATION.unsign(token))
    except (BadSignature, ValueError):
        return None


def recall_link(recall: Task) -> str:
    """The page on which a patient who is to be seen again books or declines, without signing in."""
    return absolute(f"{RECALL_PATH}{_RECALL.sign(_short(recall.fhir_id))}/")


def read_recall_link(token: str) -> str:
    """The id of the recall in a link's token; empty for an invalid token."""
    try:
        return _long(_RECALL.unsign(token))
    except (BadSignature, ValueError):
        return ""


def text_status_link(message: Communication) -> str:
    """The address to which the text service reports the outcome of a message."""
    return absolute(f"{TEXT_STATUS_PATH}{message.fhir_id}/")


def _short(fhir_id: str) -> str:
    """A UUID in 22 characters; an id chosen by a client stays as it is after a tilde."""
    with suppress(ValueError):
        if str(uuid.UUID(fhir_id)) == fhir_id:
            return urlsafe_b64encode(uuid.UUID(fhir_id).bytes).decode().rstrip("=")
    return f"~{fhir_id}"


def _long(short: str) -> str:
    if short.startswith("~"):
        return short[1:]
    return str(uuid.UUID(bytes=urlsafe_b64decode(f"{short}==")))
