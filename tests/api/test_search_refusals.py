"""Invalid searches are refused by the name of the parameter, and never make the server fail."""

import pytest

from tests.api.conftest import codes
from tests.factories import AppointmentFactory, PatientFactory

FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    "query",
    [
        "colour=blue",
        "family:fuzzy=x",
        "birthdate=yesterday",
        "birthdate=2026-13-45",
        "birthdate=1980-02-03Z",
        "birthdate=0000",
        "_count=-1",
        "_count=many",
        "_count=1.5",
        "_sort=colour",
        "_sort=address",
        "_total=perhaps",
        "_summary=most",
        "_include=Patient:colour",
        "_include=Slot:status",
        "_include=Appointment:actor:Slot",
        "_revinclude=Slot:status",
        "_revinclude=*",
        "active=maybe",
        "active:missing=maybe",
        "identifier=|",
        "identifier=,",
        "family.name=x",
        "general-practitioner.colour=x",
        "general-practitioner:Slot.status=x",
        "general-practitioner:Practitioner.family:fuzzy=x",
        "_has:Appointment:patient=x",
        "_has:Appointment:status:date=2026",
        "_has:Slot:schedule:status=free",
        "_has:Colour:patient:status=x",
        "_has:=x",
        "_text=(x",
        "_content=NOT x",
        "_filter=x",
    ],
)
def test_unknown_search_parameters_are_refused_by_name(api, query):
    response = api.get(f"Patient?{query}")
    assert response.status_code == 400
    assert response.fhir["issue"][0]["expression"][0] in query.partition("=")[0]


@pytest.mark.parametrize("query", ["patient=", "patient=&status=booked", "_id=", "patient.family=", "date=&date=2026"])
def test_a_condition_without_a_value_is_refused(api, query):
    """A client that lost the value would otherwise get everybody's visits."""
    AppointmentFactory(patient=PatientFactory())
    for strictness in ("handling=strict", ""):
        response = api.get(f"Appointment?{query}", prefer=strictness)
        assert (response.status_code, codes(response)) == (400, ["invalid"])
        assert response.fhir["issue"][0]["expression"] == [query.partition("=")[0]]
    assert api.post("Appointment/_search", "patient=", content_type=FORM).status_code == 400


def test_a_condition_without_a_value_is_ignored_on_request_where_others_are_left(api):
    visit = AppointmentFactory(patient=PatientFactory(), status="booked")
    found = api.get("Appointment?patient=&status=booked", prefer="handling=lenient").fhir
    assert [each["resource"].get("id") for each in found["entry"]] == [visit.fhir_id, None]
    assert found["entry"][1]["resource"]["issue"][0]["details"]["text"] == "'patient' has no value and was ignored."
    assert "patient" not in found["link"][0]["url"]
    for path in ("Appointment?patient=", "Appointment?patient=&colour=red", "?_type=Appointment&patient="):
        response = api.get(path, prefer="handling=lenient")
        assert (path, response.status_code, codes(response)) == (path, 400, ["invalid"])


def test_several_types_are_searched_by_the_same_rule(api):
    visit = AppointmentFactory(patient=PatientFactory())
    assert codes(api.get("?_type=Appointment&patient=")) == ["invalid"]
    found = api.get(f"?_type=Appointment&_id={visit.fhir_id}&patient=", prefer="handling=lenient").fhir
    assert [each["resource"].get("id") for each in found["entry"]] == [visit.fhir_id, None]


@pytest.mark.parametrize("query", ["_count=", "_sort=", "_elements=", "_include=", "_summary="])
def test_result_parameters_may_be_empty(api, query):
    assert api.get(f"Patient?{query}").status_code == 200


@pytest.mark.parametrize("path", ["Patient?", "?_type=Patient&"])
def test_extra_parameters_of_medplums_client_are_ignored_and_reported(api, path):
    PatientFactory()
    found = api.get(f"{path}_fields=id,name").fhir
    assert found["total"] == 1
    assert "'_fields' is no search parameter" in found["entry"][1]["resource"]["issue"][0]["details"]["text"]


@pytest.mark.parametrize("near", ["here", "91|0", "0|181", "0|0|-1", "0|0|1|furlong", "nan|0", "0|0|1e999", "1"])
def test_a_place_is_one_on_earth(api, near):
    response = api.get("Location", {"near": near})
    assert (response.status_code, codes(response)) == (400, ["invalid"])


@pytest.mark.parametrize(
    ("kind", "query"),
    [
        ("Questionnaire", {"context-quantity": "many"}),
        ("Questionnaire", {"context-quantity": "1e99"}),
        ("Questionnaire", {"context-type-value": "focus"}),
        ("Questionnaire", {"context-type-quantity": "age$many"}),
        ("Schedule", {"care-team:missing": "true"}),
        ("Schedule", {"actor:type": "x"}),
        ("Schedule", {"care-team:Patient.family": "x"}),
        ("Patient", {"_cursor": "x"}),
        ("Patient", {"_cursor": "é"}),
        ("Patient", {"_id": ",".join(map(str, range(1001)))}),
        ("Patient", {"family": ["x"] * 101}),
        ("Patient", {"family": "a\x00b"}),
        ("Patient", {"_summary": "text", "_include": "Patient:general-practitioner"}),
        ("Location", {f"{'partof.' * 5}name": "x"}),
        ("Location", {f"{'partof.' * 500}name": "x"}),
        ("Patient", {f"{'_has:RelatedPerson:patient:patient.' * 3}family": "x"}),
    ],
)
def test_too_much_or_unreadable_is_refused(api, kind, query):
    assert api.get(kind, query).status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        {"_count": "999999999999"},
        {"_count": "00000000000000000001"},
        {"_id": "'; DROP TABLE clinic_patient; --"},
        {"_id": "x" * 5000},
        {"family": "\\"},
        {"family": "%_\\'\""},
        {"family": "(.*)+$"},
        {"family:contains": "😀"},
        {"identifier": 'a"b|c\\"d'},
        {"identifier": "|" * 50},
        {"address-city": '" || true || "'},
        {"address-city:exact": '") || (1 == 1'},
        {"general-practitioner": '") || true ? ("'},
        {"general-practitioner": "Practitioner/"},
        {"general-practitioner": "http://[::1"},
        {"general-practitioner:identifier": '"|"'},
        {"birthdate": "0001"},
        {"birthdate": "9999-12-31"},
        {"birthdate": "ap0001-01-01"},
        {"_lastUpdated": "9999-12-31T23:59:59Z"},
        {"death-date": "9999"},
        {"telecom": "%"},
        {"_tag": "$.a[*]"},
        {"_profile": "\n"},
        {"_elements": ",,"},
        {"_elements": "nothing"},
        {"": "x", "_format": "json"},
    ],
)
def test_nothing_that_is_sent_is_our_fault(api, query):
    PatientFactory(extra={"deceasedDateTime": "2025", "address": [{"city": "Bonn"}]})
    response = api.get("Patient", query)
    assert response.status_code in (200, 400)
    assert response.status_code == 400 or "_count" in query or response.fhir["total"] in (0, 1)


def test_quotes_and_bars_and_commas_stand_for_themselves(api):
    PatientFactory(fhir_id="odd", family='O\'Neill, "Jr"', identifier=[{"system": "s", "value": "a|b,c"}])
    PatientFactory(fhir_id="c", identifier=[{"system": "s", "value": "c"}])
    for query in ({"family": "o'neill\\, \"jr"}, {"identifier": "s|a\\|b\\,c"}, {"identifier": "a\\|b\\,c"}):
        assert [each["resource"]["id"] for each in api.get("Patient", query).fhir["entry"]] == ["odd"]
