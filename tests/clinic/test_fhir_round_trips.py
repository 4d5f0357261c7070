"""What was sent comes back as it was sent, at its place."""

import copy
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic.fhir import codes
from clinic.fhir.resources import RESOURCES, References, to_fhir
from clinic.models import Patient
from tests.factories import (
    AppointmentFactory,
    CoverageFactory,
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
    "implicitRules": "http://example.org/rules",
    "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">Hello</div>'},
    "contained": [{"resourceType": "Organization", "id": "inner", "name": "Inner"}],
    "modifierExtension": [{"url": "http://example.org/modifier", "valueBoolean": True}],
    "meta": {"profile": ["http://example.org/profile"], "tag": [{"system": "urn:tags", "code": "a"}]},
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
                    {"url": "bookingLimit", "valueTiming": {"repeat": {"frequency": 8}}},
                    {"url": "alignmentInterval", "valueDuration": {"value": 0, "unit": "min"}},
                ],
            },
            {"url": codes.REQUIRES, "valueCode": "Location"},
            {"url": codes.MINIMUM_NOTICE, "valueDuration": {"value": 2, "unit": "h"}},
            {"url": codes.CANCELLATION_NOTICE, "valueDuration": {"value": 1440, "unit": "min"}},
            {"url": codes.BOOKING_HORIZON_DAYS, "valueUnsignedInt": 90},
            {"url": codes.BOOKABLE_BY, "valueCode": "staff"},
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
    """Those to whom the resources above refer."""
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
    """Without what the server says: id, version, time of change. Instants as instants."""
    rest = {name: value for name, value in resource.items() if name != "id"}
    meta = {name: value for name, value in rest.pop("meta", {}).items() if name not in ("versionId", "lastUpdated")}
    if meta:
        rest["meta"] = meta
    return rest | {name: datetime.fromisoformat(rest[name]) for name in ("start", "end") if name in rest}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "resource", [pytest.param(each, id=f"{each['resourceType']} {n}") for n, each in enumerate(RICH)]
)
def test_what_was_sent_comes_back(resource):
    before = copy.deepcopy(resource)
    row, back = there_and_back(resource, everybody())
    assert sent(back) == sent(resource)
    assert resource == before
    assert back["id"] == row.fhir_id
    assert back["meta"]["versionId"] == "1"


@pytest.mark.django_db
def test_an_id_that_was_chosen_is_kept():
    row, back = there_and_back({"resourceType": "Organization", "id": "riverside.1", "name": "R"}, References())
    assert row.fhir_id == back["id"] == "riverside.1"


@pytest.mark.django_db
def test_columns_are_not_repeated():
    """One truth: what a column can give back is in the column alone."""
    organization = {"resourceType": "Organization", "active": True, "name": "R", "identifier": [IDENTIFIER]}
    row, _ = there_and_back({**organization, "alias": ["River"]}, References())
    assert row.extra == {"alias": ["River"]}


@pytest.mark.django_db
def test_a_changed_column_is_shown_at_the_place_of_what_was_sent():
    row, _ = there_and_back({"resourceType": "Patient", **PERSON}, References())
    row.family, row.given, row.phone, row.email = "Quill", "Bea", "", "bea@example.com"
    back = to_fhir(row)
    assert back["name"][0] == {
        "use": "official",
        "_family": {"id": "f"},
        "family": "Quill",
        "given": ["Bea"],
        "prefix": ["Dr."],
    }
    assert back["name"][1:] == PERSON["name"][1:]
    assert back["telecom"][0] == {"system": "email", "value": "bea@example.com", "use": "work"}
    assert "value" not in back["telecom"][2]


@pytest.mark.django_db
def test_places_that_hold_nothing_close_up():
    names = [{"family": "Quinn"}, {"family": "Before"}]
    row, _ = there_and_back({"resourceType": "Patient", "name": names}, References())
    row.family = ""
    assert to_fhir(row)["name"] == [{"family": "Before"}]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("actor", "site"),
    [
        ("Location/room", "site"),
        ("Location/site", "site"),
        ("Device/device", "site"),
        ("PractitionerRole/role", "site"),
        ("Practitioner/chen", None),
    ],
)
def test_the_site_of_a_schedule_follows_from_its_actor(actor, site):
    row, back = there_and_back({"resourceType": "Schedule", "actor": [{"reference": actor}]}, everybody())
    assert (row.site and row.site.fhir_id) == site
    assert "extension" not in back


@pytest.mark.django_db
def test_a_planning_horizon_is_in_the_schedules_zone():
    london = next(each for each in RICH if each.get("comment") == "Dr. Chen, mornings")
    row, _ = there_and_back(london, everybody())
    assert row.planning_start.isoformat() == "2026-01-01T00:00:00+00:00"
    assert row.planning_end.isoformat() == "2027-01-01T00:00:00+00:00"
    new_york, _ = there_and_back({**london, "extension": [COLOUR]}, everybody_again())
    assert new_york.planning_start.isoformat() == "2026-01-01T05:00:00+00:00"
    row.planning_end = row.planning_start.replace(month=2)
    assert to_fhir(row)["planningHorizon"] == {"start": "2026-01-01T00:00:00Z", "end": "2026-02-01T00:00:00Z"}


def everybody_again():
    return References.load({"Practitioner/chen", "HealthcareService/visit", "Location/site"})


@pytest.mark.django_db
def test_an_appointment_knows_its_patient_and_its_service():
    row, _ = there_and_back(PLANNED, everybody())
    assert row.patient.fhir_id == "ada"
    assert row.service.fhir_id == "visit"


@pytest.mark.django_db
def test_when_a_hold_expires_is_not_for_clients_to_say():
    expires = {"url": codes.HOLD_EXPIRES, "valueInstant": "2030-01-01T00:00:00Z"}
    row, back = there_and_back({**PLANNED, "extension": [COLOUR, expires]}, everybody())
    assert row.hold_expires_at is None
    assert back["extension"] == [COLOUR]


@pytest.mark.django_db
def test_the_language_to_write_in_is_the_preferred_one():
    spanish = {"language": concept("es", "Spanish", codes.LANGUAGE), "preferred": True}
    english = {"language": concept("en", "English", codes.LANGUAGE)}
    row, _ = there_and_back({"resourceType": "Patient", "communication": [english, spanish]}, References())
    assert row.language == "es"
    row.language = "fr"
    french = {"language": {"coding": [{"system": codes.LANGUAGE, "code": "fr"}]}, "preferred": True}
    assert to_fhir(row)["communication"] == [english, french]
    row.language = ""
    assert to_fhir(row)["communication"] == [english]


@pytest.mark.django_db
def test_nothing_is_said_of_reminders_where_they_are_the_usual():
    row, back = there_and_back({"resourceType": "HealthcareService", "name": "Visit"}, References())
    assert row.reminders == [timedelta(hours=48), timedelta(hours=2)]
    assert "extension" not in back
    row.reminders = []
    assert to_fhir(row)["extension"] == [{"url": codes.REMINDER, "valueCode": "none"}]


@pytest.mark.django_db
def test_days_of_a_coverage_are_the_first_and_the_last():
    coverage = {
        "resourceType": "Coverage",
        "status": "active",
        "beneficiary": {"reference": "Patient/ada"},
        "payor": [{"display": "Acme"}],
    }
    refs = everybody()
    for start, end, first, last in (
        ("2024", "2024-02", date(2024, 1, 1), date(2024, 2, 29)),
        ("2026-01-01T23:00:00-05:00", "2026", date(2026, 1, 1), date(2026, 12, 31)),
    ):
        row, _ = there_and_back({**coverage, "period": {"start": start, "end": end}}, refs)
        assert (row.start, row.end) == (first, last)


@pytest.mark.django_db
def test_a_coverage_whose_payor_nobody_has_said_says_so():
    row = CoverageFactory(payor=[])
    [payor] = to_fhir(row)["payor"]
    assert payor["extension"][0]["valueCode"] == "unknown"
    draft = RESOURCES["Coverage"].from_fhir(to_fhir(row), References.load([row.beneficiary.reference]))
    assert draft.fields["payor"] == []


@pytest.mark.django_db
def test_a_response_knows_its_questionnaire_patient_and_visit():
    response = next(each for each in RICH if each.get("questionnaire") == "https://example.org/form|2.1")
    row, _ = there_and_back(response, everybody())
    assert (row.questionnaire.fhir_id, row.patient.fhir_id, row.appointment.fhir_id) == ("form", "ada", "visit")
    row.questionnaire = QuestionnaireFactory(url="https://example.org/next")
    assert to_fhir(row)["questionnaire"] == "https://example.org/next"


@pytest.mark.django_db
def test_an_encounter_knows_its_visit_and_its_service():
    encounter = next(each for each in RICH if each.get("reasonCode"))
    row, _ = there_and_back(encounter, everybody())
    assert (row.appointment.fhir_id, row.service.fhir_id, row.encounter_class) == ("visit", "visit", "AMB")
    row.service = ServiceFactory(fhir_id="other", type=[])
    [extension] = to_fhir(row)["serviceType"]["extension"]
    assert extension["valueReference"]["reference"] == "HealthcareService/other"


WORDS = st.text("abc .", min_size=1, max_size=8).filter(str.strip)
NAMES = st.fixed_dictionaries(
    {},
    optional={
        "family": WORDS,
        "given": st.lists(WORDS, min_size=1, max_size=3),
        "prefix": st.lists(WORDS, min_size=1, max_size=2),
        "use": st.sampled_from(["official", "nickname"]),
    },
).filter(bool)
TELECOMS = st.fixed_dictionaries(
    {"system": st.sampled_from(["phone", "email", "fax"])},
    optional={"value": st.sampled_from(["1", "2", "a@example.com", "b"]), "rank": st.integers(1, 3)},
)
PATIENTS = st.fixed_dictionaries(
    {"resourceType": st.just("Patient")},
    optional={
        "active": st.booleans(),
        "name": st.lists(NAMES, min_size=1, max_size=3),
        "telecom": st.lists(TELECOMS, min_size=1, max_size=4),
        "gender": st.sampled_from(["female", "male", "other", "unknown"]),
        "birthDate": st.sampled_from(["1980", "1980-05", "1980-05-17"]),
    },
)


@given(PATIENTS)
@settings(deadline=None)
def test_any_patient_comes_back(resource):
    draft = RESOURCES["Patient"].from_fhir(resource, References())
    assert sent(to_fhir(Patient(last_updated=datetime.fromisoformat("2026-01-01T00:00Z"), **draft.fields))) == resource
