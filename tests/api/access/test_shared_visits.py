"""The other patients of a visit are visible to staff only: a patient neither reads nor finds them."""

import pytest

from tests.api.access.world import app_of
from tests.api.conftest import Api, api_with, ids
from tests.factories import (
    AppointmentFactory,
    AppointmentResponseFactory,
    PatientFactory,
    RelatedPersonFactory,
    ScheduleFactory,
    UserFactory,
)
from tests.scheduling.situations import monday

HOSPITAL = "https://hospital.example/fhir/Patient/7"
CARD = {"system": "https://cards.example", "value": "card-of-gus"}


@pytest.fixture
def eve(db):
    """The other participants of Ada's visit."""
    return PatientFactory(fhir_id="eve", given="Evangeline", family="Moss", user=UserFactory())


@pytest.fixture
def nurse(eve):
    return RelatedPersonFactory(fhir_id="nurse", patient=eve, given="Nora", family="Moss")


@pytest.fixture
def son(ada):
    return RelatedPersonFactory(fhir_id="son", patient=ada, given="Samuel", family="Quinn")


@pytest.fixture
def together(site, ada, chen, eve, nurse, son):
    visit = AppointmentFactory(
        patient=ada, site=site, schedules=[ScheduleFactory(actor=chen, site=site)], start=monday(9)
    )
    visit.participant += [
        {"actor": {"reference": eve.reference, "display": "Evangeline Moss"}, "status": "tentative"},
        {"actor": {"reference": nurse.reference, "display": "Nora Moss"}, "status": "tentative"},
        {"actor": {"reference": HOSPITAL, "display": "Wanda West"}, "status": "tentative"},
        {"actor": {"type": "Patient", "identifier": CARD, "display": "Gus Gray"}, "status": "tentative"},
        {"actor": {"reference": son.reference, "display": "Samuel Quinn"}, "status": "accepted"},
    ]
    visit.save()
    return visit


HIDDEN = (
    "Patient/eve",
    "Evangeline",
    "RelatedPerson/nurse",
    "Nora",
    HOSPITAL,
    "Wanda",
    CARD["value"],
    "Gus",
    "tentative",
)


@pytest.mark.parametrize("path", ["", "/_history", "/_history/1"])
def test_a_patient_sees_themselves_their_carers_and_practitioners(together, ada, chen, path):
    response = str(Api(user=ada.user).get(f"{together.reference}{path}").fhir)
    assert [name for name in HIDDEN if name in response] == []
    assert all(each in response for each in (ada.reference, chen.reference, "RelatedPerson/son", "Samuel Quinn"))


def test_staff_see_all_participants(together, chen):
    response = str(Api(user=chen.user).get(together.reference).fhir)
    assert [name for name in HIDDEN if name not in response] == []


def test_no_include_leads_to_them(together, ada, chen):
    response = Api(user=ada.user).get("Appointment?_include=Appointment:actor")
    included = {entry["resource"]["id"] for entry in response.fhir["entry"][1:]}
    assert included == {ada.fhir_id, chen.fhir_id, "son"}


def test_a_patch_reveals_no_other_participant(together, ada, eve):
    """A cancellation by one patient sets that patient's participation to declined, and keeps all participants."""
    api, actors = Api(user=ada.user), [each["actor"] for each in together.participant]
    guess = [{"op": "test", "path": "/participant/2/actor/reference", "value": eve.reference}]
    cancelled = [{"op": "replace", "path": "/status", "value": "cancelled"}]
    assert api.patch(together.reference, [*guess, *cancelled]).status_code == 422
    answer = api.patch(together.reference, cancelled)
    assert (answer.status_code, [name for name in HIDDEN if name in str(answer.fhir)]) == (200, [])
    together.refresh_from_db()
    assert [each["actor"] for each in together.participant] == actors
    answers = {each["actor"].get("reference"): each["status"] for each in together.participant}
    assert (answers[ada.reference], answers[eve.reference]) == ("declined", "tentative")


def test_an_operation_reveals_no_other_participant(together, ada):
    answer = Api(user=ada.user).post(f"{together.reference}/$cancel")
    assert (answer.status_code, [name for name in HIDDEN if name in str(answer.fhir)]) == (200, [])


BY_OTHERS = [
    "Appointment?actor=Patient/eve",
    "Appointment?actor=eve",
    "Appointment?actor:Patient=eve",
    "Appointment?patient=Patient/eve",
    "Appointment?patient=http://testserver/fhir/R4/Patient/eve",
    f"Appointment?patient={HOSPITAL}",
    "Appointment?patient:identifier=https://cards.example|card-of-gus",
    "Appointment?actor:identifier=card-of-gus",
    "Appointment?patient.family=Moss",
    "Appointment?patient._id=eve",
    "Appointment?actor=RelatedPerson/nurse",
    "Appointment?actor:RelatedPerson.name=Moss",
    "Appointment?part-status=tentative",
    "Appointment?part-status:not=accepted",
    "Appointment?_content=Evangeline",
    "Appointment?_content=Nora",
    "Appointment?_content=West OR Gray",
    "Appointment?_filter=patient eq Patient/eve",
    "Appointment?_filter=actor eq RelatedPerson/nurse or part-status eq tentative",
    "Appointment?_filter=patient.family eq Moss",
    "Appointment?_filter=not (part-status ne tentative)",
    "?_type=Appointment&_content=Evangeline",
    "Slot?_has:Appointment:slot:patient=eve",
    "Slot?_has:Appointment:slot:_content=Evangeline",
    "Patient?_has:Appointment:patient:actor=Patient/eve",
    "AppointmentResponse?appointment.patient=eve",
    "AppointmentResponse?_filter=appointment.part-status eq tentative",
]


@pytest.mark.parametrize("query", BY_OTHERS)
def test_a_patient_finds_no_visit_by_another_participant(together, ada, query):
    AppointmentResponseFactory(appointment=together)
    assert Api(user=ada.user).get(query).fhir["total"] == 0


@pytest.mark.parametrize("query", [each for each in BY_OTHERS if ":not" not in each])
def test_software_does(together, query):
    AppointmentResponseFactory(appointment=together)
    assert api_with("system/*.rs").get(query).fhir["total"] > 0


@pytest.mark.parametrize(
    "query",
    [
        "actor=Patient/{ada}",
        "patient=http://testserver/fhir/R4/Patient/{ada}",
        "patient.family=Quinn",
        "actor=RelatedPerson/son",
        "practitioner=Practitioner/{chen}",
        "part-status=accepted",
        "_content=Samuel",
        "_filter=patient eq Patient/{ada} and not (part-status eq tentative)",
    ],
)
def test_a_patient_finds_it_by_visible_elements(together, ada, chen, query):
    query = query.format(ada=ada.fhir_id, chen=chen.fhir_id)
    assert ids(Api(user=ada.user).get(f"Appointment?{query}")) == [together.fhir_id]


def test_responses_of_others_are_hidden_from_a_patient(together, ada, chen, nurse, son):
    for fhir_id, who in (("of-nurse", nurse), ("of-son", son)):
        AppointmentResponseFactory(fhir_id=fhir_id, appointment=together, actor={"reference": who.reference})
    assert ids(Api(user=ada.user).get("AppointmentResponse")) == ["of-son"]
    assert len(ids(Api(user=chen.user).get("AppointmentResponse"))) == 2


@pytest.mark.parametrize(
    ("constraint", "is_seen"),
    [("patient=Patient/{ada}", True), ("patient=Patient/eve", False), ("_content=Nora", False)],
)
def test_the_scopes_of_an_app_find_no_other_participant(together, ada, constraint, is_seen):
    api = app_of(ada, f"patient/Appointment.rs?{constraint.format(ada=ada.fhir_id)}")
    assert ids(api.get("Appointment")) == ([together.fhir_id] if is_seen else [])


def test_software_is_bound_by_its_scopes_alone(together):
    assert ids(api_with("system/Appointment.rs?patient=Patient/eve").get("Appointment")) == [together.fhir_id]
