"""Translations of the clinic's own texts: names, descriptions, preparation, questions.

A column holds the text in the clinic's language. Its translations are FHIR's translation extension, next to the
element in `extra`: https://hl7.org/fhir/R4/extension-translation.html
"""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from django.conf import settings
from django.utils.translation import get_language

from clinic.fhir.codes import ABOUT_TRANSLATION, RED_FLAG
from clinic.models import Resource

Json = dict[str, Any]
TRANSLATION = "http://hl7.org/fhir/StructureDefinition/translation"
DEVICE = "Device"
ELEMENTS = {"preparation": "extraDetails"}  # the FHIR element of a column with another name
EXTENSIONS = {"about": ABOUT_TRANSLATION}  # the extension with the translations of a column that is no element


class TranslatedText(str):
    """A text with its language, so that a page in another language can mark it."""

    language: str

    def __new__(cls, text: str, language: str) -> "TranslatedText":
        translated = super().__new__(cls, text)
        translated.language = language
        return translated

    @property
    def is_foreign(self) -> bool:
        """True if the text is in another language than the page."""
        return bool(self) and _primary(self.language) != _primary(_active_language())


NO_TEXT = TranslatedText("", "")


class Sentence(str):
    """A sentence that contains texts of the clinic; pages mark those that are in another language."""

    template: str
    parts: Mapping[str, object]

    def __new__(cls, template: str, **parts: object) -> "Sentence":
        sentence = super().__new__(cls, template % parts)
        sentence.template, sentence.parts = template, parts
        return sentence


def text_of(row: Resource | None, column: str, language: str = "") -> TranslatedText:
    """Return a text of a row in a language, by default the active one, or as the clinic wrote it."""
    if row is None:
        return NO_TEXT
    element = ELEMENTS.get(column, column)
    base = getattr(row, column, None)
    text = row.extra.get(element, "") if base is None else base
    beside = _holder(row, column).get(f"_{element}")
    return text_in({element: text, f"_{element}": beside}, element, language, base_language(row))


def actor_name(actor: Resource) -> str:
    """Return the name of a room, device or service in the reader's language, or the name of a person."""
    return text_of(actor, "name") if "name" in actor.TRANSLATED else str(actor)


def text_in(raw: Mapping[str, Any], name: str, language: str = "", base: str = "") -> TranslatedText:
    """Return a string of FHIR's JSON in a language: its translation, or the string itself if there is none.

    A translation into es-MX is also used for es, unless there is one into es.
    """
    base, language = base or settings.LANGUAGE_CODE, language or _active_language()
    original = str(raw.get(name) or "")
    if _primary(language) == _primary(base):
        return TranslatedText(original, base)
    found = translations_in(raw, name)
    for tag, text in found.items():
        if tag.lower() == language.lower():
            return TranslatedText(text, tag)
    variant = next((tag for tag in found if _primary(tag) == _primary(language)), None)
    return TranslatedText(found[variant], variant) if variant else TranslatedText(original, base)


def translations_in(raw: Mapping[str, Any], name: str) -> dict[str, str]:
    """Return the translations of a string in FHIR JSON, by language."""
    found = {}
    for extension in _extensions(raw.get(f"_{name}")):
        if extension.get("url") == TRANSLATION:
            parts = {part.get("url"): part for part in extension.get("extension", ())}
            content = parts.get("content", {})
            text = content.get("valueString") or content.get("valueMarkdown") or ""
            if text:
                found[str(parts.get("lang", {}).get("valueCode", ""))] = str(text)
    return found


def translations_of(row: Resource, column: str) -> dict[str, str]:
    """Return the translations of a row's column, by language."""
    return translations_in(_holder(row, column), ELEMENTS.get(column, column))


def translate_column(row: Resource, column: str, texts: Mapping[str, str]) -> None:
    """Set the translations of a row's column into these languages. The row is not saved."""
    row.extra = deepcopy(row.extra)
    holder = _holder(row, column)
    if row.RESOURCE_TYPE == DEVICE and not row.extra.get("deviceName"):
        row.extra["deviceName"] = [holder]
    translate(holder, ELEMENTS.get(column, column), texts)
    if row.RESOURCE_TYPE == DEVICE and row.extra["deviceName"] == [{}]:
        del row.extra["deviceName"]
    if url := EXTENSIONS.get(column):
        others = [extension for extension in _extensions(row.extra) if extension.get("url") != url]
        own = [{**extension, "url": url} for extension in _extensions(holder.get(f"_{column}"))]
        row.extra.pop("extension", None)
        if others or own:
            row.extra["extension"] = [*others, *own]


def red_flag_in(raw: Json) -> tuple[Json, str] | None:
    """The extension of an item or an option that says what to do, and the name of its value."""
    for extension in _extensions(raw):
        name = next((name for name in extension if name.startswith("value")), "")
        if extension.get("url") == RED_FLAG and name:
            return extension, name
    return None


def translate(raw: Json, name: str, texts: Mapping[str, str]) -> None:
    """Set the translations of a string in FHIR's JSON into these languages; an empty text removes one."""
    element: Json = dict(raw.get(f"_{name}") or {})
    kept = [extension for extension in _extensions(element) if _language_of(extension) not in texts]
    new = [
        {
            "url": TRANSLATION,
            "extension": [{"url": "lang", "valueCode": tag}, {"url": "content", "valueString": text}],
        }
        for tag, text in texts.items()
        if text
    ]
    element.pop("extension", None)
    if kept or new:
        element["extension"] = [*kept, *new]
    raw.pop(f"_{name}", None)
    if element:
        raw[f"_{name}"] = element


def all_texts(row: Resource, columns: Iterable[str]) -> list[str]:
    """Return the texts of these columns in all languages, for a search."""
    return [
        text
        for column in columns
        for text in (getattr(row, column, ""), *translations_of(row, column).values())
        if text
    ]


def base_language(row: Resource) -> str:
    """Return the language in which the clinic wrote a row: its FHIR `language`, else the product's."""
    return str(row.extra.get("language") or settings.LANGUAGE_CODE)


def other_languages(row: Resource) -> list[tuple[str, str]]:
    """Return the code and name of each language into which a row can be translated."""
    return [(code, str(name)) for code, name in settings.LANGUAGES if _primary(code) != _primary(base_language(row))]


def _holder(row: Resource, column: str) -> Json:
    """Return the object in the row's `extra` that has the translations of a column.

    It is a Device's first deviceName, else `extra`; of a column that is no element, a copy of its extensions.
    """
    extra: Json = row.extra
    if url := EXTENSIONS.get(column):
        own = [{**each, "url": TRANSLATION} for each in _extensions(extra) if each.get("url") == url]
        return {f"_{column}": {"extension": own}} if own else {}
    if row.RESOURCE_TYPE != DEVICE:
        return extra
    first: Json = (extra.get("deviceName") or [{}])[0]
    return first


def _language_of(extension: Json) -> str:
    if extension.get("url") != TRANSLATION:
        return ""
    return next((part.get("valueCode", "") for part in extension.get("extension", ()) if part.get("url") == "lang"), "")


def _extensions(element: Any) -> list[Json]:
    return element.get("extension", []) if isinstance(element, dict) else []


def _primary(tag: str) -> str:
    return tag.lower().partition("-")[0]


def _active_language() -> str:
    return get_language() or settings.LANGUAGE_CODE
