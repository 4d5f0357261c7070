"""Text of a message, composed when it is sent, so that it says what is true at that moment.

An email has the same facts as the page of the booked visit, unless its service must not be named in emails. A text
message names neither the service nor the practitioner, unless the clinic's own wording does. No message contains the
reason for the visit or answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic import branding, message_templates, phones
from clinic.local_time import in_zone
from clinic.message_templates import MessageText
from clinic.models import Appointment, Communication, Event, HealthcareService, Medium, Slot
from clinic.time_text import differ, in_full, in_short, length
from clinic.translations import text_of
from scheduling.facts import VisitFacts, zone_in
from scheduling.notifications import calendar_files, links
from scheduling.notifications.series import visits_of

Json = dict[str, Any]

ACCENT = "#0b5f6b"  # as in static/css/tokens.css, on white


class Fact(NamedTuple):
    """A labelled line of an email."""

    label: str
    value: str
    address: str = ""  # of the link on the value


class Section(NamedTuple):
    """A heading with a paragraph."""

    heading: str
    text: str


class Action(NamedTuple):
    """A link of an email to something the patient can do."""

    label: str
    address: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A composed message in all its forms. A text message is sent as `text`."""

    subject: str
    body: str
    text: str
    html: str = ""
    calendar: bytes = b""
    calendar_method: str = ""
    unsubscribe: str = ""


def compose(message: Communication, zone: ZoneInfo | None, *, now: datetime) -> Letter:
    """The message in the patient's language, about its appointment as it is now."""
    language = message.language or settings.LANGUAGE_CODE
    with translation.override(language):
        if message.appointment is None or zone is None:
            return _proof(message, language)
        about = _visit_message(message, message.appointment, zone, now)
        words = message_templates.fill_in(
            message_templates.text_for(message.event, message.medium, language), about.values()
        )
        if message.medium == Medium.SMS:
            link = about.values()["link"]
            text = str(words.body) if link in words.body else f"{words.body} {link}"
            return Letter("", text, text)
        if message.medium == Medium.IN_APP:
            body = str(words.body) if about.place in words.body else f"{words.body}\n\n{_('Where')}: {about.place}"
            return Letter(str(words.subject), body, body)
        return _letter(message, about, words, language, now)


def code_wording(code: str, language: str) -> MessageText:
    """The wording of the email with a guest's code."""
    values = {"code": code, "clinic": settings.CLINIC_NAME, "phone": settings.CLINIC_PHONE}
    return message_templates.fill_in(message_templates.text_for(Event.PROOF, Medium.EMAIL, language), values)


@dataclass(frozen=True, slots=True)
class _VisitMessage(VisitFacts):
    """The facts of a visit as a message of one event states them."""

    event: str
    now: datetime
    before: Json | None = None
    series: tuple[Appointment, ...] = ()  # of a message about several visits, all of them

    @property
    def times(self) -> tuple[datetime, datetime]:
        return self.start, self.end

    @property
    def old_when(self) -> str:
        """The time before the move, or the one that was requested, by the clock at the visit's place.

        Empty if the time is the same.
        """
        if self.event not in (Event.CHANGE, Event.SUGGESTION):
            return ""
        before = self.before or self._last_let_go()
        if before is None:
            return ""
        start, end = datetime.fromisoformat(before["start"]), datetime.fromisoformat(before["end"])
        zone = ZoneInfo(before["zone"])
        is_other = (start, end) != self.times or differ(start, self.zone, zone)
        return in_full(start, end, zone) if is_other else ""

    @property
    def old_service(self) -> str:
        """The name of the service before the move; empty if it is the same, or if either must not be named."""
        key = (self.before or {}).get("service") if self.event == Event.CHANGE else None
        if key is None or key == self.appointment.service_id or not self.is_named:
            return ""
        service = HealthcareService.objects.filter(pk=key, named_in_email=True).first()
        return text_of(service, "name") if service else ""

    def _last_let_go(self) -> Json | None:
        """The time before the last move, read from the released Slots, for messages that do not store it."""
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
        """True if the message may name the service and the practitioner."""
        return self.appointment.service is None or self.appointment.service.named_in_email

    @property
    def own_clock(self) -> str:
        """The time in the patient's own zone for a video visit, if clocks there show another time."""
        patient = self.appointment.patient if self.by_video else None
        theirs = zone_in(patient.extra) if patient else None
        if theirs is None or not differ(self.start, self.zone, theirs):
            return ""
        return in_full(*self.times, theirs)

    @property
    def deadline(self) -> str:
        """The last moment at which the patient can change the visit online; empty if they cannot."""
        if not self.can_be_cancelled(self.now):
            return ""
        return in_short(self.changeable_until, self.zone)

    @property
    def is_suggested(self) -> bool:
        """True if the message is about a time that the clinic suggests in answer to a request."""
        return self.event == Event.SUGGESTION

    @property
    def held_until(self) -> str:
        """The last moment at which the patient can accept the suggested time; empty for other messages."""
        expires = self.appointment.hold_expires_at if self.is_suggested else None
        return in_short(in_zone(expires, self.zone), self.zone) if expires else ""

    @property
    def link(self) -> str:
        """The address of the visit's page for the recipient."""
        if self.event == Event.STAFF_REQUEST:
            return links.staff_link(self.appointment)
        return links.manage_link(self.appointment.suggested_for or self.appointment)

    def values(self) -> dict[str, str]:
        """The values of the placeholders in wordings."""
        when = self._with_others(in_full(*self.times, self.zone))
        return {
            "name": self.given,
            "when": when,
            "time": self._with_others(in_short(self.start, self.zone)),
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
            "until": self.held_until,
        }

    def _with_others(self, time: str) -> str:
        """The time of the first visit, and the number of the others that the message is about."""
        others = len(self.series) - 1
        if others < 1:
            return time
        text = ngettext("%(time)s and %(count)s more visit", "%(time)s and %(count)s more visits", others)
        return text % {"time": time, "count": others}

    def _times_of_series(self) -> list[Section]:
        """The times of all visits that the message is about; none if it is about one."""
        if len(self.series) < 2:
            return []
        heading = _("All cancelled visits") if self.event == Event.CANCELLATION else _("All visits")
        times = [in_full(each.start, each.end, self.zone) for each in self.series if each.start and each.end]
        return [Section(heading, "\n".join(times))]

    def facts(self) -> list[Fact]:
        """The lines of an email, as on the page of the booked visit."""
        lines = [
            Fact(_("For"), "" if self.event == Event.STAFF_REQUEST else self.given),
            Fact(_("Visit"), self.name if self.is_named and self.appointment.service else ""),
            Fact(_("When"), in_full(*self.times, self.zone)),
            Fact(_("Where you are"), self.own_clock),
            Fact(
                _("Requested") if self.is_suggested else _("Before"),
                ", ".join(filter(None, (self.old_service, self.old_when))),
            ),
            Fact(_("Series"), self.series_position),
            Fact(_("How long"), length(self.duration)),
            Fact(_("With"), self.with_whom if self.is_named else ""),
            Fact(_("Where"), self.place),
            Fact(_("Reference"), self.reference),
            Fact(_("Phone"), self.phone, phones.link(self.phone)),
        ]
        return [line for line in lines if line.value]

    def sections(self) -> list[Section]:
        """The paragraphs of an email: preparation, video, and until when the visit can be changed."""
        if self.event in (Event.CANCELLATION, Event.STAFF_REQUEST):
            return self._times_of_series()
        sections = [
            *self._times_of_series(),
            Section(_("How to prepare"), self.preparation if self.is_named else ""),
            Section(_("Join by video"), _("The page of your visit leads to the video room.") if self.by_video else ""),
            Section(_("If something changes"), "" if self.is_suggested else self.policy(self.now)),
        ]
        return [section for section in sections if section.text]

    def actions(self) -> list[Action]:
        """The links of an email that apply to the visit."""
        link = self.link
        if self.event == Event.STAFF_REQUEST:
            return [Action(_("Accept or decline"), link)]
        if self.is_suggested:
            return [Action(_("Accept or refuse the time"), f"{link}#suggestion")]
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


def _visit_message(message: Communication, appointment: Appointment, zone: ZoneInfo, now: datetime) -> _VisitMessage:
    """The facts for this message. A cancellation states the time that the patient last heard of."""
    known = message.before or {}
    if message.event == Event.CANCELLATION and "start" in known:
        appointment.start = datetime.fromisoformat(known["start"])  # only for this message, never saved
        appointment.end = datetime.fromisoformat(known["end"])
        zone = ZoneInfo(known["zone"])
    series = tuple(visits_of(message, now=now))
    return _VisitMessage(appointment, zone, message.event, now, known if "start" in known else None, series)


def _letter(message: Communication, about: _VisitMessage, words: MessageText, language: str, now: datetime) -> Letter:
    is_reminder = message.event == Event.REMINDER and about.appointment.patient is not None
    unsubscribe = links.unsubscribe_link(about.appointment.patient) if is_reminder and about.appointment.patient else ""
    method = "CANCEL" if message.event == Event.CANCELLATION else "REQUEST"
    visits = about.series or (about.appointment,)
    return framed(
        words,
        language,
        facts=about.facts(),
        sections=about.sections(),
        actions=about.actions(),
        phone=about.phone,
        unsubscribe=unsubscribe,
        **_calendar(message, visits, about.zone, method, now),
    )


def _calendar(
    message: Communication, visits: Sequence[Appointment], zone: ZoneInfo, method: str, now: datetime
) -> dict[str, Any]:
    """The calendar file attached to an email to a patient; staff have the visit in the staff calendar.

    RFC 5546 lets a REQUEST or CANCEL name one visit: several are published. A suggested time is in no calendar before
    it is accepted.
    """
    if message.event in (Event.STAFF_REQUEST, Event.SUGGESTION):
        return {}
    attendee = message.address
    if len(visits) > 1:
        method, attendee = "PUBLISH", ""
    zones = {visit.pk: zone for visit in visits}
    entry = calendar_files.calendar_of(visits, now=now, method=method, attendee=attendee, zones=zones)
    return {"calendar": entry, "calendar_method": method}


def _proof(message: Communication, language: str) -> Letter:
    return framed(MessageText(message.subject, message.body), language, phone=settings.CLINIC_PHONE)


def framed(
    words: MessageText, language: str, *, calendar: bytes = b"", calendar_method: str = "", **more: Any
) -> Letter:
    """The wording in the clinic's email layout, as text and as HTML."""
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
        subject=str(words.subject),
        body=str(words.body),
        text=render_to_string("messages/email.txt", context),
        html=render_to_string("messages/email.html", context),
        calendar=calendar,
        calendar_method=calendar_method,
        unsubscribe=more.get("unsubscribe", ""),
    )
