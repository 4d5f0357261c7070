"""Links that add a visit to a calendar on the web, with the same title, time and place as its calendar file.

Others run these calendars: the address has neither the page of the visit, nor its reference, patient, service or
practitioner.
"""

from datetime import UTC
from typing import NamedTuple
from urllib.parse import quote, urlencode

from scheduling.facts import VisitFacts
from scheduling.notifications.calendar_files import title_of

_GOOGLE = "https://calendar.google.com/calendar/render"
_OUTLOOK = {
    "Outlook.com": "https://outlook.live.com/calendar/0/deeplink/compose",
    "Microsoft 365": "https://outlook.office.com/calendar/0/deeplink/compose",
}


class CalendarLink(NamedTuple):
    """A calendar on the web, and the address that adds the visit to it."""

    name: str
    address: str


def calendar_links(visit: VisitFacts) -> list[CalendarLink]:
    """Return the links that add the visit to Google's and Outlook's calendars, in the active language."""
    start, end = visit.start.astimezone(UTC), visit.end.astimezone(UTC)
    title, place = title_of(visit), str(visit.place)
    google = {
        "action": "TEMPLATE",
        "text": title,
        "dates": f"{start:%Y%m%dT%H%M%SZ}/{end:%Y%m%dT%H%M%SZ}",
        "ctz": visit.zone.key,
        "location": place,
    }
    outlook = {
        "path": "/calendar/action/compose",
        "rru": "addevent",
        "subject": title,
        "startdt": f"{start:%Y-%m-%dT%H:%M:%SZ}",
        "enddt": f"{end:%Y-%m-%dT%H:%M:%SZ}",
        "location": place,
    }
    others = [CalendarLink(name, _address(base, outlook)) for name, base in _OUTLOOK.items()]
    return [CalendarLink("Google Calendar", _address(_GOOGLE, google)), *others]


def _address(base: str, parameters: dict[str, str]) -> str:
    """Return the address; spaces are written as %20, since Outlook shows a plus sign as it is."""
    return f"{base}?{urlencode(parameters, quote_via=quote)}"
