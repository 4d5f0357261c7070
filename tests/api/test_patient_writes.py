"""Patients change their own contact details and answers; the clinic writes their name and birth date."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from clinic.fhir.codes import ACCESS_NEED, APPOINTMENT, DISABILITY, INTERPRETER_REQUIRED, RETURNING
from clinic.fhir.resources import to_fhir
from clinic.models import Questionnaire, QuestionnaireResponse, RelatedPerson
from tests.api.conftest import Api, codes, texts
from tests.factories import (
    AppointmentFactory,
    PatientFactory,
    QuestionnaireFactory,
    QuestionnaireResponseFactory,
    RelatedPersonFactory,
    ScheduleFactory,
)
from tests.scheduling.situations import monday


@pytest.fixture
def as_ada(ada):
    ada.birth_date = date(1990, 7, 4)
    ada.identifier = [{"system": "http://example.org/mrn", "value": "1"}]
    ada.extra = {"meta": {"tag": [{"code": "vip"}]}}
    ada.save()
    return Api(user=ada.user)


@pytest.mark.parametrize(
    ("element", "value"),
    [
        ("telecom", [{"system": "phone", "value": "+1 212 555 0199"}, {"system": "email", "value": "a@example.com"}]),
        ("address", [{"city": "New York", "postalCode": "10016"}]),
        ("communication", [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "es"}]}, "preferred": True}]),
        ("contact", [{"name": {"text": "Grace"}}]),
        (
            "extension",
            [
                {"url": INTERPRETER_REQUIRED, "valueBoolean": True},
                {"url": DISABILITY, "valueCodeableConcept": {"coding": [{"system": ACCESS_NEED, "code": "step-free"}]}},
            ],
        ),
    ],
)
def test_patients_say_where_and_how_to_reach_them(as_ada, ada, element, value):
    response = as_ada.put(ada.reference, {**to_fhir(ada), element: value})
    assert (response.status_code, response.fhir.get(element)) == (200, value), response.fhir


@pytest.mark.parametrize(
    ("element", "value"),
    [
        ("name", [{"family": "Else", "given": ["Someone"]}]),
        ("birthDate", "1991-07-04"),
        ("birthDate", "1990"),
        ("gender", "male"),
        ("identifier", [{"system": "http://example.org/mrn", "value": "2"}]),
        ("active", False),
        ("generalPractitioner", [{"display": "Dr. No"}]),
        ("deceasedBoolean", True),
        ("extension", [{"url": RETURNING, "valueBoolean": True}]),
    ],
)
def test_patients_do_not_change_their_identifying_elements(as_ada, ada, element, value):
    response = as_ada.put(ada.reference, {**to_fhir(ada), element: value})
    assert (response.status_code, set(codes(response))) == (403, {"forbidden"})
    assert f"Patient.{element}" in {issue["expression"][0] for issue in response.fhir["issue"]}
    assert "Please contact the clinic" in texts(response)
    ada.refresh_from_db()
    assert ada.version == 1


def test_a_patch_is_held_to_the_same(as_ada, ada):
    def patch(path, value):
        operations = [{"op": "add", "path": path, "value": value}]
        return as_ada.request("PATCH", ada.reference, operations, content_type="application/json-patch+json")

    assert patch("/address", [{"city": "New York"}]).status_code == 200
    assert patch("/gender", "male").status_code == 403


def test_the_records_of_those_whom_one_cares_for_too(as_ada, ada, bo):
    tim = PatientFactory()
    RelatedPersonFactory(user=ada.user, patient=tim)
    changed = {"telecom": [{"system": "phone", "value": "1"}]}
    assert as_ada.put(tim.reference, {**to_fhir(tim), **changed}).status_code == 200
    for reference in (bo.reference, "Patient/nobody"):
        body = {**to_fhir(bo), **changed, "id": reference.partition("/")[2]}
        response = as_ada.put(reference, body)
        assert (response.status_code, texts(response)) == (404, f"There is no {reference}.")


def test_the_front_desk_corrects_what_is_wrong(rana, ada):
    response = Api(user=rana).put(ada.reference, {**to_fhir(ada), "birthDate": "1990-07-04"})
    assert (response.status_code, response.fhir["birthDate"]) == (200, "1990-07-04")


@pytest.mark.parametrize("kind", ["RelatedPerson", "Communication", "AuditEvent", "Practitioner"])
def test_patients_write_nothing_else(as_ada, ada, kind):
    body = {"resourceType": kind, "patient": {"reference": ada.reference}}
    assert as_ada.post(kind, body).status_code in (403, 405)
    assert not RelatedPerson.objects.exists()


def test_practitioners_write_no_records(chen, ada):
    AppointmentFactory(patient=ada, schedules=[ScheduleFactory(actor=chen)])
    assert Api(user=chen.user).put(ada.reference, to_fhir(ada)).status_code == 403


@pytest.fixture
def form(db):
    return QuestionnaireFactory(
        item=[
            {"linkId": "1", "type": "string", "text": "What brings you here?", "required": True},
            {
                "linkId": "2",
                "type": "boolean",
                "text": "Do you have pain in your chest?",
            },
        ]
    )


@pytest.fixture
def coming(ada):
    return AppointmentFactory(patient=ada, start=monday(10))


def answers(form, patient, visit=None, status="completed", text="A rash", **more):
    items = [{"linkId": "1", "answer": [{"valueString": text}]}] if text else []
    extension = [{"url": APPOINTMENT, "valueReference": {"reference": visit.reference}}] if visit else []
    resource = {
        "resourceType": "QuestionnaireResponse",
        "status": status,
        "questionnaire": form.url,
        "subject": {"reference": patient.reference} if patient else None,
        "item": items,
        "extension": extension,
        **more,
    }
    return {name: value for name, value in resource.items() if value}


@pytest.mark.parametrize("for_visit", [True, False])
def test_patients_answer_questions_for_a_visit_or_before_there_is_one(as_ada, ada, form, coming, for_visit):
    response = as_ada.post("QuestionnaireResponse", answers(form, ada, coming if for_visit else None))
    assert response.status_code == 201
    changed = {**response.fhir, "item": answers(form, ada, text="Two rashes")["item"]}
    assert as_ada.put(f"QuestionnaireResponse/{response.fhir['id']}", changed).status_code == 200


def test_a_response_with_gaps_cannot_be_completed(as_ada, ada, form):
    response = as_ada.post("QuestionnaireResponse", answers(form, ada, text=""))
    assert (response.status_code, codes(response)) == (422, ["business-rule"])
    assert "What brings you here?" in texts(response)
    assert as_ada.post("QuestionnaireResponse", answers(form, ada, text="", status="in-progress")).status_code == 201


def test_an_answer_that_is_an_alarm_says_what_to_do(as_ada, ada, form):
    alarm = {"url": "https://clinic.example/fhir/StructureDefinition/red-flag", "valueString": "Call 911 now."}
    form.item[1] = {**form.item[1], "type": "choice", "answerOption": [{"valueString": "Yes", "extension": [alarm]}]}
    Questionnaire.objects.filter(pk=form.pk).update(item=form.item)
    sent = answers(form, ada)
    sent["item"].append({"linkId": "2", "answer": [{"valueString": "Yes"}]})
    response = as_ada.post("QuestionnaireResponse", sent)
    assert (response.status_code, texts(response)) == (422, "Call 911 now.")


@pytest.mark.parametrize("status", ["entered-in-error", "stopped"])
def test_patients_do_not_choose_the_status_of_answers(as_ada, ada, form, status):
    assert as_ada.post("QuestionnaireResponse", answers(form, ada, status=status)).status_code == 422


def test_a_visit_that_has_begun_takes_no_answers(as_ada, ada, form):
    begun = AppointmentFactory(patient=ada, start=timezone.now() - timedelta(minutes=1))
    response = as_ada.post("QuestionnaireResponse", answers(form, ada, begun))
    assert (response.status_code, codes(response)) == (422, ["business-rule"])


def test_answers_stay_with_their_visit(as_ada, ada, form, coming):
    given = as_ada.post("QuestionnaireResponse", answers(form, ada, coming)).fhir
    response = as_ada.put(f"QuestionnaireResponse/{given['id']}", answers(form, ada, id=given["id"]))
    assert response.status_code == 422


def test_patients_answer_for_themselves_at_their_own_visits(as_ada, ada, bo, form, coming):
    theirs = AppointmentFactory(patient=bo, start=monday(11))
    given = QuestionnaireResponseFactory(questionnaire=form, patient=bo)
    for sent in (answers(form, bo), answers(form, ada, theirs)):
        response = as_ada.post("QuestionnaireResponse", sent)
        assert (response.status_code, codes(response)) == (422, ["not-found"])
    assert as_ada.put(given.reference, answers(form, ada, id=given.fhir_id)).status_code == 404
    assert QuestionnaireResponse.objects.count() == 1


def test_it_is_said_whose_answers_they_are(as_ada, form):
    assert as_ada.post("QuestionnaireResponse", answers(form, None)).status_code == 403


def test_software_writes_what_its_scopes_say_as_ever(api, ada, form):
    assert api.post("QuestionnaireResponse", answers(form, ada, text="")).status_code == 201
    assert api.put(ada.reference, {**to_fhir(ada), "gender": "male"}).status_code == 200
