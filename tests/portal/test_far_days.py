"""Pages for the first and the last day of the calendar: no errors."""

import pytest

pytestmark = pytest.mark.django_db
FIRST, LAST = "0001-01-01", "9999-12-31"


@pytest.fixture
def names(schedule, checkup):
    return {"schedule": schedule.fhir_id, "service": checkup.fhir_id}


@pytest.mark.parametrize("day", [FIRST, LAST])
@pytest.mark.parametrize(
    "address",
    [
        "/staff/?date={day}",
        "/staff/week/?date={day}",
        "/staff/month/?date={day}",
        "/staff/agenda/?date={day}",
        "/staff/calendar/events/?start={day}&end={day}",
        "/staff/calendar/events/?start=9999-12-30&end={day}",
        "/staff/calendar/events/?start={day}&end=0001-01-02",
        "/staff/calendar/changes/?since={day}T00:00:00Z",
        "/staff/visits/new/?start={day}T00:00",
        "/staff/visits/new/?start={day}T23:59",
        "/staff/blocks/new/?start={day}T23:00&end={day}T23:59",
        "/staff/hours/calendars/{schedule}/{service}/?first={day}",
        "/book/{service}/?week={day}",
        "/book/{service}/?date={day}",
        "/book/{service}/?week={day}&date={day}&zone=Pacific/Auckland",
        "/book/{service}/hold/?time={day}T00:00:00Z~{schedule}",
        "/book/{service}/hold/?time={day}T23:59:59Z~{schedule}",
        "/book/{service}/at/?time={day}T23:59:59Z~{schedule}",
    ],
)
def test_a_page_of_such_a_day_is_shown_or_refused(client, rana, names, address, day):
    client.force_login(rana)
    assert client.get(address.format(day=day, **names)).status_code < 500


@pytest.mark.parametrize("month", ["0001-01", "9999-12"])
def test_such_a_month_is_shown_or_refused(client, names, month):
    assert client.get(f"/book/{names['service']}/?month={month}").status_code < 500


@pytest.mark.parametrize("day", [FIRST, LAST])
@pytest.mark.parametrize(
    ("address", "sent"),
    [
        ("/staff/visits/new/", {"date": "{day}", "time": "23:59", "calendar": "{schedule}", "service": "{service}"}),
        ("/staff/visits/new/", {"date": "{day}", "time": "00:00", "calendar": "{schedule}", "pick": "{day}T23:59:59Z"}),
        ("/staff/visits/new/", {"date": "{day}", "time": "00:00", "calendar": "{schedule}", "pick": "{day}T25:61:00Z"}),
        ("/staff/blocks/new/", {"calendar": "{schedule}", "reason": "leave", "first": "{day}", "all_day": "on"}),
        (
            "/staff/blocks/new/",
            {"calendar": "{schedule}", "reason": "leave", "first": "{day}", "start": "00:00", "end": "23:59"},
        ),
        ("/staff/hours/calendars/{schedule}/{service}/", {"since": "{day}", "whose": "own", "mon-state": "all-day"}),
        ("/staff/hours/calendars/{schedule}/{service}/closures/", {"version": "1", "first": "{day}"}),
        ("/staff/hours/calendars/{schedule}/{service}/extra/", {"day": "{day}", "opens": "08:00", "closes": "07:00"}),
        ("/book/{service}/hold/", {"time": "{day}T23:59:59Z~{schedule}"}),
    ],
)
def test_a_form_for_such_a_day_is_refused_or_shown_again(client, rana, names, address, sent, day):
    client.force_login(rana)
    posted = {name: value.format(day=day, **names) for name, value in sent.items()}
    assert client.post(address.format(**names), posted).status_code < 500
