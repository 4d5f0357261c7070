"""The languages that practitioners speak, in words."""

from clinic import formats
from clinic.models import Practitioner, concept_text


def languages_spoken(person: Practitioner) -> list[str]:
    """Return the names of the languages that a practitioner speaks."""
    codes = ((concept.get("coding") or [{}])[0].get("code") for concept in person.communication)
    labels = map(concept_text, person.communication)
    return [language_name(str(code or label), label) for code, label in zip(codes, labels, strict=True) if label]


def language_name(code: str, label: str) -> str:
    """Return the name of a language; of a BCP 47 code without a display, its name in the reader's language."""
    return label if label != code else formats.language_name(code)
