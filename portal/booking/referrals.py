"""Referrals in this browser's session: the publisher of a link to a time, and the tickets that were opened here.

The publisher adds `source` to the link, and `booking-referral` to recognise the booking later. The session keeps both
until a visit is booked, and the Appointment carries them as extensions: https://hl7.org/fhir/uv/smart-scheduling-links
A ticket becomes the visit's `basedOn`.
"""

from datetime import datetime
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest

from clinic.fhir.codes import BOOKING_REFERRAL, BOOKING_SOURCE
from clinic.fhir.validation import UNSTORABLE
from clinic.models import HealthcareService, ServiceRequest
from portal.common import tickets
from scheduling import access
from scheduling.access import Caller
from scheduling.booking import BASED_ON
from scheduling.errors import Forbidden
from scheduling.referrals import Referral, ReferralState, read_referrals

EXTENSIONS = {"source": BOOKING_SOURCE, "booking-referral": BOOKING_REFERRAL}
LONGEST = 500
_KEY = "referral"


def remember(request: HttpRequest) -> None:
    """Store the referral of the link in the session. A link without one changes nothing."""
    values = {name: UNSTORABLE.sub("", request.GET.get(name, ""))[:LONGEST] for name in EXTENSIONS}
    if referral := {name: value for name, value in values.items() if value.strip()}:
        request.session[_KEY] = referral


def elements(session: SessionBase, ticket: ServiceRequest | None = None) -> dict[str, Any]:
    """Return the referral and the ticket as elements of an Appointment; empty if there are none."""
    kept = session.get(_KEY, {})
    extensions = [{"url": url, "valueString": kept[name]} for name, url in EXTENSIONS.items() if name in kept]
    based_on = {BASED_ON: [{"reference": ticket.reference}]} if ticket else {}
    return {**based_on, **({"extension": extensions} if extensions else {})}


def forget(session: SessionBase) -> None:
    session.pop(_KEY, None)


def ticket_for(
    session: SessionBase, service: HealthcareService, caller: Caller, *, now: datetime
) -> ServiceRequest | None:
    """Return the open ticket of this browser for a service. No query if none was opened here."""
    ids = tickets.for_service(session, service.fhir_id)
    if not ids:
        return None
    rows = ServiceRequest.objects.filter(fhir_id__in=ids, service=service, deleted_at=None)
    usable = {each.row.fhir_id: each.row for each in read_referrals(rows, now=now) if _is_usable(each, caller)}
    return next((usable[fhir_id] for fhir_id in ids if fhir_id in usable), None)


def _is_usable(referral: Referral, caller: Caller) -> bool:
    if referral.state != ReferralState.OPEN:
        return False
    try:
        access.may_use_referral(caller, referral.row)
    except Forbidden:
        return False
    return True
