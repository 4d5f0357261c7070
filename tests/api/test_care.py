"""Coverage, care teams, forms, encounters and messages through the API."""

import pytest

from clinic.fhir import codes as names
from clinic.models import CareTeam, Coverage, Encounter, QuestionnaireResponse, RelatedPerson
from tests.api.conftest import Api, api_with, codes, ids, texts
from tests.factories import (
    MONDAY_9,
    AppointmentFactory,
    CareTeamFactory,
    CommunicationFactory,
    CoverageFactory,
    EncounterFactory,
    OrganizationFactory,
    PatientFactory,
    PractitionerFactory,
    QuestionnaireFactory,
    QuestionnaireResponseFactory,
    RecallFactory,
    RelatedPersonFactory,
    UserFactory,
)

ADA = {"reference": "Patient/ada"}
WRITABLE = {
    RelatedPerson: {"patient": ADA, "name": [{"family": "Quinn"}]},
    Coverage: {"status": "active", "beneficiary": ADA, "payor": [{"display": "Acme"}]},
    CareTeam: {"status": "active", "subject": ADA},
    QuestionnaireResponse: {"status": "in-progress", "subject": ADA},
    Encounter: {"status": "planned", "class": {"system": names.ACT_CODE, "code": "AMB"}, "subject": ADA},
}


@pytest.fixture
def ada(db):
    return PatientFactory(fhir_id="ada", family="Ardent", user=UserFactory())


def body_of(model, **elements):
    return {"resourceType": model.RESOURCE_TYPE, **WRITABLE[model], **elements}


@pytest.mark.parametrize("model", WRITABLE)
def test_software_creates_and_updates(api, ada, model):
    created = api.post(model.RESOURCE_TYPE, body_of(model))
    assert created.status_code == 201, texts(created)
    row = model.objects.get()
    assert ada in (getattr(row, "patient", None), getattr(row, "beneficiary", None))
    again = api.put(row.reference, {**created.fhir, "language": "en"})
    assert (again.status_code, again["ETag"]) == (200, 'W/"2"')
    assert api.get(row.reference).fhir == again.fhir


@pytest.mark.parametrize("model", WRITABLE)
def test_software_without_the_scope_does_not(ada, model):
    assert api_with("system/Patient.cruds system/*.rs").post(model.RESOURCE_TYPE, body_of(model)).status_code == 403


def test_messages_are_written_by_the_outbox_alone(api, administrator):
    message = CommunicationFactory()
    body = {"resourceType": "Communication", "status": "completed"}
    for who in (api, administrator):
        assert who.post("Communication", body).status_code == 405
        assert who.put(message.reference, {**body, "id": message.fhir_id}).status_code == 405


def test_recalls_are_written_by_staff_and_services_alone(api, administrator):
    recall = RecallFactory()
    body = {"resourceType": "Task", "status": "requested", "intent": "plan"}
    for who in (api, administrator):
        assert who.post("Task", body).status_code == 405
        assert who.put(recall.reference, {**body, "id": recall.fhir_id}).status_code == 405


def test_a_recall_is_a_task(api):
    recall, other = (
        RecallFactory(practitioner=PractitionerFactory(), due="2026-12-10", note="For staff"),
        RecallFactory(),
    )
    task = api.get(recall.reference).fhir
    assert (task["status"], task["intent"], task["code"]["coding"][0]["code"]) == ("requested", "plan", "recall")
    assert task["for"]["reference"] == recall.patient.reference
    assert task["focus"]["reference"] == recall.service.reference
    assert task["owner"]["reference"] == recall.practitioner.reference
    assert task["basedOn"][0]["reference"] == recall.appointment.reference
    assert task["restriction"]["period"] == {"start": "2026-12-10"}
    assert "For staff" not in str(task)
    for query in (
        f"patient={recall.patient.fhir_id}",
        f"subject={recall.patient.reference}",
        f"focus={recall.service.reference}",
        f"based-on={recall.appointment.reference}",
        f"owner={recall.practitioner.reference}",
        "status=requested&_sort=_lastUpdated&_count=1",
    ):
        assert recall.fhir_id in ids(api.get(f"Task?{query}")), query
    assert other.fhir_id in ids(api.get("Task?owner:missing=true"))


def test_a_patient_reads_their_own_rows_only(ada):
    mine, theirs = Api(user=ada.user), PatientFactory()
    for patient in (ada, theirs):
        own = "of-ada" if patient is ada else "of-another"
        CoverageFactory(fhir_id=own, beneficiary=patient)
        for factory in (
            RelatedPersonFactory,
            CareTeamFactory,
            QuestionnaireResponseFactory,
            EncounterFactory,
            CommunicationFactory,
            RecallFactory,
        ):
            factory(fhir_id=own, patient=patient)
    kinds = ("Coverage", "RelatedPerson", "CareTeam", "QuestionnaireResponse", "Encounter", "Communication", "Task")
    for kind in kinds:
        assert ids(mine.get(kind)) == ["of-ada"], kind
        assert mine.get(f"{kind}/of-another").status_code == 404


def test_answers_to_what_was_not_asked_are_refused(api, ada):
    form = QuestionnaireFactory()
    answers = body_of(QuestionnaireResponse, questionnaire=form.url, item=[{"linkId": "1"}, {"linkId": "9"}])
    response = api.post("QuestionnaireResponse", answers)
    assert (response.status_code, codes(response)) == (422, ["not-found"])
    assert response.fhir["issue"][0]["expression"] == ["QuestionnaireResponse.item[1].linkId"]


def test_a_form_and_the_answers_to_it_come_together(api, ada):
    url = "https://example.org/new"
    form = {"resourceType": "Questionnaire", "status": "active", "url": url, "item": [{"linkId": "a", "type": "date"}]}
    answers = body_of(QuestionnaireResponse, questionnaire=url, item=[{"linkId": "a"}])
    entries = [
        {"resource": each, "request": {"method": "POST", "url": each["resourceType"]}} for each in (answers, form)
    ]
    assert api.post("", {"resourceType": "Bundle", "type": "transaction", "entry": entries}).status_code == 200
    assert QuestionnaireResponse.objects.get().questionnaire.url == url


def test_a_visit_has_one_response_to_a_questionnaire(api, ada):
    visit, form = AppointmentFactory(patient=ada), QuestionnaireFactory()
    about = {
        "questionnaire": form.url,
        "extension": [{"url": names.APPOINTMENT, "valueReference": {"reference": visit.reference}}],
    }
    assert api.post("QuestionnaireResponse", body_of(QuestionnaireResponse, **about)).status_code == 201
    response = api.post("QuestionnaireResponse", body_of(QuestionnaireResponse, **about))
    assert (response.status_code, codes(response)) == (409, ["conflict"])
    assert "already" in texts(response)
    assert QuestionnaireResponse.objects.count() == 1


def test_a_visit_has_several_encounters(api, ada):
    visit = AppointmentFactory(fhir_id="visit", patient=ada)
    for fhir_id in ("nurse", "doctor"):
        body = {**body_of(Encounter, appointment=[{"reference": visit.reference}]), "id": fhir_id}
        assert api.put(f"Encounter/{fhir_id}", body).status_code == 201
    assert sorted(ids(api.get("Encounter?appointment=Appointment/visit"))) == ["doctor", "nurse"]
    found = api.get("Appointment?_id=visit&_revinclude=Encounter:appointment").fhir["entry"]
    assert sorted(entry["resource"]["id"] for entry in found) == ["doctor", "nurse", "visit"]


def test_a_response_is_made_once_for_its_identifier(api, ada):
    identifier = {"system": "http://forms.example", "value": "1"}
    for status in (201, 200):
        body = body_of(QuestionnaireResponse, identifier=identifier)
        response = api.post("QuestionnaireResponse", body, if_none_exist="identifier=http://forms.example|1")
        assert response.status_code == status


def test_coverage_teams_and_carers_are_found(api, ada):
    payor, chen = OrganizationFactory(fhir_id="acme"), PractitionerFactory(fhir_id="chen")
    CoverageFactory(
        fhir_id="gold",
        beneficiary=ada,
        payor=[{"reference": payor.reference}],
        identifier=[{"system": "http://acme.example", "value": "7"}],
    )
    CoverageFactory(fhir_id="old", status="cancelled")
    CareTeamFactory(fhir_id="knees", patient=ada, members=[chen])
    CareTeamFactory()
    RelatedPersonFactory(fhir_id="grace", patient=ada, given="Grace", birth_date="1950-05-17")
    RelatedPersonFactory(given="Bo")
    for query, found in {
        "Coverage?beneficiary=Patient/ada": ["gold"],
        "Coverage?patient=ada&status=active": ["gold"],
        "Coverage?payor=Organization/acme": ["gold"],
        "Coverage?identifier=http://acme.example|7": ["gold"],
        "Coverage?beneficiary.family=ardent": ["gold"],
        "Coverage?status:not=active": ["old"],
        "CareTeam?participant=Practitioner/chen": ["knees"],
        "CareTeam?patient=ada&status=active": ["knees"],
        "CareTeam?subject.family=ardent": ["knees"],
        "RelatedPerson?patient=ada": ["grace"],
        "RelatedPerson?name=grace&birthdate=1950": ["grace"],
        "RelatedPerson?relationship=MTH&patient=ada": ["grace"],
    }.items():
        assert ids(api.get(query)) == found, query


def test_answers_encounters_and_messages_are_found(api, ada):
    visit = AppointmentFactory(fhir_id="visit", patient=ada)
    form = QuestionnaireFactory(fhir_id="form", url="https://example.org/form")
    QuestionnaireResponseFactory(fhir_id="answers", patient=ada, questionnaire=form, authored=MONDAY_9)
    QuestionnaireResponseFactory(fhir_id="draft", status="in-progress", authored=None)
    member = [{"individual": {"reference": "Practitioner/chen"}}]
    EncounterFactory(fhir_id="now", appointment=visit, encounter_class="VR", participant=member)
    EncounterFactory(
        fhir_id="over", status="finished", start=MONDAY_9.replace(year=2025), end=MONDAY_9.replace(year=2025)
    )
    CommunicationFactory(fhir_id="mail", appointment=visit, status="completed", sent=MONDAY_9)
    CommunicationFactory(fhir_id="note", medium="in-app", event="reminder")
    for query, found in {
        "QuestionnaireResponse?questionnaire=https://example.org/form|1": ["answers"],
        "QuestionnaireResponse?questionnaire=Questionnaire/form": ["answers"],
        "QuestionnaireResponse?questionnaire.url=https://example.org/form": ["answers"],
        "QuestionnaireResponse?subject=ada&status=completed&authored=ge2026": ["answers"],
        "QuestionnaireResponse?status=in-progress": ["draft"],
        "Encounter?appointment=Appointment/visit": ["now"],
        "Encounter?patient=ada&class=VR": ["now"],
        f"Encounter?class={names.ACT_CODE}|AMB": ["over"],
        "Encounter?date=lt2026": ["over"],
        "Encounter?date=ge2026&status=in-progress": ["now"],
        "Encounter?practitioner=chen": ["now"],
        "Communication?patient=ada": ["mail"],
        "Communication?medium=EMAILWRIT&status=completed": ["mail"],
        f"Communication?medium={names.MEDIUM}|in-app": ["note"],
        "Communication?category=reminder": ["note"],
        "Communication?category:not=reminder": ["mail"],
        "Communication?sent=2026-01-05": ["mail"],
    }.items():
        assert ids(api.get(query)) == found, query


def test_a_guests_proof_is_not_shown(api, administrator):
    """Nobody reads either the text of such a message or the address that is being proven."""
    message = CommunicationFactory(patient=None, event="proof", address="bo@example.com", body="Your code is 123456")
    for who in (api, administrator):
        assert who.get(message.reference).status_code == 404
        assert who.get("Communication").fhir["total"] == 0


@pytest.mark.parametrize("many", [1, 10])
def test_the_number_of_statements_does_not_grow(api, many, django_assert_num_queries):
    for _ in range(many):
        CoverageFactory()
        QuestionnaireResponseFactory(appointment=AppointmentFactory())
        EncounterFactory(appointment=AppointmentFactory())
        CommunicationFactory(appointment=AppointmentFactory())
    for kind in ("Coverage", "QuestionnaireResponse", "Encounter", "Communication"):
        with django_assert_num_queries(4):  # token, total, page, disclosures
            assert len(ids(api.get(kind))) == many
