"""Search parameters of coverage, care teams, referrals, recalls, questionnaires, communication and audit."""

from dataclasses import replace

from api.search.audit import Subtype
from api.search.dates import Date, JsonDate
from api.search.links import Canonical, Link, OneOf
from api.search.quantities import Pair, Quantity
from api.search.strings import Text, Uri
from api.search.tables.common import IDENTIFIED, PATIENT, SUBJECT, Parameters, json_reference
from api.search.tokens import Code, Coding, Concept, Contact, Identifier, MappedCode, Token
from clinic.fhir import codes
from clinic.fhir.communication import EVENTS, MEDIA
from clinic.models import CareTeam

BENEFICIARY = Link(column="beneficiary", types=("Patient",), element="beneficiary")
PAYERS = ("Organization", "Patient", "RelatedPerson")
MEMBERS = ("Practitioner", "PractitionerRole", "RelatedPerson", "Patient", "Organization", "CareTeam")
REQUESTERS = ("Practitioner", "PractitionerRole", "Organization", "Patient", "RelatedPerson", "Device")
CONTEXT = "extra.useContext"

CARE: dict[str, Parameters] = {
    "Coverage": {
        **IDENTIFIED,
        "status": Token(column="status", system="http://hl7.org/fhir/fm-status"),
        "type": Concept(places=("type",)),
        "beneficiary": BENEFICIARY,
        "patient": BENEFICIARY,
        "subscriber": json_reference("extra.subscriber", "Patient", "RelatedPerson"),
        "policy-holder": json_reference("extra.policyHolder", "Patient", "RelatedPerson", "Organization"),
        "payor": json_reference("payor", *PAYERS),
        "dependent": Text(places=("extra.dependent",)),
        "class-type": Concept(places=("extra.class.type",), expression="class.type"),
        "class-value": Text(places=("extra.class.value",), expression="class.value"),
    },
    "CareTeam": {
        "identifier": Identifier(definition="clinical-identifier"),
        "status": Token(column="status", system="http://hl7.org/fhir/care-team-status"),
        "category": Concept(places=("extra.category",)),
        "date": JsonDate(place="extra.period", is_period=True, definition="clinical-date", expression="period"),
        "patient": replace(PATIENT, definition="clinical-patient"),
        "subject": SUBJECT,
        "participant": json_reference("participant.member", *MEMBERS, indexed=CareTeam),
        "encounter": json_reference("extra.encounter", "Encounter"),
    },
    "ServiceRequest": {
        **IDENTIFIED,
        "status": Token(column="status", system="http://hl7.org/fhir/request-status"),
        "intent": Token(column="intent", system="http://hl7.org/fhir/request-intent"),
        "patient": replace(PATIENT, definition="clinical-patient"),
        "subject": SUBJECT,
        "performer": Link(column="service", types=("HealthcareService",), element="performer"),
        "requester": json_reference("requester", *REQUESTERS),
        "authored": Date(column="authored", expression="authoredOn"),
        "category": Concept(places=("extra.category",)),
        "priority": Code(places=("extra.priority",), system="http://hl7.org/fhir/request-priority"),
        "based-on": json_reference("extra.basedOn", "CarePlan", "ServiceRequest"),
        "encounter": json_reference("extra.encounter", "Encounter"),
    },
    "Task": {
        "status": Token(column="status", system="http://hl7.org/fhir/task-status"),
        "patient": replace(PATIENT, element="for", expression="for.where(resolve() is Patient)"),
        "subject": replace(SUBJECT, element="for"),
        "focus": Link(column="service", types=("HealthcareService",), element="focus"),
        "based-on": Link(column="appointment", types=("Appointment",), element="basedOn"),
        "owner": Link(column="practitioner", types=("Practitioner",), element="owner"),
        "authored-on": Date(column="authored", expression="authoredOn"),
        "modified": Date(column="last_updated", expression="lastModified"),
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
        "date": JsonDate(place="extra.date"),
        "effective": JsonDate(place="extra.effectivePeriod", is_period=True, expression="effectivePeriod"),
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
        "author": json_reference("extra.author", *MEMBERS, "Device"),
        "source": json_reference("extra.source", "Patient", "Practitioner", "PractitionerRole", "RelatedPerson"),
        "based-on": json_reference("extra.basedOn", "CarePlan", "ServiceRequest"),
        "part-of": json_reference("extra.partOf", "Observation", "Procedure"),
        "encounter": json_reference("extra.encounter", "Encounter"),
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
        "category": MappedCode(column="event", codes=EVENTS),
        "medium": MappedCode(column="medium", codes=MEDIA),
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
