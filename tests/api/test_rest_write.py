"""https://hl7.org/fhir/R4/http.html#create and #update"""

import json
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from functools import partial
from threading import Barrier, Event

import pytest
from django.db import connection, transaction

from clinic.fhir.resources import RESOURCES
from clinic.models import AuditEvent, Patient, Schedule, SchedulingParameters, Slot
from tests.api.conftest import api_with, codes, texts
from tests.factories import (
    FACTORIES,
    MONDAY_9,
    AppointmentFactory,
    PatientFactory,
    PractitionerFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
)

ADA = {"resourceType": "Patient", "name": [{"family": "Quinn", "given": ["Ada"]}], "birthDate": "1980-02-03"}


def slot(schedule, status="free", start="2026-01-05T14:00:00Z", end="2026-01-05T14:30:00Z", **more):
    reference = {"reference": schedule.reference}
    return {"resourceType": "Slot", "schedule": reference, "status": status, "start": start, "end": end, **more}


def visit(slot, patient, **more):
    return {
        "resourceType": "Appointment",
        "status": "booked",
        "start": "2026-01-05T14:00:00Z",
        "end": "2026-01-05T14:30:00Z",
        "slot": [{"reference": slot.reference}],
        "participant": [{"actor": {"reference": patient.reference}, "status": "accepted"}],
        **more,
    }


def test_a_created_resource_has_a_location_and_a_version(api):
    response = api.post("Patient", {**ADA, "id": "mine", "meta": {"versionId": "9"}})
    assert response.status_code == 201
    patient = Patient.objects.get()
    assert response["Location"] == f"http://testserver/fhir/R4/{patient.reference}/_history/1"
    assert response["ETag"] == 'W/"1"'
    assert patient.fhir_id != "mine"
    assert response.fhir["name"] == ADA["name"]
    assert api.get(response["Location"].removeprefix("http://testserver")).fhir == response.fhir


@pytest.mark.parametrize(
    ("prefer", "kind"), [("return=OperationOutcome", "OperationOutcome"), ("return=representation", "Patient")]
)
def test_the_body_is_what_the_client_prefers(api, prefer, kind):
    assert api.post("Patient", ADA, prefer=prefer).fhir["resourceType"] == kind
    assert api.post("Patient", ADA, prefer="respond-async, return=minimal").content == b""


def test_an_update_is_the_next_version(api):
    patient = PatientFactory(fhir_id="ada")
    response = api.put("Patient/ada", {**ADA, "id": "ada"})
    assert response.status_code == 200
    assert response["ETag"] == 'W/"2"'
    patient.refresh_from_db()
    assert (patient.family, patient.version) == ("Quinn", 2)


def test_an_update_with_a_new_id_creates(api):
    response = api.put("Patient/ada", {**ADA, "id": "ada"})
    assert response.status_code == 201
    assert response["Location"].endswith("/Patient/ada/_history/1")


def test_an_unchanged_update_makes_no_version(api):
    api.put("Patient/ada", {**ADA, "id": "ada"})
    response = api.put("Patient/ada", {**ADA, "id": "ada"})
    assert (response.status_code, response["ETag"]) == (200, 'W/"1"')


@pytest.mark.parametrize("kind", [kind for kind in RESOURCES if RESOURCES[kind].from_fhir])
def test_an_update_with_the_read_resource_makes_no_version(api, kind):
    row = FACTORIES[kind]()
    read = api.get(row.reference)
    response = api.put(row.reference, read.fhir)
    assert (response.status_code, response["ETag"]) == (200, read["ETag"])


def test_every_read_resource_can_be_written_back(api):
    schedule = ScheduleFactory(parameters={"duration": 20})
    for row in (schedule, schedule.services.get(), schedule.actor, SlotFactory(schedule=schedule)):
        read = api.get(row.reference).fhir
        again = api.put(row.reference, read)
        assert again.status_code == 200
        assert again.fhir == {**read, "meta": again.fhir["meta"]}


def test_if_match_keeps_two_clients_from_overwriting_each_other(api):
    body = {**ADA, "id": "ada"}
    api.put("Patient/ada", body)
    assert api.put("Patient/ada", {**body, "gender": "female"}, if_match='W/"1"').status_code == 200
    late = api.put("Patient/ada", {**body, "gender": "male"}, if_match='W/"1"')
    assert (late.status_code, codes(late)) == (412, ["conflict"])
    assert api.put("Patient/new", {**ADA, "id": "new"}, if_match='W/"1"').status_code == 412
    assert api.put("Patient/ada", body, if_match="one").status_code == 400


def test_if_match_takes_a_list_and_any(api):
    """https://www.rfc-editor.org/rfc/rfc9110#section-13.1.1"""
    body = {**ADA, "id": "ada"}
    assert api.put("Patient/ada", body, if_match="*").status_code == 412  # there is none yet
    assert api.delete("Patient/ada", if_match="*").status_code == 204
    api.put("Patient/ada", body)
    for tags, status in [
        ('W/"7", W/"1"', 200),
        ('"1","2"', 200),
        ("*", 200),
        ('W/"1", W/"2"', 412),
        ('W/"4",one', 400),
    ]:
        changed = {**body, "language": f"x-{len(tags)}"}
        assert (tags, api.put("Patient/ada", changed, if_match=tags).status_code) == (tags, status)
    active = [{"op": "add", "path": "/active", "value": False}]
    assert api.patch("Patient/ada", active, if_match='W/"1",W/"2"').status_code == 412
    assert api.patch("Patient/ada", active, if_match='W/"3",W/"4"').status_code == 200
    assert api.delete("Patient/ada", if_match='W/"1", W/"2"').status_code == 412
    assert api.delete("Patient/ada", if_match="*").status_code == 204
    assert api.put("Patient/ada", body, if_match="*").status_code == 412  # it was deleted
    assert api.put("Patient/ada", body, if_none_match="*").status_code == 201


def test_if_match_is_read_alike_in_a_bundle(api):
    api.put("Patient/ada", {**ADA, "id": "ada"})
    for tags, status in [('W/"3", W/"2"', "412"), ('W/"3", W/"1"', "200"), ("*", "200")]:
        request = {"method": "PUT", "url": "Patient/ada", "ifMatch": tags}
        entry = {"resource": {**ADA, "id": "ada", "language": f"x-{len(tags)}"}, "request": request}
        result = api.post("", {"resourceType": "Bundle", "type": "batch", "entry": [entry]}).fhir["entry"][0][
            "response"
        ]
        assert (tags, result["status"][:3]) == (tags, status)


def test_if_none_match_writes_only_what_is_not_there_yet(api):
    assert api.put("Patient/ada", {**ADA, "id": "ada"}, if_none_match="*").status_code == 201
    again = api.put("Patient/ada", {**ADA, "id": "ada", "gender": "female"}, if_none_match="*")
    assert (again.status_code, codes(again)) == (412, ["conflict"])
    assert "gender" not in api.get("Patient/ada").fhir


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/fhir+json; charset=utf-16",
        "application/fhir+json; fhirVersion=3.0",
    ],
)
def test_a_refused_media_type_names_the_accepted_ones(api, content_type):
    response = api.post("Patient", json.dumps(ADA), content_type=content_type)
    assert (response.status_code, codes(response)) == (415, ["not-supported"])
    assert "application/fhir+json" in texts(response)


@pytest.mark.parametrize("body", [ADA, {**ADA, "id": "bo"}, {**ADA, "id": 7}, {}])
def test_the_id_of_an_update_is_said_twice_and_the_same(api, body):
    assert api.put("Patient/ada", body).status_code == 400


def test_everything_wrong_is_said_at_once(api):
    body = {"resourceType": "Slot", "status": "maybe", "start": "today", "end": "2026-01-05T14:30:00Z"}
    response = api.post("Slot", body)
    assert response.status_code == 400
    assert {issue["expression"][0] for issue in response.fhir["issue"]} >= {"Slot.status", "Slot.start"}


@pytest.mark.parametrize("query", ["identifier=http://mrn|1", "name=Quinn", "_id=ada", "colour=red", "patient="])
def test_a_search_in_the_address_of_a_post_is_refused(api, query):
    """The refusal of an unconditional create says how to make it conditional, and nothing is created twice."""
    response = api.post(f"Patient?{query}", ADA)
    assert (response.status_code, codes(response)) == (400, ["not-supported"])
    assert "If-None-Exist" in texts(response)
    assert not Patient.objects.exists()
    assert api.post("Patient?_format=json&_pretty=true", ADA).status_code == 201


def test_a_resource_goes_to_its_own_type(api):
    response = api.post("Slot", ADA)
    assert (response.status_code, codes(response)) == (400, ["structure"])


def test_a_reference_to_nothing_is_refused(api):
    response = api.post(
        "PractitionerRole", {"resourceType": "PractitionerRole", "practitioner": {"reference": "Practitioner/nobody"}}
    )
    assert (response.status_code, codes(response)) == (422, ["not-found"])
    assert response.fhir["issue"][0]["expression"] == ["PractitionerRole.practitioner.reference"]


def test_a_schedule_brings_its_services_and_parameters(api):
    service, chen = ServiceFactory(), PractitionerFactory()
    extension = {
        "url": "https://medplum.com/fhir/StructureDefinition/SchedulingParameters",
        "extension": [
            {"url": "service", "valueReference": {"reference": service.reference}},
            {"url": "duration", "valueDuration": {"value": 45, "unit": "min"}},
        ],
    }
    named = {
        "url": "https://medplum.com/fhir/service-type-reference",
        "valueReference": {"reference": service.reference},
    }
    body = {
        "resourceType": "Schedule",
        "id": "chen",
        "actor": [{"reference": chen.reference}],
        "serviceType": [{"extension": [named]}],
        "extension": [extension],
    }
    assert api.put("Schedule/chen", body).status_code == 201
    schedule = Schedule.objects.get()
    assert schedule.actor == chen
    assert list(schedule.services.all()) == [service]
    assert schedule.scheduling_parameters.get().duration == 45
    assert api.put("Schedule/chen", body)["ETag"] == 'W/"1"'
    assert api.put("Schedule/chen", {**body, "extension": [], "serviceType": []} | {"comment": "x"}).status_code == 400
    bare = {name: value for name, value in body.items() if name not in ("extension", "serviceType")}
    assert api.put("Schedule/chen", bare)["ETag"] == 'W/"2"'
    assert schedule.services.count() == SchedulingParameters.objects.filter(schedule=schedule).count() == 0


def test_two_schedules_of_one_actor_share_their_time(api):
    chen = PractitionerFactory()
    for name in ("here", "there"):
        api.put(f"Schedule/{name}", {"resourceType": "Schedule", "id": name, "actor": [{"reference": chen.reference}]})
    assert len({schedule.bookable_id for schedule in Schedule.objects.all()}) == 1


def test_a_schedule_with_slots_keeps_its_actor(api):
    taken = SlotFactory()
    body = {
        "resourceType": "Schedule",
        "id": taken.schedule.fhir_id,
        "actor": [{"reference": PractitionerFactory().reference}],
    }
    response = api.put(taken.schedule.reference, body)
    assert (response.status_code, codes(response)) == (422, ["business-rule"])
    empty = ScheduleFactory()
    moved = api.put(empty.reference, {**body, "id": empty.fhir_id})
    assert moved.status_code == 200
    assert moved.fhir["actor"] == body["actor"]


def test_time_is_not_sold_twice_to_slots_either(api):
    schedule = ScheduleFactory()
    assert api.post("Slot", slot(schedule, "busy")).status_code == 201
    assert api.post("Slot", slot(schedule, "free")).status_code == 201
    response = api.post("Slot", slot(schedule, "busy-unavailable"))
    assert (response.status_code, codes(response)) == (409, ["conflict"])
    assert Slot.objects.count() == 2


def test_a_slot_is_rewritten_unless_it_is_an_appointments(api):
    schedule = ScheduleFactory()
    free = SlotFactory(schedule=schedule, status="free")
    body = slot(schedule, "busy", id=free.fhir_id)
    assert api.put(free.reference, body).fhir["status"] == "busy"
    visit = AppointmentFactory(schedules=[ScheduleFactory()]).slots.get()
    response = api.put(visit.reference, slot(visit.schedule, "free", id=visit.fhir_id))
    assert (response.status_code, codes(response)) == (422, ["business-rule"])


def test_a_participant_without_a_name_is_given_its_own(api, ada):
    schedule = ScheduleFactory()
    doctor = schedule.bookable.actor
    slot = SlotFactory(schedule=schedule)
    body = visit(slot, ada)
    body["participant"].append({"actor": {"reference": doctor.reference}, "status": "accepted"})
    body["participant"].append({"actor": {"display": "Interpreter"}, "status": "accepted"})
    made = api.post("Appointment", body).fhir
    assert [participant["actor"].get("display") for participant in made["participant"]] == [
        None,
        str(doctor),
        "Interpreter",
    ]


def test_an_appointment_that_was_made_elsewhere_takes_its_slots(api):
    taken, ada = SlotFactory(start=MONDAY_9), PatientFactory()
    response = api.post("Appointment", visit(taken, ada))
    assert response.status_code == 201
    assert response.fhir["slot"] == [{"reference": taken.reference}]
    again = api.post("Appointment", visit(taken, PatientFactory()))
    assert (again.status_code, codes(again)) == (409, ["conflict"])


def test_an_appointment_that_takes_no_time_is_refused(api):
    body = visit(SlotFactory(), PatientFactory())
    del body["slot"]
    response = api.post("Appointment", body)
    assert (response.status_code, codes(response)) == (422, ["business-rule"])


def test_an_appointment_is_cancelled_by_an_update(api):
    taken, ada = SlotFactory(start=MONDAY_9), PatientFactory()
    made = api.post("Appointment", visit(taken, ada)).fhir
    cancelled = api.put(f"Appointment/{made['id']}", {**made, "status": "cancelled"})
    assert (cancelled.status_code, cancelled.fhir["status"]) == (200, "cancelled")
    assert api.get(taken.reference).status_code == 410
    back = api.put(f"Appointment/{made['id']}", {**cancelled.fhir, "status": "booked"})
    assert (back.status_code, codes(back)) == (409, ["conflict"])


def test_an_update_does_not_bring_a_patient_who_is_elsewhere(api):
    ada = AppointmentFactory(schedules=[ScheduleFactory()]).patient
    other = AppointmentFactory(schedules=[ScheduleFactory()])
    body = api.get(other.reference).fhir
    body["participant"][0]["actor"] = {"reference": ada.reference}
    response = api.put(other.reference, body)
    assert (response.status_code, codes(response)) == (422, ["business-rule"])
    body["participant"][0]["actor"] = {"reference": PatientFactory().reference}
    assert api.put(other.reference, body).status_code == 200


def put_at_once(resource, several):
    """The statuses of several requests that PUT the same new resource at one moment."""
    start, apis = Barrier(several, timeout=30), [api_with() for _ in range(several)]

    def put(api):
        start.wait(timeout=30)
        try:
            return api.put(f"{resource['resourceType']}/{resource['id']}", resource).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(several) as pool:
        return sorted(pool.map(put, apis))


@pytest.mark.django_db(transaction=True)
def test_eight_creations_of_one_id_create_one_resource():
    chen = ScheduleFactory()
    booked = visit(SlotFactory(schedule=chen, start=MONDAY_9), PatientFactory(), id="one")
    for resource in (
        {**ADA, "id": "one"},
        {"resourceType": "Location", "id": "one", "name": "Main Street"},
        {"resourceType": "Schedule", "id": "one", "actor": [{"reference": chen.actor.reference}]},
        slot(chen, status="busy", id="one", start="2030-01-07T14:00:00Z", end="2030-01-07T14:30:00Z"),
        booked,
    ):
        statuses = put_at_once(resource, 8)
        assert (statuses.count(201), set(statuses) <= {200, 201, 409}) == (1, True), (resource, statuses)
        assert RESOURCES[resource["resourceType"]].model.objects.filter(fhir_id="one").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_writer_who_waited_for_the_id_blocks_nobody():
    """Three clients PUT one Appointment while its patient is locked: one creates it, the others change it."""
    ada = PatientFactory()
    booked = visit(SlotFactory(start=MONDAY_9), ada, id="one")
    puts = [partial(api_with().put, "Appointment/one", {**booked, "comment": f"From client {n}"}) for n in range(3)]
    go_on = Event()

    def lock_patient(then):
        with transaction.atomic():
            Patient.objects.select_for_update(no_key=True).get(pk=ada.pk)
            then()

    with ThreadPoolExecutor(4) as pool:
        try:
            with transaction.atomic():
                lock_patient(lambda: None)
                requests = [pool.submit(closing, puts[0])]
                wait_until_waiting(1)
                pool.submit(closing, partial(lock_patient, partial(go_on.wait, 60)))
                wait_until_waiting(2)
                requests.append(pool.submit(closing, puts[1]))
                wait_until_waiting(3)
            wait(requests, timeout=10, return_when=FIRST_COMPLETED)  # it has created it
            wait_until_blocked(requests)
            requests.append(pool.submit(closing, puts[2]))
            wait_until_blocked(requests)
        finally:
            go_on.set()
    assert sorted(each.result().status_code for each in requests) == [200, 200, 201]


def closing(act):
    """Run a function in a thread, and close the thread's connection."""
    try:
        return act()
    finally:
        connection.close()


def wait_until_waiting(several):
    """Return once this number of transactions wait for a lock."""
    wait_until(lambda waiting: waiting == several)


def wait_until_blocked(requests):
    """Return once each request has its answer or waits for a lock: who gets a lock first is not certain."""
    wait_until(lambda waiting: waiting >= sum(not each.done() for each in requests))


def wait_until(is_true):
    """Return once something is true of the number of transactions that wait for a lock."""
    with connection.cursor() as cursor:
        for _ in range(2000):
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            [waiting] = cursor.fetchone()
            if is_true(waiting):
                return
            Event().wait(0.005)
    raise AssertionError(f"{waiting} wait, which are never as many as they should be.")


@pytest.mark.django_db(transaction=True)
def test_the_second_of_two_writers_of_an_id_is_refused():
    start = Barrier(2, timeout=30)
    apis = [api_with(), api_with()]

    def put(api):
        start.wait()
        status = api.put("Patient/ada", {**ADA, "id": "ada"}).status_code
        connection.close()
        return status

    for _ in range(3):
        with ThreadPoolExecutor(2) as pool:
            statuses = sorted(pool.map(put, apis))
        assert statuses in ([200, 201], [201, 409])
        AuditEvent.objects.all().delete()
        Patient.objects.all().delete()


def test_an_update_does_not_move_an_appointment(api):
    made = api.post("Appointment", visit(SlotFactory(start=MONDAY_9), PatientFactory())).fhir
    response = api.put(f"Appointment/{made['id']}", {**made, "end": "2026-01-05T15:00:00Z"})
    assert (response.status_code, codes(response)) == (422, ["business-rule"])


@pytest.mark.parametrize(
    ("scopes", "created", "updated"),
    [
        ("system/Patient.c", 201, 403),
        ("system/Patient.u", 403, 403),
        ("system/Patient.cu", 201, 201),
        ("system/Slot.cruds", 403, 403),
        ("system/Patient.rs", 403, 403),
    ],
)
def test_software_writes_what_its_scopes_say(db, scopes, created, updated):
    api = api_with(scopes)
    assert api.post("Patient", ADA).status_code == created
    assert api.put("Patient/ada", {**ADA, "id": "ada"}).status_code == updated


def test_administrators_may_write(administrator):
    assert administrator.post("Patient", ADA).status_code == 201
    assert "forbidden" not in texts(administrator.post("Patient", {}))
