"""Refusals of Appointment/$hold and Appointment/$book: http://fhir.org/guides/argonaut-scheduling"""

from datetime import timedelta

import pytest

from api.operations import ids
from clinic.fhir.datatypes import instant
from clinic.models import Appointment, Patient, Slot
from tests.api.argonaut_book.appointments import NORA, another, held, made, statuses
from tests.api.conftest import Api, api_with, codes
from tests.api.dialects import issues, matches, offer, parameters, reference
from tests.api.visits import BOOK, HOLD, issues_of
from tests.factories import AppointmentFactory, ScheduleFactory, SlotFactory
from tests.row_digests import stored
from tests.scheduling.situations import monday, run_out

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "elsewhere", ["https://elsewhere.example/fhir/Appointment/1", "http://testserver/fhir/R4/Appointment/1"]
)
def test_a_reference_to_another_server_is_not_found(api, chen, elsewhere):
    answer = api.post(BOOK, parameters(appt_id=elsewhere))
    assert (answer.status_code, codes(answer)) == (404, ["not-found"])


@pytest.mark.parametrize("wrong", ["Patient/1", "Dr Y", 7, ""])
def test_an_invalid_id_is_one_issue(api, chen, wrong):
    body = {"resourceType": "Parameters", "parameter": [{"name": "appt-id", "valueUri": wrong}]}
    [issue] = api.post(BOOK, body).fhir["issue"]
    assert issue["expression"] == ["Parameters.appt-id"]


def test_a_time_outside_the_hours_is_refused_at_its_element(api, chen, ada):
    appointment = made(chen, ada, start=instant(monday(6)), end=instant(monday(7)))
    [issue] = api.post(BOOK, appointment).fhir["entry"][-1]["resource"]["issue"]
    assert (issue["code"], issue["expression"]) == ("business-rule", ["Parameters.appt-resource"])


def test_a_second_client_does_not_hold_what_is_held(api, chen):
    appointment = held(api, chen)
    answer = another().post(HOLD, parameters(appt_id=reference(appointment)))
    [refused] = matches(answer)
    assert ("id" in refused, refused["status"], issues(answer)) == (False, "cancelled", [("error", "conflict")])
    assert Appointment.objects.get().status == "pending"  # the first client's hold stays
    assert matches(api.post(HOLD, parameters(appt_id=reference(appointment)))) == [appointment]


def test_a_second_client_does_not_book_what_is_held(api, chen, ada):
    """A hold is its holder's, in every dialect."""
    appointment = held(api, chen)
    named = parameters(appt_id=reference(appointment), patient_id=ada.reference)
    other = another()
    answer = other.post(BOOK, named)
    [refused] = matches(answer)
    assert ("id" in refused, refused["status"], issues(answer)) == (False, "cancelled", [("error", "conflict")])
    confirm = other.post(f"{reference(appointment)}/$confirm")
    assert (confirm.status_code, codes(confirm)) == (409, ["conflict"])
    assert Appointment.objects.get().status == "pending"  # the first client's hold stays
    [booked] = matches(api.post(BOOK, named))
    assert (booked["id"], booked["status"]) == (appointment["id"], "booked")


def test_a_taken_time_is_a_cancelled_appointment(api, chen, ada):
    proposed = offer(api)
    SlotFactory(schedule=chen, start=monday(10), end=monday(11))
    for path in (HOLD, BOOK):
        answer = api.post(path, parameters(appt_id=reference(proposed)))
        [refused] = matches(answer)
        assert (answer.status_code, answer.fhir["total"], issues(answer)) == (200, 1, [("error", "conflict")])
        assert (refused["id"], refused["status"], statuses(refused)) == (proposed["id"], "cancelled", {"declined"})
    assert not Appointment.objects.exists()


def test_a_refusal_names_the_nearest_times(api, chen, ada):
    proposed = offer(api)
    SlotFactory(schedule=chen, start=monday(10), end=monday(11))
    [issue] = api.post(HOLD, proposed).fhir["entry"][-1]["resource"]["issue"]
    assert instant(monday(9)) in issue["diagnostics"]


def test_a_refused_resource_is_named_and_not_stored(api, chen, ada):
    SlotFactory(schedule=chen, start=monday(10), end=monday(11))
    answer = api.post(BOOK, made(chen, ada))
    [refused] = matches(answer)
    assert (answer.status_code, refused["status"], issues(answer)) == (200, "cancelled", [("error", "conflict")])
    assert not Appointment.objects.exists()


def test_a_hold_that_has_expired_is_cancelled_by_whoever_comes_too_late(api, chen, ada):
    appointment = held(api, chen)
    run_out(Appointment.objects.get())
    answer = api.post(BOOK, parameters(appt_id=reference(appointment), patient_id=ada.reference))
    [refused] = matches(answer)
    assert (answer.status_code, refused["status"], issues(answer)) == (200, "cancelled", [("error", "expired")])
    reason, extension = refused["cancelationReason"], refused["extension"][0]["valueCodeableConcept"]
    assert (reason["text"], reason["coding"][0]["code"], extension["coding"][0]["code"]) == (
        "hold expired",
        "other",
        "other",
    )
    assert api.get(reference(appointment)).fhir["status"] == "cancelled"


def test_a_hold_that_cannot_be_booked_is_let_go(api, chen, ada):
    AppointmentFactory(patient=ada, start=monday(10), end=monday(11))
    appointment = held(api, chen)
    answer = api.post(BOOK, parameters(appt_id=reference(appointment), patient_id=ada.reference))
    assert (matches(answer)[0]["status"], issues(answer)) == ("cancelled", [("error", "business-rule")])
    assert not Slot.objects.filter(appointment__fhir_id=appointment["id"], deleted_at=None).exists()


def test_a_hold_that_has_expired_is_not_held_again(api, chen):
    appointment = held(api, chen)
    run_out(Appointment.objects.get())
    answer = api.post(HOLD, parameters(appt_id=reference(appointment)))
    assert (matches(answer)[0]["status"], issues(answer)) == ("cancelled", [("error", "expired")])
    assert api.get(reference(appointment)).fhir["status"] == "cancelled"


def test_a_hold_that_cannot_be_moved_stays_as_it_was(api, chen, ada):
    appointment = held(api, chen)
    SlotFactory(schedule=chen, start=monday(14), end=monday(15))
    moved = {**appointment, "status": "booked", "start": instant(monday(14)), "end": instant(monday(15))}
    before = stored()
    answer = api.post(BOOK, parameters(appt_resource=moved))
    assert (matches(answer), issues(answer)) == ([], [("error", "conflict")])
    assert stored() == before


def test_a_refusal_registers_nobody(api, chen, ada):
    proposed, taken = reference(offer(api)), made(chen, ada)
    SlotFactory(schedule=chen, start=monday(10), end=monday(11))
    before = stored()
    for named in ({"appt_id": proposed}, {"appt_resource": taken}):
        answer = api.post(BOOK, parameters(**named, patient_resource=NORA))
        assert (matches(answer)[0]["status"], issues(answer)) == ("cancelled", [("error", "conflict")])
    assert stored() == before


def test_a_hold_that_cannot_be_booked_registers_nobody(api, chen, ada):
    appointment = held(api, chen)
    run_out(Appointment.objects.get())
    answer = api.post(BOOK, parameters(appt_id=reference(appointment), patient_resource=NORA))
    assert (matches(answer)[0]["status"], Patient.objects.get()) == ("cancelled", ada)


def test_to_compare_the_patient_registers_nobody(api, chen, ada):
    body = parameters(appt_id=reference(offer(api)), patient_id=ada.reference)
    [booked] = matches(api.post(BOOK, body))
    before = stored()
    for body in (
        parameters(appt_resource={**booked, "comment": "Other"}, patient_resource=NORA),
        parameters(appt_id=reference(booked), patient_resource=NORA),
    ):
        answer = api.post(BOOK, body)
        assert issues(answer)[0][0] == "error", answer.fhir
    assert stored() == before


def test_a_caller_who_may_not_register_may_not_match_either(chen, ada):
    reader = api_with("system/Appointment.cruds system/Schedule.rs system/Slot.rs")
    proposed = offer(reader)
    answer = reader.post(BOOK, parameters(appt_id=reference(proposed), patient_resource=NORA))
    assert answer.status_code == 403


def test_the_same_booking_again_returns_the_same_visit(api, chen, ada):
    body = parameters(appt_id=reference(offer(api)), patient_id=ada.reference)
    first, again = api.post(BOOK, body), api.post(BOOK, body)
    assert (again.status_code, matches(again)) == (200, matches(first))
    assert (Appointment.objects.get().status, Appointment.objects.get().version) == ("booked", 1)


def test_a_proposal_that_another_patient_has_booked_is_a_cancelled_appointment(api, chen, ada, bo):
    """However much later its other taker comes."""
    proposed = offer(api)
    api.post(BOOK, parameters(appt_id=reference(proposed), patient_id=ada.reference))
    answer = api.post(BOOK, parameters(appt_id=reference(proposed), patient_id=bo.reference))
    [refused] = matches(answer)
    assert (answer.status_code, refused["status"], statuses(refused)) == (200, "cancelled", {"declined"})
    assert issues(answer) == [("error", "conflict")]
    assert "id" not in refused  # the id is that of a booked visit
    assert ada.reference not in str(answer.fhir)
    assert Appointment.objects.get().patient == ada


def test_a_proposal_stands_for_an_hour(api, chen, monkeypatch):
    monkeypatch.setattr(ids, "STANDS_FOR", timedelta(0))
    monkeypatch.setattr("api.operations.argonaut.find.STANDS_FOR", timedelta(0))
    answer = api.post(HOLD, parameters(appt_id=reference(offer(api))))
    assert (answer.status_code, issues(answer)) == (200, [("error", "expired")])
    assert matches(answer)[0]["status"] == "cancelled"


def test_an_unknown_id_is_not_found(api, chen, settings):
    proposed = offer(api)
    other = "A" if proposed["id"][0] != "A" else "B"
    ids = ["nobodys", other + proposed["id"][1:], proposed["id"] + "A"]
    settings.SECRET_KEY = "of another server, which signs for itself"
    foreign = offer(api)["id"]
    settings.SECRET_KEY = "of the next one"
    for fhir_id in (*ids, foreign):
        answer = api.post(HOLD, parameters(appt_id=f"Appointment/{fhir_id}"))
        assert (answer.status_code, codes(answer)) == (404, ["not-found"])


def test_a_proposal_too_large_for_an_id_is_stored(api, service, napa, ada, monkeypatch):
    monkeypatch.setattr("api.operations.ids.MOST_BYTES", 20)
    ScheduleFactory(services=[service], site=napa)
    proposed = offer(api)
    assert len(proposed["id"]) <= 64
    assert matches(api.post(BOOK, parameters(appt_id=reference(proposed))))[0]["status"] == "booked"


MALFORMED = {
    "nothing": (HOLD, lambda it: {"resourceType": "Parameters", "parameter": []}, None),
    "no reference": (HOLD, lambda it: parameters(appt_id="Patient/1"), "appt-id"),
    "two of them": (HOLD, lambda it: parameters(appt_id=reference(it), appt_resource=it), "appt-id"),
    "unknown name": (HOLD, lambda it: parameters(appt_id=reference(it), comment="x"), "comment"),
    "two dialects": (BOOK, lambda it: parameters(appt_id=reference(it), appointment_reference="x"), "appt-id"),
    "no patient's id": (BOOK, lambda it: parameters(appt_id=reference(it), patient_id="Ada"), "patient-id[0]"),
}


@pytest.mark.parametrize(("path", "body", "place"), MALFORMED.values(), ids=MALFORMED)
def test_malformed_is_400(api, chen, path, body, place):
    answer = api.post(path, body(offer(api)))
    assert answer.status_code == 400
    assert place is None or f"Parameters.{place}" in {at for _, at in issues_of(answer)}


def test_callers_who_may_book(service, chen, ada, bo):
    api = api_with()
    proposed = offer(api)
    body = parameters(appt_id=reference(proposed))
    assert Api().post(HOLD, body).status_code == 401
    patient = Api(user=ada.user)
    forbidden = patient.post(BOOK, parameters(appt_id=reference(proposed), patient_id=bo.reference))
    assert (forbidden.status_code, codes(forbidden)) == (404, ["not-found"])
    service.bookable_by = "staff"
    service.save()
    assert patient.post(HOLD, body).status_code == 403


def test_another_patient_is_refused_like_an_unknown_one(chen, ada, bo):
    patient = Api(user=ada.user)
    theirs = offer(Api(user=bo.user), **{"patient-reference": bo.reference})
    assert patient.post(BOOK, parameters(appt_id=reference(theirs))).status_code == 404

    def answer(patient_id):
        body = made(chen, ada)
        body["participant"][-1]["actor"]["reference"] = f"Patient/{patient_id}"
        sent = patient.post(BOOK, parameters(appt_resource=body))
        return sent.status_code, sent.content.replace(patient_id.encode(), b"")

    assert answer(bo.fhir_id) == answer("nobody")
    assert answer("nobody")[0] == 404


def test_anothers_hold_does_not_exist(api, chen, ada, bo):
    body = parameters(appt_id=reference(held(Api(user=bo.user), chen)))
    answer = Api(user=ada.user).post(BOOK, body)
    assert (matches(answer)[0]["status"], issues(answer)) == ("cancelled", [("error", "conflict")])
    assert Appointment.objects.get().status == "pending"


@pytest.mark.parametrize("path", [HOLD, BOOK, "Appointment/x/$hold", "Appointment/x/$book"])
def test_there_is_no_get(api, path):
    assert api.get(path).status_code == 405


def test_a_visit_for_one_is_not_for_two_strangers(api, chen, ada, bo):
    body = parameters(appt_id=reference(offer(api)), patient_id=[ada.reference, bo.reference])
    assert issues(api.post(BOOK, body)) == [("error", "business-rule")]


def test_a_second_patient_is_not_left_out_in_silence(api, chen, ada, bo):
    appointment = made(chen, ada)
    appointment["participant"].append({"actor": {"reference": bo.reference}, "status": "accepted"})
    assert issues(api.post(BOOK, appointment)) == [("error", "business-rule")]
    assert not Appointment.objects.exists()
