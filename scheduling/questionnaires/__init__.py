"""Questionnaires: their questions, answers typed into forms, and checks of answers. Reads and writes no rows.

`fill` checks answers from every source, so that pages and API accept the same.
"""

from zoneinfo import ZoneInfo

from django.utils.translation import get_language

from clinic.fhir.resources import to_fhir
from clinic.models import Questionnaire, QuestionnaireResponse
from clinic.translations import base_language
from scheduling.questionnaires.entries import (
    Entries,
    PostedForm,
    add_row,
    entries_of,
    file_entry,
    first_entries,
    hash_in_address,
    merge,
    remove_row,
)
from scheduling.questionnaires.expressions import prefill, uses_patient
from scheduling.questionnaires.items import Item, Json, Option, read_items, unit_text, walk
from scheduling.questionnaires.response_summary import UTC, ResponseSummary, SummaryAnswer, SummaryLine, summary_of
from scheduling.questionnaires.sheet import AnswerProblem, AnswerRow, Node, Sheet, anchor, problems, walk_nodes
from scheduling.questionnaires.sheet_builder import fill, initial_entries, pages
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
    "AnswerProblem",
    "AnswerRow",
    "Entries",
    "Item",
    "Json",
    "Node",
    "Option",
    "PostedForm",
    "ResponseSummary",
    "Sheet",
    "SummaryAnswer",
    "SummaryLine",
    "add_row",
    "anchor",
    "answer_words",
    "entries_of",
    "file_entry",
    "fill",
    "first_entries",
    "hash_in_address",
    "initial_entries",
    "items_of",
    "media_of",
    "megabytes_of",
    "merge",
    "pages",
    "prefill",
    "problems",
    "read_items",
    "remove_row",
    "sheet_of",
    "summary_of",
    "unit_text",
    "uses_patient",
    "walk",
    "walk_nodes",
    "words_of",
]


def items_of(questionnaire: Questionnaire, language: str = "") -> tuple[Item, ...]:
    extra = questionnaire.extra
    base = base_language(questionnaire)
    return read_items(questionnaire.item, extra.get("contained", ()), language, extra.get("extension", ()), base=base)


def sheet_of(response: QuestionnaireResponse, zone: ZoneInfo = UTC) -> Sheet:
    """The checked sheet of a stored response: is it complete, and is an answer an alarm?"""
    assert response.questionnaire is not None
    items = items_of(response.questionnaire, get_language() or "")
    patient = to_fhir(response.patient) if response.patient and uses_patient(items) else None
    return fill(items, entries_of(items, response.item, zone), zone, patient)
