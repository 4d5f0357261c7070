"""Counts of each day, by the days of each site, and the reports that add them up."""

from datetime import UTC, date, datetime, time, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.models import Appointment, CountedDay, MessageFigures, TimeFigures, VisitFigures
from scheduling import reports
from scheduling.access import Caller
from scheduling.reports import KINDS, WEEK, Period
from tests.factories import (
    AppointmentFactory,
    CommunicationFactory,
    LocationFactory,
    PractitionerFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

NEW_YORK, TOKYO = ZoneInfo("America/New_York"), ZoneInfo("Asia/Tokyo")
DAY = date(2026, 3, 10)  # a Tuesday; on the Sunday before it New York changes its clocks
NOW = datetime(2026, 3, 20, 12, tzinfo=NEW_YORK)
OFFICE_HOURS = [{"daysOfWeek": ["tue"], "availableStartTime": "09:00:00", "availableEndTime": "12:00:00"}]


@pytest.fixture
def administrator():
    return Caller(user=UserFactory(is_superuser=True))


@pytest.fixture
def site():
    return LocationFactory(name="Main Street", timezone="America/New_York")


@pytest.fixture
def service():
    return ServiceFactory(name="Check-up", hours=OFFICE_HOURS, cancellation_notice=timedelta(hours=24))


@pytest.fixture
def schedule(service, site):
    return ScheduleFactory(actor=PractitionerFactory(family="Chen"), services=[service], site=site)


def at(hour, day=DAY, zone=NEW_YORK):
    return datetime.combine(day, time(hour), zone)


def visit(schedule, service, start, **fields):
    fields = {"created": start.astimezone(UTC) - timedelta(days=5)} | fields
    return AppointmentFactory(schedules=[schedule], site=schedule.site, service=service, start=start, **fields)


def cancel(appointment, when, reason):
    """Cancel as a use case does: a new version, whose time is when it happened, and no Slot."""
    appointment.slots.update(deleted_at=when)
    coding = {"coding": [{"code": reason}]}
    Appointment.objects.filter(pk=appointment.pk).update(
        status="cancelled", version=2, last_updated=when, cancelation_reason=coding
    )


def values(kind, by, administrator):
    """The figures of a report by the names of its lines, and of all lines by an empty name."""
    report = reports.report_of(KINDS[kind], Period(DAY, DAY), by=by, caller=administrator)
    names = [str(figure.name) for figure in KINDS[kind].figures]
    return {line.label: dict(zip(names, line.values, strict=True)) for line in (*report.lines, report.total)}


def test_visits_are_counted_by_what_became_of_them(schedule, service, administrator):
    visit(schedule, service, at(9), status="fulfilled", attendance_confirmed=at(8))
    visit(schedule, service, at(10), status="noshow")
    visit(schedule, service, at(11), created=at(11) - timedelta(days=1))
    for hour, ended, reason in (
        (12, at(12) - timedelta(hours=23), "pat"),  # too late
        (13, at(13) - timedelta(hours=25), "pat"),  # in time
        (14, at(13), "prov"),  # by the clinic
    ):
        cancel(visit(schedule, service, at(hour)), ended, reason)
    held = [{"actor": {"reference": "Patient/1"}, "status": "tentative"}]
    visit(schedule, service, at(15), status="cancelled", participant=held)  # a hold that nobody booked
    visit(schedule, service, at(16), deleted_at=NOW)
    reports.count_days(now=NOW)
    figures = values("visits", "service", administrator)
    assert figures["Check-up"] == figures[""]
    assert figures[""] == {
        "Visits": 3,
        "Done": 1,
        "No-shows": 1 / 3,
        "Cancelled": 3,
        "Cancelled late": 1 / 6,
        "Confirmed": 1 / 3,
        "Booked ahead": pytest.approx((5 + 5 + 1) / 3),
    }
    assert values("visits", "person", administrator)[str(schedule.actor)] == figures[""]


def test_a_change_after_the_cancellation_does_not_make_it_later(schedule, service, administrator):
    appointment = visit(schedule, service, at(12))
    cancel(appointment, at(12) - timedelta(days=3), "pat")
    Appointment.objects.filter(pk=appointment.pk).update(version=3, comment="told", last_updated=at(13))
    reports.count_days(now=NOW)
    assert values("visits", "site", administrator)[""]["Cancelled late"] == 0


def test_a_visit_that_was_restored_counts_by_its_last_cancellation(schedule, service, administrator):
    appointment = visit(schedule, service, at(12))
    cancel(appointment, at(12) - timedelta(days=3), "pat")
    restored = Appointment.objects.filter(pk=appointment.pk)
    restored.update(version=3, status="booked", last_updated=at(12) - timedelta(days=2))
    restored.update(version=4, status="cancelled", last_updated=at(11))
    restored.update(version=5, comment="told", last_updated=at(13))
    reports.count_days(now=NOW)
    assert values("visits", "site", administrator)[""]["Cancelled late"] == 1


def test_each_site_has_its_own_days(schedule, service, administrator):
    """At nine in Tokyo on the 11th it is evening in New York on the 10th."""
    tokyo = LocationFactory(name="Ginza", timezone="Asia/Tokyo")
    there = ScheduleFactory(services=[service], site=tokyo)
    visit(there, service, at(9, DAY + timedelta(days=1), TOKYO))
    visit(schedule, service, at(23))
    reports.count_days(now=NOW)
    assert set(VisitFigures.objects.values_list("day", "site__name")) == {
        (DAY, "Main Street"),
        (DAY + timedelta(days=1), "Ginza"),
    }


def test_open_time_is_the_hours_without_blocks_and_stays_as_it_was(schedule, service, administrator):
    visit(schedule, service, at(9), status="fulfilled")  # half an hour of three hours
    SlotFactory(schedule=schedule, start=at(11), end=at(12), status="busy-unavailable")
    reports.count_days(now=NOW)
    assert values("time", "person", administrator)[str(schedule.actor)] == {"Open": 2, "With visits": 0.5, "Used": 0.25}
    parameters = service.scheduling_parameters.get()
    parameters.availability = [OFFICE_HOURS[0] | {"availableEndTime": "10:00:00"}]
    parameters.save()
    visit(schedule, service, at(10), status="fulfilled", last_updated=NOW)
    reports.count_days(now=NOW + timedelta(minutes=5))
    assert values("time", "person", administrator)[str(schedule.actor)] == {"Open": 2, "With visits": 1, "Used": 0.5}
    call_command("rebuild_reports", str(DAY), str(DAY), open_time=True, stdout=StringIO())
    assert values("time", "person", administrator)[str(schedule.actor)] == {"Open": 1, "With visits": 1, "Used": 1}


def test_messages_are_counted_when_they_were_sent_or_should_have_been(schedule, service, administrator):
    about = {"appointment": visit(schedule, service, at(9)), "medium": "email"}
    CommunicationFactory(**about, event="confirmation", status="completed", sent=at(8), due=at(7))
    CommunicationFactory(**about, event="reminder", status="not-done", attempts=3, due=at(8), occasion="1")
    CommunicationFactory(**about, event="reminder", status="not-done", attempts=0, due=at(8), occasion="2")  # withdrawn
    reports.count_days(now=NOW)
    assert values("messages", "medium", administrator) == {
        "Email": {"Sent": 1, "Failed": 1, "Share failed": 0.5},
        "": {"Sent": 1, "Failed": 1, "Share failed": 0.5},
    }


def test_only_days_that_have_changed_are_counted_again(schedule, service, administrator):
    first = visit(schedule, service, at(9), last_updated=NOW - timedelta(days=9))
    other = visit(schedule, service, at(9, DAY - timedelta(days=1)), last_updated=NOW - timedelta(days=9))
    assert reports.count_days(now=NOW) == 12  # from the first visit to today
    later = NOW + timedelta(hours=1)
    assert reports.count_days(now=later) == 1  # today
    Appointment.objects.filter(pk=first.pk).update(status="noshow", last_updated=later, version=2)
    VisitFigures.objects.filter(day=DAY - timedelta(days=1)).update(visits=7)
    assert reports.count_days(now=later + timedelta(minutes=1)) == 2
    assert values("visits", "site", administrator)[""]["No-shows"] == 1
    assert other.start.date() == DAY - timedelta(days=1)
    assert VisitFigures.objects.get(day=DAY - timedelta(days=1)).visits == 7


def test_a_run_that_was_cut_off_is_made_up_for(schedule, service, administrator):
    for days in range(0, 60, 20):
        visit(schedule, service, at(9, DAY - timedelta(days=days)))
    reports.count_days(now=NOW)
    latest = DAY - timedelta(days=30)
    for table in (CountedDay, VisitFigures):
        table.objects.filter(day__gt=latest).delete()
    reports.count_days(now=NOW)
    assert VisitFigures.objects.count() == 3


def test_counting_twice_changes_nothing(schedule, service, administrator):
    visit(schedule, service, at(9))
    CommunicationFactory(event="confirmation", status="completed", sent=at(8), due=at(7), medium="email")
    reports.count_days(now=NOW)
    tables = (VisitFigures, TimeFigures, MessageFigures)
    before = [list(table.objects.values_list("day")) for table in tables]
    reports.count_again(DAY - timedelta(days=400), DAY + timedelta(days=400), now=NOW)
    assert [list(table.objects.filter(day__range=(DAY, DAY)).values_list("day")) for table in tables] == before[:1] + [
        [row for row in rows if row == (DAY,)] for rows in before[1:]
    ]


def test_weeks_are_compared_with_the_weeks_before(schedule, service, administrator):
    for days, hour in ((0, 9), (0, 10), (-7, 9)):
        visit(schedule, service, at(hour, DAY + timedelta(days=days)))
    reports.count_days(now=NOW)
    monday = date(2026, 3, 9)
    period = Period(monday, monday + timedelta(days=13))
    assert period.before == Period(date(2026, 2, 23), date(2026, 3, 8))
    report = reports.report_of(KINDS["visits"], period, by=WEEK, caller=administrator)
    assert [(line.label, line.values[0], line.before[0]) for line in report.lines] == [
        ("March 9, 2026", 2, 0),
        ("March 16, 2026", 0, 1),
    ]
    assert (report.total.values[0], report.total.before[0]) == (2, 1)


def test_staff_see_the_figures_of_their_sites_and_of_their_own_work(schedule, service, administrator):
    elsewhere = ScheduleFactory(services=[service], site=LocationFactory(timezone="America/New_York"))
    for each in (schedule, elsewhere):
        about = visit(each, service, at(9))
        CommunicationFactory(
            appointment=about, event="confirmation", status="completed", sent=at(8), due=at(7), medium="email"
        )
    reports.count_days(now=NOW)
    desk = UserFactory()
    desk.desk_locations.add(schedule.site)
    practitioner = schedule.actor
    practitioner.user = UserFactory()
    practitioner.save()

    def seen(caller):
        period = Period(DAY, DAY)
        totals = [reports.report_of(KINDS[kind], period, by=WEEK, caller=caller).total for kind in KINDS]
        return [total.values[0] for total in totals]

    assert seen(administrator) == [2, 6, 0, 2]
    assert seen(Caller(user=desk)) == [1, 3, 0, 1]
    assert seen(Caller(user=practitioner.user)) == [1, 3, 0, 0]
    assert seen(Caller(user=UserFactory())) == [0, 0, 0, 0]


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_asks_as_much_of_many_rows_as_of_one(schedule, service, administrator, kind):
    def statements():
        with CaptureQueriesContext(connection) as captured:
            for by in KINDS[kind].divisions:
                reports.report_of(KINDS[kind], Period(DAY, DAY + timedelta(days=60)), by=by, caller=administrator)
        return len(captured)

    visit(schedule, service, at(9))
    reports.count_days(now=NOW)
    alone = statements()
    for days in range(1, 6):
        other = ScheduleFactory(services=[service], site=LocationFactory(timezone="America/New_York"))
        visit(other, service, at(9, DAY + timedelta(days=days)))
    reports.count_days(now=NOW)
    assert statements() == alone


def test_the_next_free_times_are_those_that_patients_find(schedule, service):
    never = ServiceFactory(name="Never", hours=[])
    now = datetime(2026, 3, 9, 12, tzinfo=UTC)
    for start in (at(9), datetime.combine(DAY, time(9, 30), NEW_YORK)):
        visit(schedule, service, start)
    [found] = reports.next_free_times([service.pk, never.pk], now=now)
    assert found.service == service
    assert (found.first, found.third) == (at(10), at(10) + timedelta(minutes=30))
    assert str(found.first.tzinfo) == schedule.site.timezone
