"""Reports on the pages: totals with definitions, a table that a chart is drawn from, and files."""

import csv
import io
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from portal.staff.reports.forms import usual_periods
from scheduling import reports
from tests.factories import AppointmentFactory, ServiceFactory

pytestmark = pytest.mark.django_db

ZONE = ZoneInfo("America/New_York")
DAY = date(2026, 3, 10)
NOW = datetime(2026, 3, 20, 12, tzinfo=ZONE)
VISITS = "/staff/reports/visits/"


@pytest.fixture(autouse=True)
def now(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOW.astimezone(UTC))


@pytest.fixture
def counted(checkup, schedule, site):
    for hour, status in ((9, "fulfilled"), (10, "noshow")):
        start = datetime.combine(DAY, time(hour), ZONE)
        AppointmentFactory(
            schedules=[schedule],
            site=site,
            service=checkup,
            start=start,
            status=status,
            created=start - timedelta(days=2),
        )
    reports.count_days(now=NOW)


def lines_of(response):
    return list(csv.reader(io.StringIO(response.getvalue().decode().removeprefix("\ufeff"), newline="")))


def test_a_report_shows_the_last_four_weeks_with_definitions(as_rana, counted):
    page = as_rana.get(VISITS)
    assert page.context["form"].period == reports.Period(date(2026, 2, 16), date(2026, 3, 15))
    assert [label for label, _ in page.context["lines"]] == [
        "February 16, 2026",
        "February 23, 2026",
        "March 2, 2026",
        "March 9, 2026",
    ]
    totals = {str(cell.figure.name): (cell.text, cell.before) for cell in page.context["totals"]}
    assert totals["No-shows"] == ("50%", "–")
    assert totals["Booked ahead"] == ("2 days", "–")
    assertContains(page, "Patients who did not come, as a share of visits.")
    assertContains(page, "January 19, 2026 – February 15, 2026")


def test_it_is_divided_by_what_is_chosen_and_downloaded_as_it_is_read(as_rana, counted, checkup):
    query = {"first": "2026-03-10", "last": "2026-03-10", "by": "service"}
    page = as_rana.get(VISITS, query)
    assert [label for label, _ in page.context["lines"]] == ["Check-up"]
    file = as_rana.get("/staff/reports/visits.csv", query)
    assert file["Content-Disposition"] == 'attachment; filename="visits-2026-03-10-2026-03-10.csv"'
    header, line = lines_of(file)
    assert header[:3] == ["Service", "Visits", "Visits, period before"]
    assert dict(zip(header, line, strict=True))["No-shows (%)"] == "50.0"


def test_the_name_of_a_service_is_never_a_formula(as_rana, counted, checkup):
    checkup.name = "=HYPERLINK(1)"
    checkup.save()
    query = {"first": "2026-03-10", "last": "2026-03-10", "by": "service"}
    assert lines_of(as_rana.get("/staff/reports/visits.csv", query))[1][0] == "'=HYPERLINK(1)"


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"first": "2026-03-10", "last": "2026-03-09", "by": "week"}, "Enter a last day that is not before"),
        ({"first": "2020-03-10", "last": "2026-03-09", "by": "week"}, "three years at most"),
        ({"first": "", "last": "2026-03-09", "by": "week"}, "Enter the first day."),
        ({"first": "2026-03-01", "last": "2026-03-09", "by": "colour"}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_read_is_said_beside_the_field_and_kept(as_rana, query, error):
    page = as_rana.get(VISITS, query)
    assertContains(page, error)
    assertContains(page, f'value="{query["last"]}"')
    assertRedirects(as_rana.get("/staff/reports/visits.csv", query), VISITS)


def test_days_on_which_nothing_was_counted_say_so(as_rana):
    page = as_rana.get("/staff/reports/time/", {"first": "2026-03-01", "last": "2026-03-02", "by": "person"})
    assertContains(page, "Nothing on these days")
    assertNotContains(page, "report-chart.js")


def test_a_report_that_does_not_exist_is_not_found(as_rana):
    assert as_rana.get("/staff/reports/weather/").status_code == 404


def test_next_free_times_of_each_service_are_in_days(as_rana, schedule, checkup):
    ServiceFactory(name="Never", hours=[])
    page = as_rana.get("/staff/reports/")
    [(service, [(first, days), (third, _)])] = page.context["rows"]
    assert service == checkup
    assert (first, days) == ("Fri, Mar 20, 1:00 PM (New York time)", "0 days")
    assert third == "Fri, Mar 20, 1:30 PM (New York time)"
    assert lines_of(as_rana.get("/staff/reports/free-times.csv"))[1][0] == "Check-up"


def test_usual_periods_are_right_on_hard_days():
    periods = {str(name): period.days for name, period in usual_periods(date(2028, 2, 29))}
    assert periods["Last 12 months"] == (date(2027, 2, 28), date(2028, 2, 28))
    assert periods["Last month"] == (date(2028, 1, 1), date(2028, 1, 31))
    assert periods["Last 4 weeks"] == (date(2028, 1, 31), date(2028, 2, 27))
    assert {str(name): period.days for name, period in usual_periods(date(2027, 1, 1))}["Last month"] == (
        date(2026, 12, 1),
        date(2026, 12, 31),
    )
