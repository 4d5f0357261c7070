"""The texts of messages: the clinic's own template for the service, else for all services, else the product's default.

Each is for one event, medium and language.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import F, Q
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from clinic import money, placeholders
from clinic.models import HealthcareService, Medium, MessageTemplate
from clinic.time_text import in_full, in_short, month_and_year, plain_day
from clinic.translations import Sentence, TranslatedText, text_of


@dataclass(frozen=True, slots=True)
class MessageText:
    """The subject and body of a message, with placeholders or filled in. A text message has no subject."""

    subject: str
    body: str


def fill_in(message: MessageText, values: Mapping[str, str]) -> MessageText:
    """Return the text with its placeholders replaced by the values, the subject on one line."""
    subject, body = (_filled_in(text, values) for text in (message.subject, message.body))
    subject_line, trimmed = " ".join(subject.split()), body.strip()
    return MessageText(
        subject if subject == subject_line else subject_line,  # equal texts keep the languages of their parts
        body if body == trimmed else trimmed,
    )


def _filled_in(text: str, values: Mapping[str, str]) -> str:
    """Return the text with its placeholders replaced by the values.

    If one of them has a language of its own, the result is a Sentence, so that an email can mark it.
    """
    pieces = placeholders.pieces(text, values)
    used = {name: values[name] for name, _words in pieces if name in values}
    if not any(isinstance(value, TranslatedText | Sentence) for value in used.values()):
        return "".join(words for _name, words in pieces)  # never a SafeString: the values are not HTML
    template = (f"%({name})s" if name in used else words.replace("%", "%%") for name, words in pieces)
    return Sentence("".join(template), **used)


def text_for(
    event: str, medium: str, language: str, service: HealthcareService | None = None, *, several: bool = False
) -> MessageText:
    """Return the text for an event, a medium, a language and the service of the visit, or of `several` on one day.

    It is the clinic's own template for that service, else its template for all services, else the default text.
    """
    own = MessageTemplate.objects.filter(
        Q(service=service) | Q(service=None), event=event, medium=medium, language=language or settings.LANGUAGE_CODE
    )
    template = own.order_by(F("service").asc(nulls_last=True)).first()
    default = default_text(event, medium, language, several=several)
    return default if template is None else MessageText(template.subject or default.subject, template.body)


def default_text(event: str, medium: str, language: str, *, several: bool = False) -> MessageText:
    """Return the product's text in this language, with its placeholders; with `several` about visits of one day."""
    unfilled = {name: f"{{{{ {name} }}}}" for name in placeholders.PLACEHOLDERS}
    kind = "text" if medium == Medium.SMS else "letter"
    name = f"messages/{event}_several" if several else f"messages/{event}"
    with translation.override(language or settings.LANGUAGE_CODE):
        body = render_to_string(f"{name}_{kind}.txt", unfilled).strip()
        subject = "" if medium == Medium.SMS else render_to_string(f"{name}_subject.txt", unfilled).strip()
    return MessageText(subject, body)


def sample_values(language: str, service: HealthcareService | None = None) -> dict[str, str]:
    """Return values of all placeholders for a sample visit of the service, in this language."""
    zone = ZoneInfo("America/New_York")
    start = datetime(2026, 11, 24, 14, 20, tzinfo=UTC)
    half_an_hour, before = timedelta(minutes=30), start - timedelta(days=1)
    with translation.override(language or settings.LANGUAGE_CODE):
        return {
            "name": "Ada",
            "when": in_full(start, start + half_an_hour, zone),
            "time": in_short(start, zone),
            "old_when": in_full(before, before + half_an_hour, zone),
            "place": "Riverside Main Street, 1 Main Street, New York",
            "link": f"{settings.SITE_URL}/v/…/",
            "clinic": settings.CLINIC_NAME,
            "phone": settings.CLINIC_PHONE or "+1 212 555 0100",
            "service": text_of(service, "name") if service else _("Check-up"),
            "with_whom": "Dr. Mei Chen",
            "preparation": text_of(service, "preparation") if service else _("Please come ten minutes early."),
            "reference": "4F9C2A71",
            "deadline": in_short(start - timedelta(days=1), zone),
            "until": in_short(start - timedelta(days=2), zone),
            "notice": _("Dr. Chen is ill."),
            "expected": in_short(start + timedelta(minutes=20), zone),
            "amount": money.text(4000),
            "rest": money.text(2000),
            "insurer": "Acme Health",
            "reason": _("The card has expired."),
            "due": month_and_year(start.date()),
            "code": "123456",
            "outcome": _("The visit is booked."),
            "referrer": "Dr. Noor Grey",
            "day": plain_day(start.date()),
        }
