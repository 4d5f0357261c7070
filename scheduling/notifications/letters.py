"""Text of a message, composed when it is sent, so that it says what is true at that moment.

An email has the same facts as the page of the booked visit, unless its service must not be named in emails. A text
message names neither the service nor the practitioner, unless the clinic's own wording does. No message contains the
reason for the visit or answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from clinic import branding, message_templates, phones
from clinic.message_templates import MessageText
from clinic.models import Appointment, Communication, Coverage, Event, Medium, ServiceRequest
from scheduling.notifications import calendar_files, links, recall_letters
from scheduling.notifications.calendar_links import calendar_links
from scheduling.notifications.visit_messages import ABOUT_MONEY, Action, VisitMessage, visits_message
from scheduling.referrals import reference_of

Json = dict[str, Any]

# Messages that are composed when they are written, since they are about no visit of their reader.
COMPOSED_BEFORE = (
    Event.PROOF,
    Event.NOTE,
    Event.REFERRAL,
    Event.TICKET,
    Event.COVERAGE_VERIFIED,
    Event.COVERAGE_REJECTED,
    Event.STAFF_NEWS,
)
WITHOUT_CALENDAR = (
    Event.STAFF_REQUEST,
    Event.SUGGESTION,
    Event.OFFER,
    Event.REBOOKING,
    Event.DELAY,
    *ABOUT_MONEY,
)
# By the status of the visit; `ended` is for a referral that ended unused.
REFERRAL_OUTCOMES = {
    "booked": _lazy("The visit is booked."),
    "fulfilled": _lazy("The visit has taken place."),
    "noshow": _lazy("The patient did not come to the visit."),
    "cancelled": _lazy("The visit was cancelled."),
    "ended": _lazy("It has ended, and no visit was booked."),
}
ACCENT = "#0b5f6b"  # as in static/css/tokens.css, on white


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


def compose(
    message: Communication, zone: ZoneInfo | None, *, now: datetime, along: Sequence[Communication] = ()
) -> Letter:
    """The message in the patient's language, about its appointment as it is now, and about those of the messages that
    go along with it.
    """
    language = message.language or settings.LANGUAGE_CODE
    with translation.override(language):
        if message.event in COMPOSED_BEFORE or message.appointment is None or zone is None:
            return _composed_before(message, language)
        if message.event == Event.RECALL:
            return _recall(message, message.appointment, zone, language)
        about = visits_message(message, along, zone, now)
        words = message_templates.fill_in(
            message_templates.text_for(
                message.event, message.medium, language, about.only_service, several=bool(about.others)
            ),
            about.values(),
        )
        if message.medium == Medium.SMS:
            text = about.with_links(str(words.body))
            if message.event == Event.REMINDER and settings.SMS_REPLIES:
                hint = _("Or reply C to confirm, X to cancel, STOP to get no more texts.")
                text = f"{text} {hint}"
            return Letter("", text, text)
        if message.medium == Medium.IN_APP:
            body = str(words.body) if about.place in words.body else f"{words.body}\n\n{_('Where')}: {about.place}"
            return Letter(str(words.subject), body, body)
        return _letter(message, about, words, language, now)


def wording_of(event: Event, medium: Medium, language: str, **values: str) -> MessageText:
    """The wording of a message that is about no visit, with the values of its own placeholders."""
    values = {**values, "clinic": settings.CLINIC_NAME, "phone": settings.CLINIC_PHONE}
    return message_templates.fill_in(message_templates.text_for(event, medium, language), values)


def coverage_wording(event: Event, medium: Medium, coverage: Coverage, language: str) -> MessageText:
    """The wording of the message that an insurance was verified or rejected."""
    values = {
        "name": coverage.beneficiary.given or str(coverage.beneficiary),
        "insurer": next((str(payor["display"]) for payor in coverage.payor if payor.get("display")), ""),
        "reason": coverage.verification_reason,
        "link": f"{settings.SITE_URL}/my-details/",
        "clinic": settings.CLINIC_NAME,
        "phone": settings.CLINIC_PHONE,
    }
    return message_templates.fill_in(message_templates.text_for(event, medium, language), values)


def referral_wording(referral: ServiceRequest, outcome: str) -> MessageText:
    """Return the wording of the email to a referrer, in the clinic's language: the referral and its outcome."""
    language = settings.LANGUAGE_CODE
    with translation.override(language):
        values = {
            "reference": reference_of(referral),
            "outcome": str(REFERRAL_OUTCOMES[outcome]),
            "link": links.referral_link(referral),
            "clinic": settings.CLINIC_NAME,
            "phone": settings.CLINIC_PHONE,
        }
        return message_templates.fill_in(message_templates.text_for(Event.REFERRAL, Medium.EMAIL, language), values)


def _recall(message: Communication, visit: Appointment, zone: ZoneInfo, language: str) -> Letter:
    """The message that a patient is to be seen again, with the link to the times."""
    values = recall_letters.values_of(message, visit, zone)
    words = message_templates.fill_in(
        message_templates.text_for(message.event, message.medium, language, visit.service), values
    )
    if message.medium != Medium.EMAIL:
        body = str(words.body) if values["link"] in words.body else f"{words.body} {values['link']}"
        return Letter(str(words.subject), body, body)
    return framed(
        words,
        language,
        facts=recall_letters.facts_of(values, visit),
        actions=[Action(_("See the free times"), values["link"])],
        phone=values["phone"],
        unsubscribe=links.unsubscribe_link(visit.patient) if visit.patient else "",
    )


def _letter(message: Communication, about: VisitMessage, words: MessageText, language: str, now: datetime) -> Letter:
    is_reminder = message.event == Event.REMINDER and about.appointment.patient is not None
    unsubscribe = links.unsubscribe_link(about.appointment.patient) if is_reminder and about.appointment.patient else ""
    method = "CANCEL" if message.event == Event.CANCELLATION else "REQUEST"
    visits = about.series or tuple(visit.appointment for visit in (about, *about.others))
    return framed(
        words,
        language,
        facts=about.facts(),
        sections=about.sections(),
        actions=about.all_actions(),
        calendars=calendar_links(about) if about.is_booked and len(visits) == 1 else [],
        phone=about.phone,
        unsubscribe=unsubscribe,
        **_calendar(message, visits, about.zone, method, now),
    )


def _calendar(
    message: Communication, visits: Sequence[Appointment], zone: ZoneInfo, method: str, now: datetime
) -> dict[str, Any]:
    """The calendar file attached to an email to a patient; staff have the visit in the staff calendar.

    RFC 5546 lets a REQUEST or CANCEL name one visit: several are published. A time that is held is in no calendar
    before it is accepted. A visit that is late stays where it is.
    """
    if message.event in WITHOUT_CALENDAR:
        return {}
    attendee = message.address
    if len(visits) > 1:
        method, attendee = "PUBLISH", ""
    zones = {visit.pk: zone for visit in visits}
    entry = calendar_files.calendar_of(visits, now=now, method=method, attendee=attendee, zones=zones)
    return {"calendar": entry, "calendar_method": method}


def _composed_before(message: Communication, language: str) -> Letter:
    """The letter with the wording that was stored with the message."""
    if message.medium == Medium.SMS:
        return Letter("", message.body, message.body)
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
