"""The time that a search for Slots covers, and its pages."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.utils import timezone

from clinic.fhir.datatypes import instant
from tests.api.conftest import codes, ids, links
from tests.api.dialects import matches
from tests.api.slot_search.searches import FORM, FREE_DAY, NPI, hours, slots, starts
from tests.factories import (
    EVERY_DAY,
    SlotFactory,
)
from tests.scheduling.situations import monday

pytestmark = pytest.mark.django_db


def pages(api, path, relation="next"):
    while path:
        response = api.get(path)
        yield ids(response)
        path = links(response).get(relation)


def test_the_window_is_31_days_from_now_unless_another_is_named(api, service, chen):
    service.scheduling_parameters.update(availability=EVERY_DAY)
    begun = timezone.now()
    found = slots(api, status="free", _count="1000")
    assert found[0]["start"] >= instant(begun)
    assert instant(begun + timedelta(days=29)) < found[-1]["start"] < instant(begun + timedelta(days=31, minutes=1))
    from_monday = slots(api, status="free", start=f"ge{instant(monday(0))}", _count="1000")
    assert from_monday[0]["start"] == instant(monday(9))
    assert from_monday[-1]["start"] == instant(monday(16, days=30))
    until_monday = slots(api, status="free", start=f"lt{instant(monday(0))}", _count="1000")
    assert until_monday[-1]["start"] < instant(monday(0))


def test_a_longer_window_is_answered_page_by_page(api, service, chen):
    """No hours but for extra time after three months: the pages before are empty, and each is quick."""
    service.scheduling_parameters.update(availability=[])
    SlotFactory(schedule=chen, status="free", start=monday(10, days=91), end=monday(11, days=91))
    path = f"Slot?status=free&start=ge{instant(monday(0))}&start=lt{instant(monday(0, days=120))}"
    first = api.get(path)
    assert (ids(first), "total" in first.fhir, list(links(first))) == ([], False, ["self", "first", "next"])
    there = list(pages(api, path))
    assert [len(page) for page in there] == [0, 0, 2, 0]
    assert [len(page) for page in pages(api, f"{path}&_sort=-start")] == [2, 0, 0, 0]
    refused = api.get(f"{path}&_summary=count")
    assert (refused.status_code, codes(refused)) == (400, ["too-costly"])


def test_a_window_ends_where_nothing_can_be_booked_any_more(api, service, chen):
    service.booking_horizon_days = 20
    service.save()
    answer = api.get(f"Slot?status=free&start=ge{instant(monday(0))}&start=lt2190-01-01&_count=1000")
    assert "next" not in links(answer)
    assert answer.fhir["total"] == len(ids(answer)) > 0


@pytest.fixture
def mixed(chen, singh):
    """Two calendars with visits, a block that begins between two starts, and extra time at a free start."""
    for schedule, hour in ((chen, 9), (singh, 9), (chen, 13), (singh, 16)):
        SlotFactory(schedule=schedule, start=monday(hour), end=monday(hour + 1))
    SlotFactory(schedule=singh, status="busy-unavailable", start=monday(11, 30), end=monday(12, 45))
    SlotFactory(schedule=chen, status="free", start=monday(10), end=monday(11))


@pytest.mark.parametrize("sort", ["", "start", "-start", "start,status", "-start,_id"])
@pytest.mark.parametrize("count", [1, 4])
def test_pages_hold_everything_once_in_order_and_lead_back(api, mixed, sort, count):
    query = f"Slot?start=ge{instant(monday(0))}&start=lt{instant(monday(0, days=1))}&_sort={sort}"
    whole = api.get(f"{query}&_count=100")
    assert len(ids(whole)) == whole.fhir["total"] == 6 + 6 + 4
    found = starts(matches(whole))
    assert found == sorted(found, reverse=sort.startswith("-"))
    there, path = [], f"{query}&_count={count}"
    while path:
        response = api.get(path)
        assert response.fhir["total"] == 16
        there.append(ids(response))
        path = links(response).get("next")
    assert [each for page in there for each in page] == ids(whole)
    back = [ids(response)]
    while "previous" in links(response):
        response = api.get(links(response)["previous"])
        back.append(ids(response))
    assert [set(page) for page in back] == [set(page) for page in there[::-1]]
    assert ids(api.get(links(response)["first"])) == there[0]


def test_a_page_does_not_move_when_a_time_before_it_is_taken(api, chen, singh):
    first = api.get("Slot", {**FREE_DAY, "_count": "3"})
    chosen = [slot["schedule"]["reference"] for slot in matches(first)]
    assert len(set(chosen)) == 2
    SlotFactory(schedule=chen, start=monday(9), end=monday(11))
    assert starts(matches(api.get(links(first)["next"]))) == hours(10, 11, 11)


def test_the_window_of_later_pages_is_that_of_the_first(api, chen, singh):
    first = api.get("Slot?status=free&_count=5")
    assert sum(map(len, pages(api, links(first)["next"]))) == first.fhir["total"] - 5


def test_another_order_finds_stored_slots_only_and_says_so(api, chen):
    taken = SlotFactory(schedule=chen, start=monday(9), end=monday(10))
    answer = api.get("Slot?_sort=-_lastUpdated")
    assert ids(answer) == [taken.fhir_id]
    assert answer.fhir["entry"][-1]["resource"]["issue"][0]["expression"] == ["_sort"]


def test_the_address_of_a_page_tells_nothing(api, chen):
    typed = f"schedule.actor:Practitioner.identifier={NPI}|3234567893&_count=1"
    answer = api.post("Slot/_search", typed, content_type=FORM)
    address = urlsplit(links(answer)["next"])
    assert (address.path, address.query[:8], "&" in address.query) == ("/fhir/R4/Slot", "_cursor=", False)
    assert "3234567893" not in address.query
    for path in (links(answer)["next"][:-8], links(answer)["next"] + "&status=free"):
        assert (api.get(path).status_code, codes(api.get(path))) == (400, ["invalid"])
