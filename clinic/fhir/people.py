"""Patient, RelatedPerson, Practitioner and PractitionerRole.

https://hl7.org/fhir/R4/patient.html, relatedperson.html, practitioner.html, practitionerrole.html. Columns hold the
current name, phone number and email address (clinic.fhir.contacts) and a patient's language; other names and addresses
are returned as they were sent. A role's `availableTime` is stored and not used: services and schedules have the hours.
"""

from clinic.fhir import codes, contacts
from clinic.fhir.elements import (
    DATE,
    EMAIL,
    LIST,
    ZONE,
    ConceptExtensions,
    Conversion,
    Element,
    ReferenceElement,
    ReferenceListElement,
    TextExtension,
    code,
    flag,
    text,
    words,
)
from clinic.fhir.kinds import ResourceKind, reader, writer
from clinic.fhir.paths import Path, extension_path
from clinic.fhir.people_parts import LANGUAGE, ContactPoints, OwnPhoto, PersonNames
from clinic.models import AccessNeed, Gender, Patient, Practitioner, PractitionerRole, RelatedPerson

ACTIVE = Element(Path("active"), "active", flag(default=True))
IDENTIFIER = Element(Path("identifier"), "identifier", LIST)
PHONE = ContactPoints(
    Element(Path("telecom", ("system", "phone"), "value"), "phone", text(50)), ("phone", "sms"), contacts.phone_of
)
TIME_ZONE = Element(extension_path(codes.TIMEZONE, "valueCode"), "timezone", ZONE)
SPECIALTY = Element(Path("specialty"), "specialty", LIST)


PERSON = (
    ACTIVE,
    IDENTIFIER,
    PersonNames(
        (
            Element(Path("name", 0, "family"), "family", text(200)),
            Element(Path("name", 0, "given"), "given", words(200)),
            Element(Path("name", 0, "prefix"), "prefix", words(50)),
        )
    ),
    Element(Path("gender"), "gender", code(Gender)),
    Element(Path("birthDate"), "birth_date", DATE),
    PHONE,
    ContactPoints(
        Element(Path("telecom", ("system", "email"), "value"), "email", EMAIL), ("email",), contacts.email_of
    ),
)
PRACTITIONER = (
    *PERSON,
    TIME_ZONE,
    Element(Path("communication"), "communication", LIST),
    Element(extension_path(codes.ABOUT, "valueString"), "about", text()),
    OwnPhoto(),
)
PATIENT = (
    *PERSON,
    LANGUAGE,
    Element(extension_path(codes.RETURNING, "valueBoolean"), "returning", flag(default=False)),
    Element(extension_path(codes.INTERPRETER_REQUIRED, "valueBoolean"), "interpreter_required", flag(default=False)),
    Element(extension_path(codes.INTERPRETER_LANGUAGE, "valueCode"), "interpreter_language", text(10)),
    ConceptExtensions(
        Path("extension"),
        "needs",
        LIST,
        url=codes.DISABILITY,
        codings={need: (codes.ACCESS_NEED, need.value) for need in AccessNeed},
    ),
    TextExtension(Path("extension"), "other_needs", text(), url=codes.DISABILITY),
)
RELATED_PERSON = (
    *PERSON,
    ReferenceElement(Path("patient", "reference"), "patient", types=("Patient",), required=True),
    Element(Path("relationship"), "relationship", LIST),
    Element(
        extension_path(codes.CARER_ACCESS, "valueCode"),
        "access",
        Conversion(
            code(RelatedPerson.Access, RelatedPerson.Access.ALL).read,
            lambda value: None if value == RelatedPerson.Access.ALL else value,
        ),
    ),
    Element(extension_path(codes.KEEPS_ACCESS, "valueBoolean"), "keeps_access", flag(default=False)),
)
ROLE = (
    ACTIVE,
    IDENTIFIER,
    ReferenceElement(Path("practitioner", "reference"), "practitioner", types=("Practitioner",), required=True),
    ReferenceElement(Path("organization", "reference"), "organization", types=("Organization",)),
    ReferenceListElement(Path("location"), "locations", types=("Location",)),
    ReferenceListElement(Path("healthcareService"), "services", types=("HealthcareService",)),
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
