"""https://www.medplum.com/docs/scheduling/appointment-reschedule"""

import json

import pytest

from clinic.fhir.datatypes import instant
from clinic.models import Appointment
from tests.api.conftest import Api
from tests.api.visits import BOOK, HOLD, found, issues_of, proposal, slots, starts, visit
from tests.factories import AppointmentFactory, RoomFactory, ScheduleFactory, ServiceFactory, SlotFactory
from tests.scheduling.situations import monday

pytestmark = pytest.mark.django_db


@pytest.fixture
def service():
    return ServiceFactory(buffer_before=5)


@pytest.fixture
def chen(service):
    return ScheduleFactory(services=[service])


@pytest.fixture
def room(service):
    return ScheduleFactory(services=[service], actor=RoomFactory())


@pytest.fixture
def booked(api, service, chen, room, ada):
    proposed_visit = proposal(api, service, chen, room, patient=ada)
    return visit(api.post(BOOK, {**proposed_visit, "comment": "Third floor", "reasonCode": [{"text": "Knee"}]}))


def move(api, booked, at, *schedules, **headers):
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "start", "valueDateTime": instant(at)},
            *({"name": "schedule", "valueReference": {"reference": each.reference}} for each in schedules),
        ],
    }
    return api.post(f"Appointment/{booked['id']}/$reschedule", body, **headers)


def test_another_time(api, service, chen, room, booked):
    answer = move(api, booked, monday(14), chen, room)
    moved = visit(answer)
    assert (answer.status_code, moved["id"], moved["status"]) == (200, booked["id"], "booked")
    assert (moved["start"], moved["end"]) == (instant(monday(14)), instant(monday(14, 30)))
    assert moved["participant"] == booked["participant"]
    assert (moved["comment"], moved["reasonCode"]) == ("Third floor", [{"text": "Knee"}])
    assert len(slots(answer)) == 4
    free = starts(found(api, service, chen, room))
    assert (instant(monday(10)) in free, instant(monday(14)) in free) == (True, False)


def test_another_room_at_the_same_time(api, service, chen, room, booked):
    other = ScheduleFactory(services=[service], actor=RoomFactory())
    moved = visit(move(api, booked, monday(10), chen, other, other))
    actors = {each["actor"]["reference"] for each in moved["participant"]}
    before = {each["actor"]["reference"] for each in booked["participant"]}
    assert actors == before - {room.actor.reference} | {other.actor.reference}


def test_a_hold_stays_a_hold(api, service, chen, ada):
    held = visit(api.post(HOLD, proposal(api, service, chen, patient=ada)))
    answer = move(api, held, monday(11), chen)
    assert [each["status"] for each in slots(answer)] == ["busy-unavailable", "busy-tentative"]
    assert api.post(f"Appointment/{held['id']}/$confirm").status_code == 200


def test_a_refused_move_keeps_the_old_time(api, chen, room, booked):
    SlotFactory(schedule=room, start=monday(14), end=monday(15))
    answer = move(api, booked, monday(14), chen, room)
    [issue] = answer.fhir["issue"]
    assert (answer.status_code, issue["expression"]) == (409, ["Parameters.start"])
    assert len(json.loads(issue["diagnostics"])["alternatives"]) == 3
    assert api.get(f"Appointment/{booked['id']}").fhir == booked


def test_off_the_grid(api, chen, room, booked):
    answer = move(api, booked, monday(14, 7), chen, room)
    [first, *_] = answer.fhir["issue"]
    assert (answer.status_code, first["expression"]) == (422, ["Parameters.schedule[0]"])
    assert "does not start at that time of day" in first["details"]["text"]


@pytest.mark.parametrize("status", ["cancelled", "fulfilled", "arrived"])
def test_states_from_which_nothing_is_moved(api, service, chen, status):
    done = AppointmentFactory(service=service, status=status)
    answer = move(api, {"id": done.fhir_id}, monday(14), chen)
    text = f"A visit that is {status} cannot become rescheduled."
    assert (answer.status_code, issues_of(answer)) == (409, {(text, "Appointment.status")})


def test_schedules_must_give_the_service(api, service, booked):
    inactive, unrelated = ScheduleFactory(services=[service], active=False), ScheduleFactory()
    answer = move(api, booked, monday(14), inactive, unrelated)
    assert answer.status_code == 400
    assert issues_of(answer) == {
        ("Schedule is inactive", "Parameters.schedule[0]"),
        ("Schedule is not schedulable for requested service type", "Parameters.schedule[1]"),
    }


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ({}, {"Parameters.start", "Parameters.schedule"}),
        ({"start": "2027-01-04", "schedule": "Patient/1"}, {"Parameters.start", "Parameters.schedule[0]"}),
        ({"start": "2027-01-04T10:00:00", "schedule": [7]}, {"Parameters.start", "Parameters.schedule[0]"}),
        ({"start": "9999-12-31T10:00:00Z", "schedule": [{}]}, {"Parameters.start", "Parameters.schedule[0]"}),
        (
            {"start": "2027-01-04T10:00:00Z", "schedule": [f"Schedule/{n}" for n in range(5000)]},
            {"Parameters.schedule"},
        ),
    ],
)
def test_malformed_is_400_and_says_where(api, booked, body, places):
    answer = api.post(f"Appointment/{booked['id']}/$reschedule", body)
    assert (answer.status_code, {place for _, place in issues_of(answer)}) == (400, places)


def test_an_appointment_without_a_service(api, chen):
    answer = move(api, {"id": AppointmentFactory(service=None).fhir_id}, monday(14), chen)
    assert (answer.status_code, issues_of(answer)) == (
        400,
        {("Appointment has no service reference", "Appointment.serviceType")},
    )


def test_callers_and_versions_that_may_move(ada, bo, chen, room, booked):
    assert move(Api(user=bo.user), booked, monday(14), chen, room).status_code == 404
    patient = Api(user=ada.user)
    assert move(patient, booked, monday(14), chen, room, if_match='W/"2"').status_code == 412
    assert move(patient, booked, monday(14), chen, room, if_match='W/"1"').status_code == 200
    assert Appointment.objects.get().version == 2


@pytest.fixture
def longer(booked):
    """The desk has made the visit three quarters of an hour long."""
    row = Appointment.objects.get(fhir_id=booked["id"])
    Appointment.objects.filter(pk=row.pk).update(end=monday(10, 45))
    row.slots.filter(status="busy-unavailable").delete()
    row.slots.update(end=monday(10, 45))
    return booked


def test_a_visit_keeps_its_own_length(api, chen, room, longer):
    moved = visit(move(api, longer, monday(14), chen, room))
    assert (moved["start"], moved["end"]) == (instant(monday(14)), instant(monday(14, 45)))


def test_for_a_patient_it_keeps_the_schedules_it_was_given_besides(api, ada, chen, room, longer):
    own = Api(user=ada.user)
    assert move(own, longer, monday(14), chen).status_code == 200
    taken = Appointment.objects.get(fhir_id=longer["id"]).slots.filter(deleted_at=None, status="busy")
    assert {(each.schedule, each.start, each.end) for each in taken} == {
        (each, monday(14), monday(14, 45)) for each in (chen, room)
    }
    assert move(api, longer, monday(15), chen).status_code == 200  # only the named schedules are taken
    taken = Appointment.objects.get(fhir_id=longer["id"]).slots.filter(deleted_at=None, status="busy")
    assert [each.schedule for each in taken] == [chen]
