"""Argonaut Scheduling's codes of visit types, and its maps to SNOMED CT and to appointment types.

http://fhir.org/guides/argonaut-scheduling/CodeSystem/visit-type. A search for one coding also finds its equivalents.
"""

from typing import TypeAlias

from clinic.fhir.datatypes import Json
from clinic.fhir.issues import InvalidElement

Coding: TypeAlias = tuple[str, str]  # system and code

ARGONAUT = "http://fhir.org/guides/argonaut-scheduling"
VISIT_TYPE = f"{ARGONAUT}/CodeSystem/visit-type"
APPOINTMENT_TYPE = f"{ARGONAUT}/CodeSystem/appt-type"
SNOMED = "http://snomed.info/sct"
V2_APPOINTMENT = "http://terminology.hl7.org/CodeSystem/v2-0276"
# The URLs of code systems in STU3 and in examples, with those of R4.
OLDER_SYSTEMS = {
    "http://hl7.org/fhir/v2/0276": V2_APPOINTMENT,
    "http://snomed.info/sct/": SNOMED,
}

VISITS = {
    "office-visit": ("OFFICE VISIT", "11429006"),
    "consult": ("CONSULTATION", "11429006"),
    "follow-up": ("FOLLOW UP", "185389009"),
    "new-patient": ("NEW PATIENT", "185387006"),
    "physical": ("PHYSICAL", "5880005"),
    "procedure": ("PROCEDURE", "71388002"),
    "vaccine": ("VACCINATION", "127785005"),
    "well-child": ("WELL CHILD", "410620009"),
    "mri": ("MAGNETIC RESONANCE IMAGING(MRI)", "310127009"),
    "ct": ("COMPUTED TOMOGRAPHY SCAN(CT)", "310128004"),
    "x-ray": ("X-RAY", "310125001"),
    "lab": ("LABORATORY TESTS", "708184003"),
    "dental": ("DENTAL", "3671000175100"),
    "ultrasound": ("ULTRASOUND", "310169008"),
    "echo": ("ECHOCARDIOGRAPHY(ECHO)", "310169008"),
    "surgery": ("SURGERY", "310138009"),
    "home-health": ("HOME HEALTH VISIT", "439708006"),
    "evaluation": ("EVALUATION", "386053000"),
    "pre-op": ("PRE-OPERATIVE(PRE-OP)", "133858001"),
    "post-op": ("POST-OPERATIVE(POST-OP)", "439740005"),
    "eeg": ("ELECTROENCEPHALOGRAPHY(EEG)", "54550000"),
    "ekg": ("ELECTROCARDIOGRAM(EKG)", "29303009"),
    "dxa": ("DUAL-ENERGY X-RAY ABSORPTIOMETRY(DXA)", "241686001"),
}
# Codes for how soon a visit is needed. They are read in searches, and never written for a service.
INEXACT = {"urgent": "11429006", "same-day": "11429006", "walk-in": "11429006"}

_APPOINTMENT_TYPES = {
    **{code: (APPOINTMENT_TYPE, code) for code in ("new-patient", "post-op", "pre-op", "same-day", "urgent")},
    "follow-up": (V2_APPOINTMENT, "FOLLOWUP"),
    "ed-followup": (V2_APPOINTMENT, "FOLLOWUP"),
    "walk-in": (V2_APPOINTMENT, "WALKIN"),
}
APPOINTMENT_TYPES: tuple[Coding, ...] = (
    *((V2_APPOINTMENT, code) for code in ("ROUTINE", "CHECKUP", "EMERGENCY", "FOLLOWUP", "WALKIN")),
    *((APPOINTMENT_TYPE, code) for code in ("new-patient", "post-op", "pre-op", "same-day", "urgent")),
)
ROUTINE = APPOINTMENT_TYPES[0]
APPOINTMENT_TYPE_OF_CODE = {code: (system, code) for system, code in APPOINTMENT_TYPES}


def normalised(system: str, code: str) -> Coding:
    """Return a coding with the URL that R4 gives its system."""
    return OLDER_SYSTEMS.get(system, system), code


def meaning(coding: Coding) -> frozenset[Coding]:
    """Return the coding and its equivalents by the maps."""
    system, code = coding
    if system == VISIT_TYPE:
        concept = VISITS[code][1] if code in VISITS else INEXACT.get(code)
        return frozenset({coding, (SNOMED, concept)} if concept else {coding})
    if system == SNOMED:
        return frozenset({coding, *((VISIT_TYPE, visit) for visit, (_, concept) in VISITS.items() if concept == code)})
    return frozenset({coding})


def codings_of(concepts: list[Json]) -> frozenset[Coding]:
    """Return the system and code of each coding in CodeableConcepts."""
    return frozenset(
        (coding.get("system", ""), coding.get("code", ""))
        for concept in concepts
        for coding in concept.get("coding", ())
    )


def visit_types(concepts: list[Json]) -> list[str]:
    """Return the codes of visit-type in these concepts, and the equivalents of their other codings."""
    known = {visit for coding in codings_of(concepts) for system, visit in meaning(coding) if system == VISIT_TYPE}
    return [visit for visit in VISITS if visit in known] + sorted(known - VISITS.keys())


def visit_type_coding(visit: str) -> Json:
    display = {"display": VISITS[visit][0]} if visit in VISITS else {}
    return {"system": VISIT_TYPE, "code": visit, **display}


def appointment_type_of(code: str, concepts: list[Json]) -> Coding:
    """Return the appointment type with this code; without one that of the visit types by the map, else routine."""
    if code:
        return APPOINTMENT_TYPE_OF_CODE[code]
    mapped = (_APPOINTMENT_TYPES[visit] for visit in visit_types(concepts) if visit in _APPOINTMENT_TYPES)
    return next(mapped, ROUTINE)


def read_appointment_type(coding: Json | None) -> str:
    """Return the code of an appointment type, or nothing without a coding. Raises InvalidElement for another code."""
    if not coding:
        return ""
    found = normalised(coding.get("system", ""), coding.get("code", ""))
    if found not in APPOINTMENT_TYPES:
        known = ", ".join("|".join(each) for each in APPOINTMENT_TYPES)
        raise InvalidElement(f"Not one of the types of appointments: {known}", "code-invalid")
    return found[1]


def appointment_type(coding: Coding) -> Json:
    """Return the CodeableConcept of an appointment type."""
    return {"coding": [appointment_type_coding(coding)]}


def appointment_type_coding(coding: Coding) -> Json:
    system, code = coding
    display = {"display": code.replace("-", " ").title()} if system == APPOINTMENT_TYPE else {}
    return {"system": system, "code": code, **display}
