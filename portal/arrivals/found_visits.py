"""The visits that this browser has found at a front desk. Its session keeps them for a while; a kiosk for a minute."""

from collections.abc import Sequence
from datetime import datetime

from django.http import Http404, HttpRequest

from clinic.models import Appointment, Location
from portal.appointments import visits
from portal.appointments.manage_links import KNOWN_FOR
from portal.appointments.visits import Visit
from portal.common import kiosk

_KEY = "found-visits"


def remember(request: HttpRequest, site: Location, found: Sequence[Appointment], now: datetime) -> None:
    """Keep the visits in the session, each with the patient for whom it was found."""
    lasts = kiosk.FORGETS_AFTER if kiosk.is_kiosk(request, site) else KNOWN_FOR
    request.session[_KEY] = {
        "site": site.fhir_id,
        "visits": [[each.fhir_id, each.patient.fhir_id if each.patient else ""] for each in found],
        "until": (now + lasts).isoformat(),
    }


def forget(request: HttpRequest) -> None:
    request.session.pop(_KEY, None)


def at_site(request: HttpRequest, site: Location, now: datetime) -> list[Visit]:
    """Return the visits that were found at the site, as their patients have them; none after a while."""
    kept = request.session.get(_KEY)
    if kept is None or kept["site"] != site.fhir_id or now >= datetime.fromisoformat(kept["until"]):
        return []
    found = (visits.by_link(visit, patient, now=now) for visit, patient in kept["visits"])
    return [visit for visit in found if visit is not None]


def numbered(request: HttpRequest, site: Location, number: int, now: datetime) -> Visit | None:
    """Return the visit with this number in the list, from 1 on; None after a while. Raises Http404 for a wrong one."""
    found = at_site(request, site, now)
    if not found:
        return None
    if not 1 <= number <= len(found):
        raise Http404
    return found[number - 1]
