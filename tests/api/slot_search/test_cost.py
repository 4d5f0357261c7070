"""Statements and memory that a search for Slots takes."""

import tracemalloc

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.fhir.datatypes import instant
from tests.api.conftest import links
from tests.factories import ScheduleFactory
from tests.scheduling.situations import monday

pytestmark = pytest.mark.django_db


def statements(act):
    with CaptureQueriesContext(connection) as captured:
        act()
    return len(captured)


def test_statements_do_not_depend_on_the_number_of_calendars_nor_on_the_page(api, service, chen):
    include = {"_include": "Slot:schedule", "_include:iterate": "Schedule:actor", "schedule.active": "true"}
    query = {"status": "free", "start": f"ge{instant(monday(0))}", **include}

    def second_page():
        return links(api.get("Slot", query))["next"]

    few = statements(lambda: api.get("Slot", query))
    path = second_page()
    few_later = statements(lambda: api.get(path))
    ScheduleFactory.create_batch(49, services=[service])
    assert statements(lambda: api.get("Slot", query)) <= few
    path = second_page()
    assert statements(lambda: api.get(path)) <= few_later < few <= 22


def test_a_deep_page_costs_one_page(api, service, chen):
    """The last page of a month is as cheap as the second."""
    path = links(api.get("Slot", {"status": "free", "start": f"ge{instant(monday(0))}", "_count": "20"}))["next"]
    costs = []
    while path:
        with CaptureQueriesContext(connection) as captured:
            response = api.get(path)
        costs.append(len(captured))
        path = links(response).get("next")
    assert len(costs) >= 7
    assert max(costs[1:]) <= costs[0] + 2


def test_memory_does_not_grow_with_the_window(api, service, chen):
    service.scheduling_parameters.update(duration=15, alignment_interval=15)
    ScheduleFactory.create_batch(20, services=[service])

    def peak(days):
        query = {"status": "free", "start": [f"ge{instant(monday(0))}", f"lt{instant(monday(0, days=days))}"]}
        api.get("Slot", query)  # fills the caches
        tracemalloc.start()
        total = api.get("Slot", query).fhir["total"]
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return total, most

    (few, low), (many, high) = peak(17), peak(31)
    assert many > 1.7 * few
    assert high < 1.3 * low
