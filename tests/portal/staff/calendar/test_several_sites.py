"""Several sites in one calendar and on one board: those that the caller works at, each by its own clocks."""

from datetime import UTC, timedelta

import pytest
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains

from portal.staff.calendar.selection import SESSION
from tests.factories import (
    AppointmentFactory,
    LocationFactory,
    PractitionerFactory,
    ScheduleFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
CHICAGO = "America/Chicago"
CHOOSE = "/staff/calendar/choose/"


@pytest.fixture
def lakeside(db):
    """A site an hour behind New York."""
    return LocationFactory(name="Lakeside", timezone=CHICAGO)


@pytest.fixture
def there(lakeside, checkup):
    brown = PractitionerFactory(prefix="", given="Kim", family="Brown", timezone=CHICAGO)
    return ScheduleFactory(actor=brown, services=[checkup], site=lakeside, timezone=CHICAGO)


@pytest.fixture
def visits(ada, elena, checkup, schedule, there, site, lakeside, ten):
    """Ada's visit at ten here, and Elena's an hour later: at ten by the clocks of the other site."""
    return [
        AppointmentFactory(
            patient=patient,
            service=checkup,
            schedules=[calendar],
            site=place,
            start=start,
            end=start + timedelta(minutes=30),
        )
        for patient, calendar, place, start in (
            (ada, schedule, site, ten),
            (elena, there, lakeside, ten + timedelta(hours=1)),
        )
    ]


@pytest.fixture
def desk(client, site, lakeside):
    """A front desk of both sites, who sees all calendars."""
    client.force_login(UserFactory(desk_locations=[site, lakeside]))
    client.post(CHOOSE, {"site": "all", "from": ""})
    return client


def test_all_sites_are_chosen_in_the_bar(desk, schedule, there):
    selection = desk.get("/staff/").context["selection"]
    assert selection.all_sites
    assert {each.pk for each in selection.shown} == {schedule.pk, there.pk}
    page = desk.get("/staff/agenda/")
    assertContains(page, '<option value="all" selected>')
    assertContains(page, "times of each site")
    desk.post(CHOOSE, {"site": "all", "from": "all", "calendars": [there.fhir_id]})
    assert desk.session[SESSION]["calendars"] == [there.fhir_id]
    assert desk.get("/staff/").context["selection"].shown == [there]


def test_each_visit_stands_at_its_local_time_and_says_its_site_and_zone(desk, visits, there, schedule, ten):
    day = ten.date().isoformat()
    page = desk.get("/staff/agenda/", {"date": day})
    [agenda] = page.context["days"]
    shown = [(entry.id, entry.clock, entry.place) for entry in agenda.entries]
    here, lakeside = visits
    assert shown == [
        (here.fhir_id, "10:00 AM", f"{here.site.name} (New York time)"),
        (lakeside.fhir_id, "10:00 AM", "Lakeside (Chicago time)"),
    ]
    query = {
        "start": day,
        "end": str(ten.date() + timedelta(days=1)),
        "calendars": f"{schedule.fhir_id},{there.fhir_id}",
    }
    events = [each for each in desk.get("/staff/calendar/events/", query).json() if "id" in each]
    assert [each["start"] for each in events] == [f"{day}T10:00:00"] * 2


def test_a_visit_of_somebody_who_works_at_both_is_listed_once_by_its_own_clocks(
    desk, chen, checkup, schedule, lakeside, visits, ten
):
    ScheduleFactory(actor=chen, services=[checkup], site=lakeside, timezone=CHICAGO)
    [agenda] = desk.get("/staff/agenda/", {"date": ten.date()}).context["days"]
    assert [(entry.id, entry.clock) for entry in agenda.entries] == [(visit.fhir_id, "10:00 AM") for visit in visits]


def test_the_week_has_a_row_for_each_with_the_site_and_the_month_counts_both(desk, visits, there, ten):
    week = desk.get("/staff/week/", {"date": ten.date()})
    assertContains(week, "Kim Brown, Lakeside (Chicago time)")
    assert sum(person.visits for person in week.context["people"]) == 2
    month = desk.get("/staff/month/", {"date": ten.date()})
    assert sum(day.visits for days in month.context["weeks"] for day in days if day.date == ten.date()) == 2
    assertContains(desk.get("/staff/sheets/", {"date": ten.date(), "site": "all"}), "Kim Brown, Lakeside")


def test_nobody_sees_a_site_at_which_they_do_not_work(client, site, schedule, there, visits, ten):
    client.force_login(UserFactory(desk_locations=[site]))
    client.post(CHOOSE, {"site": "all", "from": ""})
    assertNotContains(client.get("/staff/agenda/", {"date": ten.date()}), "Lakeside")
    assertNotContains(client.get("/staff/today/", {"date": ten.date(), "site": "all"}), "Lakeside")


def test_the_board_of_all_sites_names_each(desk, visits, ten, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: ten.astimezone(UTC))
    page = desk.get("/staff/today/", {"site": "all"})
    assert [(card.clock, card.place) for column in page.context["board"].columns for card in column.cards] == [
        ("10:00 AM", f"{visits[0].site.name} (New York time)"),
        ("10:00 AM", "Lakeside (Chicago time)"),
    ]
    step = {"status": "arrived", "site": "all"}
    stepped = desk.post(f"/staff/appointments/{visits[0].fhir_id}/step/", step, headers={"HX-Request": "true"})
    assertContains(stepped, "Lakeside (Chicago time)")
    assertNotContains(desk.get("/staff/today/", {"site": visits[0].site.fhir_id}), "Chicago time")
