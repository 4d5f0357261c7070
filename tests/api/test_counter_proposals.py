"""A request is answered with another time by an AppointmentResponse, and the patient answers that by another one.

https://hl7.org/fhir/R4/appointmentresponse-definitions.html#AppointmentResponse.start
"""

from datetime import timedelta

import pytest

from clinic.fhir.codes import PREVIOUS_APPOINTMENT, PROPOSED_NEW_TIME
from clinic.models import Appointment, Communication
from scheduling.access import Caller
from tests.api.conftest import Api, api_with, codes, ids, texts
from tests.factories import RelatedPersonFactory, ScheduleFactory, ServiceFactory, UserFactory
from tests.scheduling.situations import book, monday, run_out, wish

pytestmark = pytest.mark.django_db(transaction=True)
NEW_TIME = {"url": PROPOSED_NEW_TIME, "valueBoolean": True}


@pytest.fixture
def service(db):
    return ServiceFactory(name="Second opinion", on_request=True)


@pytest.fixture
def schedule(service, chen, site):
    return ScheduleFactory(actor=chen, site=site, services=[service])


@pytest.fixture
def visit_request(service, schedule, ada):
    """Ada's request for ten o'clock."""
    return book(wish(service, schedule, at=monday(10), patient=ada))


@pytest.fixture
def as_ada(ada):
    return Api(user=ada.user)


def written(moment):
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def response(appointment, actor, status, start=None, minutes=30, **more):
    times = {"start": written(start), "end": written(start + timedelta(minutes=minutes))} if start else {}
    return {
        "resourceType": "AppointmentResponse",
        "appointment": {"reference": appointment.reference},
        "actor": {"reference": actor.reference},
        "participantStatus": status,
        **times,
        **more,
    }


def suggest(appointment, chen, status="tentative", start=None, **more):
    """Dr Chen answers with another time: two in the afternoon."""
    sent = response(appointment, chen, status, start or monday(14), **more)
    return Api(user=chen.user).post("AppointmentResponse", sent)


@pytest.mark.parametrize("status", ["tentative", "declined"])
def test_another_time_is_held_and_accepted(visit_request, chen, ada, as_ada, status):
    sent = suggest(visit_request, chen, status, extension=[NEW_TIME], comment="Would the afternoon do?")
    assert sent.status_code == 201
    stands = as_ada.get(visit_request.reference).fhir
    assert (stands["status"], stands["start"]) == ("pending", written(monday(10)))
    [held] = [each for each in ids(as_ada.get("Appointment?status=pending")) if each != visit_request.fhir_id]
    suggestion = as_ada.get(f"Appointment/{held}").fhir
    assert (suggestion["status"], suggestion["start"]) == ("pending", written(monday(14)))
    assert {"url": PREVIOUS_APPOINTMENT, "valueReference": {"reference": visit_request.reference}} in suggestion[
        "extension"
    ]
    [said] = as_ada.get(f"AppointmentResponse?appointment={visit_request.reference}").fhir["entry"]
    assert (said["resource"]["start"], said["resource"]["extension"]) == (written(monday(14)), [NEW_TIME])
    accepted = as_ada.post("AppointmentResponse", response(visit_request, ada, "accepted"))
    assert accepted.status_code == 201
    booked = as_ada.get(visit_request.reference).fhir
    assert (booked["status"], booked["start"], booked["end"]) == (
        "booked",
        written(monday(14)),
        written(monday(14, 30)),
    )
    assert {each["status"] for each in booked["participant"]} == {"accepted"}
    assert as_ada.get(f"Appointment/{held}").fhir["status"] == "cancelled"


def test_refused_the_request_stands_as_it_was(visit_request, chen, ada, as_ada):
    suggest(visit_request, chen)
    assert as_ada.post("AppointmentResponse", response(visit_request, ada, "declined")).status_code == 201
    stands = as_ada.get(visit_request.reference).fhir
    assert (stands["status"], stands["start"]) == ("pending", written(monday(10)))
    assert [each["status"] for each in stands["participant"]] == ["needs-action", "accepted"]
    assert Appointment.objects.get(suggested_for=visit_request).status == "cancelled"
    assert as_ada.post("AppointmentResponse", response(visit_request, ada, "declined")).status_code == 201
    assert as_ada.get(visit_request.reference).fhir["status"] == "cancelled"


def test_by_cancelling_the_hold_the_patient_refuses_too(visit_request, chen, as_ada):
    suggest(visit_request, chen)
    held = Appointment.objects.get(suggested_for=visit_request)
    assert as_ada.post(f"{held.reference}/$cancel").status_code == 200
    assert as_ada.get(visit_request.reference).fhir["status"] == "pending"


def test_it_is_confirmed_by_the_answer_only(api, visit_request, chen, as_ada):
    suggest(visit_request, chen)
    held = Appointment.objects.get(suggested_for=visit_request)
    for caller in (as_ada, api):
        refused = caller.post(f"{held.reference}/$confirm")
        assert (refused.status_code, codes(refused)) == (422, ["business-rule"])
    assert as_ada.get(held.reference).fhir["status"] == "pending"


def test_a_lapsed_suggestion_cannot_be_accepted(visit_request, chen, ada, as_ada):
    suggest(visit_request, chen)
    run_out(Appointment.objects.get(suggested_for=visit_request))
    for start in (None, monday(14)):
        refused = as_ada.post("AppointmentResponse", response(visit_request, ada, "accepted", start))
        assert (refused.status_code, codes(refused)) == (409, ["expired"])
    assert as_ada.get(visit_request.reference).fhir["status"] == "pending"


@pytest.mark.parametrize(
    ("start", "minutes", "status", "text"),
    [
        (monday(20), 30, 422, "is not offered"),
        (monday(10), 30, 409, "has that time already"),
        (monday(11), 30, 409, "no longer free"),
    ],
    ids=["closed", "requested", "taken"],
)
def test_only_free_times_are_suggested(visit_request, service, schedule, chen, rana, start, minutes, status, text):
    book(wish(service, schedule, at=monday(11)), Caller(user=rana))
    refused = suggest(visit_request, chen, start=start, minutes=minutes)
    assert (refused.status_code, text in texts(refused)) == (status, True)
    assert not Appointment.objects.filter(suggested_for=visit_request).exists()


def test_software_suggests_if_it_may_create_appointments(visit_request, chen):
    sent = response(visit_request, chen, "tentative", monday(14))
    narrow = api_with("system/AppointmentResponse.c system/Appointment.ru")
    assert narrow.post("AppointmentResponse", sent).status_code == 403
    assert api_with().post("AppointmentResponse", sent).status_code == 201


def test_a_carer_answers_for_the_patient_and_nobody_else(visit_request, chen, ada, bo):
    carer = RelatedPersonFactory(patient=ada, user=UserFactory())
    suggest(visit_request, chen)
    sent = response(visit_request, ada, "accepted")
    assert Api(user=bo.user).post("AppointmentResponse", sent).status_code == 422
    assert Api(user=chen.user).post("AppointmentResponse", sent).status_code == 403
    assert Api(user=carer.user).post("AppointmentResponse", sent).status_code == 201
    visit_request.refresh_from_db()
    assert visit_request.status == "booked"


def test_the_patient_is_told(visit_request, chen, ada):
    suggest(visit_request, chen)
    message = Communication.objects.get(event="suggestion", medium="email")
    assert (message.patient, message.address) == (ada, ada.email)
    assert message.before["start"] == monday(10).isoformat()
