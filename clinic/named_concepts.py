"""Specialties, languages and relationships by name, as FHIR CodeableConcepts with their codes.

Names are in the reader's language. What other software has named otherwise keeps its own words.
"""

import re
from typing import Any

from django.utils.translation import gettext, gettext_noop

from clinic import formats
from clinic.fhir.codes import LANGUAGE, ROLE_CODES
from clinic.fhir.visit_types import SNOMED
from clinic.models import concept_text

Json = dict[str, Any]

# Of FHIR's value set https://hl7.org/fhir/R4/valueset-c80-practice-codes.html
SPECIALTIES = {
    "394805004": gettext_noop("Allergy and immunology"),
    "394577000": gettext_noop("Anesthesiology"),
    "394579002": gettext_noop("Cardiology"),
    "394812008": gettext_noop("Dentistry"),
    "394582007": gettext_noop("Dermatology"),
    "394583002": gettext_noop("Endocrinology"),
    "419772000": gettext_noop("Family practice"),
    "394584008": gettext_noop("Gastroenterology"),
    "394802001": gettext_noop("General medicine"),
    "394814009": gettext_noop("General practice"),
    "394609007": gettext_noop("General surgery"),
    "394811001": gettext_noop("Geriatric medicine"),
    "394586005": gettext_noop("Gynecology"),
    "394803006": gettext_noop("Hematology"),
    "394807007": gettext_noop("Infectious diseases"),
    "419192003": gettext_noop("Internal medicine"),
    "394593009": gettext_noop("Medical oncology"),
    "394589003": gettext_noop("Nephrology"),
    "394591006": gettext_noop("Neurology"),
    "394610002": gettext_noop("Neurosurgery"),
    "394585009": gettext_noop("Obstetrics and gynecology"),
    "394594003": gettext_noop("Ophthalmology"),
    "394605001": gettext_noop("Oral surgery"),
    "394608004": gettext_noop("Orthodontics"),
    "394801008": gettext_noop("Orthopedics"),
    "418960008": gettext_noop("Otolaryngology"),
    "394882004": gettext_noop("Pain management"),
    "394537008": gettext_noop("Pediatrics"),
    "394611003": gettext_noop("Plastic surgery"),
    "394587001": gettext_noop("Psychiatry"),
    "418112009": gettext_noop("Pulmonary medicine"),
    "394914008": gettext_noop("Radiology"),
    "394602003": gettext_noop("Rehabilitation"),
    "394810000": gettext_noop("Rheumatology"),
    "394612005": gettext_noop("Urology"),
    "408463005": gettext_noop("Vascular surgery"),
}
# Languages that people often speak at a clinic, by their BCP 47 tags.
SPOKEN = re.findall(
    r"\w+",
    "am ar bn bs de el en es fa fr gu hi hr ht hu hy it ja ka km ko ku lo my ne pa pl ps pt ro ru so sq sr sw ta te"
    " th ti tl tr uk ur vi yue zh",
)
# The relationship of somebody to a patient: https://terminology.hl7.org/CodeSystem-v3-RoleCode.html
RELATIONSHIPS = {
    "PRN": gettext_noop("parent"),
    "SPS": gettext_noop("spouse or partner"),
    "CHILD": gettext_noop("child"),
    "SIB": gettext_noop("brother or sister"),
    "GRPRN": gettext_noop("grandparent"),
    "GUARD": gettext_noop("guardian"),
    "FRND": gettext_noop("friend or carer"),
}


def known_specialties() -> dict[str, Json]:
    """Return the concept of each specialty by its name in the reader's language."""
    return {gettext(name): coded(SNOMED, code, name) for code, name in SPECIALTIES.items()}


def known_languages() -> dict[str, Json]:
    """Return the concept of each spoken language by its name in the reader's language, in alphabetical order."""
    named = {formats.language_name(tag): {"coding": [{"system": LANGUAGE, "code": tag}]} for tag in SPOKEN}
    return dict(sorted(named.items(), key=lambda item: item[0].casefold()))


def known_relationships() -> dict[str, Json]:
    """Return the concept of each relationship by its name in the reader's language."""
    return {gettext(name): {"coding": [{"system": ROLE_CODES, "code": code}]} for code, name in RELATIONSHIPS.items()}


def specialty_name(concept: Json) -> str:
    return name_among(concept, SNOMED, SPECIALTIES)


def relationship_name(concept: Json) -> str:
    return name_among(concept, ROLE_CODES, RELATIONSHIPS)


def language_name(concept: Json) -> str:
    """Return the name of a language: its own words if it has some, else CLDR's name of its BCP 47 tag."""
    text = concept_text(concept)
    codes = [coding.get("code") for coding in concept.get("coding") or ()]
    return formats.language_name(text) if text in codes else text


def coded(system: str, code: str, name: str) -> Json:
    """Return the concept of a code, with its name in English for other software."""
    return {"coding": [{"system": system, "code": code, "display": name}], "text": name}


def name_among(concept: Json, system: str, names: dict[str, str]) -> str:
    """Return the name of a concept: that of its code among `names`, unless other software gave it words of its own."""
    text = concept_text(concept)
    for coding in concept.get("coding") or ():
        code = coding.get("code")
        if coding.get("system") == system and code in names:
            return gettext(names[code]) if text in (names[code], code) else text
    return text
