"""http://fhir.org/guides/argonaut-scheduling: Appointment/$hold and Appointment/$book"""

from datetime import timedelta
from email.utils import parsedate_to_datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.fhir.datatypes import instant
from clinic.models import Appointment, Patient, Slot
from tests.api.argonaut_book.appointments import NORA, held, made, statuses
from tests.api.conftest import Api, api_with, codes
from tests.api.dialects import SNOMED, VISIT_TYPE, issues, matches, offer, parameters, reference
from tests.api.visits import BOOK, HOLD, issues_of
from tests.factories import AppointmentFactory, ScheduleFactory, ServiceFactory, SlotFactory
from tests.scheduling.situations import at_once, monday

pytestmark = pytest.mark.django_db


# By id


def test_a_proposal_is_held_by_its_id(api, chen):
    proposed = offer(api)
    answer = api.post(HOLD, parameters(appt_id=reference(proposed)))
    [appointment] = matches(answer)
    assert (answer.status_code, answer.fhir["total"], issues(answer)) == (200, 1, [("information", "informational")])
    assert (appointment["status"], statuses(appointment)) == ("pending", {"tentative"})
    assert appointment["id"] == proposed["id"]
    expires = parsedate_to_datetime(answer["Expires"])
    assert timedelta(minutes=9) < expires - timezone.now() <= timedelta(minutes=10)
    [slot] = Slot.objects.all()
    assert (slot.status, instant(slot.start)) == ("busy-tentative", proposed["start"])


def test_the_hold_is_the_proposal(api, chen):
    proposed = offer(api, reason=f"{SNOMED}|271807003")
    [appointment] = matches(api.post(HOLD, parameters(appt_id=reference(proposed))))
    for name in ("serviceType", "appointmentType", "start", "end", "requestedPeriod", "reasonCode"):
        assert appointment[name] == proposed[name], name
    assert api.get(reference(appointment)).fhir == appointment


def test_a_held_proposal_is_booked_by_the_same_id(api, chen, ada):
    appointment = held(api, chen)
    answer = api.post(BOOK, parameters(appt_id=reference(appointment), patient_id=ada.reference, comment="Third floor"))
    [booked] = matches(answer)
    assert (answer.status_code, booked["status"], statuses(booked)) == (200, "booked", {"accepted"})
    assert booked["participant"][-1]["actor"]["reference"] == ada.reference
    assert booked["comment"] == "Third floor"
    assert "Expires" not in answer
    row = Appointment.objects.get()
    assert (row.patient, row.slots.get().status) == (ada, "busy")


def test_a_proposal_is_booked_without_a_hold(api, chen, ada):
    answer = api.post(BOOK, parameters(appt_id=reference(offer(api)), patient_id=ada.reference))
    [booked] = matches(answer)
    assert (answer.status_code, booked["status"], statuses(booked)) == (200, "booked", {"accepted"})
    assert "Location" not in answer


def test_the_id_may_be_in_the_address(api, chen, ada):
    proposed = offer(api)
    [appointment] = matches(api.post(f"{reference(proposed)}/$hold"))
    [booked] = matches(api.post(f"{reference(appointment)}/$book", parameters(patient_id=ada.reference)))
    assert (appointment["status"], booked["status"]) == ("pending", "booked")


@pytest.mark.parametrize(
    "value",
    [
        lambda it: {"valueUrl": reference(it)},
        lambda it: {"valueUri": f"http://testserver/fhir/R4/{reference(it)}"},
        lambda it: {"valueId": it["id"]},
        lambda it: {"valueReference": {"reference": reference(it)}},
    ],
    ids=["relative url", "absolute uri", "id", "reference"],
)
def test_an_id_is_given_in_many_forms(api, chen, value):
    body = {"resourceType": "Parameters", "parameter": [{"name": "appt-id", **value(offer(api))}]}
    assert matches(api.post(HOLD, body))[0]["status"] == "pending"


def test_the_patient_of_the_search_is_the_patient_of_the_visit(api, chen, ada):
    proposed = offer(api, **{"patient-reference": ada.reference})
    api.post(BOOK, parameters(appt_id=reference(proposed)))
    assert Appointment.objects.get().patient == ada


def test_patients_book_for_themselves(chen, ada):
    patient = Api(user=ada.user)
    appointment = held(patient, chen)
    [booked] = matches(patient.post(BOOK, parameters(appt_id=reference(appointment))))
    assert (booked["status"], Appointment.objects.get().patient) == ("booked", ada)


def test_a_new_patient_is_registered_as_they_book(api, chen):
    appointment = held(api, chen)
    answer = api.post(BOOK, parameters(appt_id=reference(appointment), patient_resource=NORA))
    assert matches(answer)[0]["status"] == "booked"
    assert Appointment.objects.get().patient == Patient.objects.get(family="Newman")


def test_a_second_hold_of_its_holder_returns_the_expiry(api, chen):
    appointment = held(api, chen)
    again = api.post(HOLD, parameters(appt_id=reference(appointment)))
    assert (matches(again), Appointment.objects.count()) == ([appointment], 1)
    assert "Expires" in again


def test_a_proposal_has_no_address_before_it_is_held(api, chen):
    assert api.get(reference(offer(api))).status_code == 404


# By resource


def test_a_found_appointment_is_held_as_a_resource(api, chen):
    proposed = offer(api)
    answer = api.post(HOLD, proposed)
    [appointment] = matches(answer)
    assert (answer.status_code, appointment["status"], statuses(appointment)) == (201, "pending", {"tentative"})
    assert answer["Location"] == f"http://testserver/fhir/R4/{reference(appointment)}/_history/1"
    assert answer.fhir["type"] == "searchset"
    assert "contained" not in appointment


@pytest.mark.parametrize("body", [lambda it: it, lambda it: parameters(appt_resource=it)], ids=["bare", "Parameters"])
def test_an_appointment_of_the_clients_own_making_is_booked(api, service, chen, ada, body):
    appointment = made(chen, ada, status="pending", comment="By bicycle", reasonCode=[{"text": "Rash"}])
    answer = api.post(BOOK, body(appointment))
    [booked] = matches(answer)
    assert (answer.status_code, booked["status"], statuses(booked)) == (201, "booked", {"accepted"})
    assert (booked["comment"], booked["reasonCode"]) == ("By bicycle", [{"text": "Rash"}])
    row = Appointment.objects.get()
    assert (row.patient, row.service, row.slots.get().schedule) == (ada, service, chen)


def test_the_service_is_the_one_that_is_named(api, service, chen, ada):
    mri = ServiceFactory(duration=60, type=[{"coding": [{"system": VISIT_TYPE, "code": "mri"}]}])
    chen.services.add(mri)
    api.post(BOOK, made(chen, ada, serviceType=[{"coding": [{"system": SNOMED, "code": "310127009"}]}]))
    assert Appointment.objects.get().service == mri


def test_a_hold_is_booked_as_a_resource(api, chen, ada):
    appointment = held(api, chen)
    answer = api.post(BOOK, parameters(appt_resource=appointment, patient_id=ada.reference))
    assert (answer.status_code, matches(answer)[0]["status"]) == (200, "booked")
    assert Appointment.objects.count() == 1


def test_a_patient_in_the_body_is_no_participant(api, chen, ada):
    stranger = {"resourceType": "Patient", "id": "new", "name": [{"family": "Newman"}]}
    appointment = made(chen, ada, contained=[stranger])
    appointment["participant"][-1]["actor"] = {"reference": "#new"}
    answer = api.post(BOOK, appointment)
    assert (answer.status_code, codes(answer)) == (400, ["not-supported"])
    assert issues_of(answer).pop()[1] == "Parameters.appt-resource.participant[2].actor"
    assert not Appointment.objects.exists()


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"start": None, "end": None}, "start"),
        ({"end": instant(monday(12))}, "end"),
        ({"status": "arrived"}, "status"),
        ({"serviceType": [{"coding": [{"system": SNOMED, "code": "1"}]}]}, "participant"),
        ({"slot": [{"reference": "Slot"}]}, "slot[0].reference"),
    ],
)
def test_a_malformed_resource_is_400_and_says_where(api, chen, ada, change, place):
    body = {name: value for name, value in made(chen, ada, **change).items() if value is not None}
    answer = api.post(BOOK, parameters(appt_resource=body))
    assert (answer.status_code, {at for _, at in issues_of(answer)}) == (400, {f"Parameters.appt-resource.{place}"})
    assert not Appointment.objects.exists()


# In place of another


def test_a_visit_names_the_one_that_it_replaces(api, chen, ada):
    before = AppointmentFactory(patient=ada, status="cancelled", start=monday(9), end=monday(10))
    appointment = held(api, chen)
    body = parameters(appt_id=reference(appointment), patient_id=ada.reference, cancelled_appt_id=before.reference)
    [booked] = matches(api.post(BOOK, body))
    assert booked["extension"] == [
        {
            "url": "http://hl7.org/fhir/5.0/StructureDefinition/extension-Appointment.previousAppointment",
            "valueReference": {"reference": before.reference},
        }
    ]


@pytest.mark.parametrize("what", ["still booked", "another's"])
def test_only_a_cancelled_visit_of_the_same_patient_is_replaced(api, chen, ada, bo, what):
    whose, status = (ada, "booked") if what == "still booked" else (bo, "cancelled")
    before = AppointmentFactory(patient=whose, status=status, start=monday(9), end=monday(10))
    body = parameters(appt_id=reference(offer(api)), patient_id=ada.reference, cancelled_appt_id=before.reference)
    answer = api.post(BOOK, body)
    assert (matches(answer)[0]["status"], issues(answer)) == ("cancelled", [("error", "business-rule")])


def test_the_one_that_is_replaced_must_be_there(api, chen, ada):
    body = parameters(appt_id=reference(offer(api)), patient_id=ada.reference, cancelled_appt_id="Appointment/x")
    assert api.post(BOOK, body).status_code == 404


# Again, and at once


@pytest.mark.parametrize("is_free", [True, False])
def test_a_request_that_is_sent_again_is_answered_the_same(api, chen, ada, is_free):
    body = parameters(appt_id=reference(offer(api)), patient_id=ada.reference)
    if not is_free:
        SlotFactory(schedule=chen, start=monday(10), end=monday(11))
    first, second = (api.post(BOOK, body, idempotency_key="once") for _ in range(2))
    assert (first.status_code, first.fhir) == (second.status_code, second.fhir)
    assert second["Idempotency-Replayed"] == "true"
    assert matches(first)[0]["status"] == ("booked" if is_free else "cancelled")


@pytest.mark.django_db(transaction=True)
def test_eight_who_hold_one_proposal_at_once(chen):
    software = [api_with() for _ in range(8)]
    body = parameters(appt_id=reference(offer(software[0])))
    answers = at_once([lambda each=each: each.post(HOLD, body) for each in software])
    assert {answer.status_code for answer in answers} == {200}
    assert Appointment.objects.count() == Slot.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_eight_who_hold_one_time_by_eight_searches_at_once(chen):
    software = [api_with() for _ in range(8)]
    bodies = [parameters(appt_id=reference(offer(each))) for each in software]
    answers = at_once(
        [lambda each=each, body=body: each.post(HOLD, body) for each, body in zip(software, bodies, strict=True)]
    )
    outcomes = sorted(matches(answer)[0]["status"] for answer in answers)
    assert outcomes == ["cancelled"] * 7 + ["pending"]
    assert Slot.objects.filter(deleted_at=None).count() == 1


def test_a_constant_number_of_statements(api, chen, ada):
    def statements(hour):
        body = parameters(appt_id=reference(offer(api, hour)), patient_id=ada.reference)
        with CaptureQueriesContext(connection) as captured:
            assert matches(api.post(BOOK, body))[0]["status"] == "booked"
        return len(captured)

    first = statements(10)
    ScheduleFactory.create_batch(3, services=list(chen.services.all()))
    assert statements(12) == first
