"""`POST Appointment` in batches and transactions, repeated, with conditions, and by each caller."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.fhir.datatypes import instant
from clinic.models import Appointment, AuditEvent, Communication, Patient, Slot
from tests.api.access.world import app_of
from tests.api.conftest import Api, api_with, codes
from tests.api.post_appointment.appointments import appointment, entry, free, message_events
from tests.factories import (
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
    assert (Appointment.objects.get().fhir_id, "confirmation" in message_events("theirs")) == ("theirs", True)


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
    assert (recorded.status_code, message_events(recorded.fhir["id"])) == (201, set())
