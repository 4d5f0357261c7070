"""What can be searched for: https://hl7.org/fhir/R4/searchparameter-registry.html

The one list: searches read it, and so does the CapabilityStatement.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from clinic.fhir import codes
from clinic.fhir.communication import EVENTS, MEDIA
from clinic.models import Appointment, HealthcareService, PractitionerRole, Schedule
from scheduling.api.search.kinds import (
    Coded,
    Concept,
    Contact,
    Date,
    Flag,
    Identifier,
    Parameter,
    Period,
    ServiceType,
    Text,
    Token,
    Uri,
)
from scheduling.api.search.references import Canonical, Link, Listed, ManyLinks, Participant, ScheduleActor, TakenSlot

GENDER = "http://hl7.org/fhir/administrative-gender"
ACTORS = ("Practitioner", "PractitionerRole", "Location", "Device", "HealthcareService", "Patient")


@dataclass(frozen=True)
class Searchable:
    """The search parameters of one type, and the columns by which it can be sorted."""

    parameters: Mapping[str, Parameter]
    sort: Mapping[str, str] = field(default_factory=dict)


EVERY: dict[str, Parameter] = {
    "_id": Token(column="fhir_id", definition="Resource-id"),
    "_lastUpdated": Date(column="last_updated", definition="Resource-lastUpdated"),
}
EVERY_SORT = {"_id": "fhir_id", "_lastUpdated": "last_updated"}

IDENTIFIED: dict[str, Parameter] = {"identifier": Identifier()}
ACTIVE: dict[str, Parameter] = {**IDENTIFIED, "active": Flag(column="active")}
INDIVIDUAL: dict[str, Parameter] = {
    **ACTIVE,
    "name": Text(columns=("family", "given", "prefix")),
    "gender": Token(column="gender", system=GENDER, definition="individual-gender"),
    "email": Contact(column="email", definition="individual-email"),
    "phone": Contact(column="phone", definition="individual-phone"),
}
PERSON: dict[str, Parameter] = {
    **INDIVIDUAL,
    "family": Text(columns=("family",), definition="individual-family"),
    "given": Text(columns=("given",), definition="individual-given"),
}
LANGUAGE = Token(column="language", system=codes.LANGUAGE)
BIRTH_DATE = Date(column="birth_date", days=True, definition="individual-birthdate")
SPECIALTY: dict[str, Parameter] = {"specialty": Concept(places=("specialty",))}
IN_EXTRA: dict[str, Parameter] = {
    "service-category": Concept(places=("extra__serviceCategory",)),
    "specialty": Concept(places=("extra__specialty",)),
    "appointment-type": Concept(places=("extra__appointmentType",), many=False),
}
SUBJECT = Link(column="patient", types=("Patient",), element="subject")
EVENT_STATUS = "http://hl7.org/fhir/event-status"
PEOPLE = ("Practitioner", "PractitionerRole", "RelatedPerson")
ORGANIZATION = Link(column="organization", types=("Organization",))

TABLE: dict[str, Searchable] = {
    "Organization": Searchable({**ACTIVE, "name": Text(columns=("name",))}, {"name": "name"}),
    "Location": Searchable(
        {
            **IDENTIFIED,
            "name": Text(columns=("name",)),
            "status": Token(column="status", system="http://hl7.org/fhir/location-status"),
            "address": Text(columns=("line", "city", "state", "postal_code", "country")),
            "address-city": Text(columns=("city",)),
            "address-state": Text(columns=("state",)),
            "address-postalcode": Text(columns=("postal_code",)),
            "address-country": Text(columns=("country",)),
            "organization": replace(ORGANIZATION, element="managingOrganization"),
            "partof": Link(column="part_of", types=("Location",), element="partOf"),
        },
        {"name": "name"},
    ),
    "Practitioner": Searchable(PERSON, {"family": "family", "given": "given"}),
    "Questionnaire": Searchable(
        {
            **IDENTIFIED,
            "status": Token(column="status", system="http://hl7.org/fhir/publication-status"),
            "url": Uri(column="url"),
            "name": Text(columns=("name",)),
            "title": Text(columns=("title",)),
        },
        {"title": "title"},
    ),
    "HealthcareService": Searchable(
        {
            **ACTIVE,
            **SPECIALTY,
            "name": Text(columns=("name",)),
            "service-type": Concept(places=("type",)),
            "service-category": Concept(places=("extra__category",)),
            "organization": replace(ORGANIZATION, element="providedBy"),
            "location": ManyLinks(model=HealthcareService, column="locations", types=("Location",), element="location"),
        },
        {"name": "name"},
    ),
    "PractitionerRole": Searchable(
        {
            **ACTIVE,
            **SPECIALTY,
            "role": Concept(places=("extra__code",)),
            "practitioner": Link(column="practitioner", types=("Practitioner",), element="practitioner"),
            "organization": replace(ORGANIZATION, element="organization"),
            "location": ManyLinks(model=PractitionerRole, column="locations", types=("Location",), element="location"),
            "service": ManyLinks(
                model=PractitionerRole, column="services", types=("HealthcareService",), element="healthcareService"
            ),
        }
    ),
    "Device": Searchable(
        {
            **IDENTIFIED,
            "device-name": Text(columns=("name",)),
            "status": Token(column="status", system="http://hl7.org/fhir/device-status"),
            "location": Link(column="location", types=("Location",), element="location"),
        }
    ),
    "Patient": Searchable(
        {**PERSON, "birthdate": BIRTH_DATE, "language": LANGUAGE},
        {"family": "family", "given": "given", "birthdate": "birth_date"},
    ),
    "RelatedPerson": Searchable(
        {
            **INDIVIDUAL,
            "birthdate": BIRTH_DATE,
            "patient": replace(SUBJECT, element="patient"),
            "relationship": Concept(places=("relationship",)),
        }
    ),
    "Coverage": Searchable(
        {
            **IDENTIFIED,
            "status": Token(column="status", system="http://hl7.org/fhir/fm-status"),
            "beneficiary": Link(column="beneficiary", types=("Patient",), element="beneficiary"),
            "patient": Link(column="beneficiary", types=("Patient",), element="beneficiary"),
            "payor": Listed(column="payor", types=("Organization", "Patient", "RelatedPerson"), element="payor"),
            "type": Concept(places=("type",), many=False),
        }
    ),
    "CareTeam": Searchable(
        {
            "identifier": Identifier(definition="clinical-identifier"),
            "status": Token(column="status", system="http://hl7.org/fhir/care-team-status"),
            "patient": replace(SUBJECT, definition="clinical-patient"),
            "subject": SUBJECT,
            "participant": Participant(
                types=(*PEOPLE, "Patient", "Organization", "CareTeam"), element="participant.member"
            ),
            "category": Concept(places=("extra__category",)),
        }
    ),
    "Schedule": Searchable(
        {
            **ACTIVE,
            **SPECIALTY,
            "actor": ScheduleActor(types=ACTORS, element="actor"),
            "date": Period(start="planning_start", end="planning_end"),
            "service-type": ServiceType(model=Schedule, services="services"),
            "service-category": IN_EXTRA["service-category"],
        }
    ),
    "Slot": Searchable(
        {
            **IDENTIFIED,
            **IN_EXTRA,
            "schedule": Link(column="schedule", types=("Schedule",), element="schedule"),
            "status": Token(column="status", system="http://hl7.org/fhir/slotstatus"),
            "start": Date(column="start"),
            "service-type": Concept(places=("service_type",)),
        },
        {"start": "start"},
    ),
    "Appointment": Searchable(
        {
            **IDENTIFIED,
            **IN_EXTRA,
            "status": Token(column="status", system="http://hl7.org/fhir/appointmentstatus"),
            "date": Date(column="start"),
            "actor": Participant(types=ACTORS),
            "patient": Participant(types=("Patient",)),
            "practitioner": Participant(types=("Practitioner",)),
            "location": Participant(types=("Location",)),
            "slot": TakenSlot(types=("Slot",), element="slot"),
            "service-type": ServiceType(model=Appointment, services="service"),
        },
        {"date": "start"},
    ),
    "QuestionnaireResponse": Searchable(
        {
            "identifier": Identifier(place="extra__identifier", many=False),
            "status": Token(column="status", system="http://hl7.org/fhir/questionnaire-answers-status"),
            "patient": SUBJECT,
            "subject": SUBJECT,
            "questionnaire": Canonical(column="questionnaire", types=("Questionnaire",)),
            "authored": Date(column="authored"),
        },
        {"authored": "authored"},
    ),
    "Encounter": Searchable(
        {
            "identifier": Identifier(definition="clinical-identifier"),
            "status": Token(column="status", system="http://hl7.org/fhir/encounter-status"),
            "class": Token(column="encounter_class", system=codes.ACT_CODE),
            "patient": replace(SUBJECT, definition="clinical-patient"),
            "subject": SUBJECT,
            "appointment": Link(column="appointment", types=("Appointment",), element="appointment"),
            "date": Period(start="start", end="end", definition="clinical-date"),
            "participant": Participant(types=PEOPLE, element="participant.individual"),
            "practitioner": Participant(types=("Practitioner",), element="participant.individual"),
        },
        {"date": "start"},
    ),
    "Communication": Searchable(
        {
            "status": Token(column="status", system=EVENT_STATUS),
            "category": Coded(column="event", codes=EVENTS),
            "medium": Coded(column="medium", codes=MEDIA),
            "patient": SUBJECT,
            "subject": SUBJECT,
            "recipient": replace(SUBJECT, element="recipient"),
            "sent": Date(column="sent"),
            "received": Date(column="received"),
        },
        {"sent": "sent", "received": "received"},
    ),
    "AuditEvent": Searchable(
        {
            "date": Date(column="recorded"),
            "action": Token(column="action", system="http://hl7.org/fhir/audit-event-action"),
            "patient": Link(column="patient", types=("Patient",)),
        },
        {"date": "recorded"},
    ),
}


def parameters_of(kind: str) -> dict[str, Parameter]:
    """By name, those of every type among them, each with the URL of its definition."""
    found = {**EVERY, **TABLE[kind].parameters}
    return {
        name: replace(each, definition=f"http://hl7.org/fhir/SearchParameter/{each.definition or f'{kind}-{name}'}")
        for name, each in found.items()
    }


def sorts_of(kind: str) -> dict[str, str]:
    """Columns, by the name to sort by."""
    return {**EVERY_SORT, **TABLE[kind].sort}
