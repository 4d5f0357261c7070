"""The demo clinic's own texts in the languages of its patients, stored beside the English ones."""

from typing import Any

from clinic import translations
from clinic.models import Resource
from demo.seed.german import GERMAN
from demo.seed.spanish import SPANISH

Json = dict[str, Any]

TEXTS = {"de": GERMAN, "es": SPANISH}


def translate_row(row: Resource) -> None:
    """Add the translations of the row's own texts. It is not saved yet."""
    for column in row.TRANSLATED:
        if translated := translations_of(getattr(row, column)):
            translations.translate_column(row, column, translated)


def translate_questions(items: list[Json]) -> list[Json]:
    """Return the questions and their options with the translations beside them."""
    return [_translated(item) for item in items]


def translations_of(text: str) -> dict[str, str]:
    """Return the translations of a text by language."""
    return {language: texts[text] for language, texts in TEXTS.items() if text in texts}


def _translated(raw: Json) -> Json:
    made: Json = {}
    for name, value in raw.items():
        if name in ("item", "answerOption"):
            made[name] = [_translated(item) for item in value]
        elif name == "valueCoding":
            made[name] = _translated(value)
        else:
            made[name] = value
        if name in ("text", "display", "valueString") and (translated := translations_of(value)):
            translations.translate(made, name, translated)
    return made
