"""Types of services by name: X12's service type codes, and the types that the clinic has named itself.

HealthcareService.type holds them as FHIR CodeableConcepts. X12's codes are those of https://x12.org/codes/service-type-codes
that a visit can be of, by X12's short names, which are translated where people read them.
"""

from collections.abc import Iterable
from typing import Any

from django.utils.text import slugify
from django.utils.translation import gettext, gettext_noop

from clinic.fhir.codes import SERVICE_TYPE
from clinic.fhir.visit_types import codings_of
from clinic.models import ServiceType
from clinic.named_concepts import coded, name_among

Json = dict[str, Any]

X12 = "https://x12.org/codes/service-type-codes"
X12_NAMES = {
    "84": gettext_noop("Abortion"),
    "64": gettext_noop("Acupuncture"),
    "AJ": gettext_noop("Alcoholism"),
    "GY": gettext_noop("Allergy"),
    "79": gettext_noop("Allergy Testing"),
    "7": gettext_noop("Anesthesia"),
    "71": gettext_noop("Audiology Exam"),
    "87": gettext_noop("Cancer"),
    "BL": gettext_noop("Cardiac"),
    "BG": gettext_noop("Cardiac Rehabilitation"),
    "CQ": gettext_noop("Case Management"),
    "78": gettext_noop("Chemotherapy"),
    "33": gettext_noop("Chiropractic"),
    "BD": gettext_noop("Cognitive Therapy"),
    "3": gettext_noop("Consultation"),
    "35": gettext_noop("Dental Care"),
    "36": gettext_noop("Dental Crowns"),
    "DG": gettext_noop("Dermatology"),
    "23": gettext_noop("Diagnostic Dental"),
    "5": gettext_noop("Diagnostic Lab"),
    "73": gettext_noop("Diagnostic Medical"),
    "4": gettext_noop("Diagnostic X-Ray"),
    "76": gettext_noop("Dialysis"),
    "AK": gettext_noop("Drug Addiction"),
    "86": gettext_noop("Emergency Services"),
    "BP": gettext_noop("Endocrine"),
    "26": gettext_noop("Endodontics"),
    "BR": gettext_noop("Eye"),
    "82": gettext_noop("Family Planning"),
    "CO": gettext_noop("Flu Vaccination"),
    "BN": gettext_noop("Gastrointestinal"),
    "BT": gettext_noop("Gynecological"),
    "44": gettext_noop("Home Health Visits"),
    "45": gettext_noop("Hospice"),
    "80": gettext_noop("Immunizations"),
    "61": gettext_noop("In-vitro Fertilization"),
    "BA": gettext_noop("Independent Medical Evaluation"),
    "83": gettext_noop("Infertility"),
    "72": gettext_noop("Inhalation Therapy"),
    "CM": gettext_noop("Mammogram, High Risk Patient"),
    "CN": gettext_noop("Mammogram, Low Risk Patient"),
    "BE": gettext_noop("Massage Therapy"),
    "69": gettext_noop("Maternity"),
    "1": gettext_noop("Medical Care"),
    "MH": gettext_noop("Mental Health"),
    "62": gettext_noop("MRI/CAT Scan"),
    "BQ": gettext_noop("Neurology"),
    "65": gettext_noop("Newborn Care"),
    "BU": gettext_noop("Obstetrical"),
    "BV": gettext_noop("Obstetrical/Gynecological"),
    "AD": gettext_noop("Occupational Therapy"),
    "ON": gettext_noop("Oncology"),
    "40": gettext_noop("Oral Surgery"),
    "38": gettext_noop("Orthodontics"),
    "BK": gettext_noop("Orthopedic"),
    "77": gettext_noop("Otological Exam"),
    "66": gettext_noop("Pathology"),
    "BH": gettext_noop("Pediatric"),
    "24": gettext_noop("Periodontics"),
    "AE": gettext_noop("Physical Medicine"),
    "PT": gettext_noop("Physical Therapy"),
    "BY": gettext_noop("Physician Visit - Office: Sick"),
    "BZ": gettext_noop("Physician Visit - Office: Well"),
    "19": gettext_noop("Pneumonia Vaccine"),
    "93": gettext_noop("Podiatry"),
    "17": gettext_noop("Pre-Admission Testing"),
    "A3": gettext_noop("Professional (Physician) Visit - Home"),
    "A1": gettext_noop("Professional (Physician) Visit - Nursing Home"),
    "98": gettext_noop("Professional (Physician) Visit - Office"),
    "39": gettext_noop("Prosthodontics"),
    "A4": gettext_noop("Psychiatric"),
    "A6": gettext_noop("Psychotherapy"),
    "PU": gettext_noop("Pulmonary"),
    "BF": gettext_noop("Pulmonary Rehabilitation"),
    "6": gettext_noop("Radiation Therapy"),
    "A9": gettext_noop("Rehabilitation"),
    "RN": gettext_noop("Renal"),
    "25": gettext_noop("Restorative"),
    "41": gettext_noop("Routine (Preventive) Dental"),
    "AN": gettext_noop("Routine Exam"),
    "81": gettext_noop("Routine Physical"),
    "CL": gettext_noop("Screening laboratory"),
    "CK": gettext_noop("Screening X-ray"),
    "20": gettext_noop("Second Surgical Opinion"),
    "AG": gettext_noop("Skilled Nursing Care"),
    "BJ": gettext_noop("Skin"),
    "67": gettext_noop("Smoking Cessation"),
    "22": gettext_noop("Social Work"),
    "AF": gettext_noop("Speech Therapy"),
    "AI": gettext_noop("Substance Abuse"),
    "2": gettext_noop("Surgical"),
    "TC": gettext_noop("Transitional Care"),
    "UC": gettext_noop("Urgent Care"),
    "AL": gettext_noop("Vision (Optometry)"),
    "68": gettext_noop("Well Baby Care"),
}


def known_types() -> dict[str, Json]:
    """Return the concept of each type that can be chosen, by its name in the reader's language. One statement."""
    known = {gettext(name): x12_type(code) for code, name in X12_NAMES.items()}
    known |= {row.name: own_type(row) for row in ServiceType.objects.all()}
    return dict(sorted(known.items(), key=lambda item: item[0].casefold()))


def x12_type(code: str) -> Json:
    """Return the concept of one of X12's codes."""
    return coded(X12, code, X12_NAMES[code])


def own_type(row: ServiceType) -> Json:
    """Return the concept of one of the clinic's own service types."""
    return coded(SERVICE_TYPE, row.code, row.name)


def own_code_system() -> Json | None:
    """Return the clinic's own service types as a CodeSystem, for a copy of everything; None if there are none."""
    concepts = own_concepts()
    if not concepts:
        return None
    name = SERVICE_TYPE.rpartition("/")[2]
    facts = {"resourceType": "CodeSystem", "id": name, "url": SERVICE_TYPE, "status": "active"}
    return {**facts, "content": "complete", "concept": concepts}


def own_concepts() -> list[Json]:
    """Return the code and the name of each of the clinic's own service types."""
    return [{"code": row.code, "display": row.name} for row in ServiceType.objects.all()]


def own_coding(row: ServiceType) -> Json:
    """Return the coding that all services of a type of the clinic's own have, whatever its name was."""
    return {"system": SERVICE_TYPE, "code": row.code}


def name_of(concept: Json) -> str:
    """Return the name of a type for people. X12's are translated, unless other software gave the type another name."""
    return name_among(concept, X12, X12_NAMES)


def names_of(concepts: Iterable[Json]) -> list[str]:
    """Return the names of types for people, each once. Types without a name are left out."""
    return list(dict.fromkeys(filter(None, map(name_of, concepts))))


def with_type(types: list[Json], name: str) -> list[Json]:
    """Return the types with the one of this name, which is made one of the clinic's own if there is none."""
    added = type_named(name) or own_type(_new_type(name))
    return types if codings_of([added]) & codings_of(types) else [*types, added]


def type_named(name: str) -> Json | None:
    """Return the concept of the type with this name, whatever its capitals."""
    return {known.casefold(): concept for known, concept in known_types().items()}.get(name.casefold())


def _new_type(name: str) -> ServiceType:
    row, _is_new = ServiceType.objects.get_or_create(
        name__iexact=name, defaults={"name": name, "code": _free_code(name)}
    )
    return row


def _free_code(name: str) -> str:
    """Return a code for a name that no other type has: home-visit, home-visit-2."""
    stem = slugify(name)[:50].strip("-_") or "type"
    taken = set(ServiceType.objects.filter(code__startswith=stem).values_list("code", flat=True))
    return next(code for n in range(len(taken) + 1) if (code := f"{stem}-{n + 1}" if n else stem) not in taken)
