"""Template tags for questions and answers."""

from datetime import date, time
from zoneinfo import ZoneInfo

from django import template
from django.utils.translation import get_language

from clinic import formats
from clinic.country import clinic_zone
from clinic.fhir.datatypes import Json
from clinic.models import QuestionnaireResponse
from clinic.templatetags.texts import in_its_language
from portal.common.fields import date_parts
from scheduling import questionnaires
from scheduling.questionnaires import AnswerRow, Item, Node, ResponseSummary
from scheduling.visit_zone import zone_of_place

register = template.Library()

register.simple_tag(date_parts, name="date_parts")


@register.simple_tag
def reading_of(response: QuestionnaireResponse, zone: ZoneInfo | str = "") -> ResponseSummary:
    """Return a response in the form in which it is read."""
    if not isinstance(zone, ZoneInfo):
        zone = zone_of_place(response.appointment) if response.appointment else clinic_zone()
    return questionnaires.summary_of(response, zone, get_language() or "")


@register.filter
def said(value: Json | None, zone: ZoneInfo) -> str:
    """Return an answer in words."""
    return questionnaires.words_of(value, zone) if value else ""


@register.simple_tag
def answer_words(item: Item, value: Json, zone: ZoneInfo) -> str:
    """Render an answer in words, with the unit of a number, marked if it is not in the page's language."""
    return in_its_language(questionnaires.answer_words(item, value, zone))


@register.filter
def anchor(node: Node) -> str:
    """Return the id of the first control of a question."""
    return questionnaires.anchor(node, node.rows[0])


@register.filter
def kinds_of_file(item: Item) -> str:
    """Return the types of files that an answer can be, such as "PDF, JPEG, PNG"."""
    return ", ".join(questionnaires.MEDIA[each] for each in questionnaires.media_of(item))


@register.filter
def accepts(item: Item) -> str:
    """Return the media types that an answer can have, for the attribute `accept`."""
    return ",".join(questionnaires.media_of(item))


@register.filter
def megabytes(item: Item) -> str:
    """Return the greatest size of a file in megabytes."""
    return f"{questionnaires.megabytes_of(item):g}"


@register.filter
def in_numbers(day: str) -> str:
    """Return an ISO date in numbers, in the format of the clinic's country."""
    return formats.in_numbers(date.fromisoformat(day))


@register.filter
def as_clock(at: str) -> str:
    """Return an ISO time in the format of the clinic's country."""
    return formats.clock(time.fromisoformat(at))


@register.filter
def typed_part(row: AnswerRow, part: str) -> str:
    """Return one of the numbers that were typed for a date."""
    return row.typed.get(part, "")


@register.filter
def unit_name(unit: Json) -> str:
    return questionnaires.unit_text(unit)


@register.filter
def address(digest: str) -> str:
    """Return a file's hash in the form used in addresses."""
    return questionnaires.hash_in_address(digest)
