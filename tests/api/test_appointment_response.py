"""AppointmentResponse: a participant's answer to a visit. https://hl7.org/fhir/R4/appointmentresponse.html"""

import pytest
from django.utils import timezone

from clinic.models import AppointmentResponse, AuditEvent
from tests.api.conftest import Api, api_with, codes, ids, texts
from tests.factories import (
    AppointmentFactory,
    PatientFactory,
    PractitionerFactory,
    ScheduleFactory,
    ServiceFactory,
    UserFactory,
)
from tests.scheduling.situations import monday

KIND = "AppointmentResponse"


@pytest.fixture
def visit_request(site, ada, chen):
    """A visit that Ada has requested; Dr Chen has not answered."""
    service = ServiceFactory(on_request=True)
    schedule = ScheduleFactory(actor=chen, site=site, services=[service])
    appointment = AppointmentFactory(
        patient=ada, service=service, site=site, start=monday(10), schedules=[schedule], status="pending"
    )
    appointment.participant = [
        {"actor": {"reference": chen.reference}, "required": "required", "status": "needs-action"},
        {"actor": {"reference": ada.reference}, "required": "required", "status": "accepted"},
    ]
    appointment.slots.update(status="busy-tentative")
    appointment.save()
    return appointment


def answer(appointment, actor, status="accepted", **more):
    return {
        "resourceType": KIND,
        "appointment": {"reference": appointment.reference},
        "actor": {"reference": getattr(actor, "reference", actor)},
        "participantStatus": status,
        **more,
    }


def test_it_comes_back_as_it_was_sent(api, visit_request, chen):
    sent = answer(
        visit_request,
        chen,
        "tentative",
        identifier=[{"system": "http://example.org", "value": "1"}],
        start=f"{monday(14):%Y-%m-%dT%H:%M:%SZ}",
        end=f"{monday(14, 30):%Y-%m-%dT%H:%M:%SZ}",
        participantType=[{"text": "attender"}],
        comment="Would the afternoon do?",
    )
    created = api.post(KIND, sent)
    assert created.status_code == 201
    read = api.get(f"{KIND}/{created.fhir['id']}").fhir
    assert {name: value for name, value in read.items() if name not in ("id", "meta")} == sent
    assert api.get(created["Location"].partition("/fhir/R4/")[2]).fhir == read


def test_a_request_is_booked_when_its_practitioner_accepts(visit_request, chen):
    assert Api(user=chen.user).post(KIND, answer(visit_request, chen)).status_code == 201
    visit_request.refresh_from_db()
    assert (visit_request.status, visit_request.version) == ("booked", 2)
    assert {each["status"] for each in visit_request.participant} == {"accepted"}
    assert AuditEvent.objects.filter(appointment=visit_request, subtype="accept", user=chen.user).count() == 1


def test_it_comes_to_nothing_when_they_decline(visit_request, chen, ada):
    Api(user=chen.user).post(KIND, answer(visit_request, chen, "declined", comment="Please see a surgeon."))
    body = Api(user=ada.user).get(visit_request.reference).fhir
    assert (body["status"], body["cancelationReason"]["text"]) == ("cancelled", "Please see a surgeon.")
    assert "slot" not in body


def test_the_front_desk_and_software_answer_for_the_practitioner(visit_request, chen, rana):
    assert Api(user=rana).post(KIND, answer(visit_request, chen, "tentative")).status_code == 201
    assert (
        api_with("system/AppointmentResponse.c system/Appointment.ru")
        .post(KIND, answer(visit_request, chen))
        .status_code
        == 201
    )


def test_a_patient_answers_their_own_part_and_nobody_elses(visit_request, ada, chen):
    api = Api(user=ada.user)
    assert api.post(KIND, answer(visit_request, ada, "tentative")).status_code == 201
    response = api.post(KIND, answer(visit_request, chen))
    assert (response.status_code, codes(response)) == (403, ["forbidden"])
    visit_request.refresh_from_db()
    assert visit_request.status == "pending"


def test_a_hidden_visit_is_missing(visit_request, ada, bo):
    api = Api(user=bo.user)
    for reference in (visit_request.reference, "Appointment/nobodys"):
        sent = {**answer(visit_request, bo), "appointment": {"reference": reference}}
        response = api.post(KIND, sent)
        assert (response.status_code, texts(response)) == (422, f"{reference!r} is not known here.")
    assert (
        Api(user=PractitionerFactory(user=UserFactory()).user).post(KIND, answer(visit_request, "x")).status_code == 422
    )


def test_answers_are_seen_by_those_who_see_the_visit(api, visit_request, ada, bo, chen, rana):
    """Responses of another patient of the visit are missing."""
    other = PatientFactory(user=UserFactory())
    visit_request.participant.append({"actor": {"reference": other.reference}, "status": "accepted"})
    visit_request.save()
    theirs = api.post(KIND, answer(visit_request, other, "tentative")).fhir["id"]
    clinics = api.post(KIND, answer(visit_request, chen, "tentative")).fhir["id"]
    assert ids(Api(user=ada.user).get(KIND)) == [clinics]
    assert Api(user=ada.user).get(f"{KIND}/{theirs}").status_code == 404
    assert sorted(ids(Api(user=rana).get(KIND))) == sorted([theirs, clinics])
    assert ids(Api(user=bo.user).get(KIND)) == []


@pytest.mark.parametrize(
    "query",
    ["appointment={asked}", "actor={chen}", "practitioner={chen}", "part-status=tentative", "identifier=|7"],
)
def test_it_is_found(api, visit_request, chen, ada, query):
    made = api.post(KIND, answer(visit_request, chen, "tentative", identifier=[{"value": "7"}])).fhir["id"]
    api.post(KIND, answer(AppointmentFactory(patient=ada, start=monday(14)), ada, "accepted"))
    found = api.get(f"{KIND}?{query.format(asked=visit_request.reference, chen=chen.reference)}")
    assert ids(found) == [made]


def test_it_is_never_changed(api, visit_request, chen):
    made = api.post(KIND, answer(visit_request, chen, "tentative")).fhir
    assert api.put(f"{KIND}/{made['id']}", made).status_code == 200
    response = api.put(f"{KIND}/{made['id']}", {**made, "participantStatus": "declined"})
    assert (response.status_code, codes(response)) == (422, ["business-rule"])
    assert api.request("DELETE", f"{KIND}/{made['id']}").status_code == 204
    assert api.put(f"{KIND}/{made['id']}", made).status_code == 422
    visit_request.refresh_from_db()
    assert visit_request.status == "pending"


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"participantStatus": "maybe"}, 400, "code-invalid"),
        ({"participantStatus": None}, 400, "required"),
        ({"actor": None}, 400, "required"),
        ({"actor": {"display": "Somebody"}}, 400, "required"),
        ({"appointment": None}, 400, "required"),
        ({"appointment": {"reference": "Appointment/none"}}, 422, "not-found"),
        ({"start": "2026-01-05T14:00:00Z", "end": "2026-01-05T14:00:00Z"}, 422, "business-rule"),
    ],
)
def test_errors_are_named(api, visit_request, chen, change, status, code):
    sent = {name: value for name, value in {**answer(visit_request, chen), **change}.items() if value is not None}
    response = api.post(KIND, sent)
    assert (response.status_code, code in codes(response)) == (status, True)
    assert not AppointmentResponse.objects.exists()


def test_a_response_of_a_non_participant_is_refused(api, visit_request):
    response = api.post(KIND, answer(visit_request, PractitionerFactory()))
    assert (response.status_code, codes(response)) == (422, ["business-rule"])


@pytest.mark.parametrize("status", ["cancelled", "fulfilled", "entered-in-error"])
def test_a_past_visit_takes_no_responses(api, visit_request, chen, status):
    visit_request.status = status
    visit_request.save()
    response = api.post(KIND, answer(visit_request, chen))
    assert (response.status_code, codes(response)) == (409, ["conflict"])
    assert not AppointmentResponse.objects.exists()


def test_in_a_transaction_all_answers_are_heard_or_none(api, visit_request, chen, ada):
    entries = [
        {"resource": answer(visit_request, each, "accepted"), "request": {"method": "POST", "url": KIND}}
        for each in (chen, PractitionerFactory())
    ]
    response = api.post("", {"resourceType": "Bundle", "type": "transaction", "entry": entries})
    assert response.status_code == 422
    visit_request.refresh_from_db()
    assert visit_request.status == "pending"


def test_an_arrival_begins_an_encounter_by_either_resource(api, ada):
    """The Encounter follows the change of an Appointment's status."""
    appointment = AppointmentFactory(patient=ada, start=timezone.now())
    resource = api.get(appointment.reference).fhir
    assert api.put(appointment.reference, {**resource, "status": "arrived"}).status_code == 200
    assert appointment.encounters.get().status == "arrived"
