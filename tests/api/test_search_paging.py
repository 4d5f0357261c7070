"""Pages: https://hl7.org/fhir/R4/http.html#paging"""

from datetime import date
from urllib.parse import urlsplit

import pytest

from tests.api.conftest import Api, codes, ids, links
from tests.factories import AppointmentFactory, CoverageFactory, LocationFactory, PatientFactory, ScheduleFactory


def pages(api, path, relation="next"):
    while path:
        response = api.get(path)
        yield ids(response)
        path = links(response).get(relation)


@pytest.fixture
def seven(db):
    """Patients not in the order of their birth dates; some dates are equal and some unknown."""
    return [
        PatientFactory(fhir_id=f"p{number}", birth_date=date(1990, 1, 1 + number % 3) if number % 4 else None)
        for number in range(7)
    ]


SORTS = ["", "birthdate", "-birthdate", "-birthdate,family", "birthdate,-_id", "-_lastUpdated", "active,-gender,name"]


@pytest.mark.parametrize("sort", SORTS)
def test_pages_hold_everything_once(api, seven, sort):
    whole = ids(api.get("Patient", {"_count": "100", "_sort": sort}))
    found = list(pages(api, f"Patient?_count=3&_sort={sort}"))
    assert [len(page) for page in found] == [3, 3, 1]
    assert [each for page in found for each in page] == whole
    assert len(set(whole)) == 7


@pytest.mark.parametrize("sort", SORTS)
def test_the_way_back_leads_over_the_same_pages(api, seven, sort):
    response = api.get(f"Patient?_count=3&_sort={sort}")
    there = [ids(response)]
    while "next" in links(response):
        response = api.get(links(response)["next"])
        there.append(ids(response))
    back = [ids(response)]
    while "previous" in links(response):
        response = api.get(links(response)["previous"])
        back.append(ids(response))
    assert back == there[::-1]


def test_the_first_page_is_linked_from_all(api, seven):
    first = api.get("Patient?_count=3")
    second = api.get(links(first)["next"])
    for response in (first, second):
        assert ids(api.get(links(response)["first"])) == ids(first)
    assert list(links(first)) == ["self", "first", "next"]
    assert list(links(second)) == ["self", "first", "previous", "next"]


def test_a_page_leads_to_itself(api, seven):
    second = api.get(links(api.get("Patient?_count=3"))["next"])
    assert ids(api.get(links(second)["self"])) == ids(second)


def test_rows_without_a_value_come_last_or_first(api, seven):
    unknown = {"p0", "p4"}
    assert set(ids(api.get("Patient?_sort=birthdate"))[-2:]) == unknown
    assert set(ids(api.get("Patient?_sort=-birthdate"))[:2]) == unknown


def test_it_is_sorted_by_what_is_referred_to(api):
    for fhir_id in ("b", "a", "c"):
        CoverageFactory(beneficiary=PatientFactory(fhir_id=fhir_id))
    found = [entry["resource"]["beneficiary"]["reference"] for entry in api.get("Coverage?_sort=patient").fhir["entry"]]
    assert found == ["Patient/a", "Patient/b", "Patient/c"]


def test_a_page_does_not_move_when_rows_are_added(api):
    first = [PatientFactory().fhir_id for _ in range(4)]
    reading = pages(api, "Patient?_count=2&_sort=family")
    assert next(reading) == first[:2]
    PatientFactory(family="Aaron")
    assert next(reading) == first[2:]


@pytest.mark.parametrize(
    "more", ["&_count=1000", "&_count=2&_count=1000", "&_count=1000&_totalMethod=count&_format=json"]
)
def test_clients_may_ask_for_larger_pages_on_the_way(api, seven, more):
    following = links(api.get("Patient?_count=2"))["next"]
    response = api.get(following + more)
    assert len(ids(response)) == 5
    assert "next" not in links(response)


def test_the_address_of_a_page_tells_nothing(api):
    """Addresses are kept in logs: the page's address shows neither the search nor its matches."""
    for _ in range(3):
        PatientFactory(family="Quinn", birth_date=date(1980, 2, 3))
    form = "application/x-www-form-urlencoded"
    response = api.post("Patient/_search", "family=quinn&_count=1&_sort=birthdate", content_type=form)
    address = urlsplit(links(response)["next"])
    assert address.path == "/fhir/R4/Patient"
    assert address.query.startswith("_cursor=")
    assert "&" not in address.query
    assert len(ids(api.get(links(response)["next"]))) == 1
    before = {response.fhir["entry"][0]["resource"]["id"]}
    assert before.isdisjoint(ids(api.get(links(response)["next"])))


def test_a_cursor_that_was_touched_or_is_of_another_search_is_refused(api, seven):
    following = links(api.get("Patient?_count=1"))["next"]
    for path in (
        following.replace("Patient", "Practitioner"),
        following[:-8],
        following + "&family=quinn",
        following + "&_sort=family",
        "Patient?_cursor=x",
    ):
        response = api.get(path)
        assert (response.status_code, codes(response)) == (400, ["invalid"])


def test_another_reader_of_the_address_sees_what_is_theirs(api, seven, ada):
    following = links(api.get("Patient?_count=1"))["next"]
    assert ids(Api(user=ada.user).get(following)) == [ada.fhir_id]


def test_a_page_of_nothing_has_no_other_pages(api, seven):
    for query in ("Patient?_count=0", "Patient?_summary=count", "Patient?family=nobody"):
        assert list(links(api.get(query))) == ["self"]


def test_a_count_has_an_upper_limit(api, seven):
    assert len(ids(api.get("Patient?_count=999999999999"))) == 7


def test_the_last_of_repeated_counts_is_used(api, seven):
    assert len(ids(api.get("Patient?_count=5&_count=2"))) == 2


@pytest.mark.parametrize("page", [1, 2])
def test_every_page_costs_the_same(api, page, django_assert_num_queries):
    for _ in range(5):
        AppointmentFactory(schedules=[ScheduleFactory()])
    path = "Appointment?_count=2&_sort=-date"
    for _ in range(page - 1):
        path = links(api.get(path))["next"]
    with django_assert_num_queries(5):  # token, total, page, slots, disclosures
        api.get(path)


@pytest.fixture
def sites(db):
    """Sites along a meridian, about 11 kilometres apart."""
    for fhir_id, latitude in (("far", 40.3), ("here", 40.0), ("north", 40.1), ("south", 39.8)):
        LocationFactory(fhir_id=fhir_id, latitude=latitude, longitude=-74.0)
    LocationFactory(fhir_id="nowhere")


@pytest.mark.parametrize(
    ("near", "found"),
    [
        ("40|-74|15|km", ["here", "north"]),
        ("40|-74|15", ["here", "north"]),
        ("40|-74|15000|m", ["here", "north"]),
        ("40|-74|15|[mi_i]", ["here", "north", "south"]),
        ("40|-74", ["here", "north", "south"]),
        ("40|-74|100|km", ["here", "north", "south", "far"]),
        ("-40|106|100|km", []),
        ("40|-74|0|km", ["here"]),
    ],
)
def test_the_nearest_come_first(api, sites, near, found):
    assert ids(api.get("Location", {"near": near})) == found
    assert [each for page in pages(api, f"Location?near={near}&_count=1") for each in page] == found


def test_near_matches_have_their_distance(api, sites):
    entries = api.get("Location", {"near": "40|-74|15|km"}).fhir["entry"]
    [here, north] = [entry["search"]["extension"][0]["valueDistance"]["value"] for entry in entries]
    assert here == 0
    assert 11 < north < 11.2


def test_another_order_can_be_asked_for_and_schedules_can_be_near(api, sites):
    assert ids(api.get("Location?near=40|-74&_sort=-_id")) == ["south", "north", "here"]
    assert ids(api.get("Location?near:missing=true")) == ["nowhere"]
    ScheduleFactory(fhir_id="close", site=LocationFactory(latitude=40.0, longitude=-74.0))
    ScheduleFactory(fhir_id="away", site=LocationFactory(latitude=50.0, longitude=-74.0))
    assert ids(api.get("Schedule?location.near=40|-74|5|km")) == ["close"]
