"""A report in the browser: the chart is drawn from the table, for the figure that is chosen."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from clinic.models import Schedule
from scheduling import reports
from tests.browser.conftest import DESK
from tests.factories import AppointmentFactory

CHARTED = """() => {
  const chart = Chart.getChart(document.querySelector("[data-report-chart] canvas"));
  return chart.data.datasets.map((set) => set.data);
}"""


@pytest.fixture
def counted(clinic, site):
    now = timezone.now()
    visit = {"service": clinic, "site": site, "schedules": [Schedule.objects.get()]}
    for weeks in range(1, 5):
        AppointmentFactory(start=now - timedelta(weeks=weeks), status="noshow", **visit)
    reports.count_days(now=now)


def test_the_chart_shows_the_chosen_figure_of_the_table(page: Page, live_server, counted, rana, sign_in):
    sign_in(rana)
    page.set_viewport_size(DESK)
    page.goto("/staff/today/")
    page.get_by_text("Account", exact=True).click()
    page.get_by_role("link", name="Reports").click()
    expect(page.get_by_role("heading", name="Visits:")).to_be_visible()
    first, last = timezone.now() - timedelta(weeks=5), timezone.now()
    page.get_by_label("From").fill(f"{first:%Y-%m-%d}")
    page.get_by_label("To").fill(f"{last:%Y-%m-%d}")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("canvas")).to_be_visible()
    table = page.locator(".report-table tbody tr")
    visits = [row.locator("td").first.get_attribute("data-value") for row in table.all()]
    [drawn, before] = page.evaluate(CHARTED)
    assert drawn == [float(each) for each in visits]
    assert sum(drawn) == 4
    assert len(before) == len(drawn)
    page.get_by_label("Chart of", exact=True).select_option(label="No-shows")
    [drawn, _] = page.evaluate(CHARTED)
    assert {each for each in drawn if each is not None} == {1}
