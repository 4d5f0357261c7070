"""Resources with all elements that FHIR allows, and helpers to read them into rows and write them again."""

from datetime import datetime

from clinic.fhir import codes
from clinic.fhir.resources import RESOURCES, References, to_fhir
from tests.factories import (
    AppointmentFactory,
    DeviceFactory,
    LocationFactory,
    OrganizationFactory,
    PatientFactory,
    PractitionerFactory,
    QuestionnaireFactory,
    RelatedPersonFactory,
    RoleFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
    concept,
    save,
)

ZONE = {"url": codes.TIMEZONE, "valueCode": "America/New_York"}
COLOUR = {"url": f"{codes.MEDPLUM}/StructureDefinition/SchedulingColor", "valueCode": "teal"}
VISIT = {"url": codes.SERVICE_TYPE_REFERENCE, "valueReference": {"reference": "HealthcareService/visit"}}
APPOINTMENT = {"url": codes.APPOINTMENT, "valueReference": {"reference": "Appointment/visit", "display": "Monday"}}
IDENTIFIER = {"system": "urn:clinic", "value": "7", "use": "official", "period": {"start": "2020"}}
ANYTHING = {
    "language": "en",
    "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">Hello</div>'},
    "contained": [{"resourceType": "Organization", "id": "inner", "name": "Inner"}],
    "meta": {
        "extension": [{"url": "http://example.org/inner", "valueReference": {"reference": "#inner"}}],
        "profile": ["http://example.org/profile"],
        "tag": [{"system": "urn:tags", "code": "a"}],
    },
}
PERSON = {
    **ANYTHING,
    "active": True,
    "identifier": [IDENTIFIER, {"type": concept("MR", "Medical record number"), "value": "8"}],
    "name": [
        {"use": "official", "family": "Quinn", "_family": {"id": "f"}, "given": ["Ada Mae", "B."], "prefix": ["Dr."]},
        {"use": "nickname", "given": ["Addy"]},
        {"family": "Before", "period": {"end": "2001"}},
    ],
    "telecom": [
        {"system": "email", "value": "not an address", "use": "work"},
        {"system": "fax", "value": "1"},
        {"system": "phone", "value": "+1 555 0100", "rank": 2},
        {"system": "phone", "value": "+1 555 0101"},
        {"system": "email", "value": "ada@example.com"},
    ],
    "gender": "female",
    "birthDate": "1980-05",
    "_birthDate": {"extension": [{"url": "http://example.org/precise", "valueBoolean": False}]},
    "address": [{"line": ["1 Main St", "2nd floor"], "city": "Boston"}],
}
RICH = [
    {**ANYTHING, "resourceType": "Organization", "name": "Riverside", "alias": ["River"], "address": [{"city": "X"}]},
    {"resourceType": "Organization", "active": True, "name": "Riverside", "identifier": [IDENTIFIER]},
    {
        **ANYTHING,
        "resourceType": "Location",
        "status": "active",
        "name": "Room 7",
        "extension": [COLOUR, ZONE],
        "partOf": {"reference": "Location/site/_history/2", "display": "Main building"},
        "managingOrganization": {"reference": "Organization/org"},
        "address": {"use": "work", "line": ["1 Main St", "2nd floor"], "city": "Boston", "postalCode": "02101"},
        "telecom": [{"system": "phone", "value": "1"}],
        "position": {"longitude": -71.1, "latitude": 42.4, "altitude": 9},
    },
    {
        **ANYTHING,
        "resourceType": "InsurancePlan",
        "status": "active",
        "name": "Gold",
        "ownedBy": {"reference": "Organization/org", "display": "Acme Health"},
        "extension": [{"url": codes.ACCEPTED_AT_SITE, "valueReference": {"reference": "Location/site"}}],
    },
    {"resourceType": "Location", "name": "Null Island", "position": {"longitude": 0, "latitude": 0}},
    {"resourceType": "Location", "name": "Site", "managingOrganization": {"display": "Somebody"}},
    {"resourceType": "Practitioner", **PERSON, "extension": [ZONE], "qualification": [{"code": {"text": "MD"}}]},
    {
        "resourceType": "Practitioner",
        "name": [{"family": "Chen", "given": ["Mei"]}],
        "communication": [concept("es", "Spanish", codes.LANGUAGE), {"text": "Mandarin"}],
    },
    {
        "resourceType": "PractitionerRole",
        "practitioner": {"reference": "Practitioner/chen", "display": "Dr. Chen"},
        "organization": {"reference": "#inner"},
        "contained": [{"resourceType": "Organization", "id": "inner", "name": "Inner"}],
        "location": [{"reference": "Location/site", "display": "Main"}, {"reference": "Location/room"}],
        "healthcareService": [{"reference": "HealthcareService/visit"}],
        "specialty": [concept("394582007", "Dermatology")],
        "availableTime": [{"daysOfWeek": ["mon"], "allDay": True}],
        "extension": [ZONE],
    },
    {
        "resourceType": "Device",
        "deviceName": [
            {"name": "GE Logiq", "type": "manufacturer-name"},
            {"name": "Ultrasound", "type": "user-friendly-name"},
        ],
        "location": {"reference": "Location/room"},
        "extension": [ZONE],
    },
    {
        "resourceType": "Questionnaire",
        "status": "active",
        "url": "https://example.org/q",
        "title": "Before",
        "item": [{"linkId": "1", "type": "group", "item": [{"linkId": "1.1", "type": "string", "text": "?"}]}],
    },
    {
        **ANYTHING,
        "resourceType": "HealthcareService",
        "active": False,
        "name": "Visit",
        "type": [concept("visit", "Visit"), {"text": "Also"}],
        "specialty": [concept("394582007", "Dermatology")],
        "providedBy": {"reference": "Organization/org", "display": "Riverside"},
        "location": [{"reference": "Location/room"}, {"reference": "Location/site"}],
        "category": [{"text": "Category"}],
        "comment": "Bring *nothing*.",
        "extraDetails": "Do not eat for six hours.",
        "eligibility": [
            {"code": {"coding": [{"system": codes.ELIGIBILITY, "code": "new"}]}, "comment": "Never seen before"},
            {"code": {"text": "Residents of the town"}},
        ],
        "availableTime": [
            {"daysOfWeek": ["mon", "tue"], "availableStartTime": "09:00:00", "availableEndTime": "17:00:00"},
            {"daysOfWeek": ["wed"]},
        ],
        "notAvailable": [{"description": "Christmas", "during": {"start": "2026-12-25", "end": "2026-12-26"}}],
        "extension": [
            COLOUR,
            {"url": codes.REQUIRES, "valueCode": "Practitioner"},
            {
                "url": codes.SCHEDULING_PARAMETERS,
                "extension": [
                    {"url": "duration", "valueDuration": {"value": 0.5, "unit": "h"}},
                    {
                        "url": "bookingLimit",
                        "valueTiming": {"repeat": {"frequency": 8, "period": 1, "periodUnit": "d"}},
                    },
                    {"url": "alignmentInterval", "valueDuration": {"value": 0, "unit": "min"}},
                ],
            },
            {"url": codes.REQUIRES, "valueCode": "Location"},
            {"url": codes.MINIMUM_NOTICE, "valueDuration": {"value": 2, "unit": "h"}},
            {"url": codes.CANCELLATION_NOTICE, "valueDuration": {"value": 1440, "unit": "min"}},
            {"url": codes.BOOKING_HORIZON_DAYS, "valueUnsignedInt": 90},
            {"url": codes.BOOKABLE_BY, "valueCode": "staff"},
            {
                "url": codes.APPOINTMENT_TYPE,
                "valueCoding": {"system": "http://hl7.org/fhir/v2/0276", "code": "WALKIN", "display": "Walk in"},
            },
            {"url": codes.TELEHEALTH, "valueBoolean": True},
            {"url": codes.QUESTIONNAIRE, "valueReference": {"reference": "Questionnaire/form"}},
            {"url": codes.REQUIRES_QUESTIONNAIRES, "valueBoolean": True},
            {"url": codes.REQUIRES_COVERAGE, "valueBoolean": False},
            {"url": codes.REQUIRES_CARE_TEAM, "valueBoolean": True},
            {"url": codes.REMINDER, "valueDuration": {"value": 1, "unit": "wk"}},
            {"url": codes.REMINDER, "valueDuration": {"value": 90, "unit": "min"}},
        ],
    },
    {"resourceType": "Patient", **PERSON, "maritalStatus": {"text": "M"}, "deceasedBoolean": False},
    {
        "resourceType": "HealthcareService",
        "name": "Nobody is reminded",
        "extension": [{"url": codes.REMINDER, "valueCode": "none"}],
    },
    {
        "resourceType": "Patient",
        "communication": [
            {"language": concept("es", "Spanish", codes.LANGUAGE), "preferred": True},
            {"language": {"coding": [{"system": codes.LANGUAGE, "code": "en"}]}, "preferred": False},
        ],
    },
    {
        "resourceType": "Patient",
        "communication": [{"language": {"coding": [{"system": codes.LANGUAGE, "code": "es"}]}, "preferred": True}],
    },
    {"resourceType": "Patient", "communication": [{"language": {"text": "Sign language"}, "preferred": True}]},
    {
        "resourceType": "Patient",
        "extension": [
            {
                "url": codes.DISABILITY,
                "valueCodeableConcept": concept("15188001", "Deaf", "http://snomed.info/sct"),
            },
            {
                "url": codes.DISABILITY,
                "valueCodeableConcept": concept("hearing", "Hearing", codes.ACCESS_NEED),
            },
            {"url": codes.DISABILITY, "valueCodeableConcept": {"text": "I read lips."}},
            {"url": codes.INTERPRETER_REQUIRED, "valueBoolean": False},
        ],
    },
    {
        "resourceType": "Location",
        "name": "Step-free",
        "extension": [
            {
                "url": codes.CHARACTERISTIC,
                "valueCodeableConcept": concept("wheelchair", "Wheelchair accessible", codes.LOCATION_CHARACTERISTIC),
            },
            {
                "url": codes.CHARACTERISTIC,
                "valueCodeableConcept": concept("has-icu", "ICU", codes.LOCATION_CHARACTERISTIC),
            },
        ],
    },
    {
        "resourceType": "RelatedPerson",
        **PERSON,
        "patient": {"reference": "Patient/ada", "display": "Ada"},
        "relationship": [concept("MTH", "mother", "http://terminology.hl7.org/CodeSystem/v3-RoleCode")],
        "communication": [{"language": {"text": "Spanish"}, "preferred": True}],
        "period": {"start": "2020"},
    },
    {
        **ANYTHING,
        "resourceType": "Coverage",
        "status": "active",
        "identifier": [IDENTIFIER],
        "type": concept("EHCPOL", "Extended healthcare"),
        "subscriberId": "M-1",
        "subscriber": {"reference": "Patient/elsewhere"},
        "beneficiary": {"reference": "Patient/ada", "display": "Ada"},
        "relationship": {"text": "self"},
        "period": {"start": "2025", "end": "2026-02"},
        "payor": [{"reference": "Organization/org", "display": "Riverside"}, {"display": "Ada herself"}],
        "class": [{"type": {"text": "group"}, "value": "CBI35"}],
    },
    {
        "resourceType": "Coverage",
        "status": "cancelled",
        "beneficiary": {"reference": "Patient/ada"},
        "period": {"start": "2026-01-01T00:00:00-05:00", "end": "9999-12-31"},
        "payor": [{"reference": "#inner"}],
        "contained": [{"resourceType": "Organization", "id": "inner", "name": "Inner"}],
    },
    {
        **ANYTHING,
        "resourceType": "CareTeam",
        "identifier": [IDENTIFIER],
        "status": "suspended",
        "name": "Knees",
        "subject": {"reference": "Patient/ada"},
        "participant": [
            {"member": {"reference": "Practitioner/chen"}, "role": [{"text": "Lead"}], "period": {"start": "2025"}},
            {"member": {"reference": "PractitionerRole/role"}, "onBehalfOf": {"reference": "Organization/org"}},
            {"member": {"reference": "RelatedPerson/grace"}},
            {"member": {"display": "A neighbour"}},
        ],
        "category": [{"text": "Longitudinal"}],
    },
    {"resourceType": "CareTeam", "name": "Of nobody yet"},
    {
        **ANYTHING,
        "resourceType": "ServiceRequest",
        "identifier": [IDENTIFIER],
        "status": "active",
        "intent": "order",
        "priority": "urgent",
        "code": concept("103696004", "Patient referral to specialist"),
        "subject": {"reference": "Patient/ada", "display": "Ada Quinn"},
        "authoredOn": "2026-01-05",
        "requester": {"reference": "Practitioner/chen", "display": "Dr. Chen"},
        "performer": [{"reference": "HealthcareService/visit", "display": "Visit"}, {"display": "Anybody"}],
        "reasonCode": [{**concept("95320005", "Disorder of skin"), "text": "A mole"}, {"text": "Itches"}],
        "occurrencePeriod": {"start": "2026-01", "end": "2026-03-31"},
        "supportingInfo": [{"reference": "#inner"}],
        "note": [{"text": "Please soon"}],
    },
    {
        "resourceType": "ServiceRequest",
        "status": "revoked",
        "intent": "plan",
        "subject": {"extension": [{"url": codes.DATA_ABSENT_REASON, "valueCode": "unknown"}]},
    },
    {"resourceType": "Patient", "telecom": [{"system": "phone", "value": "1"}, {"system": "email", "value": "a@b.ch"}]},
    {
        "resourceType": "Schedule",
        "actor": [{"reference": "Practitioner/chen", "display": "Dr. Chen"}],
        "serviceType": [{**concept("visit", "Visit"), "extension": [VISIT]}, {"text": "Other"}],
        "specialty": [concept("394582007", "Dermatology")],
        "planningHorizon": {"start": "2026-01", "end": "2026-12-31"},
        "comment": "Dr. Chen, mornings",
        "extension": [
            {"url": codes.SITE, "valueReference": {"reference": "Location/site"}},
            {
                "url": codes.SCHEDULING_PARAMETERS,
                "extension": [
                    {"url": "service", "valueReference": {"reference": "HealthcareService/visit"}},
                    {"url": "timezone", "valueCode": "Europe/London"},
                ],
            },
            {"url": codes.MEETING_URL, "valueUrl": "https://meet.example/chen"},
            COLOUR,
        ],
    },
    {
        "resourceType": "Schedule",
        "active": False,
        "actor": [{"reference": "PractitionerRole/role"}],
        "serviceType": [
            {"coding": [{"system": codes.SERVICE_TYPE_SYSTEM, "code": "all"}], "text": "All service types"}
        ],
    },
    {"resourceType": "Schedule", "actor": [{"reference": "Location/room"}]},
    {"resourceType": "Schedule", "actor": [{"reference": "Device/device"}]},
    {
        **ANYTHING,
        "resourceType": "Slot",
        "schedule": {"reference": "Schedule/calendar", "display": "Dr. Chen"},
        "status": "free",
        "start": "2026-01-05T09:00:00-05:00",
        "end": "2026-01-05T14:30:00.500Z",
        "comment": "Walk in",
        "serviceType": [concept("visit", "Visit")],
        "identifier": [IDENTIFIER],
        "overbooked": False,
    },
    {
        **ANYTHING,
        "resourceType": "Appointment",
        "status": "cancelled",
        "cancelationReason": concept("pat", "Patient"),
        "serviceType": [{**concept("visit", "Visit"), "extension": [VISIT]}],
        "start": "2026-01-05T14:00:00Z",
        "end": "2026-01-05T14:30:00Z",
        "created": "2026-01-01T00:00:00Z",
        "minutesDuration": 30,
        "comment": "Hello",
        "priority": 5,
        "participant": [
            {"actor": {"reference": "Patient/ada", "display": "Ada"}, "status": "accepted", "required": "required"},
            {"actor": {"reference": "RelatedPerson/unknown-here"}, "status": "tentative"},
            {"type": [concept("PPRF", "primary", codes.PARTICIPATION_TYPE)], "status": "needs-action"},
        ],
        "requestedPeriod": [{"start": "2026-01-05", "end": "2026-01-09"}, {"start": "2026-02"}],
        "identifier": [IDENTIFIER],
        "extension": [COLOUR],
    },
    {
        **ANYTHING,
        "resourceType": "QuestionnaireResponse",
        "identifier": IDENTIFIER,
        "status": "amended",
        "questionnaire": "https://example.org/form|2.1",
        "subject": {"reference": "Patient/ada", "display": "Ada"},
        "authored": "2026-01-04T09:00:00-05:00",
        "author": {"reference": "Patient/ada"},
        "item": [{"linkId": "1", "text": "Why?", "answer": [{"valueString": "A rash"}]}],
        "extension": [COLOUR, APPOINTMENT],
    },
    {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "questionnaire": "https://elsewhere.example/form",
        "authored": "2026-01",
        "item": [{"linkId": "whatever"}],
    },
    {"resourceType": "QuestionnaireResponse", "status": "in-progress", "questionnaire": "Questionnaire/form"},
    {"resourceType": "QuestionnaireResponse", "status": "in-progress", "questionnaire": "https://example.org/form"},
    {
        **ANYTHING,
        "resourceType": "Encounter",
        "identifier": [IDENTIFIER],
        "status": "finished",
        "statusHistory": [{"status": "arrived", "period": {"start": "2026-01-05T13:55:00Z"}}],
        "class": {"system": codes.ACT_CODE, "code": "AMB", "display": "ambulatory"},
        "subject": {"reference": "Patient/ada"},
        "appointment": [{"reference": "Appointment/visit", "display": "Monday"}, {"reference": "Appointment/other"}],
        "serviceType": {**concept("visit", "Visit"), "extension": [VISIT]},
        "period": {"start": "2026-01-05T14:00:00.000Z", "end": "2026-01-05"},
        "participant": [
            {"individual": {"reference": "Practitioner/chen", "display": "Dr. Chen"}},
            {"type": [{"text": "interpreter"}]},
        ],
        "reasonCode": [{"text": "A rash"}],
    },
    {
        "resourceType": "Encounter",
        "status": "in-progress",
        "class": {"system": codes.ACT_CODE, "code": "EMER"},
        "serviceType": concept("visit", "Visit"),
    },
    {"resourceType": "Encounter", "status": "planned", "class": {"code": "home", "userSelected": True}},
    {
        **ANYTHING,
        "resourceType": "Subscription",
        "status": "active",
        "contact": [{"system": "email", "value": "it@example.org"}],
        "end": "2027-01-01T00:00:00.000Z",
        "reason": "To keep free times fresh",
        "criteria": "Slot?schedule.actor=Practitioner/chen",
        "_criteria": {"extension": [{"url": "https://example.org/focus", "valueCode": "Slot"}]},
        "channel": {
            "extension": [{"url": "https://example.org/profile", "valueUri": "https://example.org/schedule"}],
            "type": "rest-hook",
            "endpoint": "https://example.org/hook",
            "payload": "application/fhir+json",
        },
    },
    {
        "resourceType": "Subscription",
        "status": "error",
        "reason": "x",
        "criteria": "Schedule?",
        "error": "Given up",
        "channel": {"type": "rest-hook", "endpoint": "https://example.org/hook"},
    },
]
PLANNED = next(each for each in RICH if each["resourceType"] == "Appointment")


def everybody():
    """Create the rows to which the resources above refer."""
    org = OrganizationFactory(fhir_id="org")
    site = LocationFactory(fhir_id="site")
    chen = PractitionerFactory(fhir_id="chen")
    visit = ServiceFactory(fhir_id="visit")
    room = RoomFactory(fhir_id="room", part_of=site)
    rows = [
        org,
        site,
        room,
        chen,
        visit,
        DeviceFactory(fhir_id="device", location=room),
        RoleFactory(fhir_id="role", practitioner=chen, organization=org, locations=[room]),
        PatientFactory(fhir_id="ada"),
        RelatedPersonFactory(fhir_id="grace"),
        QuestionnaireFactory(fhir_id="form", url="https://example.org/form"),
        AppointmentFactory(fhir_id="visit"),
        ScheduleFactory(fhir_id="calendar", actor=chen, services=[visit]),
    ]
    return References.load(row.reference for row in rows)


def there_and_back(resource, refs):
    kind = resource["resourceType"]
    row = save(RESOURCES[kind].from_fhir(resource, refs), kind)
    return row, to_fhir(row)


def sent(resource):
    """Return the resource without id, version and time of change, and with its instants parsed."""
    rest = {name: value for name, value in resource.items() if name != "id"}
    meta = {name: value for name, value in rest.pop("meta", {}).items() if name not in ("versionId", "lastUpdated")}
    if meta:
        rest["meta"] = meta
    return rest | {name: datetime.fromisoformat(rest[name]) for name in ("start", "end") if name in rest}
