"""FHIRPath expressions of FHIR R4's parameters: https://hl7.org/fhir/R4/searchparameter-registry.html"""

from clinic.fhir import codes

# Of every type: https://hl7.org/fhir/R4/search.html#all. What searches all words of a resource looks at no one element.
OF_EVERY = {
    "_id": "Resource.id",
    "_lastUpdated": "Resource.meta.lastUpdated",
    "_tag": "Resource.meta.tag",
    "_profile": "Resource.meta.profile",
    "_security": "Resource.meta.security",
    "_source": "Resource.meta.source",
    "_text": "",
    "_content": "",
}
ADDRESS = {
    "address-city": "address.city",
    "address-state": "address.state",
    "address-postalcode": "address.postalCode",
    "address-country": "address.country",
    "address-use": "address.use",
}
TELECOM = {"email": "telecom.where(system='email')", "phone": "telecom.where(system='phone')"}
PERSON = {
    **ADDRESS,
    **TELECOM,
    "phonetic": "name",
    "family": "name.family",
    "given": "name.given",
    "birthdate": "birthDate",
}
SUBJECT = {"patient": "subject.where(resolve() is Patient)"}
# By type and name, the elements; a parameter that is not here is called as its element is.
ELEMENTS: dict[str, dict[str, str]] = {
    "Organization": {**ADDRESS, "name": "name | alias", "phonetic": "name", "partof": "partOf"},
    "Location": {
        **ADDRESS,
        "name": "name | alias",
        "near": "position",
        "organization": "managingOrganization",
        "partof": "partOf",
    },
    "Practitioner": {**PERSON, "qualification-code": "qualification.code"},
    "Questionnaire": {
        "effective": "effectivePeriod",
        "code": "item.code",
        "definition": "item.definition",
        "context": "useContext.value as CodeableConcept",
        "context-type": "useContext.code",
        "context-quantity": "useContext.value as Quantity | useContext.value as Range",
        "context-type-value": "useContext",
        "context-type-quantity": "useContext",
    },
    "HealthcareService": {"service-type": "type", "service-category": "category", "organization": "providedBy"},
    "PractitionerRole": {**TELECOM, "role": "code", "date": "period", "service": "healthcareService"},
    "Device": {
        "device-name": "deviceName.name | type.coding.display | type.text",
        "model": "modelNumber",
        "udi-carrier": "udiCarrier.carrierHRF",
        "udi-di": "udiCarrier.deviceIdentifier",
        "organization": "owner",
    },
    "Patient": {
        **PERSON,
        "language": "communication.language",
        "death-date": "deceased as dateTime",
        "deceased": "deceased.exists() and Patient.deceased != false",
        "link": "link.other",
        "organization": "managingOrganization",
    },
    "RelatedPerson": PERSON,
    "Coverage": {"patient": "beneficiary", "class-type": "class.type", "class-value": "class.value"},
    "CareTeam": {**SUBJECT, "date": "period", "participant": "participant.member"},
    "Schedule": {
        "date": "planningHorizon",
        "location": f"extension.where(url='{codes.SITE}').value",
        # What is reached by following references, and no element.
        "practitioner": "",
        "service": "",
        "care-team": "",
    },
    "Appointment": {
        "date": "start",
        "actor": "participant.actor",
        "patient": "participant.actor.where(resolve() is Patient)",
        "practitioner": "participant.actor.where(resolve() is Practitioner)",
        "location": "participant.actor.where(resolve() is Location)",
        "part-status": "participant.status",
        "supporting-info": "supportingInformation",
    },
    "AppointmentResponse": {
        "part-status": "participantStatus",
        "patient": "actor.where(resolve() is Patient)",
        "practitioner": "actor.where(resolve() is Practitioner)",
        "location": "actor.where(resolve() is Location)",
    },
    "QuestionnaireResponse": {**SUBJECT, "appointment": f"extension.where(url='{codes.APPOINTMENT}').value"},
    "Encounter": {
        **SUBJECT,
        "date": "period",
        "participant": "participant.individual",
        "practitioner": "participant.individual.where(resolve() is Practitioner)",
        "participant-type": "participant.type",
        "location": "location.location",
    },
    "Subscription": {"type": "channel.type", "payload": "channel.payload", "url": "channel.endpoint"},
    "Communication": SUBJECT,
    "AuditEvent": {
        "date": "recorded",
        "patient": "agent.who.where(resolve() is Patient) | entity.what.where(resolve() is Patient)",
        "entity": "entity.what",
    },
}
# https://hl7.org/fhir/R4/valueset-search-xpath-usage.html, where it is not `normal`.
USAGE = {"near": "nearby", "phonetic": "phonetic"}


def expression(kind: str, name: str) -> str:
    """Return the elements that a parameter of a type searches; empty where FHIRPath cannot express it."""
    if name in OF_EVERY:
        return OF_EVERY[name]
    first, *words = name.split("-")
    elements = ELEMENTS.get(kind, {}).get(name, first + "".join(map(str.capitalize, words)))
    return " | ".join(_of(kind, each) for each in elements.split(" | ") if each)


def _of(kind: str, element: str) -> str:
    return f"({kind}.{element})" if " as " in element else f"{kind}.{element}"
