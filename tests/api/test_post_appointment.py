"""`POST Appointment` with `slot`: what the big R4 clients do first. Free Slots are booked as by $book.

https://hl7.org/fhir/R4/appointment.html
"""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.fhir.datatypes import instant
from clinic.models import Appointment, AuditEvent, Communication, Patient, Slot
from tests.api.access.world import app_of
from tests.api.conftest import Api, api_with, codes, texts
from tests.api.dialects import OFFICE_VISIT, matches, parameters, window
from tests.api.visits import BOOK, FIND, HOLD, find_query
from tests.factories import (
    AppointmentFactory,
    LocationFactory,
    PatientFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
    UserFactory,
)
from tests.scheduling.situations import monday

pytestmark = pytest.mark.django_db
EVENING = 19  # after the hours


@pytest.fixture
def service():
    return ServiceFactory(name="Office visit", type=[OFFICE_VISIT], duration=30, interval=30)


@pytest.fixture
def napa():
    return LocationFactory(name="Napa Office", city="Napa")


@pytest.fixture
def chen(service, napa):
    return ScheduleFactory(services=[service], site=napa)


@pytest.fixture
def ada():
    return PatientFactory(fhir_id="ada", given="Ada", email="ada@example.com", user=UserFactory())


def free(api, *hours, schedule=None):
    """References to the computed free Slots that start at these hours."""
    slots = matches(api.get("Slot/$prefetch", window()))
    starts = {each["start"]: each for each in slots if schedule in (None, each["schedule"]["reference"])}
    return [{"reference": f"Slot/{starts[instant(monday(int(hour), round(hour % 1 * 60)))]['id']}"} for hour in hours]


def stored(schedule, hour=EVENING, minute=0, **more):
    start = monday(hour, minute)
    values = {"status": "free", "start": start, "end": start + timedelta(minutes=30), **more}
    return SlotFactory(schedule=schedule, **values)


def appointment(patient, *slots, status="booked", **more):
    """The least that a client sends."""
    references = [each if isinstance(each, dict) else {"reference": each.reference} for each in slots]
    participants = [{"actor": {"reference": patient.reference}, "status": "needs-action"}] if patient else []
    return {"resourceType": "Appointment", "status": status, "slot": references, "participant": participants, **more}


def told(visit_id):
    """The events of which messages wait or were sent."""
    return set(Communication.objects.filter(appointment__fhir_id=visit_id).values_list("event", flat=True))


def history(api, slot):
    entries = api.get(f"{slot.reference}/_history").fhir["entry"]
    return [each["resource"]["status"] for each in reversed(entries)]


# One Slot


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
    assert told(row.fhir_id) == {"confirmation", "reminder"}
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
    assert (told(row.fhir_id) or {None}) >= {event}


def test_a_held_appointment_is_confirmed(api, chen, ada):
    held = api.post("Appointment", appointment(ada, *free(api, 10), status="pending")).fhir
    assert api.post(f"Appointment/{held['id']}/$confirm").status_code == 200
    assert Slot.objects.get().status == "busy"


# Several Slots


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


# Refusals


def refused(api, status, code, expression, words, body):
    answer = api.post("Appointment", body)
    issue = answer.fhir["issue"][0]
    assert (answer.status_code, issue["code"], issue["expression"]) == (status, code, [expression]), answer.fhir
    assert words in issue["details"]["text"]
    assert not Appointment.objects.filter(patient__fhir_id="ada", status="booked").exists()
    return issue


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


# Stored Slots


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


DOORS = {
    "POST Appointment": lambda api, ada, slot: api.post("Appointment", appointment(ada, slot)),
    "Medplum's $book": lambda api, ada, slot: api.post(BOOK, {"appointment": named_in_operation(ada, slot)}),
    "Argonaut's $book": lambda api, ada, slot: api.post(
        BOOK, parameters(appt_resource=named_in_operation(ada, slot), patient_id=ada.reference)
    ),
    "Medplum's $hold": lambda api, ada, slot: api.post(HOLD, {"appointment": named_in_operation(ada, slot)}),
    "Argonaut's $hold": lambda api, ada, slot: api.post(HOLD, named_in_operation(ada, slot)),
}


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_a_stored_slot_is_taken_by_its_id_and_is_free_again(api, chen, ada, door):
    slot = put_free(api, chen)
    answer = door(api, ada, slot)
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
    assert told(answer.fhir["id"]) == {"confirmation", "reminder"}
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


# Other doors


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


def entry(resource, full_url=""):
    request = {"method": "POST", "url": resource["resourceType"]}
    return {"resource": resource, "request": request, **({"fullUrl": full_url} if full_url else {})}


def test_a_batch_books_each_by_itself(api, chen, ada):
    ten, eleven = free(api, 10, 11)
    bodies = [appointment(ada, ten), appointment(PatientFactory(), ten), appointment(PatientFactory(), eleven)]
    answer = api.post("", {"resourceType": "Bundle", "type": "batch", "entry": [entry(each) for each in bodies]})
    assert [each["response"]["status"][:3] for each in answer.fhir["entry"]] == ["201", "409", "201"]
    assert "alternatives" in json.dumps(answer.fhir["entry"][1]["response"]["outcome"])


def test_a_transaction_registers_and_books_all_or_nothing(api, service, chen, ada):
    ten, eleven = free(api, 10, 11)
    urn = "urn:uuid:5a0c6f6e-0000-4000-8000-000000000001"
    new = {"resourceType": "Patient", "name": [{"family": "Osei"}], "gender": "female", "birthDate": "1990-05-17"}
    visit = appointment(None, ten)
    visit["participant"] = [{"actor": {"reference": urn}, "status": "accepted"}]
    others = [entry(new, urn), entry(visit)]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [*others, entry(appointment(ada, ten))]}
    assert (api.post("", bundle).status_code, Patient.objects.filter(family="Osei").exists()) == (409, False)
    bundle["entry"][2] = entry(appointment(ada, eleven))
    answer = api.post("", bundle)
    assert answer.status_code == 200, answer.fhir
    assert set(Appointment.objects.values_list("patient__family", "status")) == {
        ("Osei", "booked"),
        (ada.family, "booked"),
    }
    assert Communication.objects.filter(event="confirmation", patient=ada).exists()


def test_a_transaction_takes_other_rooms_for_each(api, napa, ada):
    service = ServiceFactory(duration=30, interval=30, requires=["Practitioner", "Location"])
    doctors = [ScheduleFactory(services=[service], site=napa) for _ in range(2)]
    rooms = [ScheduleFactory(services=[service], site=napa, actor=RoomFactory(part_of=napa)) for _ in range(2)]
    bodies = [
        appointment(patient, *free(api, 10, schedule=doctor.reference))
        for patient, doctor in zip((ada, PatientFactory()), doctors, strict=True)
    ]
    answer = api.post("", {"resourceType": "Bundle", "type": "transaction", "entry": [entry(each) for each in bodies]})
    assert answer.status_code == 200, answer.fhir
    taken = Slot.objects.filter(schedule__in=rooms).values_list("schedule", flat=True)
    assert set(taken) == {each.pk for each in rooms}


def test_it_is_booked_once_for_an_idempotency_key(api, chen, ada):
    body = appointment(ada, *free(api, 10))
    first, again = (api.post("Appointment", body, idempotency_key="one") for _ in range(2))
    assert (first.status_code, again.status_code, again.fhir) == (201, 201, first.fhir)
    assert ("Idempotency-Replayed" in first, again["Idempotency-Replayed"]) == (False, "true")
    assert (again["Location"], again["ETag"]) == (first["Location"], first["ETag"])
    taken = [api.post("Appointment", appointment(PatientFactory(), *body["slot"]), idempotency_key="two")]
    assert (taken[0].status_code, Appointment.objects.count()) == (409, 1)
    other = api.post("Appointment", {**body, "comment": "Another"}, idempotency_key="one")
    assert (other.status_code, codes(other)) == (400, ["invalid"])


def test_a_stored_refusal_is_repeated(api, chen, ada):
    body = appointment(ada, *free(api, 10))
    blocking = SlotFactory(schedule=chen, start=monday(10), end=monday(10, 30))
    first = api.post("Appointment", body, idempotency_key="one")
    blocking.delete()
    again = api.post("Appointment", body, idempotency_key="one")
    assert (first.status_code, again.status_code, again.fhir) == (409, 409, first.fhir)
    assert again["Idempotency-Replayed"] == "true"


def test_a_condition_finds_the_visit_that_is_booked_already(api, chen, ada):
    identifier = {"system": "https://example.org/visits", "value": "7"}
    body = appointment(ada, *free(api, 10), identifier=[identifier])
    condition = "identifier=https://example.org/visits|7"
    assert [api.post("Appointment", body, if_none_exist=condition).status_code for _ in range(2)] == [201, 200]
    assert Appointment.objects.count() == 1


def test_software_may_choose_the_id(api, chen, ada):
    body = {**appointment(ada, *free(api, 10)), "id": "theirs"}
    assert api.put("Appointment/theirs", body).status_code == 201
    assert (Appointment.objects.get().fhir_id, "confirmation" in told("theirs")) == ("theirs", True)


# Who may


def test_callers_who_may_book_may_post(service, chen, napa, ada):
    bo = PatientFactory(user=UserFactory())
    chen.actor.user = UserFactory()
    chen.actor.save()
    writes_nothing = api_with("system/Appointment.rs system/Slot.rs")
    [ten] = free(writes_nothing, 10)
    expected = {
        "Ada": (Api(user=ada.user), 201),
        "Ada's app": (app_of(ada, "patient/*.cruds"), 201),
        "Bo, for Ada": (Api(user=bo.user), 422),  # she is not there for him
        "the front desk": (Api(user=UserFactory(desk_locations=[napa])), 201),
        "another front desk": (Api(user=UserFactory(desk_locations=[LocationFactory()])), 403),
        "a practitioner, for a patient of others": (Api(user=chen.actor.user), 422),
        "software that reads": (writes_nothing, 403),
    }
    for who, (api, status) in expected.items():
        answer = api.post("Appointment", appointment(ada, ten))
        assert answer.status_code == status, (who, answer.fhir)
        Slot.objects.all().delete()
        Communication.objects.all().delete()
        AuditEvent.objects.all().delete()
        Appointment.objects.all().delete()


def test_a_patient_needs_not_be_named(chen, ada):
    body = appointment(None, *free(Api(user=ada.user), 10))
    body["participant"] = [{"actor": {"reference": chen.actor.reference}, "status": "needs-action"}]
    answer = Api(user=ada.user).post("Appointment", body)
    assert answer.status_code == 201, answer.fhir
    assert Appointment.objects.get().patient == ada


def test_people_record_no_past_visits(chen, ada):
    start = timezone.now().replace(microsecond=0) - timedelta(days=3)
    slot = SlotFactory(schedule=chen, start=start, end=start + timedelta(minutes=30))
    times = {"start": instant(slot.start), "end": instant(slot.end)}
    body = appointment(ada, slot, **times)
    for api in (Api(user=ada.user), Api(user=UserFactory(desk_locations=[chen.site]))):
        assert api.post("Appointment", body).status_code in (403, 422)
    assert not Appointment.objects.exists()
    recorded = api_with().post("Appointment", body)
    assert (recorded.status_code, told(recorded.fhir["id"])) == (201, set())
