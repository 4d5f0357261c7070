"""https://hl7.org/fhir/R4/http.html#transaction"""

import pytest

from clinic.fhir.resources import RESOURCES
from clinic.models import AuditEvent, Bookable, Location, Patient, Practitioner, Schedule, Slot
from tests.api import connectathon
from tests.api.conftest import api_with, codes, texts
from tests.factories import AppointmentFactory, LocationFactory, PatientFactory, ScheduleFactory, SlotFactory

URN = "urn:uuid:6f1a5b7e-0c36-4a43-9d3f-0000000000"


def post(resource, full_url="", **request):
    made = {"resource": resource, "request": {"method": "POST", "url": resource["resourceType"], **request}}
    return {"fullUrl": full_url, **made} if full_url else made


def transaction(*entries, kind="transaction"):
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def statuses(response):
    return [entry["response"]["status"] for entry in response.fhir["entry"]]


@pytest.mark.parametrize("path", ["", "/fhir/R4"])
def test_a_bundle_of_another_system_can_be_found_and_booked(api, path):
    response = api.post(path, connectathon.bundle())
    assert response.status_code == 200
    assert response.fhir["type"] == "transaction-response"
    assert set(statuses(response)) == {"201 Created"}
    assert Bookable.objects.count() == 9
    connectathon.assert_exactly_the_free_quarters_are_offered()
    again = api.post(path, connectathon.bundle())
    assert set(statuses(again)) == {"200 OK"}
    assert not Slot.objects.filter(version__gt=1).exists()


def test_entries_name_each_other_whatever_their_order(api):
    response = api.post(
        "",
        transaction(
            post({"resourceType": "Location", "name": "Room 1", "partOf": {"reference": f"{URN}01"}}, f"{URN}02"),
            post({"resourceType": "Location", "name": "Main Street"}, f"{URN}01"),
            post({"resourceType": "Schedule", "actor": [{"reference": f"{URN}02"}]}),
        ),
    )
    assert response.status_code == 200
    room = Location.objects.get(name="Room 1")
    assert room.part_of.name == "Main Street"
    schedule = Schedule.objects.get()
    assert (schedule.actor, schedule.site) == (room, room.part_of)
    assert response.fhir["entry"][0]["response"]["location"] == f"{room.reference}/_history/1"


CLINIC = "urn:uuid:0b9cf1d3-7f2e-4c0a-9b0a-0d7a4a3d1e01"


def test_links_within_it_lead_to_what_was_made_wherever_they_are(api):
    site = {
        "resourceType": "Location",
        "name": "Main",
        "managingOrganization": {"reference": CLINIC},
        "text": {
            "status": "generated",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><a href="{CLINIC}">It</a> is {CLINIC}</div>',
        },
        "extension": [
            {"url": "urn:uri", "valueUri": CLINIC},
            {"url": "urn:url", "valueUrl": CLINIC},
            {"url": "urn:string", "valueString": CLINIC},
            {"url": "urn:canonical", "valueCanonical": CLINIC},
        ],
    }
    clinic = {"resourceType": "Organization", "name": "Clinic"}
    made = api.post(
        "",
        transaction(
            {"resource": site, "request": {"method": "POST", "url": "Location"}},
            {"fullUrl": CLINIC, "resource": clinic, "request": {"method": "POST", "url": "Organization"}},
        ),
        prefer="return=representation",
    ).fhir["entry"]
    here = f"Organization/{made[1]['resource']['id']}"
    found = made[0]["resource"]
    assert found["managingOrganization"] == {"reference": here}
    values = [value for each in found["extension"] for name, value in each.items() if name != "url"]
    assert values == [here, here, CLINIC, CLINIC]
    assert f'<a href="{here}">It</a> is {CLINIC}' in found["text"]["div"]


@pytest.mark.parametrize(("base", "status"), [("http://elsewhere.example/r4/", 200), ("http://other.example/", 422)])
def test_a_relative_reference_means_what_is_at_the_same_base(api, base, status):
    clinic = {"resourceType": "Organization", "id": "clinic", "name": "Clinic"}
    site = {
        "resourceType": "Location",
        "id": "main",
        "name": "Main",
        "managingOrganization": {"reference": "Organization/clinic"},
    }
    entries = [
        {"fullUrl": f"{at}{each['resourceType']}/{each['id']}", "resource": each, "request": request}
        for at, each, request in (
            ("http://elsewhere.example/r4/", clinic, {"method": "POST", "url": "Organization"}),
            (base, site, {"method": "POST", "url": "Location"}),
        )
    ]
    assert api.post("", transaction(*entries)).status_code == status


def test_everything_that_is_wrong_is_said_and_nothing_is_written(api):
    response = api.post(
        "",
        transaction(
            post({"resourceType": "Patient", "gender": "yes"}),
            post({"resourceType": "Practitioner", "name": [{"family": "Chen"}]}),
            post({"resourceType": "PractitionerRole", "practitioner": {"reference": "Practitioner/nobody"}}),
        ),
    )
    places = [issue["expression"][0] for issue in response.fhir["issue"]]
    assert places == ["Bundle.entry[0].resource.gender", "Bundle.entry[2].resource.practitioner.reference"]
    assert (response.status_code, codes(response)) == (400, ["code-invalid", "not-found"])
    assert not Practitioner.objects.exists()


def test_entries_that_refer_to_a_refused_entry_are_not_refused(api):
    broken = {"resourceType": "Schedule", "id": "a", "active": "no", "actor": [{"reference": "Practitioner/nobody"}]}
    slot = {"resourceType": "Slot", "id": "s", "schedule": {"reference": "Schedule/a"}, "status": "free"}
    response = api.post("", transaction(connectathon.put(broken), connectathon.put(slot)))
    assert all(issue["expression"][0].startswith("Bundle.entry[0].") for issue in response.fhir["issue"])


def test_taken_time_refuses_the_whole(api):
    taken = SlotFactory()
    clash = {"resourceType": "Slot", "schedule": {"reference": taken.schedule.reference}, "status": "busy"}
    times = {"start": "2026-01-05T14:15:00Z", "end": "2026-01-05T15:00:00Z"}
    response = api.post("", transaction(post({"resourceType": "Patient"}), post({**clash, **times})))
    assert (response.status_code, codes(response)) == (409, ["conflict"])
    assert Patient.objects.count() == 0


def test_only_what_has_changed_is_a_new_version(api):
    api.post("", connectathon.bundle())
    bundle = connectathon.bundle()
    changed = [entry["resource"] for entry in bundle["entry"] if entry["resource"]["id"] == "arg-1"]
    for resource in changed:
        resource["language"] = "en"
    assert set(statuses(api.post("", bundle))) == {"200 OK"}
    versions = {kind: RESOURCES[kind].model.objects.filter(version=2).count() for kind in RESOURCES}
    assert {kind: count for kind, count in versions.items() if count} == {
        resource["resourceType"]: 1 for resource in changed
    }


def test_versions_are_matched(api):
    patient = PatientFactory(fhir_id="ada", version=3)
    body = {"resourceType": "Patient", "id": "ada", "gender": "female"}
    entry = connectathon.put(body)
    entry["request"]["ifMatch"] = 'W/"2"'
    response = api.post("", transaction(entry))
    assert (response.status_code, codes(response)) == (412, ["conflict"])
    entry["request"]["ifMatch"] = 'W/"3"'
    assert api.post("", transaction(entry)).fhir["entry"][0]["response"]["etag"] == 'W/"4"'
    patient.refresh_from_db()
    assert patient.version == 4


def test_existing_resources_are_referred_to_and_not_created_again(api):
    site = LocationFactory(identifier=[{"system": "http://sites.example", "value": "1"}])
    response = api.post(
        "",
        transaction(
            post(
                {"resourceType": "Location", "name": "Again"},
                f"{URN}01",
                ifNoneExist="identifier=http://sites.example|1",
            ),
            post({"resourceType": "Location", "name": "Room", "partOf": {"reference": f"{URN}01"}}),
        ),
    )
    assert statuses(response) == ["200 OK", "201 Created"]
    assert Location.objects.get(name="Room").part_of == site
    assert Location.objects.count() == 2


def test_an_import_of_visits_takes_their_time(api):
    schedule, ada = ScheduleFactory(), PatientFactory()
    times = {"start": "2026-01-05T14:00:00Z", "end": "2026-01-05T14:30:00Z"}
    response = api.post(
        "",
        transaction(
            post(
                {
                    "resourceType": "Appointment",
                    "status": "booked",
                    "slot": [{"reference": f"{URN}01"}],
                    "participant": [{"actor": {"reference": ada.reference}, "status": "accepted"}],
                    **times,
                }
            ),
            post(
                {"resourceType": "Slot", "schedule": {"reference": schedule.reference}, "status": "busy", **times},
                f"{URN}01",
            ),
        ),
    )
    assert response.status_code == 200
    assert schedule.slots.get().appointment.patient == ada
    assert {each.subtype for each in AuditEvent.objects.all()} == {"create", "record"}  # of the Slot, of the visit


def test_slots_of_visits_are_not_rewritten(api):
    slot = AppointmentFactory(schedules=[ScheduleFactory()]).slots.get()
    body = {**api.get(slot.reference).fhir, "status": "free"}
    response = api.post("", transaction(connectathon.put(body)))
    assert (response.status_code, codes(response)) == (422, ["business-rule"])


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ({}, "no request"),
        ({"request": {"method": "HEAD", "url": "Patient"}}, "HEAD cannot be part"),
        ({"request": {"method": ["GET"], "url": "Patient"}}, "cannot be part"),
        ({"request": {"method": "DELETE", "url": "Patient"}}, "Type/id or Type?search"),
        ({"request": {"method": "DELETE", "url": "AuditEvent/1"}}, "cannot be written"),
        ({"request": {"method": "GET", "url": "Appointment/$find"}}, "cannot be asked for"),
        ({"request": {"method": "GET", "url": "metadata"}}, "cannot be asked for"),
        (
            {"request": {"method": "POST", "url": "Appointment/$book"}, "resource": {"resourceType": "Parameters"}},
            "The url of a POST is Type",
        ),
        (
            {"request": {"method": "PUT", "url": "Patient/1"}, "resource": {"resourceType": "Slot", "id": "1"}},
            "cannot be sent",
        ),
        ({"request": {"method": "PUT", "url": "Patient/1"}, "resource": {"resourceType": "Patient"}}, "no id"),
        ({"request": {"method": "POST", "url": "Patient"}}, "no resource"),
        (
            {"request": {"method": "POST", "url": "AuditEvent"}, "resource": {"resourceType": "AuditEvent"}},
            "cannot be written",
        ),
        ({"request": {"method": "POST", "url": "Patient"}, "resource": [], "fullUrl": 7}, "no resource"),
        ("entry", "no resource"),
    ],
)
def test_entries_that_ask_for_something_else_are_refused(api, entry, text):
    response = api.post("", transaction(entry))
    assert response.status_code == 400
    assert text in texts(response)
    assert response.fhir["issue"][0]["expression"][0].startswith("Bundle.entry[0]")


def test_one_resource_comes_once(api):
    entry = connectathon.put({"resourceType": "Patient", "id": "ada"})
    response = api.post("", transaction(entry, entry))
    assert response.status_code == 400
    assert "twice" in texts(response)


@pytest.mark.parametrize(
    "body", [{}, {"resourceType": "Patient"}, transaction(kind="collection"), transaction() | {"entry": 1}]
)
def test_only_bundles_are_taken(api, body):
    assert api.post("", body).status_code == 400


def test_an_empty_transaction_does_nothing(api):
    assert api.post("", transaction()).fhir == {"resourceType": "Bundle", "type": "transaction-response"}


def test_a_batch_does_what_can_be_done(api):
    response = api.post(
        "",
        transaction(
            post({"resourceType": "Patient", "gender": "yes"}),
            post({"resourceType": "Patient", "gender": "female"}),
            {"request": {"method": "HEAD", "url": "Patient"}},
            kind="batch",
        ),
    )
    assert response.fhir["type"] == "batch-response"
    assert statuses(response) == ["400 Bad Request", "201 Created", "400 Bad Request"]
    assert response.fhir["entry"][0]["response"]["outcome"]["issue"][0]["code"] == "code-invalid"
    assert Patient.objects.count() == 1


def test_every_type_of_a_transaction_needs_its_scope(db):
    api = api_with("system/Patient.c")
    response = api.post(
        "", transaction(post({"resourceType": "Patient"}), post({"resourceType": "Location", "name": "x"}))
    )
    assert (response.status_code, codes(response)) == (403, ["forbidden"])
    assert Patient.objects.count() == 0


@pytest.mark.parametrize("many", [2, 40])
def test_the_number_of_statements_does_not_grow(api, many, django_assert_num_queries):
    entries = [connectathon.put(each) for each in connectathon.resources()]
    kept = [entry for entry in entries if entry["resource"]["resourceType"] != "Slot"]
    slots = [entry for entry in entries if entry["resource"]["resourceType"] == "Slot"][:many]
    with django_assert_num_queries(59):  # PostgreSQL is asked about each constraint of each service
        assert api.post("", transaction(*kept, *slots)).status_code == 200
