"""Refusals of `POST Appointment`: Slots that make no visit, taken time, and rules of the clinic."""

import json
from datetime import timedelta

import pytest

from clinic.fhir.datatypes import instant
from clinic.models import Appointment
from tests.api.dialects import OFFICE_VISIT
from tests.api.post_appointment.appointments import EVENING, appointment, free, refused, stored
from tests.factories import (
    AppointmentFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
)
from tests.scheduling.situations import monday

pytestmark = pytest.mark.django_db


def test_slots_that_make_no_visit_are_refused(api, service, chen, napa, ada):
    room = ScheduleFactory(services=[service], site=napa, actor=RoomFactory(part_of=napa))
    ten, eleven = free(api, 10, 11)
    refused(
        api,
        422,
        "business-rule",
        "Appointment.slot[1].reference",
        f"the one before ends at {instant(monday(10, 30))}",
        appointment(ada, ten, eleven),
    )
    other_time = appointment(ada, stored(chen), stored(room, EVENING, 30))
    right = f"from {instant(monday(EVENING))} to {instant(monday(EVENING, 30))}"
    refused(api, 422, "business-rule", "Appointment.slot[1].reference", right, other_time)
    long = stored(chen, 17, end=monday(20))
    refused(api, 422, "business-rule", "Appointment.slot[0].reference", "takes 30 minutes", appointment(ada, long))
    refused(api, 400, "invalid", "Appointment.slot[1].reference", "named twice", appointment(ada, ten, ten))
    gone = stored(chen, 21, status="entered-in-error")
    refused(api, 422, "not-found", "Appointment.slot[0].reference", "no free Slot", appointment(ada, gone))


def test_other_times_than_the_slots_are_refused(api, chen, ada):
    [ten] = free(api, 10)
    late = appointment(ada, ten, start=instant(monday(10)), end=instant(monday(11)))
    refused(api, 422, "business-rule", "Appointment.end", f"end at {instant(monday(10, 30))}", late)
    only_start = appointment(ada, ten, start=instant(monday(10)))
    refused(api, 422, "invariant", "Appointment", "app-2", only_start)


@pytest.mark.parametrize("slot", [7, "Slot/7", {"reference": 7}, {"reference": "Schedule/7"}, {"display": "Ten"}, None])
def test_an_invalid_slot_reference_is_refused(api, chen, ada, slot):
    times = {"start": instant(monday(10)), "end": instant(monday(10, 30))}
    body = {**appointment(ada, **times), "slot": [slot]}
    body["participant"].append({"actor": {"reference": chen.actor.reference}, "status": "accepted"})
    refused(api, 400, "invalid", "Appointment.slot[0].reference", "Invalid slot reference", body)


def test_two_services_are_refused(api, chen, service, ada):
    other = ServiceFactory(name="Vaccination", duration=30, interval=30)
    chen.services.add(other)
    refused(
        api,
        422,
        "business-rule",
        "Appointment.serviceType",
        "Office visit or Vaccination",
        appointment(ada, stored(chen)),
    )
    reference = {
        "url": "https://medplum.com/fhir/service-type-reference",
        "valueReference": {"reference": other.reference},
    }
    said = appointment(ada, stored(chen, 20), serviceType=[{"extension": [reference]}])
    assert api.post("Appointment", said).status_code == 201
    assert Appointment.objects.get().service == other


def test_the_service_type_of_a_stored_slot_says_the_service(api, chen, service, ada):
    chen.services.add(ServiceFactory(name="Vaccination", duration=30, interval=30))
    answer = api.post("Appointment", appointment(ada, stored(chen, service_type=[OFFICE_VISIT])))
    assert answer.status_code == 201, answer.fhir
    assert Appointment.objects.get().service == service


def test_taken_time_is_a_conflict_with_other_times(api, chen, ada):
    slots = free(api, 10)
    SlotFactory(schedule=chen, start=monday(10), end=monday(10, 30))
    issue = refused(api, 409, "conflict", "Appointment.slot", "no longer free", appointment(ada, *slots))
    assert instant(monday(9, 30)) in json.loads(issue["diagnostics"])["alternatives"]


def test_the_rules_of_the_clinic_hold(api, chen, service, ada):
    [ten] = free(api, 10)
    AppointmentFactory(patient=ada, start=monday(10), schedules=[ScheduleFactory()], status="pending")
    refused(api, 422, "business-rule", "Appointment.participant", "another visit at that time", appointment(ada, ten))
    Appointment.objects.update(status="cancelled")
    service.minimum_notice = timedelta(days=60)
    service.save()
    refused(api, 422, "business-rule", "Appointment.slot", "too soon", appointment(ada, ten))


def test_people_who_take_part_are_those_of_the_slots(api, service, chen, ada):
    other = ScheduleFactory(services=[service])
    body = appointment(ada, *free(api, 10, schedule=chen.reference))
    body["participant"].append({"actor": {"reference": other.actor.reference}, "status": "accepted"})
    refused(api, 422, "business-rule", "Appointment.participant[1].actor", "free Slot of theirs", body)
