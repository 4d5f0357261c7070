"""Search parameters of coverage, care teams, questionnaires, communication and audit."""

from dataclasses import replace

from api.search.audit import Subtype
from api.search.dates import Date, Said
from api.search.links import Canonical, Link, OneOf
from api.search.quantities import Pair, Quantity
from api.search.strings import Text, Uri
from api.search.tables.common import IDENTIFIED, PATIENT, SUBJECT, Parameters, written
from api.search.tokens import Code, Coding, Concept, Contact, Identifier, Shown, Token
from clinic.fhir import codes
from clinic.fhir.communication import EVENTS, MEDIA
from clinic.models import CareTeam

BENEFICIARY = Link(column="beneficiary", types=("Patient",), element="beneficiary")
PAYERS = ("Organization", "Patient", "RelatedPerson")
MEMBERS = ("Practitioner", "PractitionerRole", "RelatedPerson", "Patient", "Organization", "CareTeam")
CONTEXT = "extra.useContext"

CARE: dict[str, Parameters] = {
    "Coverage": {
        **IDENTIFIED,
        "status": Token(column="status", system="http://hl7.org/fhir/fm-status"),
        "type": Concept(places=("type",)),
        "beneficiary": BENEFICIARY,
        "patient": BENEFICIARY,
        "subscriber": written("extra.subscriber", "Patient", "RelatedPerson"),
        "policy-holder": written("extra.policyHolder", "Patient", "RelatedPerson", "Organization"),
        "payor": written("payor", *PAYERS),
        "dependent": Text(places=("extra.dependent",)),
        "class-type": Concept(places=("extra.class.type",), expression="class.type"),
        "class-value": Text(places=("extra.class.value",), expression="class.value"),
    },
    "CareTeam": {
        "identifier": Identifier(definition="clinical-identifier"),
        "status": Token(column="status", system="http://hl7.org/fhir/care-team-status"),
        "category": Concept(places=("extra.category",)),
        "date": Said(place="extra.period", is_period=True, definition="clinical-date", expression="period"),
        "patient": replace(PATIENT, definition="clinical-patient"),
        "subject": SUBJECT,
        "participant": written("participant.member", *MEMBERS, indexed=CareTeam),
        "encounter": written("extra.encounter", "Encounter"),
    },
    "Questionnaire": {
        **IDENTIFIED,
        "status": Token(column="status", system="http://hl7.org/fhir/publication-status"),
        "url": Uri(column="url"),
        "version": Code(places=("extra.version",)),
        "name": Text(columns=("name",)),
        "title": Text(columns=("title",)),
        "description": Text(places=("extra.description",)),
        "publisher": Text(places=("extra.publisher",)),
        "date": Said(place="extra.date"),
        "effective": Said(place="extra.effectivePeriod", is_period=True, expression="effectivePeriod"),
        "code": Coding(places=("item.code",), expression="item.code"),
        "definition": Uri(place="item.definition", expression="item.definition"),
        "subject-type": Code(places=("extra.subjectType",), system="http://hl7.org/fhir/resource-types"),
        "jurisdiction": Concept(places=("extra.jurisdiction",)),
        "context": Concept(
            places=(f"{CONTEXT}.valueCodeableConcept",), expression="useContext.value as CodeableConcept"
        ),
        "context-type": Coding(places=(f"{CONTEXT}.code",), expression="useContext.code"),
        "context-quantity": Quantity(
            place=f"{CONTEXT}.valueQuantity", expression="useContext.value as Quantity | useContext.value as Range"
        ),
        "context-type-value": Pair(place=CONTEXT, code="code", concept="valueCodeableConcept", expression="useContext"),
        "context-type-quantity": Pair(place=CONTEXT, code="code", quantity="valueQuantity", expression="useContext"),
    },
    "QuestionnaireResponse": {
        "identifier": Identifier(places=("extra.identifier",)),
        "status": Token(column="status", system="http://hl7.org/fhir/questionnaire-answers-status"),
        "patient": PATIENT,
        "subject": SUBJECT,
        "questionnaire": Canonical(column="questionnaire", element="questionnaire"),
        "authored": Date(column="authored"),
        "author": written("extra.author", *MEMBERS, "Device"),
        "source": written("extra.source", "Patient", "Practitioner", "PractitionerRole", "RelatedPerson"),
        "based-on": written("extra.basedOn", "CarePlan", "ServiceRequest"),
        "part-of": written("extra.partOf", "Observation", "Procedure"),
        "encounter": written("extra.encounter", "Encounter"),
        "appointment": Link(
            column="appointment",
            types=("Appointment",),
            element="extension.valueReference",
            expression=f"extension.where(url='{codes.APPOINTMENT}').value",
            ours=True,
            description="The visit that the answers are for.",
        ),
    },
    "Communication": {
        "status": Token(column="status", system="http://hl7.org/fhir/event-status"),
        "category": Shown(column="event", codes=EVENTS),
        "medium": Shown(column="medium", codes=MEDIA),
        "patient": PATIENT,
        "subject": SUBJECT,
        "recipient": replace(SUBJECT, element="recipient"),
        "sent": Date(column="sent"),
        "received": Date(column="received"),
        "about": Link(
            column="appointment",
            types=("Appointment",),
            element="about",
            ours=True,
            description="The visit that the message is about.",
        ),
    },
    "AuditEvent": {
        "date": Date(column="recorded", expression="recorded"),
        "action": Token(column="action", system="http://hl7.org/fhir/audit-event-action"),
        "subtype": Subtype(column="subtype"),
        "patient": Link(
            column="patient",
            types=("Patient",),
            element="entity.what",
            expression="agent.who.where(resolve() is Patient) | entity.what.where(resolve() is Patient)",
        ),
        "entity": OneOf(
            columns={"Appointment": "appointment", "Patient": "patient"},
            types=("Appointment", "Patient"),
            element="entity.what",
        ),
    },
    "Subscription": {
        "status": Token(column="status", system="http://hl7.org/fhir/subscription-status"),
        "criteria": Text(columns=("criteria",)),
        "type": Token(
            column="channel_type", system="http://hl7.org/fhir/subscription-channel-type", expression="channel.type"
        ),
        "payload": Token(column="payload", expression="channel.payload"),
        "url": Uri(column="endpoint", expression="channel.endpoint"),
        "contact": Contact(place="extra.contact", columns=(), definition="Subscription-contact"),
    },
}
