"""Slots that a client has stored as free, taken by their ids."""

import pytest

from clinic.fhir.datatypes import instant
from clinic.models import Appointment, Slot
from tests.api.conftest import Api, codes, texts
from tests.api.dialects import matches, parameters
from tests.api.post_appointment.appointments import EVENING, appointment, free, message_events, refused, stored
from tests.api.visits import BOOK, FIND, HOLD, find_query
from tests.factories import (
    PatientFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
)
from tests.scheduling.situations import monday

pytestmark = pytest.mark.django_db


def history(api, slot):
    entries = api.get(f"{slot.reference}/_history").fhir["entry"]
    return [each["resource"]["status"] for each in reversed(entries)]


def put_free(api, schedule, hour=EVENING):
    slot = {
        "resourceType": "Slot",
        "id": "theirs",
        "schedule": {"reference": schedule.reference},
        "status": "free",
        "start": instant(monday(hour)),
        "end": instant(monday(hour, 30)),
    }
    assert api.put("Slot/theirs", slot).status_code == 201
    return Slot.objects.get(fhir_id="theirs")


def named_in_operation(ada, slot):
    return appointment(ada, slot, status="proposed", start=instant(slot.start), end=instant(slot.end))


WAYS = {
    "POST Appointment": lambda api, ada, slot: api.post("Appointment", appointment(ada, slot)),
    "Medplum's $book": lambda api, ada, slot: api.post(BOOK, {"appointment": named_in_operation(ada, slot)}),
    "Argonaut's $book": lambda api, ada, slot: api.post(
        BOOK, parameters(appt_resource=named_in_operation(ada, slot), patient_id=ada.reference)
    ),
    "Medplum's $hold": lambda api, ada, slot: api.post(HOLD, {"appointment": named_in_operation(ada, slot)}),
    "Argonaut's $hold": lambda api, ada, slot: api.post(HOLD, named_in_operation(ada, slot)),
}


@pytest.mark.parametrize("book", WAYS.values(), ids=WAYS)
def test_a_stored_slot_is_taken_by_its_id_and_is_free_again(api, chen, ada, book):
    slot = put_free(api, chen)
    answer = book(api, ada, slot)
    assert answer.status_code == 201, answer.fhir
    visit = Appointment.objects.get()
    busy = "busy" if visit.status == "booked" else "busy-tentative"
    assert (visit.patient, list(visit.slots.all())) == (ada, [slot])
    again = api.post("Appointment", appointment(PatientFactory(), slot))
    assert (again.status_code, codes(again)) == (409, ["conflict"])
    assert api.post(f"Appointment/{visit.fhir_id}/$cancel").status_code == 200
    assert history(api, slot) == ["free", busy, "free"]
    assert api.get(f"{slot.reference}/_history/2").fhir["status"] == busy
    assert api.get(slot.reference).fhir["status"] == "free"
    assert api.post("Appointment", appointment(ada, slot)).status_code == 201


def test_a_client_may_make_its_slot_busy_first(api, chen, ada):
    slot = put_free(api, chen)
    busy = api.put(slot.reference, {**api.get(slot.reference).fhir, "status": "busy"})
    assert busy.status_code == 200
    answer = api.post("Appointment", appointment(ada, slot))
    assert answer.status_code == 201, answer.fhir
    assert (answer.fhir["slot"], Appointment.objects.get().service.name) == (
        [{"reference": slot.reference}],
        "Office visit",
    )
    assert message_events(answer.fhir["id"]) == {"confirmation", "reminder"}
    cancelled = {**answer.fhir, "status": "cancelled"}
    assert api.put(f"Appointment/{answer.fhir['id']}", cancelled).status_code == 200
    assert history(api, slot) == ["free", "busy", "free"]


def test_a_busy_slot_under_no_rule_is_refused_as_if_it_were_free(api, chen, ada):
    slot = SlotFactory(schedule=chen, start=monday(10, 10), end=monday(10, 40))
    refused(api, 422, "business-rule", "Appointment.slot", "does not start at that time", appointment(ada, slot))
    slot.refresh_from_db()
    assert slot.status == "busy"


def test_a_patient_takes_no_busy_slot(chen, ada):
    slot = SlotFactory(schedule=chen, start=monday(10), end=monday(10, 30))
    refused(Api(user=ada.user), 409, "conflict", "Appointment.slot", "no longer free", appointment(ada, slot))


def test_a_patient_takes_a_stored_slot_by_its_id(chen, ada):
    slot = stored(chen)
    answer = Api(user=ada.user).post("Appointment", appointment(ada, slot))
    assert answer.status_code == 201, answer.fhir
    assert answer.fhir["slot"] == [{"reference": slot.reference}]


def test_a_group_leaves_a_stored_slot_free_for_the_others(api, napa, ada):
    service = ServiceFactory(duration=30, interval=30, capacity=2)
    schedule = ScheduleFactory(services=[service], site=napa)
    slot = stored(schedule)
    statuses = [
        api.post("Appointment", appointment(patient, slot)).status_code
        for patient in (ada, PatientFactory(), PatientFactory())
    ]
    assert statuses == [201, 201, 409]
    slot.refresh_from_db()
    assert (slot.status, slot.appointment) == ("free", None)


def test_argonauts_operations_take_several_slots(api, chen, ada):
    body = appointment(ada, *free(api, 10, 10.5), status="proposed")
    answer = api.post(BOOK, parameters(appt_resource=body, patient_id=ada.reference))
    [booked] = matches(answer)
    assert (booked["status"], booked["end"]) == ("booked", instant(monday(11)))


def test_medplums_operations_take_consecutive_contained_slots(api, ada):
    service = ServiceFactory(duration=30, interval=30, buffer_after=10)
    chen = ScheduleFactory(services=[service])
    found = [each["resource"] for each in api.get(FIND, find_query(service, chen)).fhir["entry"]]
    proposal, following = (next(each for each in found if each["start"] == instant(monday(10, m))) for m in (0, 30))
    busy, _after = proposal["contained"]
    proposal |= {
        "contained": [busy, *({**each, "id": f"next-{each['id']}"} for each in following["contained"])],
        "end": following["end"],
    }
    proposal["participant"].append({"actor": {"reference": ada.reference}, "status": "accepted"})
    proposal["slot"] = [{"reference": f"#{each['id']}"} for each in proposal["contained"]]
    answer = api.post(BOOK, proposal)
    assert answer.status_code == 201, answer.fhir
    assert list(Slot.objects.order_by("start").values_list("status", "start", "end")) == [
        ("busy", monday(10), monday(11)),
        ("busy-unavailable", monday(11), monday(11, 10)),
    ]
    proposal["contained"][1] |= {"start": instant(monday(12)), "end": instant(monday(12, 30))}
    del proposal["end"], proposal["start"], proposal["contained"][2]
    apart = api.post(BOOK, proposal)
    assert apart.status_code == 422
    assert "follow each other" in texts(apart)
