"""Each caller reads the rows that docs/access.md gives them. To anybody else a row is missing."""

import pytest

from tests.api.conftest import Api, api_with, codes, ids
from tests.factories import (
    AppointmentFactory,
    CommunicationFactory,
    EncounterFactory,
    LocationFactory,
    PractitionerFactory,
    QuestionnaireResponseFactory,
    ScheduleFactory,
    UserFactory,
)

VISITS = ("Appointment", "Slot?status=busy", "Patient")


@pytest.fixture
def visits(site, ada, bo, chen):
    """Ada sees Dr Chen here, Bo sees somebody else in another town."""
    here = ScheduleFactory(actor=chen, site=site)
    there = ScheduleFactory(actor=PractitionerFactory(), site=LocationFactory())
    AppointmentFactory(fhir_id="of-ada", patient=ada, schedules=[here], site=site)
    AppointmentFactory(fhir_id="of-bo", patient=bo, schedules=[there], site=there.site)


def seen(api, path="Appointment"):
    return ids(api.get(path))


def test_a_patient_sees_their_own_visits_only(visits, ada, bo):
    api = Api(user=ada.user)
    assert seen(api) == ["of-ada"]
    assert seen(api, "Patient") == [ada.fhir_id]
    assert len(seen(api, "Slot?status=busy")) == 1
    assert api.get("Appointment/of-ada").status_code == 200
    for hidden in ("Appointment/of-bo", bo.reference):
        assert (api.get(hidden).status_code, codes(api.get(hidden))) == (404, ["not-found"])


@pytest.mark.parametrize(
    "query",
    [
        "Appointment?patient={bo}",
        "Appointment?_id=of-bo",
        "Patient?_id={bo}",
        "Patient?family=Lind",
        "Slot?schedule.actor={other}",
        "Appointment?_count=0&patient={bo}",
    ],
)
def test_no_search_leads_to_another_patient(visits, ada, bo, query):
    response = Api(user=ada.user).get(query.format(bo=bo.reference.removeprefix("Patient/"), other="Practitioner/x"))
    assert response.fhir["total"] == 0
    assert "entry" not in response.fhir


def test_a_practitioner_sees_their_calendar_and_who_is_on_it(visits, ada, chen):
    api = Api(user=chen.user)
    assert seen(api) == ["of-ada"]
    assert seen(api, "Patient") == [ada.fhir_id]
    assert len(seen(api, "Slot?status=busy")) == 1
    assert api.get("Appointment/of-bo").status_code == 404


def test_the_front_desk_sees_its_site_and_every_patient(visits, rana):
    api = Api(user=rana)
    assert seen(api) == ["of-ada"]
    assert len(seen(api, "Slot?status=busy")) == 1
    assert len(seen(api, "Patient")) == 2


def test_the_front_desk_of_another_site_does_not_see_it(visits):
    assert seen(Api(user=UserFactory(desk_locations=[LocationFactory()]))) == []


def test_an_administrator_sees_everything(visits, administrator):
    assert seen(administrator) == ["of-ada", "of-bo"]


def test_a_user_without_a_role_sees_public_resources(visits):
    api = Api(user=UserFactory())
    assert [len(seen(api, kind)) for kind in VISITS] == [0, 0, 0]
    assert len(seen(api, "Practitioner")) == 2
    assert len(seen(api, "Schedule")) == 2
    assert seen(api, "AuditEvent") == []


def test_a_patients_own_schedule_is_visible_to_them_only(ada, bo):
    ScheduleFactory(fhir_id="of-ada", actor=ada)
    assert seen(Api(user=ada.user), "Schedule") == ["of-ada"]
    assert seen(Api(user=bo.user), "Schedule") == []


@pytest.mark.parametrize(
    ("scopes", "read", "search"),
    [
        ("system/*.rs", 200, 200),
        ("system/Appointment.rs", 200, 200),
        ("system/Appointment.r", 200, 403),
        ("system/Appointment.cud", 403, 403),
        ("system/Patient.cruds", 403, 403),
        ("", 403, 403),
    ],
)
def test_software_sees_what_its_scopes_say(visits, scopes, read, search):
    api = api_with(scopes)
    assert api.get("Appointment/of-ada").status_code == read
    response = api.get("Appointment")
    assert response.status_code == search
    assert search == 200 or codes(response) == ["forbidden"]


def test_software_includes_what_its_scopes_say(visits):
    response = api_with("system/Appointment.rs").get("Appointment?_include=Appointment:patient")
    assert {entry["resource"]["resourceType"] for entry in response.fhir["entry"]} == {"Appointment"}


@pytest.mark.parametrize("method", ["post", "put"])
def test_people_write_nothing_of_how_the_clinic_works(visits, ada, chen, rana, method):
    """Tests of the rest: test_patient_writes, test_coverage, test_registration and test_appointment_response."""
    path = {"post": "Practitioner", "put": chen.reference}[method]
    body = {"resourceType": "Practitioner", "id": chen.fhir_id}
    for user in (ada.user, chen.user, rana):
        assert getattr(Api(user=user), method)(path, body).status_code == 403


def test_a_video_room_is_visible_to_software_and_its_staff(site, ada, chen, rana):
    """A patient enters the room from the page of their visit, shortly before it begins."""
    room = "https://meet.example.org/room"
    path = ScheduleFactory(actor=chen, site=site, meeting_url=room).reference
    doctor = PractitionerFactory(user=UserFactory())
    ScheduleFactory(actor=doctor)
    for api in (api_with("system/Schedule.rs"), Api(user=chen.user), Api(user=rana)):
        assert room in str(api.get(path).fhir)
        assert room in str(api.get("Schedule").fhir)
    for api in (Api(user=ada.user), Api(user=doctor.user)):
        assert room not in str(api.get(path).fhir)
        assert room not in str(api.get("Schedule").fhir)


@pytest.mark.parametrize("factory", [QuestionnaireResponseFactory, EncounterFactory, CommunicationFactory])
def test_rows_of_a_visit_are_visible_to_its_staff(site, ada, chen, rana, factory):
    """Each practitioner reads only the patient's rows from their own site."""
    elsewhere = LocationFactory()
    doctor = PractitionerFactory(user=UserFactory())
    here = AppointmentFactory(patient=ada, site=site, schedules=[ScheduleFactory(actor=chen, site=site)])
    there = AppointmentFactory(patient=ada, site=elsewhere, schedules=[ScheduleFactory(actor=doctor, site=elsewhere)])
    kind = factory(fhir_id="here", appointment=here).RESOURCE_TYPE
    factory(fhir_id="there", appointment=there)
    desk = UserFactory(desk_locations=[elsewhere])
    for user, known in ((chen.user, "here"), (rana, "here"), (doctor.user, "there"), (desk, "there")):
        assert seen(Api(user=user), kind) == [known]
    assert sorted(seen(Api(user=ada.user), kind)) == ["here", "there"]
