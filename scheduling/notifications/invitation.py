"""Visits as calendar programs read them: RFC 5545, and RFC 5546 for what is sent by mail.

What is sent names the visit by the same UID each time and by a higher SEQUENCE once it was moved or cancelled, so
that a calendar keeps one entry and follows. It says no more than that there is a visit, when and where.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parseaddr
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext as _
from icalendar import Calendar, Event, vCalAddress, vText

from clinic.fhir.validation import UNSTORABLE
from clinic.models import Appointment
from scheduling.facts import VisitFacts, zones_of
from scheduling.notifications import links

_STATUS = {
    Appointment.Status.PROPOSED: "TENTATIVE",
    Appointment.Status.PENDING: "TENTATIVE",
    Appointment.Status.WAITLIST: "TENTATIVE",
    Appointment.Status.CANCELLED: "CANCELLED",
    Appointment.Status.ENTERED_IN_ERROR: "CANCELLED",
}


def calendar_of(
    appointments: Iterable[Appointment],
    *,
    now: datetime,
    method: str | None = None,
    attendee: str = "",
    zones: Mapping[int, ZoneInfo] | None = None,
    page: Callable[[Appointment], str] = links.manage_link,
) -> bytes:
    """The visits that have a time as an .ics file, in the language of the moment.

    `method` is PUBLISH unless said: REQUEST and CANCEL are for what is sent to an `attendee`. Read the appointments
    with their service, site and patient; their zones are asked for in one statement unless given. `page` says where
    a visit is seen: by its secret link, unless others than the patient may read this.
    """
    timed = [each for each in appointments if each.start is not None and each.end is not None]
    zones = zones_of(timed) if zones is None else zones
    calendar = Calendar()
    calendar.add("prodid", f"-//{settings.CLINIC_NAME}//Scheduling//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method or "PUBLISH")
    for each in timed:
        calendar.add_component(_event(each, zones[each.pk], now, attendee, page(each)))
    calendar.add_missing_timezones()
    return bytes(calendar.to_ical())


def domain() -> str:
    """What ids of ours end in where they must be unique in the world."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"


def _event(appointment: Appointment, zone: ZoneInfo, now: datetime, attendee: str, page: str) -> Event:
    assert appointment.start is not None  # calendar_of
    assert appointment.end is not None
    event = Event()
    event.add("uid", f"{appointment.fhir_id}@{domain()}")
    event.add("sequence", appointment.sequence)
    event.add("dtstamp", now)
    event.add("dtstart", _local(appointment.start, zone))
    event.add("dtend", _local(appointment.end, zone))
    about = VisitFacts(appointment, zone)
    summary = _("Video visit with %(clinic)s") if about.by_video else _("Visit at %(clinic)s")
    event.add("summary", summary % {"clinic": settings.CLINIC_NAME})
    event.add("status", _STATUS.get(Appointment.Status(appointment.status), "CONFIRMED"))
    if about.place:
        event.add("location", about.place)
    event.add("url", page)
    event.add("description", page)
    organizer = vCalAddress(f"mailto:{settings.CLINIC_EMAIL or parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}")
    organizer.params["CN"] = vText(settings.CLINIC_NAME)
    event["organizer"] = organizer
    if attendee:
        guest = vCalAddress(f"mailto:{attendee}")
        guest.params.update({"ROLE": "REQ-PARTICIPANT", "PARTSTAT": "ACCEPTED", "RSVP": "FALSE"})
        if appointment.patient is not None:
            guest.params["CN"] = vText(UNSTORABLE.sub("", " ".join(str(appointment.patient).split())))
        event.add("attendee", guest, encode=False)
    return event


def _local(moment: datetime, zone: ZoneInfo) -> datetime:
    """By the clocks of the zone; in UTC where they show it for the second time, which iCalendar cannot say."""
    local = moment.astimezone(zone)
    return moment.astimezone(UTC) if local.fold else local
