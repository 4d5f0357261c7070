"""Searches for the words of resources: https://hl7.org/fhir/R4/search.html#content"""

from collections.abc import Iterator
from typing import Any

import pytest

from clinic.fhir.resources import RESOURCES, rows_of, to_fhir
from tests.api.access.world import World
from tests.api.conftest import Api, api_with, codes, ids, texts
from tests.factories import (
    AppointmentFactory,
    OrganizationFactory,
    PatientFactory,
    PractitionerFactory,
    QuestionnaireFactory,
    ScheduleFactory,
    ServiceFactory,
)


def narrative(words: str) -> dict[str, Any]:
    return {"text": {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{words}</div>'}}


@pytest.fixture
def reports(db):
    """Resources of three patients; the last has the words outside of the narrative."""
    PatientFactory(fhir_id="bone", extra=narrative("A <b>broken</b> bone, with metastases"))
    PatientFactory(fhir_id="liver", extra=narrative("Liver: metastases. Not broken"))
    PatientFactory(fhir_id="other", extra={"contact": [{"name": {"text": "Bone Liver Metastases"}}]})


WORDS = {
    "bone": ["bone", "other"],
    "BONE": ["bone", "other"],
    "bone metastases": ["bone", "other"],
    "bone liver": ["other"],
    "bone OR liver": ["bone", "liver", "other"],
    "(bone OR liver) and broken": ["bone", "liver"],
    '"broken bone"': ["bone"],
    '"bone broken"': [],
    "bone,liver": ["bone", "liver", "other"],
    "bon": [],
    "div": [],
    "xhtml": [],
    "!!!": [],
    "contact": [],
}


@pytest.mark.parametrize(("query", "found"), WORDS.items())
def test_the_words_of_the_whole_resource_are_searched(api, reports, query, found):
    assert ids(api.get("Patient", {"_content": query})) == found


@pytest.mark.parametrize(("query", "found"), WORDS.items())
def test_or_those_of_its_narrative(api, reports, query, found):
    assert ids(api.get("Patient", {"_text": query})) == [each for each in found if each != "other"]


def test_accents_and_case_make_no_difference(api):
    PatientFactory(fhir_id="zoe", family="Müller", extra=narrative("Ça va très bien"))
    for word in ("muller", "MÜLLER", "ca tres"):
        assert ids(api.get("Patient", {"_content": word})) == ["zoe"]
    assert ids(api.get("Patient", {"_text": "TRÈS"})) == ["zoe"]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("bone AND", "ends too early: there should be a word"),
        ("(bone", "ends too early: there should be )"),
        ("bone)", "At character 5: ')' cannot stand there, but the end"),
        ('a "bone', "At character 3: "),
        ("NOT bone", "At character 1: 'NOT' cannot stand there, but a word"),
        ("OR", "At character 1: "),
    ],
)
def test_an_invalid_expression_is_refused_with_its_place_and_the_right_form(api, query, message):
    response = api.get("Patient", {"_content": query})
    assert (response.status_code, codes(response)) == (400, ["invalid"])
    assert message in texts(response)


def test_a_search_for_very_many_words_is_answered_or_refused(api):
    assert api.get("Patient", {"_content": " ".join(["bone"] * 100)}).status_code == 200
    for text in (" ".join(["bone"] * 500), "(" * 500 + "bone" + ")" * 500):
        assert api.get("Patient", {"_text": text}).status_code == 400


def test_modifiers_are_refused(api):
    for query in ("_content:exact=x", "_text:missing=true"):
        assert api.get(f"Patient?{query}").status_code == 400


def test_a_chain_asks_for_the_words_of_what_is_referred_to(api):
    visit = AppointmentFactory(patient=PatientFactory(family="Quinn"), schedules=[ScheduleFactory()])
    assert ids(api.get("Appointment?patient:Patient._content=quinn")) == [visit.fhir_id]
    assert ids(api.get("Patient?_has:Appointment:patient:_content=booked")) == [visit.patient.fhir_id]


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, each in value.items():
            if name not in ("id", "reference", "meta", "resourceType"):
                yield from strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)
    elif isinstance(value, str):
        yield value


CODES = {"order"}  # ServiceRequest.intent, a code that pages do not show
WORDLESS = ("PractitionerRole", "Schedule", "Subscription", "AuditEvent")  # in the rows of this module's world


@pytest.mark.parametrize("kind", RESOURCES)
def test_all_shown_text_of_a_row_is_search_text(api, kind):
    World()
    row = rows_of(RESOURCES[kind]).first()
    kept = set(strings({name: value for name, value in vars(row).items() if not name.startswith("_")}))
    shown = kept.intersection(strings(to_fhir(row))) - CODES
    words = {f'"{text}"' for text in shown if any(map(str.isalpha, text))}
    for text in words:
        assert ids(api.get(kind, {"_content": text.replace(",", r"\,"), "_id": row.fhir_id})) == [row.fhir_id], text
    assert words or kind in WORDLESS


def test_words_that_are_not_shown_are_not_found(api):
    """The address of a video room is not in the search text of its calendar."""
    ScheduleFactory(meeting_url="https://meet.example/secret", comment="Upstairs")
    for word in ("secret", "meet.example/secret", '"https://meet.example/secret"'):
        assert ids(api.get("Schedule", {"_content": word})) == []
    assert len(ids(api.get("Schedule?_content=upstairs"))) == 1


def test_hidden_rows_are_found_by_none_of_their_words(db, ada, bo):
    for patient in (ada, bo):
        AppointmentFactory(patient=patient, comment="Migraine", schedules=[ScheduleFactory()])
    assert Api(user=ada.user).get("Appointment?_content=migraine").fhir["total"] == 1
    assert Api(user=ada.user).get(f"Patient?_content={bo.family}&_id={bo.fhir_id}").fhir["total"] == 0
    assert api_with("system/Location.rs").get("Patient?_content=x").status_code == 403


def test_longer_texts_than_can_be_kept_as_words_are_saved(api):
    """PostgreSQL would refuse such a row."""
    words = " ".join(f"w{number}" for number in range(100_000))
    made = api.post("Questionnaire", {"resourceType": "Questionnaire", "status": "draft", "description": words})
    assert made.status_code == 201
    assert ids(api.get("Questionnaire?_content=w77")) == [made.fhir["id"]]
    patient = {"resourceType": "Patient", "contact": [{"name": {"text": words}}]}
    assert api.post("Patient", patient).status_code == 201


@pytest.mark.parametrize("query", ["_content=quinn", "_text=quinn", "name=quinn"])
def test_words_are_looked_up_in_one_statement(api, query, django_assert_num_queries):
    for _ in range(4):
        PractitionerFactory(family="Quinn", extra=narrative("Quinn"))
    with django_assert_num_queries(3):  # token, total, page
        assert len(ids(api.get(f"Practitioner?{query}"))) == 4


NAMES = {
    "name=quinn": True,
    "name=QUI": True,
    "name=uinn": False,
    "name=le": True,
    "name=ada ma": True,
    "name=mae ada": True,  # words of a name match in any order, as at the desk
    "family=o'q": False,
    "family=quinn le br": True,
    "given=mae": True,
    "given=quinn": False,
    "phonetic=zoe": True,
    "name=second": True,
    "given=second": True,
    "family=d'ar": True,
    "name=a:b": True,
    "name=\\\\x": True,
    "name= ": True,
    "name=" + "x" * 300: False,
}


@pytest.mark.parametrize(("query", "found"), NAMES.items())
def test_patients_are_found_by_the_start_of_any_word_of_their_names(api, query, found):
    """The index of names finds the same rows as the text itself."""
    names = [{"given": ["Second", "Zoë"], "family": "d'Arc"}, {"text": "a:b \\x"}]
    PatientFactory(fhir_id="ada", family="Quinn Le Brun", given="Ada Mae", extra={"name": [{}, *names]})
    name, _, value = query.partition("=")
    assert ids(api.get("Patient", {name: value})) == (["ada"] if found else [])


def test_no_list_is_kept_here_and_so_nothing_is_on_one(api):
    OrganizationFactory()
    QuestionnaireFactory()
    ServiceFactory()
    for query in ("Organization?_list=42", "Questionnaire?_list=$current-problems", "?_list=42", "Slot?_list=a,b"):
        response = api.get(query)
        assert (response.status_code, response.fhir["total"]) == (200, 0)
        [entry] = response.fhir["entry"]
        assert entry["search"]["mode"] == "outcome"
        assert "lists" in entry["resource"]["issue"][0]["details"]["text"]
    assert "_list" in api.get("Organization?_list=42").fhir["link"][0]["url"]
