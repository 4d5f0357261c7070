"""Visits as calendar programs read them: RFC 5545, and RFC 5546 for what is sent by mail.

What is sent names the visit by the same UID each time and by a higher SEQUENCE once it was moved or cancelled, so
that a calendar keeps one entry and follows. It says that there is a visit, when, where, its reference, until when it
can be changed and whom to call; neither what it is for nor with whom, for others may see the calendar.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext as _
from icalendar import Alarm, Calendar, Event, vCalAddress, vText

from clinic.fhir.validation import UNSTORABLE
from clinic.local_time import in_zone
from clinic.models import Appointment
from scheduling.facts import VisitFacts, zones_of
from scheduling.notifications import links
from scheduling.notifications.timezones import timezones_of

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
class Block:
    """Time that is blocked for no visit, by the clocks of `zone`."""

    id: str
    start: datetime
    end: datetime
    zone: ZoneInfo
    text: str


@dataclass(frozen=True, slots=True)
class Feed:
    """A calendar that a program reads again and again: its name, the primary key of the patient whose it is, and what
    stands on it besides visits.
    """

    name: str
    blocks: Sequence[Block] = ()
    patient: int | None = None


def calendar_of(
    appointments: Iterable[Appointment],
    *,
    now: datetime,
    method: str | None = None,
    attendee: str = "",
    zones: Mapping[int, ZoneInfo] | None = None,
    page: Callable[[Appointment], str] = links.manage_link,
    feed: Feed | None = None,
) -> bytes:
    """The visits that have a time as an .ics file, in the language of the moment.

    `method` is PUBLISH unless said: REQUEST and CANCEL are for what is sent to an `attendee`. Read the appointments
    with their service, site and patient; their zones are asked for in one statement unless given. `page` says where
    a visit is seen: by its secret link, unless others than the patient may read this. `feed` is what a calendar that
    is read again and again has besides.
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


def _describe(calendar: Calendar, feed: Feed) -> None:
    """The name and how often to ask again, as RFC 7986 says it and as Outlook and Apple read it."""
    calendar.add("name", feed.name)
    calendar.add("x-wr-calname", feed.name)
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")


def domain() -> str:
    """What ids of ours end in where they must be unique in the world."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"


def _visit(about: VisitFacts, now: datetime, attendee: str, page: str, owner: int | None) -> Event:
    appointment = about.appointment
    event = _entry(f"{appointment.fhir_id}@{domain()}", about.start, about.end, now)
    event.add("sequence", appointment.sequence)
    event.add("summary", _summary(about, owner))
    status = _STATUS.get(Appointment.Status(appointment.status), "CONFIRMED")
    event.add("status", status)
    if about.place:
        event.add("location", about.place)
    event.add("url", page)
    event.add("description", _description(about, page, now))
    organizer = vCalAddress(f"mailto:{settings.CLINIC_EMAIL or parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}")
    organizer.params["CN"] = vText(settings.CLINIC_NAME)
    event["organizer"] = organizer
    if attendee:
        event.add("attendee", _attendee(appointment, attendee), encode=False)
    if status == "CONFIRMED" and about.start > now:
        event.add_component(_alarm(str(event["summary"])))
    return event


def _summary(about: VisitFacts, owner: int | None) -> str:
    """The title of the entry. In the calendar of somebody who cares for the patient it says whose visit it is."""
    if owner is None or about.appointment.patient_id in (owner, None):
        summary = _("Video visit with %(clinic)s") if about.by_video else _("Visit at %(clinic)s")
    elif about.by_video:
        summary = _("Video visit for %(name)s with %(clinic)s")
    else:
        summary = _("Visit for %(name)s at %(clinic)s")
    return summary % {"clinic": settings.CLINIC_NAME, "name": about.given}


def _description(about: VisitFacts, page: str, now: datetime) -> str:
    """The rest of what matters on the day. Others may see the calendar: neither what the visit is for nor with whom."""
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
    """The alarm of the calendar entry, whether or not the clinic sends reminders."""
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", text)
    alarm.add("trigger", -ALARM_BEFORE)
    return alarm


def _block(block: Block, now: datetime) -> Event:
    """Time that is blocked on the calendar of whose feed it is."""
    event = _entry(f"{block.id}@{domain()}", in_zone(block.start, block.zone), in_zone(block.end, block.zone), now)
    event.add("summary", block.text or _("Blocked time"))
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
    """By the clocks of its zone; in UTC in an hour that they show twice, of which programs take either."""
    is_shown_twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return local.astimezone(UTC) if is_shown_twice else local
