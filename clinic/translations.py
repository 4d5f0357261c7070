"""The clinic's own texts in the reader's language: names, descriptions, preparation, questions.

A column has the text in the clinic's language; what it is in others is FHIR's translation extension, beside the
element in `extra`: https://hl7.org/fhir/R4/extension-translation.html
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import get_language

from clinic.models import Resource

Json = dict[str, Any]
TRANSLATION = "http://hl7.org/fhir/StructureDefinition/translation"
ELEMENTS = {"preparation": "extraDetails"}  # by column, where the element is called otherwise
TRANSLATED: dict[str, tuple[str, ...]] = {
    "HealthcareService": ("name", "comment", "preparation"),
    "Location": ("name",),
    "Organization": ("name",),
    "Questionnaire": ("title",),
}


class TranslatedText(str):
    """A text that knows its language, for a page in another one."""

    language: str

    def __new__(cls, text: str, language: str) -> "TranslatedText":
        said = super().__new__(cls, text)
        said.language = language
        return said

    @property
    def is_foreign(self) -> bool:
        """True if it is in another language than the page."""
        return bool(self) and _primary(self.language) != _primary(_now())


def text_of(row: Resource | None, column: str, language: str = "") -> TranslatedText:
    """A text of a row in a language, that of the page unless said, or else as the clinic wrote it."""
    if row is None:
        return TranslatedText("", "")
    element = ELEMENTS.get(column, column)
    base = getattr(row, column, None)
    said = row.extra.get(element, "") if base is None else base
    return text_in({element: said, f"_{element}": row.extra.get(f"_{element}")}, element, language, base_language(row))


def text_in(raw: Mapping[str, Any], name: str, language: str = "", base: str = "") -> TranslatedText:
    """A string of FHIR's JSON, or its translation: in the very language, else in one of the same name."""
    base, language = base or settings.LANGUAGE_CODE, language or _now()
    said = str(raw.get(name) or "")
    if _primary(language) == _primary(base):
        return TranslatedText(said, base)
    found = translations_in(raw, name)
    for tag, text in found.items():
        if tag.lower() == language.lower():
            return TranslatedText(text, tag)
    alike = next((tag for tag in found if _primary(tag) == _primary(language)), None)
    return TranslatedText(found[alike], alike) if alike else TranslatedText(said, base)


def translations_in(raw: Mapping[str, Any], name: str) -> dict[str, str]:
    """The translations of a string in FHIR JSON, by language."""
    found = {}
    for extension in _extensions(raw.get(f"_{name}")):
        if extension.get("url") == TRANSLATION:
            parts = {each.get("url"): each for each in extension.get("extension", ())}
            content = parts.get("content", {})
            text = content.get("valueString") or content.get("valueMarkdown") or ""
            if text:
                found[str(parts.get("lang", {}).get("valueCode", ""))] = str(text)
    return found


def translations_of(row: Resource, column: str) -> dict[str, str]:
    return translations_in(row.extra, ELEMENTS.get(column, column))


def translate(raw: Json, name: str, texts: Mapping[str, str]) -> None:
    """Set what a string of FHIR's JSON is in these languages; an empty text takes it out. Others stay."""
    beside: Json = dict(raw.get(f"_{name}") or {})
    kept = [each for each in _extensions(beside) if _language_of(each) not in texts]
    made = [
        {
            "url": TRANSLATION,
            "extension": [{"url": "lang", "valueCode": tag}, {"url": "content", "valueString": text}],
        }
        for tag, text in texts.items()
        if text
    ]
    beside.pop("extension", None)
    if kept or made:
        beside["extension"] = [*kept, *made]
    raw.pop(f"_{name}", None)
    if beside:
        raw[f"_{name}"] = beside


def all_texts(row: Resource, columns: Iterable[str]) -> list[str]:
    """The texts of these columns in every language, for a search."""
    return [
        each
        for column in columns
        for each in (getattr(row, column, ""), *translations_of(row, column).values())
        if each
    ]


def base_language(row: Resource) -> str:
    """The language that the clinic wrote a row in: its FHIR `language`, else the product's."""
    return str(row.extra.get("language") or settings.LANGUAGE_CODE)


def other_languages(row: Resource) -> list[tuple[str, str]]:
    """The languages of the product, by code and name, that a row can be translated into."""
    return [(code, str(name)) for code, name in settings.LANGUAGES if _primary(code) != _primary(base_language(row))]


def _language_of(extension: Json) -> str:
    if extension.get("url") != TRANSLATION:
        return ""
    return next((each.get("valueCode", "") for each in extension.get("extension", ()) if each.get("url") == "lang"), "")


def _extensions(beside: Any) -> list[Json]:
    return beside.get("extension", []) if isinstance(beside, dict) else []


def _primary(tag: str) -> str:
    return tag.lower().partition("-")[0]


def _now() -> str:
    return get_language() or settings.LANGUAGE_CODE
