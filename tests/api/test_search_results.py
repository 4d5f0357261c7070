"""Parameters of search results: https://hl7.org/fhir/R4/search.html#return"""

import pytest

from tests.api.conftest import codes, ids, texts
from tests.factories import AppointmentFactory, PatientFactory, QuestionnaireFactory, ScheduleFactory


@pytest.fixture
def people(db):
    return [
        PatientFactory(fhir_id="ada", given="Ada", family="Quinn", gender="female"),
        PatientFactory(fhir_id="bo", given="Bo", family="Lind", gender="male"),
    ]


def test_a_bundle_says_where_everything_is(api, people):
    response = api.get("Patient", {"family": "quinn", "_count": "5", "_pretty": "true"})
    bundle = response.fhir
    assert bundle["type"] == "searchset"
    assert bundle["link"] == [{"relation": "self", "url": "http://testserver/fhir/R4/Patient?family=quinn&_count=5"}]
    [entry] = bundle["entry"]
    assert entry["fullUrl"] == "http://testserver/fhir/R4/Patient/ada"
    assert entry["search"] == {"mode": "match"}


def test_nothing_found_is_an_empty_bundle(api):
    response = api.get("Patient?family=nobody")
    assert (response.status_code, response.fhir["total"], "entry" in response.fhir) == (200, 0, False)


@pytest.mark.parametrize("query", ["_count=0", "_summary=count", "_count=0&_totalMethod=count", "_count=0&_total=none"])
def test_a_count_returns_only_the_total(api, people, query):
    response = api.get(f"Patient?{query}")
    assert (response.fhir["total"], "entry" in response.fhir) == (2, False)


def test_the_total_can_be_left_out(api, people):
    assert "total" not in api.get("Patient?_total=none").fhir


def test_a_search_can_be_posted_as_a_form(api, people):
    form = "application/x-www-form-urlencoded"
    response = api.post("Patient/_search?family=quinn", "gender=female", content_type=form)
    assert ids(response) == ["ada"]
    assert response.fhir["link"][0]["url"].endswith("Patient?family=quinn&gender=female")
    assert api.post("Patient/_search?family=quinn", "gender=male", content_type=form).fhir["total"] == 0
    assert api.post("Patient/_search", {}).status_code == 415
    assert api.get("Patient/_search").status_code == 405


def test_an_unknown_parameter_is_refused_with_those_that_are_known(api, people):
    response = api.get("Patient?colour=blue&family=quinn")
    assert codes(response) == ["not-supported"]
    assert "birthdate" in texts(response)


def test_lenient_handling_ignores_it_and_says_so(api, people):
    response = api.get("Patient?colour=blue&family=quinn", prefer="handling=lenient")
    assert ids(response) == ["ada"]
    assert response.fhir["total"] == 1
    assert response.fhir["link"][0]["url"].endswith("Patient?family=quinn")
    entry = response.fhir["entry"][-1]
    assert (entry["search"]["mode"], entry["resource"]["issue"][0]["severity"]) == ("outcome", "warning")
    assert entry["fullUrl"].startswith("urn:uuid:")


TEXT = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">Hello</div>'}


def elements_of(api, query):
    [entry] = api.get(query).fhir["entry"]
    return set(entry["resource"]) - {"resourceType", "id", "meta"}


@pytest.mark.parametrize(
    ("query", "elements"),
    [
        ("_summary=false", {"text", "status", "url", "title", "item"}),
        ("_summary=true", {"status", "url", "title"}),
        ("_summary=text", {"text", "status"}),
        ("_summary=data", {"status", "url", "title", "item"}),
        ("_elements=title", {"status", "title"}),
        ("_elements=title,item", {"status", "title", "item"}),
        ("_elements=Questionnaire.title", {"status", "title"}),
        ("_elements=nothing", {"status"}),
    ],
)
def test_parts_of_what_is_found_are_shown_if_only_they_are_wanted(api, query, elements):
    QuestionnaireFactory(extra={"text": TEXT})
    assert elements_of(api, f"Questionnaire?{query}") == elements


@pytest.mark.parametrize("query", ["_summary=true", "_summary=text", "_summary=data", "_elements=name"])
def test_a_subset_is_tagged(api, query):
    PatientFactory(extra={"meta": {"tag": [{"code": "kept"}]}})
    [entry] = api.get(f"Patient?{query}").fhir["entry"]
    assert [tag["code"] for tag in entry["resource"]["meta"]["tag"]] == ["kept", "SUBSETTED"]
    [whole] = api.get("Patient").fhir["entry"]
    assert [tag["code"] for tag in whole["resource"]["meta"]["tag"]] == ["kept"]


def test_a_part_is_still_what_fhir_calls_valid(api):
    """Every response is checked by its definition."""
    AppointmentFactory(schedules=[ScheduleFactory()])
    for query in ("_elements=comment", "_summary=true", "_summary=text&_count=1"):
        assert elements_of(api, f"Appointment?{query}") >= {"status", "participant"}
        assert elements_of(api, f"Slot?status=busy&{query}") >= {"status", "schedule", "start", "end"}


def test_included_resources_are_summarised_too(api, people):
    AppointmentFactory(patient=people[0])
    [_, included] = api.get("Appointment?_summary=data&_include=Appointment:patient").fhir["entry"]
    assert included["resource"]["meta"]["tag"][0]["code"] == "SUBSETTED"


def test_repeated_parameters_all_hold(api, people):
    assert ids(api.get("Patient?name=ada&name=quinn")) == ["ada"]
    assert ids(api.get("Patient?name=ada&name=lind")) == []


def test_strict_handling_is_what_is_done_anyway(api):
    for handling in ("handling=strict", "return=minimal", ""):
        assert api.get("Patient?colour=blue", prefer=handling).status_code == 400


def test_lenient_handling_is_for_names_and_not_for_values(api):
    assert api.get("Patient?birthdate=yesterday", prefer="handling=lenient").status_code == 400


def test_an_unknown_name_at_the_end_of_a_chain_is_ignored_as_any_other(api, people):
    response = api.get("Appointment?patient:Patient.colour=blue", prefer="handling=lenient")
    assert response.fhir["entry"][-1]["search"]["mode"] == "outcome"
