"""https://hl7.org/fhir/R4/http.html#transaction: Bundles of all kinds of interactions"""

import json
from base64 import b64encode
from datetime import UTC, datetime

import pytest

from clinic.models import Location, Patient
from tests.api.conftest import Api, api_with, codes, texts
from tests.factories import AppointmentFactory, LocationFactory, PatientFactory, ScheduleFactory, SlotFactory

MRN = "http://mrn.example"
ADA = {"resourceType": "Patient", "identifier": [{"system": MRN, "value": "7"}], "name": [{"family": "Quinn"}]}
CONDITION = f"identifier={MRN}|7"


def entry(method, url, resource=None, **more):
    request = {"method": method, "url": url, **{name: value for name, value in more.items() if name != "fullUrl"}}
    named = {"fullUrl": more["fullUrl"]} if "fullUrl" in more else {}
    return {**named, **({"resource": resource} if resource else {}), "request": request}


def bundle(kind, *entries):
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def sent(api, kind, *entries, **headers):
    response = api.post("", bundle(kind, *entries), **headers)
    assert response.status_code == 200, response.fhir
    assert response.fhir["type"] == f"{kind}-response"
    return response.fhir.get("entry", [])


def statuses(entries):
    return [int(each["response"]["status"][:3]) for each in entries]


def json_patch(*operations):
    data = b64encode(json.dumps(list(operations)).encode()).decode()
    return {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": data}


KINDS = pytest.mark.parametrize("kind", ["batch", "transaction"])


@KINDS
def test_every_interaction_can_be_part_of_it(api, kind):
    gone, changed = PatientFactory(), PatientFactory(gender="male")
    female = {"op": "replace", "path": "/gender", "value": "female"}
    answers = sent(
        api,
        kind,
        entry("GET", changed.reference),
        entry("DELETE", gone.reference),
        entry("POST", "Location", {"resourceType": "Location", "name": "Main"}),
        entry("PUT", "Location/high", {"resourceType": "Location", "id": "high", "name": "High"}),
        entry("PATCH", changed.reference, json_patch(female)),
        entry("GET", "Location?name=high"),
        entry("GET", "Location/_history?_count=1"),
        entry("GET", f"{changed.reference}/_history/1"),
    )
    assert statuses(answers) == [200, 204, 201, 201, 200, 200, 200, 200]
    assert answers[0]["resource"]["gender"] == ("female" if kind == "transaction" else "male")
    assert answers[4]["response"]["etag"] == 'W/"2"'
    assert answers[5]["resource"]["total"] == 1
    assert answers[6]["resource"]["type"] == "history"
    assert answers[7]["resource"]["gender"] == "male"


@KINDS
def test_conditions_are_kept(api, kind):
    known, old = PatientFactory(version=3), PatientFactory(identifier=[{"system": MRN, "value": "old"}])
    LocationFactory(name="Main Street")
    answers = sent(
        api,
        kind,
        entry("GET", known.reference, ifNoneMatch='W/"3"'),
        entry("POST", "Location", {"resourceType": "Location"}, ifNoneExist="name=Main"),
        entry("PUT", f"Patient?{CONDITION}", ADA),
        entry("DELETE", f"Patient?identifier={MRN}|old"),
        entry("DELETE", "Location?name=nowhere"),
    )
    assert statuses(answers) == [304, 200, 201, 204, 204]
    old.refresh_from_db()
    assert (old.deleted_at is not None, Location.objects.count()) == (True, 1)


@KINDS
@pytest.mark.parametrize(
    ("known", "status"),
    [
        ({"ifNoneMatch": 'W/"1"'}, 304),
        ({"ifNoneMatch": 'W/"7"', "ifModifiedSince": "2026-01-05T10:00:00Z"}, 200),
        ({"ifModifiedSince": "2026-01-05T10:00:00Z"}, 304),
        ({"ifModifiedSince": "2026-01-05T09:59:59Z"}, 200),
    ],
)
def test_a_known_version_is_not_modified(api, kind, known, status):
    site = LocationFactory(last_updated=datetime(2026, 1, 5, 10, tzinfo=UTC))
    assert statuses(sent(api, kind, entry("GET", site.reference, **known))) == [status]


def test_a_time_that_cannot_be_read_is_refused_with_its_place(api):
    broken = entry("GET", LocationFactory().reference, ifModifiedSince="yesterday")
    response = api.post("", bundle("transaction", broken))
    assert response.status_code == 400
    assert response.fhir["issue"][0]["expression"] == ["Bundle.entry[0].request.ifModifiedSince"]


@KINDS
def test_resources_are_returned_if_preferred(api, kind):
    make = entry("POST", "Location", {"resourceType": "Location", "name": "Main"})
    assert "resource" not in sent(api, kind, make)[0]
    [back] = sent(api, kind, make, prefer="return=representation")
    assert back["resource"]["name"] == "Main"
    [outcome] = sent(api, kind, make, prefer="return=OperationOutcome")
    assert outcome["response"]["outcome"]["resourceType"] == "OperationOutcome"


def test_each_entry_of_a_batch_fails_alone(api):
    taken = AppointmentFactory(schedules=[ScheduleFactory()])
    answers = sent(
        api,
        "batch",
        entry("GET", "Patient/nobody"),
        entry("GET", "Patient?colour=red"),
        entry("GET", "Appointment/$find?x=1"),
        entry("DELETE", taken.reference),
        entry("PUT", "Patient/ada", {**ADA, "id": "ada"}, ifMatch='W/"7"'),
        entry("PATCH", "Patient/nobody", json_patch()),
        entry("PATCH", "Patient/nobody", {"resourceType": "Binary", "contentType": "text/plain", "data": "!"}),
        entry("POST", "Patient", {"resourceType": "Patient", "gender": "yes"}),
        entry("POST", "Location", {"resourceType": "Location", "name": "Main"}),
        7,
    )
    assert statuses(answers) == [404, 400, 400, 409, 412, 404, 400, 400, 201, 400]
    assert all("outcome" in each["response"] for each in answers[:8])
    assert Location.objects.count() == 1


@pytest.mark.parametrize(
    ("broken", "status"),
    [
        (entry("GET", "Patient/nobody"), 422),
        (entry("GET", "Patient?colour=red"), 400),
        (entry("DELETE", "Patient/ada", ifMatch='W/"7"'), 412),
        (entry("PATCH", "Patient/nobody", json_patch()), 422),
        (entry("PATCH", "Patient/ada", json_patch({"op": "remove", "path": "/photo"})), 422),
        (entry("PUT", "Patient?family=Quinn", ADA), 412),
        (entry("POST", "Patient", {"resourceType": "Patient", "gender": "yes"}), 400),
    ],
    ids=range(7),
)
def test_a_transaction_is_all_or_nothing(api, broken, status):
    PatientFactory(fhir_id="ada", family="Quinn")
    PatientFactory(family="Quinn")
    gone = LocationFactory()
    response = api.post(
        "",
        bundle(
            "transaction",
            entry("POST", "Location", {"resourceType": "Location", "name": "Main"}),
            entry("DELETE", gone.reference),
            broken,
        ),
    )
    assert response.status_code == status, response.fhir
    assert response.fhir["issue"][0]["expression"][0].startswith("Bundle.entry[2]")
    assert [site.deleted_at for site in Location.objects.all()] == [None]


SITE = {"resourceType": "Location", "name": "Main"}


@KINDS
@pytest.mark.parametrize(
    ("change", "status", "code", "place"),
    [
        ({"entries": []}, 400, "structure", "Bundle.entries"),
        ({"total": 1}, 422, "invariant", "Bundle.total"),
        ({"entry": [{**entry("POST", "Location", SITE), "fullURL": "urn:x"}]}, 400, "structure", "entry[0].fullURL"),
        ({"entry": [entry("POST", "Location", SITE, ifNoneExists="a=b")]}, 400, "structure", "request.ifNoneExists"),
        ({"entry": [{**entry("POST", "Location", SITE), "search": {"mode": "match"}}]}, 422, "invariant", "[0].search"),
        ({"entry": [{**entry("POST", "Location", SITE), "response": {"status": "201"}}]}, 422, "invariant", "response"),
        ({"entry": [entry("POST", "Location", SITE, fullUrl="urn:x")] * 2}, 422, "invariant", "entry[1].fullUrl"),
        (
            {"entry": [entry("POST", "Location", SITE, fullUrl="http://other.example/Location/1/_history/1")]},
            422,
            "invariant",
            "entry[0].fullUrl",
        ),
    ],
    ids=["element", "bdl-1", "of an entry", "of a request", "bdl-2", "bdl-4", "bdl-7", "bdl-8"],
)
def test_a_bundle_that_is_not_well_made_is_refused_with_the_place(api, kind, change, status, code, place):
    response = api.post("", {**bundle(kind), **change})
    assert (response.status_code, codes(response)) == (status, [code])
    assert response.fhir["issue"][0]["expression"][0].endswith(place)
    assert not Location.objects.exists()


@pytest.mark.parametrize("kind", ["collection", "searchset", "everything", None])
def test_a_refusal_of_another_bundle_names_the_valid_types(api, kind):
    response = api.post("", bundle(kind))
    assert response.status_code == 400
    assert "transaction or batch" in texts(response)


def test_a_deletion_makes_room_for_a_creation(api):
    taken = SlotFactory()
    body = {name: value for name, value in api.get(taken.reference).fhir.items() if name not in ("id", "meta")}
    assert statuses(sent(api, "transaction", entry("POST", "Slot", body), entry("DELETE", taken.reference))) == [
        201,
        204,
    ]


def test_resources_that_refer_to_each_other_are_deleted_together(api):
    schedule = ScheduleFactory()
    slot = SlotFactory(schedule=schedule)
    entries = [entry("DELETE", each.reference) for each in (schedule.actor, schedule, slot)]
    assert statuses(sent(api, "transaction", *entries)) == [204, 204, 204]


def test_a_reference_to_what_is_deleted_is_refused(api):
    site = LocationFactory()
    room = {"resourceType": "Location", "name": "Room", "partOf": {"reference": site.reference}}
    response = api.post("", bundle("transaction", entry("POST", "Location", room), entry("DELETE", site.reference)))
    assert (response.status_code, codes(response)) == (422, ["not-found"])


def test_a_reference_can_be_a_search(api):
    patient = PatientFactory(identifier=[{"system": MRN, "value": "7"}])
    coverage = {
        "resourceType": "Coverage",
        "status": "active",
        "beneficiary": {"reference": f"Patient?{CONDITION}"},
        "payor": [{"display": "Acme"}],
    }
    [made] = sent(api, "transaction", entry("POST", "Coverage", coverage), prefer="return=representation")
    assert made["resource"]["beneficiary"]["reference"] == patient.reference


@pytest.mark.parametrize(("many", "status", "code"), [(0, 422, "not-found"), (2, 412, "multiple-matches")])
def test_a_reference_by_search_means_one_resource(api, many, status, code):
    PatientFactory.create_batch(many, identifier=[{"system": MRN, "value": "7"}])
    coverage = {"resourceType": "Coverage", "beneficiary": {"reference": f"Patient?{CONDITION}"}}
    response = api.post("", bundle("transaction", entry("POST", "Coverage", coverage)))
    assert (response.status_code, codes(response)) == (status, [code])
    assert response.fhir["issue"][0]["expression"] == ["Bundle.entry[0]"]


def test_a_conditionally_updated_resource_can_be_referred_to(api):
    urn = "urn:uuid:6f1a5b7e-0c36-4a43-9d3f-000000000001"
    coverage = {
        "resourceType": "Coverage",
        "status": "active",
        "beneficiary": {"reference": urn},
        "payor": [{"display": "Acme"}],
    }
    for _ in range(2):
        _, made = sent(
            api,
            "transaction",
            entry("PUT", f"Patient?{CONDITION}", ADA, fullUrl=urn),
            entry("POST", "Coverage", coverage),
            prefer="return=representation",
        )
        assert made["resource"]["beneficiary"]["reference"] == Patient.objects.get().reference


def test_a_visit_is_cancelled_in_a_transaction(api):
    appointment = AppointmentFactory(schedules=[ScheduleFactory()])
    cancel = {
        "resourceType": "Parameters",
        "parameter": [
            {
                "name": "operation",
                "part": [
                    {"name": "type", "valueCode": "replace"},
                    {"name": "path", "valueString": "status"},
                    {"name": "value", "valueCode": "cancelled"},
                ],
            }
        ],
    }
    answers = sent(
        api, "transaction", entry("PATCH", appointment.reference, cancel), entry("GET", appointment.reference)
    )
    assert answers[1]["resource"]["status"] == "cancelled"


def test_each_entry_is_allowed_by_itself(db):
    patient = PatientFactory()
    answers = sent(
        api_with("system/Location.c system/Patient.r"),
        "batch",
        entry("GET", patient.reference),
        entry("GET", "Patient?family=x"),
        entry("DELETE", patient.reference),
        entry("POST", "Location", {"resourceType": "Location"}),
        entry("GET", "Coverage"),
    )
    assert statuses(answers) == [200, 403, 403, 201, 403]


def test_a_patient_reads_in_a_batch_what_they_may(ada, bo):
    answers = sent(Api(user=ada.user), "batch", entry("GET", ada.reference), entry("GET", bo.reference))
    assert statuses(answers) == [200, 404]


@pytest.mark.parametrize("many", [2, 20])
def test_the_number_of_statements_of_a_transaction_does_not_grow(api, many, django_assert_num_queries):
    rooms = LocationFactory.create_batch(many)
    name = {"op": "replace", "path": "/name", "value": "x"}
    entries = [entry("PATCH", room.reference, json_patch(name)) for room in rooms]
    with django_assert_num_queries(8):
        sent(api, "transaction", *entries, prefer="return=representation")
