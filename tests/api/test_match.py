"""Patient/$match: https://hl7.org/fhir/R4/patient-operation-match.html"""

from datetime import date

import pytest

from tests.api.conftest import Api, api_with, codes
from tests.factories import AppointmentFactory, LocationFactory, PatientFactory, ScheduleFactory, UserFactory

MATCH = "Patient/$match"
MRN = "http://example.org/mrn"
GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"


def sought(**more):
    return {
        "resourceType": "Patient",
        "name": [{"family": "Garcia", "given": ["Ana"]}],
        "birthDate": "1990-07-04",
        "gender": "female",
        **more,
    }


def match(api, resource, **values):
    named = {"count": "valueInteger", "onlyCertainMatches": "valueBoolean"}
    given = [{"name": name, named[name]: value} for name, value in values.items()]
    return api.post(
        MATCH, {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": resource}, *given]}
    )


def grades(response):
    """The id, the grade and the score of each match."""
    return [
        (each["resource"]["id"], each["search"]["extension"][0]["valueCode"], each["search"]["score"])
        for each in response.fhir.get("entry", [])
    ]


@pytest.fixture
def people(db):
    known = {"family": "García", "given": "Ana", "gender": "female", "birth_date": date(1990, 7, 4)}
    PatientFactory(fhir_id="ana", **known)
    PatientFactory(fhir_id="other-name", **{**known, "given": "Anabel", "gender": "male"})
    PatientFactory(
        fhir_id="namesake", **{**known, "family": "Garcia", "birth_date": date(1960, 1, 1), "gender": "male"}
    )
    PatientFactory(fhir_id="stranger", family="Quinn", given="Ada", birth_date=date(1990, 7, 4))
    PatientFactory(fhir_id="by-number", family="X", given="Y", identifier=[{"system": MRN, "value": "7"}])


def test_the_likeliest_come_first_each_with_a_grade(api, people):
    response = match(api, sought())
    assert grades(response) == [
        ("ana", "certain", 1.0),
        ("other-name", "probable", 0.65),
        ("namesake", "possible", 0.6),
    ]
    assert response.fhir["type"] == "searchset"
    assert response.fhir["total"] == 3
    assert response.fhir["entry"][0]["search"]["extension"][0]["url"] == GRADE


def test_the_patient_may_be_the_body_itself(api, people):
    assert grades(api.post(f"{MATCH}?count=1", sought())) == [("ana", "certain", 1.0)]


def test_an_identifier_leaves_no_doubt(api, people):
    assert grades(match(api, {"resourceType": "Patient", "identifier": [{"system": MRN, "value": "7"}]})) == [
        ("by-number", "certain", 1.0)
    ]


def test_only_certain_matches_returns_certain_ones(api, people):
    assert [each[0] for each in grades(match(api, sought(), onlyCertainMatches=True))] == ["ana"]


def test_no_more_matches_than_count(api, people):
    assert [each[0] for each in grades(match(api, sought(), count=1))] == ["ana"]


def test_no_match(api, people):
    response = match(api, {"resourceType": "Patient", "gender": "female"})
    assert (response.status_code, response.fhir["total"]) == (200, 0)


def test_staff_find_those_whom_they_may_see(people, chen, rana):
    assert len(grades(match(Api(user=rana), sought()))) == 3
    assert grades(match(Api(user=chen.user), sought())) == []
    mine = PatientFactory(family="Garcia", given="Ana", gender="female", birth_date=date(1990, 7, 4))
    AppointmentFactory(patient=mine, schedules=[ScheduleFactory(actor=chen, site=LocationFactory())])
    assert [each[0] for each in grades(match(Api(user=chen.user), sought()))] == [mine.fhir_id]


def test_patients_may_not_match(people, ada):
    for api in (Api(user=ada.user), Api(user=UserFactory()), api_with("system/Patient.r")):
        response = match(api, sought())
        assert (response.status_code, codes(response)) == (403, ["forbidden"])


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ([], "required"),
        ([{"name": "resource", "resource": {"resourceType": "Practitioner"}}], "structure"),
        ([{"name": "resource", "resource": sought(gender="?")}], "code-invalid"),
        ([{"name": "resource", "resource": sought()}, {"name": "count", "valueInteger": 0}], "invalid"),
        ([{"name": "resource", "resource": sought()}, {"name": "onlyCertainMatches", "valueString": "so"}], "invalid"),
    ],
)
def test_errors_are_named(api, parameters, code):
    response = api.post(MATCH, {"resourceType": "Parameters", "parameter": parameters})
    assert response.status_code == 400
    assert code in codes(response)


def test_it_takes_as_many_statements_however_many_there_are(api, people, django_assert_num_queries):
    with django_assert_num_queries(3):  # the token, the patients, disclosures
        match(api, sought())


@pytest.mark.django_db
def test_names_are_folded_as_at_the_desk():
    PatientFactory(fhir_id="lukasik", family="Łukasik", given="Łukasz", birth_date=None, gender="")
    PatientFactory(fhir_id="ohara", family="Núñez O\u2019Hara", given="José", birth_date=date(1990, 7, 4), gender="")
    api = api_with("system/Patient.rs")
    for query in ("name=lukasik", "family=Lukasik", "given=lukasz"):
        assert [each["resource"]["id"] for each in api.get(f"Patient?{query}").fhir["entry"]] == ["lukasik"], query
    assert "entry" not in api.get("Patient?given=lukasik").fhir
    typed = {"resourceType": "Patient", "name": [{"family": "Nunez O'Hara", "given": ["Jose"]}]}
    assert grades(match(api, {**typed, "birthDate": "1990-07-04"})) == [("ohara", "probable", 0.9)]
