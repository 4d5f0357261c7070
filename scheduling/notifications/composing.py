"""What a message says: written when it is sent, so that it tells what is true then.

No clinical detail by default: neither what the visit is for, nor why, nor what was answered. A clinic's own wording
may name the service; that is its decision.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from clinic import branding, whereabouts, wording
from clinic.models import Appointment, Communication, Event, Medium, Slot
from clinic.wording import Wording
from clinic.words import differ, in_full, in_short
from scheduling.notifications import invitation, links
from scheduling.notifications.audience import zone_of_patient

ACCENT = "#0b5f6b"  # as in static/css/tokens.css, on white


class Fact(NamedTuple):
    """A line of what one needs to know."""

    label: str
    value: str


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
        about = _About(message.appointment, zone, message.event)
        words = wording.fill_in(wording.words_for(message.event, message.medium, language), about.values())
        if message.medium == Medium.SMS:
            link = about.values()["link"]
            text = words.body if link in words.body else f"{words.body} {link}"
            return Letter("", text, text)
        if message.medium == Medium.IN_APP:
            return Letter(words.subject, words.body, words.body)
        return _letter(message, about, words, language, now)


def words_of_proof(code: str, language: str) -> Wording:
    """The words that carry a guest's code."""
    values = {"code": code, "clinic": settings.CLINIC_NAME, "phone": settings.CLINIC_PHONE}
    return wording.fill_in(wording.words_for(Event.PROOF, Medium.EMAIL, language), values)


@dataclass(frozen=True, slots=True)
class _About:
    """A visit as a message tells of it."""

    appointment: Appointment
    zone: ZoneInfo
    event: str

    @property
    def times(self) -> tuple[datetime, datetime]:
        assert self.appointment.start is not None  # nothing is planned for a visit without a time
        assert self.appointment.end is not None  # appointment_takes_time
        return self.appointment.start, self.appointment.end

    @property
    def old_times(self) -> tuple[datetime, datetime] | None:
        """When it was before it was moved last; None where only its people have changed."""
        if self.event != Event.CHANGE:
            return None
        let_go = Slot.objects.filter(appointment=self.appointment, deleted_at__isnull=False)
        before = let_go.exclude(status=Slot.Status.BUSY_UNAVAILABLE).order_by("-deleted_at", "-pk").first()
        if before is None or (before.start, before.end) == self.times:
            return None
        return before.start, before.end

    @property
    def name(self) -> str:
        patient = self.appointment.patient
        return (patient.given or str(patient)) if patient else ""

    @property
    def by_video(self) -> bool:
        return bool(self.appointment.service and self.appointment.service.telehealth)

    @property
    def place(self) -> str:
        if self.by_video:
            return _("By video. The page of your visit leads to it.")
        return invitation.place_of(self.appointment)

    @property
    def phone(self) -> str:
        return whereabouts.phone_of(self.appointment.site)

    @property
    def own_clock(self) -> str:
        """The time where the patient lives, for a video visit, if the clocks there show another."""
        theirs = zone_of_patient(self.appointment.patient) if self.by_video and self.appointment.patient else None
        start, end = self.times
        if theirs is None or not differ(start, self.zone, theirs):
            return ""
        return in_full(start, end, theirs)

    def values(self) -> dict[str, str]:
        start, end = self.times
        now_on = in_full(start, end, self.zone)
        old = self.old_times
        actors = (each.get("actor", {}) for each in self.appointment.participant)
        people = [each.get("display", "") for each in actors if str(each.get("reference")).startswith("Practitioner")]
        return {
            "name": self.name,
            "when": now_on,
            "time": in_short(start, self.zone),
            "old_when": in_full(*old, self.zone) if old else now_on,
            "place": self.place,
            "link": links.manage_link(self.appointment),
            "clinic": settings.CLINIC_NAME,
            "phone": self.phone,
            "service": str(self.appointment.service or ""),
            "with_whom": ", ".join(filter(None, people)),
        }

    def facts(self) -> list[Fact]:
        values = self.values()
        lines = [
            Fact(_("For"), values["name"]),
            Fact(_("When"), values["when"]),
            Fact(_("Where you are"), self.own_clock),
            Fact(_("Before"), values["old_when"] if self.old_times else ""),
            Fact(_("Where"), values["place"]),
        ]
        return [line for line in lines if line.value]

    def actions(self) -> list[Action]:
        link = links.manage_link(self.appointment)
        if self.event == Event.CANCELLATION:
            return [Action(_("Book another time"), links.absolute("/")), Action(_("See the visit"), link)]
        if self.event == Event.REQUEST:
            return [Action(_("See the visit"), link)]
        return [
            Action(_("I will come"), f"{link}#confirm"),
            Action(_("Move or cancel the visit"), f"{link}#cancel"),
        ]


def _letter(message: Communication, about: _About, words: Wording, language: str, now: datetime) -> Letter:
    reminds = message.event == Event.REMINDER and about.appointment.patient is not None
    unsubscribe = links.unsubscribe_link(about.appointment.patient) if reminds and about.appointment.patient else ""
    method = "CANCEL" if message.event == Event.CANCELLATION else "REQUEST"
    visit, zones = about.appointment, {about.appointment.pk: about.zone}
    return _framed(
        words,
        language,
        facts=[fact for fact in about.facts() if fact.value not in words.body],
        actions=about.actions(),
        phone=about.phone,
        unsubscribe=unsubscribe,
        calendar=invitation.calendar_of([visit], now=now, method=method, attendee=message.address, zones=zones),
        calendar_method=method,
    )


def _proof(message: Communication, language: str) -> Letter:
    return _framed(Wording(message.subject, message.body), language, phone=settings.CLINIC_PHONE)


def _framed(words: Wording, language: str, *, calendar: bytes = b"", calendar_method: str = "", **more: Any) -> Letter:
    """The words within the clinic's frame, as text and as HTML."""
    context = {
        **branding.shown(),
        **more,
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
