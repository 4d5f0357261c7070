"""The staff's calendars: their content, and who may see it."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains

from clinic.models import Appointment
from clinic.time_text import clock
from portal.staff.calendar import local_times
from portal.staff.calendar.views.grid import new_visit_start
from tests.factories import (
    NEW_YORK,
    AppointmentFactory,
    LocationFactory,
    PatientFactory,
    RoomFactory,
    ScheduleFactory,
    SlotFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
ZONE = ZoneInfo(NEW_YORK)
PAGES = ["/staff/", "/staff/week/", "/staff/agenda/"]


@pytest.fixture
def noon():
    return datetime.combine(timezone.now().astimezone(ZONE).date(), time(12), ZONE)


@pytest.fixture
def visit(schedule, checkup, site, noon):
    patient = PatientFactory(given="Elena", family="Marquez")
    end = noon + timedelta(minutes=30)
    return AppointmentFactory(
        patient=patient, service=checkup, start=noon, end=end, schedules=[schedule], site=site, status="arrived"
    )


def feed(client, first="2026-11-30", last="2026-12-01", **parameters):
    answer = client.get("/staff/calendar/events/", {"start": first, "end": last, **parameters})
    assert answer.status_code == 200, answer.content
    return [each for each in answer.json() if each["extendedProps"]["kind"] != "closed"]


@pytest.mark.parametrize("address", PAGES)
def test_a_practitioner_sees_their_own_calendar(client, chen, visit, address):
    client.force_login(chen.user)
    answer = client.get(address)
    for words in ("Elena Marquez", "Check-up", "Arrived", "New York time", "Now, "):
        assertContains(answer, words)


@pytest.mark.parametrize("address", [*PAGES, "/staff/month/", "/staff/calendar/events/", "/staff/calendar/changes/"])
def test_patients_do_not(as_ada, visit, address):
    assert as_ada.get(address).status_code == 403


@pytest.mark.parametrize("address", [*PAGES, "/staff/month/"])
def test_nor_does_anyone_who_is_not_signed_in(client, address):
    assert client.get(address).url.startswith("/accounts/login/")


def test_the_line_of_now_goes_by_the_clock_of_the_site(client, chen, schedule, visit):
    client.force_login(chen.user)
    here = timezone.now().astimezone(ZONE)
    assertContains(client.get("/staff/"), f'data-offset="{here:%z}"')


def test_holds_blocks_and_buffers_look_different(client, chen, schedule, visit, noon):
    later = noon + timedelta(hours=2)
    expires = timezone.now() + timedelta(minutes=5)
    held = {"status": "pending", "hold_expires_at": expires, "schedules": [schedule]}
    AppointmentFactory(start=later, service=visit.service, **held)
    SlotFactory(schedule=schedule, status="busy-unavailable", start=noon - timedelta(hours=2), comment="Lunch")
    SlotFactory(schedule=schedule, status="busy-unavailable", start=visit.end, appointment=visit)
    client.force_login(chen.user)
    page = client.get("/staff/")
    assert [entry.kind for entry in page.context["days"][0].entries] == ["block", "visit", "buffer", "hold"]
    assertContains(page, "Lunch")
    assertContains(page, f"until {clock(expires.astimezone(ZONE))}")
    day = noon.date()
    events = feed(client, day.isoformat(), (day + timedelta(days=1)).isoformat())
    assert [each["display"] for each in events] == ["auto", "auto", "background", "auto"]


def test_an_expired_hold_takes_no_time(client, chen, schedule, checkup, noon):
    over = timezone.now() - timedelta(minutes=5)
    AppointmentFactory(start=noon, service=checkup, status="pending", hold_expires_at=over, schedules=[schedule])
    client.force_login(chen.user)
    assert not client.get("/staff/").context["days"][0].entries


def test_the_front_desk_sees_the_calendars_of_its_site_alone(client, rana, visit, schedule, checkup):
    elsewhere = ScheduleFactory(services=[checkup], site=LocationFactory(name="Elsewhere"))
    client.force_login(rana)
    page = client.get("/staff/")
    assertContains(page, "Elena Marquez")
    assertNotContains(page, "Elsewhere")
    assert client.get("/staff/", {"schedule": elsewhere.fhir_id}).status_code == 404
    query = {"start": "2026-11-30", "end": "2026-12-01", "calendars": elsewhere.fhir_id}
    assert client.get("/staff/calendar/events/", query).status_code == 404


@pytest.mark.parametrize("address", PAGES)
def test_the_front_desk_sees_that_somebody_is_busy_elsewhere_and_nothing_else(
    client, rana, chen, visit, checkup, noon, address
):
    far = LocationFactory(name="Hillside")
    there = ScheduleFactory(actor=chen, services=[checkup], site=far)
    patient = PatientFactory(given="Secret", family="Patient")
    for start in (noon + timedelta(hours=2), noon + timedelta(hours=2, minutes=30)):
        AppointmentFactory(
            patient=patient,
            service=checkup,
            start=start,
            end=start + timedelta(minutes=30),
            schedules=[there],
            site=far,
        )
    client.force_login(rana)
    page = client.get(address)
    assertContains(page, "Busy elsewhere", 1)
    assertContains(page, "2:00 – 3:00 PM")
    for words in ("Secret", "Hillside"):
        assertNotContains(page, words)
    [_visit, event] = feed(client, noon.date(), noon.date() + timedelta(days=1))
    assert (event["title"], event["start"][11:], event["end"][11:]) == ("Busy elsewhere", "14:00:00", "15:00:00")
    assert (event["extendedProps"]["href"], event["extendedProps"]["service"]) == ("", "")


def test_an_administrator_sees_what_it_is(client, chen, visit, checkup, noon, schedule):
    there = ScheduleFactory(actor=chen, services=[checkup], site=LocationFactory(name="Hillside"))
    later = noon + timedelta(hours=2)
    AppointmentFactory(patient=PatientFactory(family="Hill"), service=checkup, start=later, schedules=[there])
    client.force_login(UserFactory(is_superuser=True))
    page = client.get("/staff/agenda/", {"schedule": schedule.fhir_id})
    assertContains(page, "Hill")
    assertNotContains(page, "Busy elsewhere")


def test_a_colleagues_calendar_is_not_theirs_to_see(client, chen, schedule, checkup, site):
    colleague = ScheduleFactory(services=[checkup], site=site)
    client.force_login(chen.user)
    assert client.get("/staff/", {"schedule": colleague.fhir_id}).status_code == 404


def test_an_administrator_chooses_any(client, visit, schedule):
    client.force_login(UserFactory(is_superuser=True))
    assertContains(client.get("/staff/", {"schedule": schedule.fhir_id}), "Elena Marquez")


@pytest.mark.parametrize("address", [*PAGES, "/staff/month/"])
def test_staff_without_a_calendar_read_how_to_get_one(client, chen, address):
    client.force_login(chen.user)
    assertContains(client.get(address), "No calendar yet")


def test_the_desk_chooses_from_people_before_rooms(client, rana, schedule, checkup, site):
    ScheduleFactory(actor=RoomFactory(name="A room", part_of=site), services=[checkup], site=site)
    client.force_login(rana)
    form = client.get("/staff/visits/new/").context["form"]
    assert [word for _id, word in form.fields["calendar"].choices] == ["Dr. Mei Chen", "A room"]


def test_chosen_calendars_are_remembered(client, rana, schedule, checkup, site):
    room = ScheduleFactory(actor=RoomFactory(name="Room 7", part_of=site), services=[checkup], site=site)
    client.force_login(rana)
    assert client.get("/staff/").context["selection"].ids == [schedule.fhir_id]
    chosen = {"site": site.fhir_id, "from": site.fhir_id, "calendars": [schedule.fhir_id, room.fhir_id]}
    assert client.post("/staff/calendar/choose/", {**chosen, "next": "/staff/week/"}).url == "/staff/week/"
    assert set(client.get("/staff/").context["selection"].ids) == {schedule.fhir_id, room.fhir_id}
    client.post("/staff/calendar/choose/", {"site": site.fhir_id, "from": site.fhir_id, "kind": "rooms"})
    assert client.get("/staff/").context["selection"].ids == [room.fhir_id]


def test_it_leads_nowhere_but_back_here(client, chen, schedule):
    client.force_login(chen.user)
    assert client.post("/staff/calendar/choose/", {"next": "https://elsewhere.example/"}).url == "/staff/"


def test_days_weeks_and_months_lead_on(client, chen, schedule):
    client.force_login(chen.user)
    day = client.get("/staff/", {"date": "2026-11-30"})
    assertContains(day, "Monday, November 30, 2026")
    assertContains(day, "date=2026-12-01")
    week = client.get("/staff/week/", {"date": "2026-12-02"})
    assertContains(week, "Week of Sunday, November 29, 2026")
    assert len(week.context["days"]) == 7
    month = client.get("/staff/month/", {"date": "2026-12-31"})
    assertContains(month, "December 2026")
    assertContains(month, "date=2027-01-01")


def test_a_month_says_how_full_its_days_are(client, chen, schedule, checkup):
    start = datetime(2026, 11, 30, 9, tzinfo=ZONE)
    AppointmentFactory(service=checkup, start=start, end=start + timedelta(hours=4), schedules=[schedule])
    client.force_login(chen.user)
    weeks = client.get("/staff/month/", {"date": "2026-11-30"}).context["weeks"]
    days = {each.date: each for week in weeks for each in week}
    day = days[start.date()]
    assert (day.visits, day.share) == (1, 50)


@pytest.mark.parametrize(("country", "first"), [("US", "2026-11-29"), ("GB", "2026-11-30")])
def test_a_week_begins_as_in_the_clinics_country(client, chen, schedule, settings, country, first):
    settings.CLINIC_COUNTRY = country
    client.force_login(chen.user)
    page = client.get("/staff/week/", {"date": "2026-12-02"})
    assert page.context["days"][0].date.isoformat() == first
    assertContains(page, f'data-first-day="{0 if country == "US" else 1}"')


def test_the_feed_gives_the_times_of_the_wall(client, chen, schedule, checkup):
    start = datetime(2026, 11, 30, 14, 30, tzinfo=UTC)
    visit = AppointmentFactory(service=checkup, start=start, schedules=[schedule])
    client.force_login(chen.user)
    [event] = feed(client)
    assert (event["start"], event["end"]) == ("2026-11-30T09:30:00", "2026-11-30T10:00:00")
    assert event["resourceIds"] == [schedule.fhir_id]
    assert event["extendedProps"]["href"] == f"/staff/visits/{visit.fhir_id}/"
    assert event["startEditable"]


def test_a_visit_with_several_actors_is_one_event_on_all_of_them(client, rana, schedule, checkup, site):
    room = ScheduleFactory(actor=RoomFactory(part_of=site), services=[checkup], site=site)
    start = datetime(2026, 11, 30, 14, 30, tzinfo=UTC)
    AppointmentFactory(service=checkup, start=start, schedules=[schedule, room], site=site)
    client.force_login(rana)
    [event] = feed(client, calendars=f"{schedule.fhir_id},{room.fhir_id}")
    assert set(event["resourceIds"]) == {schedule.fhir_id, room.fhir_id}


def test_a_visit_of_several_slots_is_one_event_and_one_visit_of_the_month(client, chen, schedule, checkup):
    """It may have taken two Slots that a client had stored."""
    start = datetime(2026, 11, 30, 9, tzinfo=ZONE)
    visit = AppointmentFactory(service=checkup, start=start, end=start + timedelta(hours=1), schedules=[schedule])
    visit.slots.update(end=start + timedelta(minutes=30))
    SlotFactory(schedule=schedule, appointment=visit, start=start + timedelta(minutes=30), end=visit.end)
    client.force_login(chen.user)
    [event] = feed(client)
    assert (event["start"], event["end"]) == ("2026-11-30T09:00:00", "2026-11-30T10:00:00")
    weeks = client.get("/staff/month/", {"date": "2026-11-30"}).context["weeks"]
    assert [each.visits for week in weeks for each in week if each.date == start.date()] == [1]


def test_a_visit_at_a_glance_says_who_it_is_how_to_reach_them_and_what_the_board_says(
    client, rana, schedule, checkup, site, noon
):
    room = ScheduleFactory(actor=RoomFactory(part_of=site, name="Room 4"), services=[checkup], site=site)
    patient = PatientFactory(birth_date=None, extra={"birthDate": "1985-03"}, phone="+12125550142")
    visit = AppointmentFactory(
        patient=patient, service=checkup, start=noon, schedules=[schedule, room], site=site, status="checked-in"
    )
    client.force_login(rana)
    glance = client.get(f"/staff/visits/{visit.fhir_id}/")
    for words in ("March 1985", "(212) 555-0142", "In room", "<dd>Room 4</dd>"):
        assertContains(glance, words)
    assertContains(client.get("/staff/today/"), "In room")
    for address in (f"/staff/appointments/{visit.fhir_id}/", "/staff/agenda/"):
        for words in ("March 1985", "In room"):
            assertContains(client.get(address), words)


def test_hours_are_open_and_the_rest_is_closed(client, chen, schedule):
    client.force_login(chen.user)
    closed = client.get("/staff/calendar/events/", {"start": "2026-11-30", "end": "2026-12-01"}).json()
    assert [(each["start"], each["end"]) for each in closed] == [
        ("2026-11-30T00:00:00", "2026-11-30T09:00:00"),
        ("2026-11-30T17:00:00", "2026-12-01T00:00:00"),
    ]


def test_the_hour_that_comes_twice_is_said(client, chen, schedule, checkup):
    """On 1 November 2026 New York's clocks go from 02:00 back to 01:00."""
    for hour in (5, 6):
        start = datetime(2026, 11, 1, hour, 30, tzinfo=UTC)
        AppointmentFactory(service=checkup, start=start, end=start + timedelta(minutes=45), schedules=[schedule])
    client.force_login(chen.user)
    first, second = feed(client, "2026-11-01", "2026-11-02")
    assert first["start"] == second["start"] == "2026-11-01T01:30:00"
    assert first["end"] == "2026-11-01T02:15:00"  # its real length, although the clock shows 01:15 again
    assert "clocks go back" in second["extendedProps"]["when"]
    assert "clocks go back" not in first["extendedProps"]["when"]


def test_a_day_of_23_hours_is_shown_whole(client, chen, schedule, checkup):
    start = datetime(2026, 3, 9, 3, tzinfo=UTC)  # 23:00 on the day whose clocks went forward
    AppointmentFactory(service=checkup, start=start, schedules=[schedule])
    client.force_login(chen.user)
    [event] = feed(client, "2026-03-08", "2026-03-09")
    assert event["start"] == "2026-03-08T23:00:00"


@pytest.mark.parametrize(
    ("local", "hours"), [("2026-11-01T01:30", [5, 6]), ("2026-03-08T02:30", []), ("2026-11-02T01:30", [6])]
)
def test_a_time_on_the_wall_is_there_once_twice_or_never(local, hours):
    assert [each.hour for each in local_times.instants(datetime.fromisoformat(local), ZONE)] == hours


@pytest.mark.parametrize(
    "query", [{}, {"start": "soon", "end": "2026-12-01"}, {"start": "2026-01-01", "end": "2026-12-01"}]
)
def test_a_range_that_cannot_be_read_says_what_would_be_right(client, chen, schedule, query):
    client.force_login(chen.user)
    answer = client.get("/staff/calendar/events/", query)
    assert answer.status_code == 400
    assert "such as 2026-11-24" in answer.json()["error"]


class TestChanges:
    @pytest.fixture
    def ask(self, client, chen, schedule):
        client.force_login(chen.user)
        since = (timezone.now() - timedelta(seconds=5)).isoformat()

        def request_changes(state=""):
            return client.get("/staff/calendar/changes/", {"since": since}, headers={"If-None-Match": state})

        return request_changes

    def test_nothing_new_costs_nothing(self, ask, visit):
        assert ask(ask().headers["ETag"]).status_code == 304

    def test_a_new_visit_is_news(self, ask, schedule, checkup, noon):
        state = ask().headers["ETag"]
        AppointmentFactory(service=checkup, start=noon, schedules=[schedule])
        assert ask(state).status_code == 200

    def test_a_status_is_news(self, ask, visit):
        state = ask().headers["ETag"]
        Appointment.objects.update(status="fulfilled", version=2, last_updated=timezone.now())
        assert ask(state).status_code == 200

    def test_a_change_of_another_calendar_does_not_count(self, ask, checkup, noon):
        state = ask().headers["ETag"]
        AppointmentFactory(service=checkup, start=noon, schedules=[ScheduleFactory(services=[checkup])])
        assert ask(state).status_code == 304

    def test_a_moment_that_is_none_is_refused(self, client, chen, schedule):
        client.force_login(chen.user)
        assert client.get("/staff/calendar/changes/", {"since": "yesterday"}).status_code == 400


@pytest.mark.parametrize(
    "address",
    [
        "/staff/",
        "/staff/week/",
        "/staff/month/",
        "/staff/calendar/events/?start=2026-11-30&end=2026-12-07",
        "/staff/calendar/changes/?since=2026-11-30T00:00:00Z",
    ],
)
def test_it_asks_as_much_for_many_full_calendars_as_for_one(
    client, rana, schedule, checkup, site, noon, address, django_assert_max_num_queries
):
    client.force_login(rana)
    with CaptureQueriesContext(connection) as of_one:
        client.get(address)
    for each in [schedule, *(ScheduleFactory(services=[checkup], site=site) for _ in range(3))]:
        for hour in range(8):
            start = noon + timedelta(minutes=30 * hour)
            AppointmentFactory(
                service=checkup, start=start, end=start + timedelta(minutes=30), schedules=[each], site=site
            )
    with django_assert_max_num_queries(min(len(of_one), 15) + 4):  # patients, and their disclosures
        client.get(address)


@pytest.mark.parametrize(
    ("day", "now", "start"),
    [
        ("2026-12-01", "2026-11-30T14:07", "2026-12-01T09:00"),
        ("2026-11-30", "2026-11-30T07:50", "2026-11-30T09:00"),
        ("2026-11-30", "2026-11-30T14:07", "2026-11-30T14:15"),
        ("2026-11-30", "2026-11-30T23:50", "2026-12-01T00:00"),
    ],
)
def test_a_new_visit_does_not_begin_in_the_past(day, now, start):
    local = datetime.fromisoformat(now).replace(tzinfo=ZoneInfo(NEW_YORK))
    assert new_visit_start(date.fromisoformat(day), local) == datetime.fromisoformat(start)


def test_the_page_begins_a_new_visit_there(as_rana, schedule, ten):
    page = as_rana.get("/staff/agenda/", {"date": f"{ten:%Y-%m-%d}"})
    assertContains(page, f"/staff/visits/new/?start={ten:%Y-%m-%d}T09%3A00")
