"""Patient, RelatedPerson, Practitioner and PractitionerRole.

https://hl7.org/fhir/R4/patient.html, relatedperson.html, practitioner.html, practitionerrole.html. The first name,
phone and e-mail address are in columns, and the preferred language of a patient; the others come back as they were
sent. A role's `availableTime` is kept and not used:
hours are those of services and schedules.
"""

from clinic.fhir import codes
from clinic.fhir.datatypes import Json
from clinic.fhir.elements import DATE, EMAIL, LIST, ZONE, Element, Kind, Link, Links, code, flag, text, words
from clinic.fhir.kinds import ResourceKind, reader, writer
from clinic.fhir.paths import Path, extension
from clinic.models import Gender, Patient, Practitioner, PractitionerRole, RelatedPerson

ACTIVE = Element(Path("active"), "active", flag(default=True))
IDENTIFIER = Element(Path("identifier"), "identifier", LIST)
PHONE = Element(Path("telecom", ("system", "phone"), "value"), "phone", text(50))
TIME_ZONE = Element(extension(codes.TIMEZONE, "valueCode"), "timezone", ZONE)
SPECIALTY = Element(Path("specialty"), "specialty", LIST)


def _read_language(concept: Json | None) -> str:
    """A tag that is too long for the column, or a code of another system, is none to write in."""
    tags = [each.get("code", "") for each in (concept or {}).get("coding", ()) if each.get("system") == codes.LANGUAGE]
    return next((tag for tag in tags if len(tag) <= 10), "")


def _write_language(tag: str) -> Json | None:
    return {"coding": [{"system": codes.LANGUAGE, "code": tag}]} if tag else None


PERSON = (
    ACTIVE,
    IDENTIFIER,
    Element(Path("name", 0, "family"), "family", text(200)),
    Element(Path("name", 0, "given"), "given", words(200)),
    Element(Path("name", 0, "prefix"), "prefix", words(50)),
    Element(Path("gender"), "gender", code(Gender)),
    Element(Path("birthDate"), "birth_date", DATE),
    PHONE,
    Element(Path("telecom", ("system", "email"), "value"), "email", EMAIL),
)
PRACTITIONER = (*PERSON, TIME_ZONE, Element(Path("communication"), "communication", LIST))
PATIENT = (
    *PERSON,
    Element(Path("communication", ("preferred", True), "language"), "language", Kind(_read_language, _write_language)),
)
RELATED_PERSON = (
    *PERSON,
    Link(Path("patient", "reference"), "patient", types=("Patient",), required=True),
    Element(Path("relationship"), "relationship", LIST),
)
ROLE = (
    ACTIVE,
    IDENTIFIER,
    Link(Path("practitioner", "reference"), "practitioner", types=("Practitioner",), required=True),
    Link(Path("organization", "reference"), "organization", types=("Organization",)),
    Links(Path("location"), "locations", types=("Location",)),
    Links(Path("healthcareService"), "services", types=("HealthcareService",)),
    SPECIALTY,
    TIME_ZONE,
)

KINDS = {
    "Practitioner": ResourceKind(Practitioner, writer(PRACTITIONER), reader("Practitioner", PRACTITIONER)),
    "PractitionerRole": ResourceKind(
        PractitionerRole,
        writer(ROLE),
        reader("PractitionerRole", ROLE),
        related=("practitioner", "organization"),
        prefetch=("locations", "services"),
    ),
    "Patient": ResourceKind(Patient, writer(PATIENT), reader("Patient", PATIENT)),
    "RelatedPerson": ResourceKind(
        RelatedPerson, writer(RELATED_PERSON), reader("RelatedPerson", RELATED_PERSON), related=("patient",)
    ),
}
