"""Calendar files of visits: RFC 5545, and RFC 5546 for files sent by email.

A visit keeps its UID in every file and gets a higher SEQUENCE when it is moved or cancelled, so that a calendar program
updates one entry. An entry has the time, place, reference, deadline for changes and phone number. It names neither the
service nor the practitioner, because others may see the calendar.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from icalendar import Alarm, Calendar, Event, vCalAddress, vText

from clinic.fhir.validation import UNSTORABLE
from clinic.local_time import in_zone
from clinic.models import Appointment
from scheduling.facts import VisitFacts
from scheduling.notifications import links
from scheduling.notifications.timezones import timezones_of
from scheduling.visit_zone import zones_of

REFRESH = timedelta(hours=1)
ALARM_BEFORE = timedelta(hours=2)

_STATUS = {
    Appointment.Status.PROPOSED: "TENTATIVE",
    Appointment.Status.PENDING: "TENTATIVE",
    Appointment.Status.WAITLIST: "TENTATIVE",
    Appointment.Status.CANCELLED: "CANCELLED",
    Appointment.Status.ENTERED_IN_ERROR: "CANCELLED",
}


@dataclass(frozen=True, slots=True)
class CalendarBlock:
    """Blocked time as an entry of a calendar, with the zone of its times."""

    id: str
    start: datetime
    end: datetime
    zone: ZoneInfo
    text: str


@dataclass(frozen=True, slots=True)
class CalendarProperties:
    """The name of a subscribed calendar, and its blocked time."""

    name: str
    blocks: Sequence[CalendarBlock] = ()
    patient: int | None = None


def calendar_of(
    appointments: Iterable[Appointment],
    *,
    now: datetime,
    method: str | None = None,
    attendee: str = "",
    zones: Mapping[int, ZoneInfo] | None = None,
    page: Callable[[Appointment], str] = links.manage_link,
    feed: CalendarProperties | None = None,
) -> bytes:
    """An .ics file of the appointments that have a time, in the active language.

    `method` is PUBLISH by default, REQUEST or CANCEL for files sent to an `attendee`. Load the appointments with their
    service, site and patient; without `zones` one statement reads their zones. `page` returns the address of a visit's
    page: by default the manage link, so replace it if others than the patient can read the file. `feed` has the
    properties of a subscribed calendar.
    """
    timed = [each for each in appointments if each.start is not None and each.end is not None]
    zones = zones_of(timed) if zones is None else zones
    calendar = Calendar()
    calendar.add("prodid", f"-//{settings.CLINIC_NAME}//Scheduling//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method or "PUBLISH")
    owner = feed.patient if feed else None
    events = [_visit(VisitFacts(each, zones[each.pk]), now, attendee, page(each), owner) for each in timed]
    if feed is not None:
        _describe(calendar, feed)
        events += [_block(block, now) for block in feed.blocks]
    for zone in timezones_of(moment for event in events for moment in (event.start, event.end)):
        calendar.add_component(zone)
    for event in events:
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def _describe(calendar: Calendar, feed: CalendarProperties) -> None:
    """Add the name and refresh interval, both as RFC 7986 and as Outlook and Apple read them."""
    calendar.add("name", feed.name)
    calendar.add("x-wr-calname", feed.name)
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")


def domain() -> str:
    """Domain suffix for globally unique identifiers (iCalendar UID, Message-ID)."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"


def _visit(about: VisitFacts, now: datetime, attendee: str, page: str, owner: int | None) -> Event:
    appointment = about.appointment
    event = _entry(f"{appointment.fhir_id}@{domain()}", about.start, about.end, now)
    event.add("sequence", appointment.sequence)
    event.add("summary", title_of(about, owner), parameters=_in_language())
    status = _STATUS.get(Appointment.Status(appointment.status), "CONFIRMED")
    event.add("status", status)
    if about.place:
        event.add("location", str(about.place), parameters=_in_language(about.language_of_place))
    event.add("url", page)
    event.add("description", _description(about, page, now), parameters=_in_language())
    organizer = vCalAddress(f"mailto:{settings.CLINIC_EMAIL or parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}")
    organizer.params["CN"] = vText(settings.CLINIC_NAME)
    event["organizer"] = organizer
    if attendee:
        event.add("attendee", _attendee(appointment, attendee), encode=False)
    if status == "CONFIRMED" and about.start > now:
        event.add_component(_alarm(str(event["summary"])))
    return event


def _in_language(language: str = "") -> dict[str, str]:
    """The LANGUAGE parameter of a text, by default the language that the file is written in."""
    return {"LANGUAGE": language or get_language() or settings.LANGUAGE_CODE}


def title_of(about: VisitFacts, owner: int | None = None) -> str:
    """The title of the entry. In the calendar of somebody who cares for the patient it says whose visit it is."""
    is_own = owner is None or about.appointment.patient_id in (owner, None)
    if settings.CALENDAR_TITLE:
        return str(settings.CALENDAR_TITLE) if is_own else f"{settings.CALENDAR_TITLE} ({about.given})"
    if is_own:
        summary = _("Video visit with %(clinic)s") if about.by_video else _("Visit at %(clinic)s")
    elif about.by_video:
        summary = _("Video visit for %(name)s with %(clinic)s")
    else:
        summary = _("Visit for %(name)s at %(clinic)s")
    return summary % {"clinic": settings.CLINIC_NAME, "name": about.given}


def _description(about: VisitFacts, page: str, now: datetime) -> str:
    """The description of the entry. It names neither the service nor the practitioner: others may see the calendar."""
    lines = [
        page,
        _("Reference: %(reference)s") % {"reference": about.reference},
        about.policy(now) if about.is_promised else "",
        _("Phone: %(phone)s") % {"phone": about.phone} if about.phone else "",
        _("The page of your visit leads to the video room.") if about.by_video else "",
    ]
    return "\n".join(filter(None, lines))


def _attendee(appointment: Appointment, address: str) -> vCalAddress:
    guest = vCalAddress(f"mailto:{address}")
    guest.params.update({"ROLE": "REQ-PARTICIPANT", "PARTSTAT": "ACCEPTED", "RSVP": "FALSE"})
    if appointment.patient is not None:
        guest.params["CN"] = vText(UNSTORABLE.sub("", " ".join(str(appointment.patient).split())))
    return guest


def _alarm(text: str) -> Alarm:
    """The alarm of the calendar entry, independent of the clinic's reminders."""
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", text, parameters=_in_language())
    alarm.add("trigger", -ALARM_BEFORE)
    return alarm


def _block(block: CalendarBlock, now: datetime) -> Event:
    """The entry of blocked time."""
    event = _entry(f"{block.id}@{domain()}", in_zone(block.start, block.zone), in_zone(block.end, block.zone), now)
    event.add("summary", block.text or _("Blocked time"), parameters={} if block.text else _in_language())
    event.add("status", "CONFIRMED")
    return event


def _entry(uid: str, start: datetime, end: datetime, now: datetime) -> Event:
    event = Event()
    event.add("uid", uid)
    event.add("dtstamp", now)
    event.add("dtstart", _local(start))
    event.add("dtend", _local(end))
    return event


def _local(local: datetime) -> datetime:
    """The time with its zone; in UTC during an hour that the clocks repeat, which programs read differently."""
    is_shown_twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return local.astimezone(UTC) if is_shown_twice else local
