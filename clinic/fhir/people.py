"""Patient, Practitioner and PractitionerRole.

https://hl7.org/fhir/R4/patient.html, practitioner.html, practitionerrole.html. The first name, phone and e-mail
address are in columns; the others come back as they were sent. A role's `availableTime` is kept and not used:
hours are those of services and schedules.
"""

from clinic.fhir.codes import TIMEZONE
from clinic.fhir.elements import DATE, EMAIL, LIST, ZONE, Element, Link, Links, code, flag, text, words
from clinic.fhir.kinds import ResourceKind, reader, writer
from clinic.fhir.paths import Path, extension
from clinic.models import Gender, Patient, Practitioner, PractitionerRole

ACTIVE = Element(Path("active"), "active", flag(default=True))
IDENTIFIER = Element(Path("identifier"), "identifier", LIST)
PHONE = Element(Path("telecom", ("system", "phone"), "value"), "phone", text(50))
TIME_ZONE = Element(extension(TIMEZONE, "valueCode"), "timezone", ZONE)
SPECIALTY = Element(Path("specialty"), "specialty", LIST)

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
PRACTITIONER = (*PERSON, TIME_ZONE)
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
    "Patient": ResourceKind(Patient, writer(PERSON), reader("Patient", PERSON)),
}
