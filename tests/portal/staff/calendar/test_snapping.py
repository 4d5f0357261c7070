"""Clicks on the grid land on times at which visits can start."""

import pytest
from pytest_django.asserts import assertContains

from portal.staff.calendar.snapping import snap_minutes
from tests.factories import ScheduleFactory, ServiceFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("grids", "minutes"),
    [
        ([], 15),
        ([(15, 0)], 15),
        ([(60, 0)], 15),
        ([(20, 0)], 10),
        ([(15, 0), (20, 0)], 5),
        ([(30, 10)], 10),
        ([(60, 5)], 5),
        ([(7, 0)], 5),
    ],
)
def test_the_step_divides_every_start(grids, minutes):
    services = [ServiceFactory(interval=interval, offset=offset) for interval, offset in grids]
    ServiceFactory(interval=7)  # no service of this schedule
    assert snap_minutes([ScheduleFactory(services=services)]) == minutes


def test_a_calendars_own_grid_counts_and_one_statement_asks(django_assert_num_queries):
    service = ServiceFactory(interval=15)
    schedules = [ScheduleFactory(services=[service]) for _ in range(3)]
    schedules[0].scheduling_parameters.create(service=service, alignment_interval=10)
    with django_assert_num_queries(1):
        assert snap_minutes(schedules) == 5


def test_the_page_has_the_step(as_chen, schedule, checkup):
    checkup.scheduling_parameters.update(alignment_interval=20, alignment_offset=0)
    as_chen.cookies["calendar_grid"] = "1"
    assertContains(as_chen.get("/staff/"), 'data-snap="10"')
