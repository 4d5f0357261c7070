"""Where somebody comes from who follows a link to a time: https://hl7.org/fhir/uv/smart-scheduling-links

Who published the link adds `source`, and `booking-referral` if they want to know the booking again. The session keeps
both until a visit is booked, whatever is done in between, and the Appointment carries them as extensions.
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
    """What the link says; one that says nothing changes nothing."""
    said = {name: UNSTORABLE.sub("", request.GET.get(name, ""))[:LONGEST] for name in EXTENSIONS}
    if kept := {name: value for name, value in said.items() if value.strip()}:
        request.session[_KEY] = kept


def noted(session: SessionBase) -> dict[str, Any]:
    """As elements of an Appointment; none for who came by themselves."""
    kept = session.get(_KEY, {})
    extensions = [{"url": url, "valueString": kept[name]} for name, url in EXTENSIONS.items() if name in kept]
    return {"extension": extensions} if extensions else {}


def forget(session: SessionBase) -> None:
    session.pop(_KEY, None)
