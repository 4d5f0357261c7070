"""The words of messages: the clinic's own where it has written some, else the product's, both with placeholders.

A wording may hold `{{ name }}` for the names in PLACEHOLDERS and nothing else of Django's template language.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.template import Context, Engine, Template, TemplateSyntaxError
from django.template.base import TextNode, VariableNode
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.models import Event, Medium, MessageTemplate
from clinic.words import in_full, in_short

PLACEHOLDERS = {
    "name": gettext_lazy("the given names of the patient"),
    "when": gettext_lazy("day, time and zone of the visit, in full"),
    "time": gettext_lazy("day, time and zone of the visit, short"),
    "old_when": gettext_lazy("the time before a visit was moved, in full"),
    "place": gettext_lazy("the site and its address, or that it is a video visit"),
    "link": gettext_lazy("where the visit is confirmed, moved and cancelled"),
    "clinic": gettext_lazy("the name of the clinic"),
    "phone": gettext_lazy("the telephone number of the site, or of the clinic"),
    "service": gettext_lazy("what the visit is for; think of who may read the message"),
    "with_whom": gettext_lazy("the people who give the care; think of who may read the message"),
    "preparation": gettext_lazy("how to prepare; think of who may read the message"),
    "reference": gettext_lazy("the short reference of the visit"),
    "deadline": gettext_lazy("until when the patient can move or cancel online; empty where they cannot"),
    "code": gettext_lazy("the code that proves an address"),
}
_OF_PROOF = ("code", "clinic", "phone")
_OF_VISITS = tuple(name for name in PLACEHOLDERS if name != "code")
_ENGINE = Engine(autoescape=False)


@dataclass(frozen=True, slots=True)
class Wording:
    """A subject, empty where the medium has none, and a body: with placeholders, or filled in."""

    subject: str
    body: str


def placeholders(event: str) -> tuple[str, ...]:
    """What the words for an event can name."""
    return _OF_PROOF if event == Event.PROOF else _OF_VISITS


def check(text: str, event: str) -> None:
    """Raise ValidationError, which says what is wrong and what would be right, unless the text can be filled in."""
    try:
        nodes = list(_compiled(text).nodelist)
    except TemplateSyntaxError as error:
        raise ValidationError(_("This cannot be read: %(error)s.") % {"error": str(error).rstrip(".")}) from None
    known = placeholders(event)
    for node in nodes:
        if isinstance(node, TextNode):
            continue
        if not isinstance(node, VariableNode):
            raise ValidationError(_("Only placeholders such as {{ when }} can be used, no {% tags %}."))
        written = node.filter_expression.token
        if written not in known:
            raise ValidationError(
                _("There is no placeholder {{ %(name)s }}. You can use: %(known)s.")
                % {"name": written, "known": ", ".join(f"{{{{ {each} }}}}" for each in known)}
            )


def fill_in(wording: Wording, values: Mapping[str, str]) -> Wording:
    """The words with the placeholders filled in. A subject stays on one line."""
    context = Context(dict(values), autoescape=False)
    subject = " ".join(_compiled(wording.subject).render(context).split())
    return Wording(subject, _compiled(wording.body).render(context).strip())


def words_for(event: str, medium: str, language: str) -> Wording:
    """The clinic's own words in this language, else the product's."""
    own = MessageTemplate.objects.filter(event=event, medium=medium, language=language or settings.LANGUAGE_CODE)
    written = own.first()
    words = product_words(event, medium, language)
    return words if written is None else Wording(written.subject or words.subject, written.body)


def product_words(event: str, medium: str, language: str) -> Wording:
    """The words that come with the product, in this language, with their placeholders."""
    as_written = {name: f"{{{{ {name} }}}}" for name in PLACEHOLDERS}
    kind = "text" if medium == Medium.SMS else "letter"
    with translation.override(language or settings.LANGUAGE_CODE):
        body = render_to_string(f"messages/{event}_{kind}.txt", as_written).strip()
        subject = "" if medium == Medium.SMS else render_to_string(f"messages/{event}_subject.txt", as_written).strip()
    return Wording(subject, body)


def sample(language: str) -> dict[str, str]:
    """Values to show a wording with, in this language."""
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
            "service": _("Check-up"),
            "with_whom": "Dr. Mei Chen",
            "preparation": _("Please come ten minutes early."),
            "reference": "4F9C2A71",
            "deadline": in_short(start - timedelta(days=1), zone),
            "code": "123456",
        }


@lru_cache(maxsize=256)
def _compiled(text: str) -> Template:
    return Template(text, engine=_ENGINE)
