"""The links that messages carry: absolute, unguessable, and short enough for a text message.

A token is what it names and Django's signature of it, each kind with a salt of its own. It is the proof: whoever has
the link may do what its page offers. The pages are the portal's; here is only where they lie.
"""

import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import suppress
from datetime import datetime, timedelta

from django.conf import settings
from django.core.signing import BadSignature, Signer

from clinic.models import Appointment, Communication, Medium, Patient

VISIT_PATH = "/v/"
UNSUBSCRIBE_PATH = "/unsubscribe/"
STAFF_VISIT_PATH = "/staff/appointments/"
TEXT_STATUS_PATH = "/messages/text-status/"
KEPT_AFTER = timedelta(days=1)

_VISIT = Signer(sep=".", salt="visit")
_UNSUBSCRIBE = Signer(sep=".", salt="unsubscribe")
_MEDIA = {Medium.EMAIL: "e", Medium.SMS: "s", Medium.IN_APP: "i"}


def absolute(path: str) -> str:
    """The address of a page of this site, as somebody elsewhere opens it."""
    return f"{settings.SITE_URL}{path}"


def staff_link(appointment: Appointment) -> str:
    """The page of a visit for the staff who work with it, once they have signed in."""
    return absolute(f"{STAFF_VISIT_PATH}{appointment.fhir_id}/")


def manage_link(appointment: Appointment) -> str:
    """Where a visit is seen, confirmed, moved and cancelled without signing in. Add #confirm or #cancel."""
    return absolute(f"{VISIT_PATH}{_VISIT.sign(_short(appointment.fhir_id))}/")


def read_manage_link(token: str) -> str | None:
    """The id of the Appointment that a manage link is for; None for a token that is not ours.

    Ask `is_over` of the appointment: the link ends a day after the visit.
    """
    try:
        return _long(_VISIT.unsign(token))
    except BadSignature:
        return None


def is_over(appointment: Appointment, *, now: datetime) -> bool:
    """True if links to this visit no longer lead anywhere."""
    return appointment.end is not None and now >= appointment.end + KEPT_AFTER


def unsubscribe_link(patient: Patient, medium: str = Medium.EMAIL) -> str:
    """Where reminders are turned off without signing in."""
    token = _UNSUBSCRIBE.sign(_MEDIA[Medium(medium)] + _short(patient.fhir_id))
    return absolute(f"{UNSUBSCRIBE_PATH}{token}/")


def read_unsubscribe_link(token: str) -> tuple[str, Medium] | None:
    """The id of the Patient, and the medium that the link came by; None for a token that is not ours."""
    try:
        value = _UNSUBSCRIBE.unsign(token)
    except BadSignature:
        return None
    medium = next(medium for medium, letter in _MEDIA.items() if letter == value[0])
    return _long(value[1:]), medium


def text_status_link(message: Communication) -> str:
    """Where the carrier tells what became of a text message."""
    return absolute(f"{TEXT_STATUS_PATH}{message.fhir_id}/")


def _short(fhir_id: str) -> str:
    """A random id in 22 characters; one that a client chose stays as it is, behind a tilde."""
    with suppress(ValueError):
        if str(uuid.UUID(fhir_id)) == fhir_id:
            return urlsafe_b64encode(uuid.UUID(fhir_id).bytes).decode().rstrip("=")
    return f"~{fhir_id}"


def _long(short: str) -> str:
    if short.startswith("~"):
        return short[1:]
    return str(uuid.UUID(bytes=urlsafe_b64decode(f"{short}==")))
