"""https://hl7.org/fhir/R4/http.html#history and #vread"""

from datetime import UTC, datetime, timedelta

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone

from clinic.models import Appointment, Patient, Resource
from clinic.models.history import PastVersion
from scheduling import booking
from scheduling.access import Caller
from tests.api.conftest import Api, api_with, codes, texts
from tests.factories import (
    AppointmentFactory,
    CoverageFactory,
    LocationFactory,
    OrganizationFactory,
    PatientFactory,
    QuestionnaireFactory,
    RoleFactory,
    ScheduleFactory,
    ServiceFactory,
)

NOW = datetime(2026, 1, 4, tzinfo=UTC)
SYSTEM = Caller(client="test", scopes=("system/*.cruds",))


def versions(bundle):
    """The version of each entry, and the interaction that made it."""
    return [(entry["response"]["etag"], entry["request"]["method"]) for entry in bundle["entry"]]


def test_each_version_can_be_read_as_it_was(api):
    first = api.post("Location", {"resourceType": "Location", "name": "Main Street", "language": "en"}).fhir
    api.put(f"Location/{first['id']}", {**first, "name": "High Street"})
    api.put(f"Location/{first['id']}", {**first, "name": "Low Street", "language": "es"})
    names = [api.get(f"Location/{first['id']}/_history/{n}").fhir["name"] for n in (1, 2, 3)]
    assert names == ["Main Street", "High Street", "Low Street"]
    again = api.get(f"Location/{first['id']}/_history/1")
    assert again.fhir == first
    assert again["ETag"] == 'W/"1"'


@pytest.mark.parametrize("version", ["4", "0", "one", "-1", "99999999999999999999", "1.0", "²"])
def test_a_version_that_never_was_is_not_found(api, version):
    response = api.get(f"{PatientFactory().reference}/_history/{version}")
    assert (response.status_code, codes(response)) == (404, ["not-found"])


def test_the_history_tells_what_was_done_newest_first(api):
    api.put("Location/main", {"resourceType": "Location", "id": "main", "name": "Main Street"})
    api.put("Location/main", {"resourceType": "Location", "id": "main", "name": "High Street"})
    api.delete("Location/main")
    api.put("Location/main", {"resourceType": "Location", "id": "main", "name": "Low Street"})
    history = api.get("Location/main/_history").fhir
    assert (history["type"], history["total"]) == ("history", 4)
    assert versions(history) == [('W/"4"', "PUT"), ('W/"3"', "DELETE"), ('W/"2"', "PUT"), ('W/"1"', "POST")]
    assert [entry.get("resource", {}).get("name") for entry in history["entry"]] == [
        "Low Street", None, "High Street", "Main Street",
    ]  # fmt: skip
    assert {entry["fullUrl"] for entry in history["entry"]} == {"http://testserver/fhir/R4/Location/main"}


def test_the_version_of_a_deletion_is_gone_and_those_before_it_are_not(api):
    patient = PatientFactory()
    api.delete(patient.reference)
    assert api.get(f"{patient.reference}/_history/2").status_code == 410
    assert api.get(f"{patient.reference}/_history/1").status_code == 200
    assert versions(api.get(f"{patient.reference}/_history").fhir) == [('W/"2"', "DELETE"), ('W/"1"', "POST")]


def test_a_version_keeps_the_rows_that_belong_to_the_resource(api):
    schedule = ScheduleFactory(parameters={"duration": 20})
    service = schedule.services.get()
    role = RoleFactory(services=[service])
    for row in (schedule, service, role):
        before = api.get(row.reference).fhir
        bare = {name: value for name, value in before.items() if name not in ("serviceType", "extension", "location")}
        bare.pop("healthcareService", None)
        after = api.put(row.reference, bare)
        assert after.status_code == 200, after.fhir
        assert api.get(f"{row.reference}/_history/1").fhir == before


def test_the_questionnaires_of_a_service_are_kept_too(api):
    service = ServiceFactory(questionnaires=[QuestionnaireFactory()], locations=[LocationFactory()])
    before = api.get(service.reference).fhir
    api.put(service.reference, {"resourceType": "HealthcareService", "id": service.fhir_id, "name": "Other"})
    assert api.get(f"{service.reference}/_history/1").fhir == before


def test_a_visit_is_read_with_the_slots_that_it_had(api):
    appointment = AppointmentFactory(schedules=[ScheduleFactory()])
    before = api.get(appointment.reference).fhir
    assert before["slot"]
    booking.cancel(appointment.fhir_id, caller=SYSTEM, now=timezone.now())
    assert "slot" not in api.get(appointment.reference).fhir
    assert api.get(f"{appointment.reference}/_history/1").fhir == before
    slot = before["slot"][0]["reference"]
    assert versions(api.get(f"{slot}/_history").fhir) == [('W/"2"', "DELETE"), ('W/"1"', "POST")]


def test_history_follows_every_writer_even_sql_by_hand(api):
    patient = PatientFactory(family="Quinn")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE clinic_patient SET family = 'Lind', version = version + 1, last_updated = now() WHERE id = %s",
            [patient.pk],
        )
    assert api.get(f"{patient.reference}/_history/1").fhir["name"][0]["family"] == "Quinn"


def test_every_table_of_resources_keeps_its_versions(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'keep_version'")
        followed = {name for (name,) in cursor.fetchall()}
    models = apps.get_app_config("clinic").get_models()
    assert followed == {model._meta.db_table for model in models if issubclass(model, Resource)}


def test_nothing_is_kept_of_what_is_only_made(api):
    AppointmentFactory(schedules=[ScheduleFactory()])
    assert not PastVersion.objects.exists()


def test_the_history_of_a_type_and_of_everything(api):
    site, other = LocationFactory(), LocationFactory()
    organization = OrganizationFactory()
    api.put(site.reference, {"resourceType": "Location", "id": site.fhir_id, "name": "Elsewhere"})
    of_type = api.get("Location/_history").fhir
    assert of_type["total"] == 3
    assert {entry["fullUrl"].rpartition("R4/")[2] for entry in of_type["entry"]} == {site.reference, other.reference}
    of_all = api.get("_history").fhir
    assert of_all["total"] == 4
    assert organization.reference in {entry["fullUrl"].rpartition("R4/")[2] for entry in of_all["entry"]}


@pytest.mark.parametrize("path", ["Patient/ada/_history", "Patient/_history", "_history"])
def test_pages_lead_through_all_of_it_once(api, path):
    for gender in ("male", "female", "other", "unknown", "male"):
        api.put("Patient/ada", {"resourceType": "Patient", "id": "ada", "gender": gender})
    url, seen = path, []
    while url:
        page = api.get(url, None if seen else {"_count": "2"}).fhir
        assert page["total"] == 5
        seen += [each for each, _ in versions(page)]
        url = next((link["url"] for link in page["link"] if link["relation"] == "next"), "")
        url = url.removeprefix("http://testserver")
    assert seen == [f'W/"{n}"' for n in (5, 4, 3, 2, 1)]


def test_since_leaves_out_what_is_older(api):
    old = PatientFactory(last_updated=NOW - timedelta(days=1))
    new = PatientFactory(last_updated=NOW)
    found = api.get("Patient/_history", {"_since": "2026-01-04T00:00:00Z"}).fhir
    assert [entry["resource"]["id"] for entry in found["entry"]] == [new.fhir_id]
    assert api.get(f"{old.reference}/_history", {"_since": "2026-01-04T00:00:00 00:00"}).fhir["total"] == 0


@pytest.mark.parametrize(
    ("at", "found"),
    [
        ("2026-01-04T09:59:59Z", []),
        ("2026-01-04T10:00:00Z", ["1"]),
        ("2026-01-04T11:30:00Z", ["2"]),
        ("2026-01-04T11:30:00 00:00", ["2"]),
        ("2026-01-04", ["2", "1"]),
        ("2026-01-05", ["3", "2"]),
        ("2026", ["3", "2", "1"]),
        ("2027", ["3"]),
    ],
)
def test_at_a_time_only_current_versions_are_returned(api, at, found):
    patient = PatientFactory(last_updated=NOW + timedelta(hours=10))
    for version, hours in ((2, 11), (3, 35)):
        Patient.objects.filter(pk=patient.pk).update(version=version, last_updated=NOW + timedelta(hours=hours))
        PastVersion.objects.filter(version=version - 1).update(replaced=NOW + timedelta(hours=hours))
    for path in (f"{patient.reference}/_history", "Patient/_history", "_history"):
        history = api.get(path, {"_at": at}).fhir
        assert [entry["resource"]["meta"]["versionId"] for entry in history.get("entry", [])] == found
        assert history["total"] == len(found)
        assert "_at=" in history["link"][0]["url"]


@pytest.mark.parametrize(
    "query",
    [
        {"_count": "many"},
        {"_count": "9" * 30},
        {"_since": "today"},
        {"_at": "ge2026"},
        {"_at": "noon"},
        {"_cursor": "x"},
        {"name": "a"},
    ],
)
def test_invalid_history_parameters_are_refused(api, query):
    assert api.get("Patient/_history", query).status_code == 400


def test_the_cursor_of_one_history_is_none_of_another(api):
    PatientFactory.create_batch(2)
    LocationFactory()
    page = api.get("Patient/_history", {"_count": "1"}).fhir
    url = next(link["url"] for link in page["link"] if link["relation"] == "next")
    assert api.get(url.removeprefix("http://testserver").replace("Patient", "Location")).status_code == 400


def test_a_count_of_none_tells_how_many_there_are(api):
    PatientFactory()
    history = api.get("Patient/_history", {"_count": "0"}).fhir
    assert (history["total"], "entry" in history) == (1, False)


def test_a_patient_sees_past_versions_of_their_own_rows(ada, bo):
    own, other = CoverageFactory(beneficiary=ada), CoverageFactory(beneficiary=bo)
    mine = Api(user=ada.user)
    assert mine.get(f"{own.reference}/_history").fhir["total"] == 1
    for path in ("_history", "_history/1"):
        assert mine.get(f"{other.reference}/{path}").status_code == 404
    assert mine.get("Coverage/_history").fhir["total"] == 1
    assert mine.get("_history").fhir["total"] == sum(
        mine.get(f"{kind}/_history").fhir["total"] for kind in ("Coverage", "Patient", "Organization")
    )


def test_a_past_version_belongs_to_its_patient_then(api, ada, bo):
    appointment = AppointmentFactory(schedules=[ScheduleFactory()], patient=bo)
    body = api.get(appointment.reference).fhir
    for participant in body["participant"]:
        if participant["actor"]["reference"] == bo.reference:
            participant["actor"] = {"reference": ada.reference}
    assert api.put(appointment.reference, body).status_code == 200
    mine = Api(user=ada.user)
    assert versions(mine.get(f"{appointment.reference}/_history").fhir) == [('W/"2"', "PUT")]
    assert mine.get(f"{appointment.reference}/_history/1").status_code == 404
    assert api.get(f"{appointment.reference}/_history/1").status_code == 200


def test_software_needs_to_search_for_the_history_of_a_type(db):
    PatientFactory()
    assert api_with("system/Patient.s").get("Patient/_history").status_code == 200
    for path in ("Location/_history",):
        assert api_with("system/Patient.s").get(path).status_code == 403
    assert api_with("system/Patient.cud").get("_history").status_code == 403


def test_the_video_room_of_the_past_is_no_more_open_than_that_of_today(api, ada):
    schedule = ScheduleFactory(meeting_url="https://meet.example/old")
    body = api.get(schedule.reference).fhir
    api.put(schedule.reference, {**body, "extension": []} | {"comment": "x", "extension": body["extension"]})
    assert "meet.example" not in str(Api(user=ada.user).get(f"{schedule.reference}/_history").fhir)
    assert "meet.example" in str(api.get(f"{schedule.reference}/_history").fhir)


@pytest.mark.parametrize("many", [1, 4])
def test_a_history_is_few_statements(api, many, django_assert_num_queries):
    schedule = ScheduleFactory()
    body = api.get(schedule.reference).fhir
    for n in range(many):
        api.put(schedule.reference, {**body, "comment": f"Version {n}"})
    with django_assert_num_queries(16):
        assert api.get(f"{schedule.reference}/_history").fhir["total"] == many + 1


def test_a_step_of_a_visit_is_a_version_with_its_time(api):
    appointment = AppointmentFactory(schedules=[ScheduleFactory()])
    booking.change_status(appointment.fhir_id, "arrived", caller=SYSTEM, now=timezone.now())
    past = PastVersion.objects.get(resource_type="Appointment")
    assert (past.version, past.row["status"], past.patient_id) == (1, "booked", appointment.patient_id)
    assert Appointment.objects.get().version == 2
    assert texts(api.get(f"{appointment.reference}/_history/7"))
