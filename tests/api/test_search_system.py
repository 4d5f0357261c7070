"""Searches over several types of resource: https://hl7.org/fhir/R4/http.html#search"""

from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest

from clinic.models import AuditEvent, Location, Patient, Practitioner
from tests.api.conftest import Api, api_with, codes, links, texts
from tests.factories import AppointmentFactory, LocationFactory, PatientFactory, PractitionerFactory, ScheduleFactory

FORM = "application/x-www-form-urlencoded"


def found(response):
    """The references of the matches, in their order."""
    assert response.status_code == 200, response.fhir
    return [
        f"{each['resource']['resourceType']}/{each['resource']['id']}"
        for each in response.fhir.get("entry", [])
        if each["search"]["mode"] == "match"
    ]


def pages(api, path):
    while path:
        response = api.get(path)
        yield found(response)
        path = links(response).get("next")


@pytest.fixture
def five(db):
    """Rows of three types, no two changed at the same time."""
    for fhir_id, day in (("a", 4), ("c", 1)):
        PatientFactory(fhir_id=fhir_id, last_updated=datetime(2026, 1, day, tzinfo=UTC))
    for fhir_id, day in (("b", 2), ("d", 4)):
        PractitionerFactory(fhir_id=fhir_id, last_updated=datetime(2026, 1, day, tzinfo=UTC))
    LocationFactory(fhir_id="e", last_updated=datetime(2026, 1, 3, tzinfo=UTC))
    return ["Location/e", "Practitioner/b", "Practitioner/d", "Patient/a", "Patient/c"]


ALL = "_type=Patient,Practitioner,Location"


def test_only_the_named_types_are_found(api, five):
    response = api.get(f"?{ALL}")
    assert found(response) == five
    assert response.fhir["total"] == 5
    assert links(response) == {"self": f"/fhir/R4/?{ALL}"}
    assert found(api.get("?_type=Practitioner")) == ["Practitioner/b", "Practitioner/d"]


def test_without_a_type_all_are_searched(api, five):
    assert found(api.get("")) == five
    assert found(api.get("?_id=e")) == ["Location/e"]


def test_the_base_is_searched_with_and_without_a_slash_at_its_end(api, five):
    assert found(api.get("/fhir/R4?_type=Location")) == found(api.get("/fhir/R4/?_type=Location")) == ["Location/e"]


def test_a_search_can_be_posted(api, five):
    response = api.post("_search?_type=Location,Patient", "_id=a,e", content_type=FORM)
    assert found(response) == ["Location/e", "Patient/a"]
    assert links(response)["self"] == "/fhir/R4/?_type=Location,Patient&_id=a,e"


def test_a_bundle_can_ask_for_it(api, five):
    entry = {"request": {"method": "GET", "url": "?_type=Location"}}
    [answer] = api.post("", {"resourceType": "Bundle", "type": "batch", "entry": [entry]}).fhir["entry"]
    assert answer["resource"]["total"] == 1


SORTS = {
    "": "ebdac",
    "_id": "abcde",
    "-_id": "edcba",
    "_lastUpdated": "cbeda",
    "-_lastUpdated": "daebc",
    "-_lastUpdated,-_id": "daebc",
    "_lastUpdated,_id": "cbead",
}


@pytest.mark.parametrize(("sort", "order"), SORTS.items())
@pytest.mark.parametrize("count", [1, 2, 3])
def test_pages_hold_everything_once_in_one_order(api, five, sort, order, count):
    whole = found(api.get(f"?{ALL}&_sort={sort}"))
    assert "".join(each[-1] for each in whole) == order
    assert [each for page in pages(api, f"?{ALL}&_sort={sort}&_count={count}") for each in page] == whole


def test_the_way_back_leads_over_the_same_pages(api, five):
    response = api.get(f"?{ALL}&_sort=-_lastUpdated&_count=2")
    there = [found(response)]
    while "next" in links(response):
        response = api.get(links(response)["next"])
        there.append(found(response))
    back = [found(response)]
    while "previous" in links(response):
        response = api.get(links(response)["previous"])
        back.append(found(response))
    assert back == there[::-1]
    assert found(api.get(links(response)["first"])) == there[0]


def test_a_page_does_not_move_when_rows_are_added(api, five):
    reading = pages(api, f"?{ALL}&_count=2")
    assert next(reading) == five[:2]
    LocationFactory()
    assert next(reading) == five[2:4]


def test_the_address_of_a_page_tells_nothing_and_is_for_no_other_search(api, five):
    following = links(api.get(f"?{ALL}&_count=2"))["next"]
    assert urlsplit(following).query.startswith("_cursor=")
    for path in (following.replace("/R4/?", "/R4/Patient?"), f"{following}&_type=Patient"):
        assert codes(api.get(path)) == ["invalid"]


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ("_type=Patient,Practitioner&name=nobody", []),
        ("_type=Patient,Practitioner&family=Quinn&gender=female", ["Patient/x"]),
        ("_type=Patient,Appointment&_lastUpdated=gt2100", []),
        ("_type=Patient,Practitioner&_content=quinn", ["Patient/x"]),
        ('_type=Patient,Practitioner&_filter=family eq "quinn"', ["Patient/x"]),
        ("_type=Patient,Location&_has:Appointment:patient:status=booked", None),
    ],
)
def test_parameters_are_those_that_the_types_share(api, query, kinds):
    PatientFactory(fhir_id="x", family="Quinn", gender="female")
    response = api.get(f"?{query}")
    if kinds is None:  # nothing refers to a Location as a patient
        assert response.status_code == 400
    else:
        assert found(response) == kinds


@pytest.mark.parametrize("query", ["status=booked", "_type=Patient,Location&birthdate=2000", "_type=Slot&name=x"])
def test_a_parameter_that_not_all_types_have_is_refused_with_those_that_they_share(api, query):
    response = api.get(f"?{query}")
    assert (response.status_code, codes(response)) == (400, ["not-supported"])
    assert "_lastUpdated" in texts(response)


def test_lenient_handling_ignores_it_and_says_so(api, five):
    response = api.get("?_type=Location,Patient&birthdate=2000&_id=e", prefer="handling=lenient")
    assert found(response) == ["Location/e"]
    assert response.fhir["entry"][-1]["search"]["mode"] == "outcome"
    assert links(response)["self"].endswith("?_type=Location,Patient&_id=e")


@pytest.mark.parametrize("query", ["_type=Colour", "_type=Patient,", "_sort=status", "_type=Patient&_sort=name"])
def test_unsupported_system_searches_are_refused(api, query):
    assert api.get(f"?{query}").status_code == 400


def test_a_search_can_be_of_the_number_alone(api, five):
    for query in ("_summary=count", "_count=0"):
        response = api.get(f"?{ALL}&{query}")
        assert (response.fhir["total"], "entry" in response.fhir) == (5, False)
    assert "total" not in api.get(f"?{ALL}&_total=none").fhir


def test_only_the_elements_that_are_wanted_are_shown(api, five):
    entries = api.get("?_type=Location,Patient&_elements=Location.name").fhir["entry"]
    assert ["name" in each["resource"] for each in entries] == [True, False, False]


def test_included_resources_come_with_the_matches(api):
    visit = AppointmentFactory(fhir_id="visit", schedules=[ScheduleFactory()])
    response = api.get("?_type=Appointment,Coverage&_include=Appointment:patient")
    modes = [(each["resource"]["resourceType"], each["search"]["mode"]) for each in response.fhir["entry"]]
    assert modes == [("Appointment", "match"), ("Patient", "include")]
    response = api.get(f"?_type=Patient,Location&_id={visit.patient.fhir_id}&_revinclude=Appointment:patient")
    assert [each["search"]["mode"] for each in response.fhir["entry"]] == ["match", "include"]


def test_types_that_were_not_granted_are_left_out_or_refused_where_they_are_named(db, five):
    narrow = api_with("system/Patient.rs system/Location.s system/Practitioner.r")
    assert found(narrow.get("")) == ["Location/e", "Patient/a", "Patient/c"]
    response = narrow.get("?_type=Location,Practitioner")
    assert (response.status_code, codes(response)) == (403, ["forbidden"])
    assert api_with("system/Patient.r").get("").status_code == 403
    assert Api().get("?_type=Patient").status_code == 401


def test_only_visible_resources_of_each_type_are_found_and_counted(db, ada, bo):
    for patient in (ada, bo):
        AppointmentFactory(patient=patient, fhir_id=f"visit-{patient.fhir_id}", schedules=[ScheduleFactory()])
    response = Api(user=ada.user).get("?_type=Patient,Appointment,AuditEvent")
    assert found(response) == [f"Patient/{ada.fhir_id}", f"Appointment/visit-{ada.fhir_id}"]
    assert response.fhir["total"] == 2
    narrow = api_with("system/Patient.rs?_id=nobody system/Location.rs")
    assert narrow.get("?_type=Patient").fhir["total"] == 0


def test_a_disclosure_is_recorded_once_for_each_patient(api, five):
    api.get("?_type=Patient,Location")
    lines = AuditEvent.objects.filter(subtype="search")
    assert {line.query for line in lines} == {"?_type=Patient,Location"}
    assert {line.patient.fhir_id for line in lines} == {"a", "c"}
    api.get("")
    assert {line.query for line in AuditEvent.objects.exclude(pk__in=lines)} <= {"?", "?_type=Patient,Location"}


@pytest.mark.parametrize("more", [0, 4])
def test_a_page_costs_the_same_however_many_rows_there_are(api, more, django_assert_num_queries):
    for factory in (PatientFactory, PractitionerFactory, LocationFactory):
        for _ in range(1 + more):
            factory()
    with django_assert_num_queries(7):  # token, total, which rows, three types, disclosures
        api.get(f"?{ALL}")


def test_deleted_resources_are_not_found(api, five):
    now = datetime(2026, 2, 1, tzinfo=UTC)
    for model in (Patient, Practitioner, Location):
        model.objects.update(deleted_at=now)
    assert found(api.get(f"?{ALL}")) == []


def test_it_is_declared(api):
    [rest] = api.get("metadata").fhir["rest"]
    assert "search-system" in [each["code"] for each in rest["interaction"]]
    names = [each["name"] for each in rest["searchParam"]]
    assert {"_id", "_lastUpdated", "_text", "_content", "_type", "_filter", "_list", "_has"} <= set(names)
    assert len(names) == len(set(names))
    paths = api.client.get("/fhir/R4/openapi.json").json()["paths"]
    assert {"_type", "_filter", "_content"} <= {each["name"] for each in paths["/"]["get"]["parameters"]}
    assert "post" in paths["/_search"]
