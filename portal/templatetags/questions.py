"""Questions and answers in templates."""

from zoneinfo import ZoneInfo

from django import template
from django.utils.translation import get_language

from clinic.fhir.datatypes import Json
from clinic.models import QuestionnaireResponse
from scheduling import questionnaires
from scheduling.questionnaires import Item, Node, Reading

register = template.Library()


@register.simple_tag
def reading_of(response: QuestionnaireResponse, zone: ZoneInfo | str = "") -> Reading:
    """A response as it is read."""
    site = response.appointment.site if response.appointment else None
    local = zone if isinstance(zone, ZoneInfo) else ZoneInfo((site and site.timezone) or "UTC")
    return questionnaires.read(response, local, get_language() or "")


@register.filter
def said(value: Json | None, zone: ZoneInfo) -> str:
    """An answer in words."""
    return questionnaires.words_of(value, zone) if value else ""


@register.simple_tag
def answer_words(item: Item, value: Json, zone: ZoneInfo) -> str:
    """An answer in words, a number with its unit."""
    return questionnaires.answer_words(item, value, zone)


@register.filter
def anchor(node: Node) -> str:
    """The id of the first control of a question."""
    return questionnaires.anchor(node, node.rows[0])


@register.filter
def kinds_of_file(item: Item) -> str:
    """Which files an answer can be: PDF, JPEG, PNG."""
    return ", ".join(questionnaires.MEDIA[each] for each in questionnaires.media_of(item))


@register.filter
def accepts(item: Item) -> str:
    """The same for the browser."""
    return ",".join(questionnaires.media_of(item))


@register.filter
def megabytes(item: Item) -> str:
    """How large a file can be."""
    return f"{questionnaires.megabytes_of(item):g}"


@register.filter
def unit_name(unit: Json) -> str:
    return questionnaires.unit_text(unit)


@register.filter
def address(digest: str) -> str:
    """A file's hash as it stands in an address."""
    return questionnaires.hash_in_address(digest)
