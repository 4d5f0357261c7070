"""The JSON of rows that the product itself has created."""

from datetime import date, datetime, timedelta

import pytest
from fhir.resources.R4B import get_fhir_model_class

from clinic.fhir import codes
from clinic.fhir.resources import RESOURCES, References, rows_of, to_fhir
from tests.factories import (
    MONDAY_9,
    AppointmentFactory,
    AppointmentResponseFactory,
    AuditEventFactory,
    CareTeamFactory,
    CommunicationFactory,
    CoverageFactory,
    DeviceFactory,
    EncounterFactory,
    InsurancePlanFactory,
    LocationFactory,
    OrganizationFactory,
    PatientFactory,
    PractitionerFactory,
    QuestionnaireFactory,
    QuestionnaireResponseFactory,
    RecallFactory,
    ReferralFactory,
    RelatedPersonFactory,
    RoleFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
    SubscriptionFactory,
    UserFactory,
    concept,
    save,
)

pytestmark = pytest.mark.django_db
MAKE = {
    "Organization": OrganizationFactory,
    "Location": lambda: RoomFactory(latitude=0.0, longitude=-71.06, features=["step-free", "induction-loop"]),
    "Practitioner": lambda: PractitionerFactory(communication=[concept("es", "Spanish", codes.LANGUAGE)]),
    "Questionnaire": QuestionnaireFactory,
    "HealthcareService": lambda: ServiceFactory(
        organization=OrganizationFactory(),
        locations=[LocationFactory()],
        questionnaires=[QuestionnaireFactory()],
        requires=["Practitioner", "Location"],
        bookable_by="staff",
        on_request=True,
        telehealth=True,
        eligibility="new",
        appointment_type="same-day",
        course_limit=6,
        course_visits=4,
        course_weeks=2,
        course_days=3,
        pricing="range",
        price=4000,
        price_to=9950,
        preparation="Bring your glasses.",
        requires_questionnaires=True,
        requires_coverage=True,
        requires_verified_coverage=True,
        requires_care_team=True,
        reminders=[timedelta(days=7), timedelta(minutes=90)],
        minimum_notice=timedelta(hours=2),
        cancellation_notice=timedelta(days=1),
        booking_horizon_days=90,
        not_available=[{"description": "Christmas", "during": {"start": "2026-12-25"}}],
        timezone="Europe/London",
    ),
    "PractitionerRole": lambda: RoleFactory(locations=[LocationFactory()], services=[ServiceFactory()]),
    "Device": DeviceFactory,
    "InsurancePlan": lambda: InsurancePlanFactory(services=[ServiceFactory()], locations=[LocationFactory()]),
    "Patient": lambda: PatientFactory(
        language="es",
        returning=True,
        interpreter_required=True,
        interpreter_language="uk",
        needs=["step-free", "quiet"],
        other_needs="I bring an assistance dog.",
    ),
    "RelatedPerson": lambda: RelatedPersonFactory(birth_date=date(1950, 5, 17), phone="555-0100"),
    "Coverage": lambda: CoverageFactory(
        type=concept("EHCPOL", "Extended healthcare"),
        start=date(2026, 1, 1),
        end=date(2026, 12, 31),
        payor=[{"reference": OrganizationFactory().reference}],
        insurance_plan=InsurancePlanFactory(),
        verification="rejected",
        verification_reason="It has expired.",
    ),
    "CareTeam": lambda: CareTeamFactory(members=[PractitionerFactory(), RoleFactory()]),
    "ServiceRequest": lambda: ReferralFactory(service=ServiceFactory(), requester={"display": "Dr Noor Grey"}),
    "Schedule": lambda: ScheduleFactory(
        actor=RoleFactory(locations=[RoomFactory()]),
        site=LocationFactory(),
        timezone="Europe/London",
        planning_start=MONDAY_9,
        meeting_url="https://meet.example/chen",
        offers_all_services=True,
    ),
    "Slot": lambda: SlotFactory(comment="Busy", service_type=[concept("a", "A")]),
    "Appointment": lambda: AppointmentFactory(
        schedules=[ScheduleFactory(), ScheduleFactory(actor=RoomFactory())],
        status="pending",
        hold_expires_at=MONDAY_9,
        comment="Hello",
    ),
    "AppointmentResponse": lambda: AppointmentResponseFactory(
        participant_status="tentative", comment="Later?", start=MONDAY_9, end=MONDAY_9 + timedelta(minutes=30)
    ),
    "QuestionnaireResponse": lambda: QuestionnaireResponseFactory(appointment=AppointmentFactory()),
    "Encounter": lambda: EncounterFactory(
        appointment=AppointmentFactory(),
        status="finished",
        encounter_class="VR",
        end=MONDAY_9 + timedelta(minutes=25),
        participant=[{"individual": {"reference": PractitionerFactory().reference}}],
    ),
    "Task": lambda: RecallFactory(
        practitioner=PractitionerFactory(), booked=AppointmentFactory(), status="completed", messages=2
    ),
    "Subscription": lambda: SubscriptionFactory(
        status="error", error="Given up", end=MONDAY_9, header=["Authorization: Bearer secret"]
    ),
    "Communication": lambda: CommunicationFactory(
        appointment=AppointmentFactory(),
        status="completed",
        language="en",
        subject="Your visit",
        body="See you on Monday.",
        sent=MONDAY_9,
        received=MONDAY_9,
        status_reason="Delivered",
    ),
    "AuditEvent": lambda: AuditEventFactory(
        user=UserFactory(), client="demo", appointment=AppointmentFactory(), patient=PatientFactory()
    ),
}


def read(kind):
    return list(rows_of(RESOURCES[kind]))


def test_every_type_is_here():
    assert list(MAKE) == list(RESOURCES)


@pytest.mark.parametrize("kind", RESOURCES)
def test_rows_are_valid_fhir_and_need_no_query(kind, django_assert_num_queries):
    MAKE[kind]()
    rows = read(kind)
    with django_assert_num_queries(0):
        written = [to_fhir(row) for row in rows]
    for resource in written:
        get_fhir_model_class(kind).model_validate(resource)
        assert resource["resourceType"] == kind
        assert empty_places(resource) == []


@pytest.mark.parametrize("kind", RESOURCES)
def test_more_rows_are_no_more_queries(kind, django_assert_max_num_queries):
    MAKE[kind]()
    with django_assert_max_num_queries(100) as one:
        read(kind)
    for _ in range(3):
        MAKE[kind]()
    with django_assert_max_num_queries(len(one)):
        read(kind)


@pytest.mark.parametrize("kind", [kind for kind in RESOURCES if RESOURCES[kind].from_fhir])
def test_the_json_of_a_row_is_read_into_the_same_row(kind):
    MAKE[kind]()
    [row] = read(kind)[-1:]
    resource = to_fhir(row)
    draft = RESOURCES[kind].from_fhir(resource, References.load(References.collect([resource])))
    for name, value in draft.fields.items():
        if name not in ("extra", "created", "requested_start", "requested_end"):
            assert getattr(row, name) == value, name


def test_an_appointment_shows_its_slots_by_time():
    early, late = ScheduleFactory.create_batch(2)
    visit = AppointmentFactory(schedules=[late])
    before = SlotFactory(
        schedule=early,
        appointment=visit,
        start=MONDAY_9 - timedelta(minutes=5),
        end=MONDAY_9,
        status="busy-unavailable",
    )
    SlotFactory(schedule=early, appointment=visit, deleted_at=MONDAY_9)
    [row] = read("Appointment")
    held = visit.slots.get(schedule=late)
    assert to_fhir(row)["slot"] == [{"reference": before.reference}, {"reference": held.reference}]


def test_an_appointment_made_here_has_the_elements_that_clients_need():
    visit = AppointmentFactory()
    resource = to_fhir(visit)
    [concept] = resource["serviceType"]
    [extension] = concept["extension"]
    assert extension["url"] == codes.SERVICE_TYPE_REFERENCE
    assert extension["valueReference"] == {"reference": visit.service.reference, "display": visit.service.name}
    assert resource["requestedPeriod"] == [{"start": "2026-01-05T14:00:00Z", "end": "2026-01-05T14:30:00Z"}]
    assert "extension" not in resource


def test_a_hold_says_when_it_expires():
    resource = to_fhir(MAKE["Appointment"]())
    assert resource["extension"] == [{"url": codes.HOLD_EXPIRES, "valueInstant": "2026-01-05T14:00:00Z"}]


def test_a_slot_never_names_a_patient():
    ada = PatientFactory(given="Adalbertina")
    visit = AppointmentFactory(patient=ada, schedules=[ScheduleFactory()])
    json_text = str([to_fhir(row) for row in read("Slot")])
    assert visit.fhir_id not in json_text
    assert ada.fhir_id not in json_text
    assert "Adalbertina" not in json_text


def test_a_schedule_made_here_names_its_services():
    first, second = ServiceFactory(name="A"), ServiceFactory(name="B", type=[])
    ScheduleFactory(services=[first, second])
    [row] = read("Schedule")
    concepts = to_fhir(row)["serviceType"]
    assert [each["extension"][0]["valueReference"]["reference"] for each in concepts] == [
        first.reference,
        second.reference,
    ]
    assert concepts[0]["coding"] == first.type[0]["coding"]


ZONE = "America/Los_Angeles"
LOOK_ALIKE = [
    {
        "resourceType": "HealthcareService",
        "id": "derm",
        "active": True,
        "name": "Dermatology",
        "type": [concept("394582007", "Dermatology", "http://snomed.info/sct")],
        "extension": [
            {
                "url": codes.SCHEDULING_PARAMETERS,
                "extension": [
                    {
                        "url": "duration",
                        "valueDuration": {"value": 15, "unit": "min", "system": codes.UCUM, "code": "min"},
                    },
                    {"url": "timezone", "valueCode": ZONE},
                ],
            }
        ],
    },
    {"resourceType": "Organization", "id": "s-1", "active": True, "name": "Riverside", "address": [{"state": "CA"}]},
    {
        "resourceType": "Location",
        "id": "s-1",
        "status": "active",
        "name": "Riverside",
        "address": {"city": "Oakland", "state": "CA", "postalCode": "94601"},
        "extension": [{"url": codes.TIMEZONE, "valueCode": ZONE}],
        "managingOrganization": {"reference": "Organization/s-1"},
    },
    {
        "resourceType": "Practitioner",
        "id": "s-1",
        "active": True,
        "name": [{"family": "Chen", "given": ["Mei"], "prefix": ["Dr."]}],
        "gender": "female",
        "extension": [{"url": codes.TIMEZONE, "valueCode": ZONE}],
    },
    {
        "resourceType": "PractitionerRole",
        "id": "s-1",
        "active": True,
        "practitioner": {"reference": "Practitioner/s-1", "display": "Dr. Mei Chen"},
        "location": [{"reference": "Location/s-1"}],
        "healthcareService": [{"reference": "HealthcareService/derm"}],
    },
    {
        "resourceType": "Schedule",
        "id": "s-1",
        "active": True,
        "actor": [{"reference": "Practitioner/s-1", "display": "Dr. Mei Chen"}],
        "serviceType": [
            {
                "text": "Dermatology",
                "extension": [
                    {
                        "url": codes.SERVICE_TYPE_REFERENCE,
                        "valueReference": {"reference": "HealthcareService/derm"},
                    }
                ],
            }
        ],
        "planningHorizon": {"start": "2026-01-05", "end": "2026-01-16"},
    },
    {
        "resourceType": "Slot",
        "id": "2026-01-05T083000-s-1",
        "schedule": {"reference": "Schedule/s-1"},
        "status": "free",
        "start": "2026-01-05T16:30:00Z",
        "end": "2026-01-05T16:45:00Z",
    },
]


def test_a_bundle_whose_resources_refer_to_each_other():
    refs = References.load(References.collect(LOOK_ALIKE))
    rows = {}
    for kind in RESOURCES:
        for resource in LOOK_ALIKE:
            if resource["resourceType"] == kind:
                rows[kind] = row = save(RESOURCES[kind].from_fhir(resource, refs), kind)
                refs.add(row.reference, row.pk)
                written = to_fhir(row)
                assert {name: value for name, value in written.items() if name != "meta"} == resource
    midnight = datetime.fromisoformat("2026-01-05T00:00-08:00")
    assert rows["Schedule"].planning_start == midnight
    assert rows["Schedule"].planning_end == midnight + timedelta(days=12)


def empty_places(node, path=""):
    """Yield the paths of empty elements, which FHIR does not allow: https://hl7.org/fhir/R4/json.html"""
    if node in (None, "", [], {}):
        return [path]
    parts = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [found for name, value in parts for found in empty_places(value, f"{path}.{name}")]
