"""Search parameters of practitioners, roles, patients and related persons."""

from dataclasses import replace

from api.search.dates import JsonDate
from api.search.links import Link, ManyLinks
from api.search.strings import Name
from api.search.tables.common import (
    ACTIVE,
    BIRTH_DATE,
    ENDPOINT,
    INDIVIDUAL,
    LANGUAGE,
    ORGANIZATION,
    PERSON,
    SPECIALTY,
    SUBJECT,
    TELECOM,
    Parameters,
    json_reference,
)
from api.search.tokens import Concept, Deceased
from clinic.models import Patient, PractitionerRole

PEOPLE: dict[str, Parameters] = {
    "Practitioner": {
        **PERSON,
        "communication": Concept(places=("communication",)),
        "qualification-code": Concept(
            places=("extra.qualification.code",),
            expression="qualification.code",
            ours=True,
            description="A credential that the practitioner has.",
        ),
    },
    "PractitionerRole": {
        **ACTIVE,
        **SPECIALTY,
        **ENDPOINT,
        "role": Concept(places=("extra.code",), expression="code"),
        "date": JsonDate(place="extra.period", is_period=True, expression="period"),
        "practitioner": Link(column="practitioner", types=("Practitioner",), element="practitioner"),
        "organization": replace(ORGANIZATION, element="organization"),
        "location": ManyLinks(model=PractitionerRole, column="locations", types=("Location",), element="location"),
        "service": ManyLinks(
            model=PractitionerRole, column="services", types=("HealthcareService",), element="healthcareService"
        ),
        **{name: replace(each, columns=()) for name, each in TELECOM.items()},
    },
    "Patient": {
        **PERSON,
        **{name: Name(**vars(PERSON[name]), model=Patient) for name in ("name", "family", "given", "phonetic")},
        "birthdate": BIRTH_DATE,
        "language": LANGUAGE,
        "death-date": JsonDate(place="extra.deceasedDateTime", expression="deceased as dateTime"),
        "deceased": Deceased(expression="deceased.exists() and Patient.deceased != false"),
        "general-practitioner": json_reference(
            "extra.generalPractitioner", "Practitioner", "PractitionerRole", "Organization"
        ),
        "link": json_reference("extra.link.other", "Patient", "RelatedPerson"),
        "organization": json_reference("extra.managingOrganization", "Organization"),
    },
    "RelatedPerson": {
        **INDIVIDUAL,
        "birthdate": BIRTH_DATE,
        "patient": replace(SUBJECT, element="patient"),
        "relationship": Concept(places=("relationship",)),
    },
}
