"""The words of a message: written when it is sent, so that it tells what is true then.

An email carries what the page of the booked visit shows, unless its service is not to be named in emails. A text
message names neither what the visit is for nor with whom, unless the clinic's own wording does. No message says why
somebody comes or what was answered.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from clinic import branding, message_templates, phones
from clinic.message_templates import MessageText
from clinic.models import Appointment, Communication, Event, Medium, Slot
from clinic.time_text import differ, in_full, in_short, length
from scheduling.facts import VisitFacts, zone_in
from scheduling.notifications import invitation, links

Json = dict[str, Any]

ACCENT = "#0b5f6b"  # as in static/css/tokens.css, on white


class Fact(NamedTuple):
    """A line of what one needs to know."""

    label: str
    value: str
    address: str = ""  # where the value leads


class Section(NamedTuple):
    """A heading and what stands below it."""

    heading: str
    text: str


class Action(NamedTuple):
    """Something that can be done, and where."""

    label: str
    address: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A message in all its forms. The text of a text message is its whole `text`."""

    subject: str
    body: str
    text: str
    html: str = ""
    calendar: bytes = b""
    calendar_method: str = ""
    unsubscribe: str = ""


def compose(message: Communication, zone: ZoneInfo | None, *, now: datetime) -> Letter:
    """The message in the patient's language, about its appointment as that is now."""
    language = message.language or settings.LANGUAGE_CODE
    with translation.override(language):
        if message.appointment is None or zone is None:
            return _proof(message, language)
        about = _about(message, message.appointment, zone, now)
        words = message_templates.fill_in(
            message_templates.text_for(message.event, message.medium, language), about.values()
        )
        if message.medium == Medium.SMS:
            link = about.values()["link"]
            text = words.body if link in words.body else f"{words.body} {link}"
            return Letter("", text, text)
        if message.medium == Medium.IN_APP:
            body = words.body if about.place in words.body else f"{words.body}\n\n{_('Where')}: {about.place}"
            return Letter(words.subject, body, body)
        return _letter(message, about, words, language, now)


def words_of_proof(code: str, language: str) -> MessageText:
    """The words that carry a guest's code."""
    values = {"code": code, "clinic": settings.CLINIC_NAME, "phone": settings.CLINIC_PHONE}
    return message_templates.fill_in(message_templates.text_for(Event.PROOF, Medium.EMAIL, language), values)


@dataclass(frozen=True, slots=True)
class _About(VisitFacts):
    """The facts of a visit as a message of an event tells them."""

    event: str
    now: datetime
    before: Json | None = None

    @property
    def times(self) -> tuple[datetime, datetime]:
        return self.start, self.end

    @property
    def old_when(self) -> str:
        """The time before it was moved, by the clock there; empty where only its people have changed."""
        if self.event != Event.CHANGE:
            return ""
        before = self.before or self._last_let_go()
        if before is None:
            return ""
        start, end = datetime.fromisoformat(before["start"]), datetime.fromisoformat(before["end"])
        zone = ZoneInfo(before["zone"])
        is_other = (start, end) != self.times or differ(start, self.zone, zone)
        return in_full(start, end, zone) if is_other else ""

    def _last_let_go(self) -> Json | None:
        """How it stood before its last move, by the Slots of then: of a message that does not know."""
        let_go = Slot.objects.filter(appointment=self.appointment, deleted_at__isnull=False)
        slots = let_go.exclude(status=Slot.Status.BUSY_UNAVAILABLE).select_related("schedule__site")
        slot = slots.order_by("-deleted_at", "-pk").first()
        if slot is None:
            return None
        site = slot.schedule.site
        zone = (site.timezone if site and not self.by_video else "") or self.zone.key
        return {"start": slot.start.isoformat(), "end": slot.end.isoformat(), "zone": zone}

    @property
    def is_named(self) -> bool:
        """True if a message may say what the visit is for and with whom."""
        return self.appointment.service is None or self.appointment.service.named_in_email

    @property
    def own_clock(self) -> str:
        """The time where the patient lives, for a video visit, if the clocks there show another."""
        patient = self.appointment.patient if self.by_video else None
        theirs = zone_in(patient.extra) if patient else None
        if theirs is None or not differ(self.start, self.zone, theirs):
            return ""
        return in_full(*self.times, theirs)

    @property
    def deadline(self) -> str:
        """Until when the patient can change it online; empty where they cannot."""
        if not self.can_be_cancelled(self.now):
            return ""
        return in_short(self.changeable_until, self.zone)

    @property
    def link(self) -> str:
        """The page of the visit for whoever the message goes to."""
        is_to_staff = self.event == Event.STAFF_REQUEST
        return links.staff_link(self.appointment) if is_to_staff else links.manage_link(self.appointment)

    def values(self) -> dict[str, str]:
        """The placeholders of wordings, filled in."""
        when = in_full(*self.times, self.zone)
        return {
            "name": self.given,
            "when": when,
            "time": in_short(self.start, self.zone),
            "old_when": self.old_when or when,
            "place": self.place,
            "link": self.link,
            "clinic": settings.CLINIC_NAME,
            "phone": self.phone,
            "service": self.name if self.is_named else _("Visit"),
            "with_whom": self.with_whom if self.is_named else settings.CLINIC_NAME,
            "preparation": self.preparation if self.is_named else "",
            "reference": self.reference,
            "deadline": self.deadline,
        }

    def facts(self) -> list[Fact]:
        """The lines of an email: what the page of the booked visit shows."""
        lines = [
            Fact(_("For"), "" if self.event == Event.STAFF_REQUEST else self.given),
            Fact(_("Visit"), self.name if self.is_named and self.appointment.service else ""),
            Fact(_("When"), in_full(*self.times, self.zone)),
            Fact(_("Where you are"), self.own_clock),
            Fact(_("Before"), self.old_when),
            Fact(_("How long"), length(self.duration)),
            Fact(_("With"), self.with_whom if self.is_named else ""),
            Fact(_("Where"), self.place),
            Fact(_("Reference"), self.reference),
            Fact(_("Phone"), self.phone, phones.link(self.phone)),
        ]
        return [line for line in lines if line.value]

    def sections(self) -> list[Section]:
        """How to prepare, how to join and until when it can be changed: what takes more than a line."""
        if self.event in (Event.CANCELLATION, Event.STAFF_REQUEST):
            return []
        sections = [
            Section(_("How to prepare"), self.preparation if self.is_named else ""),
            Section(_("Join by video"), _("The page of your visit leads to the video room.") if self.by_video else ""),
            Section(_("If something changes"), self.policy(self.now)),
        ]
        return [section for section in sections if section.text]

    def actions(self) -> list[Action]:
        """The links of an email: only what can be done there."""
        link = self.link
        if self.event == Event.STAFF_REQUEST:
            return [Action(_("Accept or decline"), link)]
        see = Action(_("See the visit"), link)
        if self.event == Event.CANCELLATION:
            return [Action(_("Book another time"), links.absolute("/")), see]
        if not self.is_booked:
            return [see]
        come = Action(_("I will come"), f"{link}#confirm")
        join = [Action(_("Join by video"), link)] if self.by_video else []
        if self.can_be_moved(self.now):
            return [*join, come, Action(_("Move or cancel the visit"), f"{link}#cancel")]
        if self.can_be_cancelled(self.now):
            return [*join, come, Action(_("Cancel the visit"), f"{link}#cancel")]
        return [*join, come, see]


def _about(message: Communication, appointment: Appointment, zone: ZoneInfo, now: datetime) -> _About:
    """The facts that a message tells. A cancellation names the time that the patient knows of."""
    known = message.before or {}
    if message.event == Event.CANCELLATION and "start" in known:
        appointment.start = datetime.fromisoformat(known["start"])  # as the message has it, and nowhere written
        appointment.end = datetime.fromisoformat(known["end"])
        zone = ZoneInfo(known["zone"])
    return _About(appointment, zone, message.event, now, known if "start" in known else None)


def _letter(message: Communication, about: _About, words: MessageText, language: str, now: datetime) -> Letter:
    reminds = message.event == Event.REMINDER and about.appointment.patient is not None
    unsubscribe = links.unsubscribe_link(about.appointment.patient) if reminds and about.appointment.patient else ""
    method = "CANCEL" if message.event == Event.CANCELLATION else "REQUEST"
    visit, zones = about.appointment, {about.appointment.pk: about.zone}
    return framed(
        words,
        language,
        facts=about.facts(),
        sections=about.sections(),
        actions=about.actions(),
        phone=about.phone,
        unsubscribe=unsubscribe,
        **_calendar(message, visit, zones, method, now),
    )


def _calendar(
    message: Communication, visit: Appointment, zones: dict[int, ZoneInfo], method: str, now: datetime
) -> dict[str, Any]:
    """The calendar entry of an email to a patient; staff have the visit in their calendar here."""
    if message.event == Event.STAFF_REQUEST:
        return {}
    entry = invitation.calendar_of([visit], now=now, method=method, attendee=message.address, zones=zones)
    return {"calendar": entry, "calendar_method": method}


def _proof(message: Communication, language: str) -> Letter:
    return framed(MessageText(message.subject, message.body), language, phone=settings.CLINIC_PHONE)


def framed(
    words: MessageText, language: str, *, calendar: bytes = b"", calendar_method: str = "", **more: Any
) -> Letter:
    """The words within the clinic's frame, as text and as HTML."""
    context = {
        **branding.clinic_details(),
        **more,
        "call": phones.link(more.get("phone", "")),
        "subject": words.subject,
        "body": words.body,
        "language": language,
        "accent": settings.CLINIC_ACCENT or ACCENT,
    }
    return Letter(
        subject=words.subject,
        body=words.body,
        text=render_to_string("messages/email.txt", context),
        html=render_to_string("messages/email.html", context),
        calendar=calendar,
        calendar_method=calendar_method,
        unsubscribe=more.get("unsubscribe", ""),
    )
