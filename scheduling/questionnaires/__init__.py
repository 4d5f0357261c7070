"""Questionnaires: what is asked, what was answered, whether that is all. No rows are read or written here.

`fill` is the one judge of answers, whoever gives them: pages and the API are told the same.
"""

from zoneinfo import ZoneInfo

from django.utils.translation import get_language

from clinic.fhir.resources import to_fhir
from clinic.models import Questionnaire, QuestionnaireResponse
from clinic.translations import base_language
from scheduling.questionnaires.entries import (
    Entries,
    Posted,
    entries_of,
    file_entry,
    first_entries,
    grow,
    hash_in_address,
    merge,
    shrink,
)
from scheduling.questionnaires.expressions import names_patient, prefill
from scheduling.questionnaires.items import Item, Json, Option, read_items, unit_text, walk
from scheduling.questionnaires.nodes import Node, Problem, Row, Sheet, anchor, every, problems
from scheduling.questionnaires.reading import UTC, Given, Line, Reading, read
from scheduling.questionnaires.sheets import fill, opened, pages
from scheduling.questionnaires.values import (
    MEDIA,
    MEGABYTE,
    MOST_MEGABYTES,
    OTHER,
    answer_words,
    media_of,
    megabytes_of,
    words_of,
)

__all__ = [
    "MEDIA",
    "MEGABYTE",
    "MOST_MEGABYTES",
    "OTHER",
    "UTC",
    "Entries",
    "Given",
    "Item",
    "Json",
    "Line",
    "Node",
    "Option",
    "Posted",
    "Problem",
    "Reading",
    "Row",
    "Sheet",
    "anchor",
    "answer_words",
    "entries_of",
    "every",
    "file_entry",
    "fill",
    "first_entries",
    "grow",
    "hash_in_address",
    "items_of",
    "media_of",
    "megabytes_of",
    "merge",
    "names_patient",
    "opened",
    "pages",
    "prefill",
    "problems",
    "read",
    "read_items",
    "sheet_of",
    "shrink",
    "unit_text",
    "walk",
    "words_of",
]


def items_of(questionnaire: Questionnaire, language: str = "") -> tuple[Item, ...]:
    extra = questionnaire.extra
    base = base_language(questionnaire)
    return read_items(questionnaire.item, extra.get("contained", ()), language, extra.get("extension", ()), base=base)


def sheet_of(response: QuestionnaireResponse, zone: ZoneInfo = UTC) -> Sheet:
    """A stored response, judged: whether it is complete, and whether an answer in it is an alarm, in words to read."""
    assert response.questionnaire is not None
    items = items_of(response.questionnaire, get_language() or "")
    patient = to_fhir(response.patient) if response.patient and names_patient(items) else None
    return fill(items, entries_of(items, response.item, zone), zone, patient)
