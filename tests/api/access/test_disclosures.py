"""Every disclosure of a patient's data is recorded: https://profiles.ihe.net/ITI/BALP"""

from base64 import b64decode
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from clinic.country import clinic_zone
from clinic.models import Appointment, AuditEvent
from tests.api.access.world import PARAMETERS
from tests.api.conftest import Api, api_with, ids
from tests.api.dialects import matches, parameters
from tests.api.visits import BOOK, HOLD
from tests.factories import AppointmentFactory
from tests.scheduling.situations import monday

pytestmark = pytest.mark.django_db
IDENTIFYING_TYPES = ("read", "vread", "search", "history", "match")


@pytest.fixture
def world(world):
    AuditEvent.objects.all().delete()
    return world


def lines():
    """Subtype, action, patient and what was read of each line, in their order."""
    found = AuditEvent.objects.filter(subtype__in=IDENTIFYING_TYPES).order_by("pk").select_related("patient")
    return [(each.subtype, each.action, each.patient.fhir_id, each.target) for each in found]


@pytest.mark.parametrize(
    "kind",
    [
        "Patient",
        "RelatedPerson",
        "Coverage",
        "CareTeam",
        "ServiceRequest",
        "Schedule",
        "Appointment",
        "AppointmentResponse",
        "QuestionnaireResponse",
        "Encounter",
        "Task",
        "Communication",
    ],
)
def test_a_read_of_what_is_a_patients(world, kind):
    row = world.rows[kind, "Bo's"]
    world.comes("software").get(row.reference)
    assert lines() == [("read", "R", "bo", row.reference)]


@pytest.mark.parametrize("kind", ["Slot", "Practitioner", "HealthcareService", "AuditEvent"])
def test_reads_without_patient_data_are_not_recorded(world, kind):
    assert world.comes("software").get(kind).status_code == 200
    assert lines() == []


def test_a_not_modified_response_is_no_disclosure(world):
    software = world.comes("software")
    assert software.get("Patient/bo", if_none_match='W/"1"').status_code == 304
    assert lines() == []
    assert software.get("Patient/bo", if_none_match='W/"7"').status_code == 200
    assert lines() == [("read", "R", "bo", "Patient/bo")]


def test_a_version(world):
    world.comes("software").get("Patient/bo/_history/1")
    assert lines() == [("vread", "R", "bo", "Patient/bo/_history/1")]


@pytest.mark.parametrize("path", ["Patient/bo/_history", "Patient/_history?_count=1"])
def test_a_history(world, path):
    world.comes("software").get(path)
    assert lines() == [("history", "E", "bo", "")]
    assert AuditEvent.objects.get().query == path


def test_a_search_is_a_line_for_each_patient_and_keeps_the_query(world):
    software = world.comes("software")
    software.get("Appointment?status=booked")
    assert sorted(lines()) == [("search", "E", name, "") for name in ("ada", "bo", "leo")]
    [entry, *_] = software.get("AuditEvent?subtype=http://hl7.org/fhir/restful-interaction|search").fhir["entry"]
    [query] = [each["query"] for each in entry["resource"]["entity"] if "query" in each]
    assert b64decode(query).decode() == "Appointment?status=booked"


def test_a_patient_who_comes_several_times_is_one_line(world, django_assert_num_queries):
    software = world.comes("software")
    with django_assert_num_queries(5):  # token, total, page, slots, the lines
        assert len(ids(software.get("Appointment?patient=ada"))) == 2
    assert lines() == [("search", "E", "ada", "")]


@pytest.mark.parametrize("query", ["Slot?_id={slot}&_include=Slot:schedule", "Patient?_id=bo&_summary=count"])
def test_a_hidden_patient_is_not_recorded(world, query):
    world.comes("software").get(query.format(slot=world.rows["Slot", "Ada's"].fhir_id))
    assert lines() == []


@pytest.mark.parametrize(
    "query", ["Practitioner?_id={chen}&_revinclude=Appointment:actor", "Schedule?_id={own}&_include=Schedule:actor"]
)
def test_included_patients_are_recorded(world, query):
    own = world.rows["Schedule", "Ada's"].fhir_id
    world.comes("software").get(query.format(chen=world.chen.fhir_id, own=own))
    assert lines() == [("search", "E", "ada", "")]


def test_each_page_is_recorded(world):
    software = world.comes("software")
    bundle = software.get("Patient?_count=1&_sort=_id").fhir
    following = next(link["url"] for link in bundle["link"] if link["relation"] == "next")
    software.get(following.removeprefix("http://testserver"))
    assert [patient for _, _, patient, _ in lines()] == ["ada", "bo"]


def test_a_match(world):
    sought = {"resourceType": "Patient", "name": [{"family": "Lind", "given": ["Ada"]}], "birthDate": "1990-05-01"}
    body = {**PARAMETERS, "parameter": [{"name": "resource", "resource": sought}]}
    assert world.comes("front desk").post("Patient/$match", body).fhir["total"] == 1
    assert lines() == [("match", "E", "bo", "")]


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_a_bundle_of_reads(world, kind):
    entries = [{"request": {"method": "GET", "url": url}} for url in ("Patient/bo", "Coverage?patient=leo")]
    world.comes("software").post("", {"resourceType": "Bundle", "type": kind, "entry": entries})
    assert lines() == [("read", "R", "bo", "Patient/bo"), ("search", "E", "leo", "")]


def test_a_write_that_shows_the_resource(world):
    software, change = world.comes("software"), [{"op": "replace", "path": "/gender", "value": "other"}]
    software.patch("Patient/bo", change, prefer="return=minimal")
    assert lines() == []
    software.patch("Patient/bo", change)
    assert lines() == [("read", "R", "bo", "Patient/bo")]


@pytest.mark.parametrize("status", ["booked", "cancelled"])
def test_a_visit_that_is_left_as_it_is(world, status):
    """The visit already has that status: nothing is written, and the response is recorded as a disclosure."""
    visit, software = world.rows["Appointment", "Bo's"], world.comes("software")
    Appointment.objects.filter(pk=visit.pk).update(status=status)
    sent = {**software.get(visit.reference).fhir, "status": status}
    AuditEvent.objects.all().delete()
    answer = software.post(BOOK, {**PARAMETERS, "parameter": [{"name": "appointment-resource", "resource": sent}]})
    assert matches(answer)[0]["meta"]["versionId"] == "1"
    assert lines() == [("read", "R", "bo", visit.reference)]


def test_a_repeated_hold(world):
    held = AppointmentFactory(
        patient=world.bo, status="pending", start=monday(13), hold_expires_at=timezone.now() + timedelta(minutes=5)
    )
    assert matches(world.comes("software").post(HOLD, parameters(appt_id=held.reference)))
    assert lines() == [("read", "R", "bo", held.reference)]


def test_a_visit_that_cannot_be_booked_again_and_is_shown(world):
    visit = world.rows["Appointment", "Bo's"]
    Appointment.objects.filter(pk=visit.pk).update(status="cancelled")
    assert matches(world.comes("software").post(BOOK, parameters(appt_id=visit.reference)))
    assert lines() == [("read", "R", "bo", visit.reference)]


@pytest.mark.parametrize("path", ["Patient/bo", "Patient/bo/_history/1", "Patient/bo/_history", "Patient", "?_id=bo"])
def test_a_head_request_tells_nothing(world, path):
    software = world.comes("software")
    head = software.request("HEAD", path)
    assert (head.status_code, head.content, lines()) == (200, b"", [])
    assert head.get("ETag") == software.get(path).get("ETag")


@pytest.mark.parametrize(("role", "name"), [("Ada", "ada"), ("Grace", "leo")])
def test_reads_of_ones_own_data_are_not_recorded(world, role, name):
    api = world.comes(role)
    for path in (f"Patient/{name}", "Appointment", f"Patient/{name}/_history"):
        assert api.get(path).status_code == 200
    assert lines() == []


def test_a_read_by_an_app_is_recorded_with_app_and_user(world):
    world.comes("Ada's app").get("Patient/ada")
    line = AuditEvent.objects.get()
    assert (line.user, line.client, line.patient) == (world.ada.user, "app", world.ada)
    [agents] = [entry["resource"]["agent"] for entry in api_with().get("AuditEvent").fhir["entry"]]
    assert [(each["who"]["display"], each["requestor"]) for each in agents] == [
        (str(world.ada.user), True),
        ("app", False),
    ]


def test_staff_who_are_patients_too_are_recorded_for_others_only(world):
    world.ada.user.desk_locations.add(world.main)
    Api(user=world.ada.user).get("Patient")
    assert [patient for _, _, patient, _ in sorted(lines())] == ["bo", "leo"]


def test_hidden_resources_are_not_recorded(world):
    assert world.comes("other front desk").get(world.rows["Appointment", "Ada's"].reference).status_code == 404
    assert lines() == []


@pytest.mark.parametrize("path", ["Patient/bo", "Patient", "Patient/_history"])
def test_a_disclosure_that_cannot_be_recorded_is_not_made(world, path):
    software = world.comes("software")
    software.client.raise_request_exception = False
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # ALTER TABLE needs a table without pending events
        cursor.execute("ALTER TABLE clinic_auditevent ADD CONSTRAINT full_disk CHECK (subtype = 'none') NOT VALID")
    answer = software.get(path)
    assert (answer.status_code, "Lind" in answer.content.decode()) == (500, False)


def test_lines_are_found_by_patient_and_kind(world):
    software = world.comes("software")
    software.get("Patient/bo")
    software.get("Patient/leo")
    year = timezone.now().astimezone(clinic_zone()).year
    for query in ("patient=Patient/bo", "subtype=read&patient=bo", f"date=ge{year}&entity=Patient/bo"):
        assert software.get(f"AuditEvent?{query}").fhir["total"] == 1
    assert software.get("AuditEvent?subtype=https://clinic.example/fhir/CodeSystem/use-case|read").fhir["total"] == 0


@pytest.mark.parametrize(
    ("role", "status", "total"),
    [("administrator", 200, 1), ("software", 200, 1), ("front desk", 200, 0), ("Dr Chen", 200, 0), ("Ada", 200, 0)],
)
def test_lines_are_for_administrators_and_software(world, role, status, total):
    api_with("system/Patient.rs").get("Patient/ada")
    answer = world.comes(role).get("AuditEvent")
    assert (answer.status_code, answer.fhir["total"]) == (status, total)


def test_software_without_the_scope_sees_no_lines(world):
    assert world.comes("reads booked").get("AuditEvent").status_code == 403


# The pages of staff


@pytest.fixture
def chen(world):
    return world.comes("Dr Chen").client


def test_a_visit_that_is_opened(world, chen):
    visit = world.rows["Appointment", "Ada's"]
    for _ in range(2):
        assert chen.get(f"/staff/appointments/{visit.fhir_id}/").status_code == 200
    assert lines() == [("read", "R", "ada", visit.reference)]
    assert AuditEvent.objects.get().user == world.chen.user


def test_a_list_that_is_reloaded_is_recorded_once_an_hour(world, chen):
    day = {"date": timezone.localdate(world.rows["Appointment", "Ada's"].start).isoformat()}
    for _ in range(2):
        assert chen.get("/staff/", day).status_code == 200
    assert lines() == [("search", "E", "ada", "")]
    AuditEvent.objects.update(recorded=timezone.now() - timedelta(minutes=61))
    chen.get("/staff/", day)
    assert len(lines()) == 2
