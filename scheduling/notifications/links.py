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

from clinic.models import Appointment, Communication, Medium, Patient
from scheduling.participants import is_group

VISIT_PATH = "/v/"
UNSUBSCRIBE_PATH = "/unsubscribe/"
STAFF_VISIT_PATH = "/staff/appointments/"
TEXT_STATUS_PATH = "/messages/text-status/"
KEPT_AFTER = timedelta(days=1)

_VISIT = Signer(sep=".", salt="visit")
_UNSUBSCRIBE = Signer(sep=".", salt="unsubscribe")
_MEDIA = {Medium.EMAIL: "e", Medium.SMS: "s", Medium.IN_APP: "i"}


def absolute(path: str) -> str:
    """The absolute address of a page of this site."""
    return f"{settings.SITE_URL}{path}"


def staff_link(appointment: Appointment) -> str:
    """The page of a visit for staff who have signed in."""
    return absolute(f"{STAFF_VISIT_PATH}{appointment.fhir_id}/")


def manage_link(appointment: Appointment) -> str:
    """The page on which a visit is seen, confirmed, moved and cancelled without signing in. Add #confirm or #cancel.

    The link to a visit of several patients is for one of them: see `visit_of_patient`.
    """
    value = _short(appointment.fhir_id)
    if is_group(appointment) and appointment.patient is not None:
        value += f",{_short(appointment.patient.fhir_id)}"
    return absolute(f"{VISIT_PATH}{_VISIT.sign(value)}/")


def read_manage_link(token: str) -> tuple[str, str] | None:
    """The ids of the Appointment and of the Patient in a manage link's token; None for an invalid token.

    The Patient is empty for a visit of one patient. Check `is_over` too: the link ends a day after the visit.
    """
    try:
        visit, _, patient = _VISIT.unsign(token).partition(",")
        return _long(visit), _long(patient) if patient else ""
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
