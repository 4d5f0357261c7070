"""Referrals: the publisher of a link to a time. https://hl7.org/fhir/uv/smart-scheduling-links

The publisher adds `source` to the link, and `booking-referral` to recognise the booking later. The session keeps both
until a visit is booked, and the Appointment carries them as extensions.
"""

from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest

from clinic.fhir.codes import BOOKING_REFERRAL, BOOKING_SOURCE
from clinic.fhir.validation import UNSTORABLE

EXTENSIONS = {"source": BOOKING_SOURCE, "booking-referral": BOOKING_REFERRAL}
LONGEST = 500
_KEY = "referral"


def remember(request: HttpRequest) -> None:
    """Store the referral of the link in the session. A link without one changes nothing."""
    values = {name: UNSTORABLE.sub("", request.GET.get(name, ""))[:LONGEST] for name in EXTENSIONS}
    if referral := {name: value for name, value in values.items() if value.strip()}:
        request.session[_KEY] = referral


def elements(session: SessionBase) -> dict[str, Any]:
    """Return the referral as elements of an Appointment; empty if there is none."""
    kept = session.get(_KEY, {})
    extensions = [{"url": url, "valueString": kept[name]} for name, url in EXTENSIONS.items() if name in kept]
    return {"extension": extensions} if extensions else {}


def forget(session: SessionBase) -> None:
    session.pop(_KEY, None)
