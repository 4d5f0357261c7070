"""Tickets of this browser: the referrals whose links were opened in it, kept in its session.

One is proven if the date of birth of the patient whom it names was entered here.
"""

from django.contrib.sessions.backends.base import SessionBase

from clinic.models import ServiceRequest

_OPENED, _PROVEN = "tickets", "proven-tickets"


def remember(session: SessionBase, referral: ServiceRequest, *, proven: bool, signed_in: bool) -> None:
    """Store the ticket with its service. Without an account it is forgotten with the browser, as a guest's hold is."""
    assert referral.service is not None  # only a ticket has a link
    session[_OPENED] = {**session.get(_OPENED, {}), referral.fhir_id: referral.service.fhir_id}
    if proven:
        session[_PROVEN] = sorted({*session.get(_PROVEN, ()), referral.fhir_id})
    if not signed_in:
        session.set_expiry(0)


def opened(session: SessionBase) -> frozenset[str]:
    """Return the ids of the referrals."""
    return frozenset(session.get(_OPENED, {}))


def proven(session: SessionBase) -> frozenset[str]:
    """Return the ids of those whose patient is proven."""
    return frozenset(session.get(_PROVEN, ()))


def services(session: SessionBase) -> frozenset[str]:
    """Return the ids of their services, which this browser can book besides those that are open to everybody."""
    return frozenset(session.get(_OPENED, {}).values())


def for_service(session: SessionBase, service_id: str) -> list[str]:
    """Return the ids of the referrals for a service, the latest first."""
    return [ticket for ticket, service in reversed(session.get(_OPENED, {}).items()) if service == service_id]
