"""`POST Appointment` with `slot` books free Slots, as $book does: https://hl7.org/fhir/R4/appointment.html"""

import pytest

from clinic.fhir.datatypes import instant
from clinic.models import Appointment, AuditEvent, Slot
from tests.api.dialects import OFFICE_VISIT
from tests.api.post_appointment.appointments import appointment, free, message_events, stored
from tests.factories import (
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
)
from tests.scheduling.situations import monday

pytestmark = pytest.mark.django_db


def test_the_least_that_a_client_sends_is_booked(api, chen, ada):
    answer = api.post("Appointment", appointment(ada, *free(api, 10)))
    assert answer.status_code == 201, answer.fhir
    booked = answer.fhir
    row = Appointment.objects.get()
    assert answer["Location"] == f"http://testserver/fhir/R4/{row.reference}/_history/1"
    assert (booked["status"], booked["start"], booked["end"]) == (
        "booked",
        instant(monday(10)),
        instant(monday(10, 30)),
    )
    assert {each["actor"]["reference"]: each["status"] for each in booked["participant"]} == {
        ada.reference: "accepted",
        chen.actor.reference: "accepted",
        chen.site.reference: "accepted",
    }
    [slot] = Slot.objects.all()
    assert (booked["slot"], slot.status, slot.schedule) == ([{"reference": slot.reference}], "busy", chen)
    assert message_events(row.fhir_id) == {"confirmation", "reminder"}
    assert [each.subtype for each in AuditEvent.objects.filter(appointment=row)] == ["book"]
    assert api.get(f"Appointment/{row.fhir_id}").fhir == booked


def test_elements_sent_by_the_client_are_kept(api, chen, ada):
    sent = appointment(
        ada,
        *free(api, 10),
        start=instant(monday(10)),
        end=instant(monday(10, 30)),
        comment="Third floor",
        description="Knee",
        identifier=[{"system": "https://example.org/visits", "value": "7"}],
        serviceType=[OFFICE_VISIT],
    )
    performer = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "PPRF"}]}
    sent["participant"].append(
        {
            "type": [performer],
            "actor": {"reference": chen.actor.reference},
            "required": "required",
            "status": "tentative",
        }
    )
    booked = api.post("Appointment", sent).fhir
    for name in ("comment", "description", "identifier", "serviceType"):
        assert booked[name] == sent[name], name
    [named] = [each for each in booked["participant"] if each["actor"]["reference"] == chen.actor.reference]
    assert (named["type"], named["required"], named["status"]) == ([performer], "required", "accepted")


@pytest.mark.parametrize(
    ("sent", "on_request", "status", "expires", "slot_status", "event"),
    [
        ("booked", False, "booked", False, "busy", "confirmation"),
        ("booked", True, "pending", False, "busy-tentative", "request"),
        ("pending", False, "pending", True, "busy-tentative", None),
        ("pending", True, "pending", False, "busy-tentative", "request"),
        ("proposed", False, "pending", False, "busy-tentative", "request"),
        ("proposed", True, "pending", False, "busy-tentative", "request"),
    ],
)
def test_the_status_says_if_it_is_booked_held_or_requested(
    api, service, chen, ada, sent, on_request, status, expires, slot_status, event
):
    service.on_request = on_request
    service.save()
    made = api.post("Appointment", appointment(ada, *free(api, 10), status=sent))
    assert made.status_code == 201, made.fhir
    row = Appointment.objects.get()
    assert (made.fhir["status"], row.hold_expires_at is not None) == (status, expires)
    assert row.slots.get().status == slot_status
    assert (message_events(row.fhir_id) or {None}) >= {event}


def test_a_held_appointment_is_confirmed(api, chen, ada):
    held = api.post("Appointment", appointment(ada, *free(api, 10), status="pending")).fhir
    assert api.post(f"Appointment/{held['id']}/$confirm").status_code == 200
    assert Slot.objects.get().status == "busy"


def test_consecutive_slots_are_one_longer_visit(api, ada):
    service = ServiceFactory(duration=30, interval=30, buffer_before=5, buffer_after=10)
    chen = ScheduleFactory(services=[service])
    answer = api.post("Appointment", appointment(ada, *reversed(free(api, 10, 10.5))))
    assert answer.status_code == 201, answer.fhir
    assert (answer.fhir["start"], answer.fhir["end"]) == (instant(monday(10)), instant(monday(11)))
    slots = Slot.objects.order_by("start").values_list("status", "start", "end", "schedule")
    assert list(slots) == [
        ("busy-unavailable", monday(9, 55), monday(10), chen.pk),
        ("busy", monday(10), monday(11), chen.pk),
        ("busy-unavailable", monday(11), monday(11, 10), chen.pk),
    ]
    assert len(answer.fhir["slot"]) == 3


def test_slots_of_several_schedules_are_one_visit(api, service, chen, napa, ada):
    room = ScheduleFactory(services=[service], site=napa, actor=RoomFactory(part_of=napa))
    slots = [stored(chen), stored(room)]
    answer = api.post("Appointment", appointment(ada, *slots))
    assert answer.status_code == 201, answer.fhir
    assert {each["reference"] for each in answer.fhir["slot"]} == {each.reference for each in slots}
    named = {each["actor"]["reference"] for each in answer.fhir["participant"]}
    assert {chen.actor.reference, room.actor.reference, ada.reference} <= named
    assert set(Slot.objects.values_list("status", "appointment__patient")) == {("busy", ada.pk)}


def test_a_room_that_the_service_needs_is_found_by_the_server(api, napa, ada):
    service = ServiceFactory(duration=30, interval=30, requires=["Practitioner", "Location"])
    chen = ScheduleFactory(services=[service], site=napa)
    rooms = [ScheduleFactory(services=[service], site=napa, actor=RoomFactory(part_of=napa)) for _ in range(2)]
    SlotFactory(schedule=rooms[0], start=monday(10, 30), end=monday(11))
    answer = api.post("Appointment", appointment(ada, *free(api, 10, 10.5)))
    assert answer.status_code == 201, answer.fhir
    taken = Slot.objects.filter(appointment__isnull=False).values_list("schedule", "start", "end")
    assert set(taken) == {(chen.pk, monday(10), monday(11)), (rooms[1].pk, monday(10), monday(11))}
