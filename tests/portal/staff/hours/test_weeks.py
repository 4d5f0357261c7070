"""Weekly hours, with a preview of a change."""

from datetime import time, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.available_time import RecurringWeeks, weeks_of
from clinic.models import WEEKDAYS, AuditEvent, Schedule, SchedulingParameters
from portal.staff.hours.recurrences import recurrence_of
from scheduling.core.recurrence import Recurrence, every, week_number
from tests.factories import ScheduleFactory, ServiceFactory, SlotFactory
from tests.portal.staff.hours.form_data import DAY, entered, own_hours, visit_at, window

pytestmark = pytest.mark.django_db


def test_the_hours_of_the_service_are_shown_where_a_calendar_has_none(as_chen, editor):
    response = as_chen.get(editor)
    assertContains(response, "This calendar has no hours of its own")
    assertContains(response, "New York time")
    assert [each.first for each in response.context["hours_page"].versions] == [None]
    assert response.context["form"]["mon-0-opens"].value() == time(9)


@pytest.mark.parametrize("country", ["US", "GB"])  # where weeks begin on a Sunday, and on a Monday
def test_mondays_hours_are_what_is_copied(as_chen, editor, settings, country):
    settings.CLINIC_COUNTRY = country
    page = as_chen.get(editor).content.decode()
    assert page.count("data-copy=") == 1
    assert page.index('data-day="mon"') < page.index("data-copy=") < page.index('data-day="tue"')


def test_a_preview_says_what_would_become_bookable_and_changes_nothing(as_chen, editor, schedule, today):
    response = as_chen.post(editor, entered(schedule.version, "09:00-12:00", since=today + DAY))
    assertContains(response, "Check before you save")
    assert response.context["total"].before == 28 * 31
    assert response.context["total"].after == 28 * 11
    assert not SchedulingParameters.objects.filter(schedule=schedule).exists()
    assert Schedule.objects.get().version == schedule.version


def test_it_says_which_days_lose_times(as_chen, editor, schedule, today):
    monday = today + timedelta(days=7 - today.weekday())
    response = as_chen.post(editor, entered(schedule.version, "09:00-17:00", since=monday, fri="closed"))
    assert [(day.before, day.after, day.difference) for day in response.context["days"]] == [(31, 0, "31 fewer")] * 4
    assert all(day.label.startswith("Fri") for day in response.context["days"])
    assert [(week.before, week.after) for week in response.context["weeks"]] == [(217, 186)] * 4


def test_typed_hours_are_saved(as_chen, editor, schedule, chen):
    data = entered(schedule.version, sat="closed", sun="all-day")
    assertRedirects(Client.post(as_chen, editor, {**data, "step": "save"}), editor)
    workdays = WEEKDAYS[:5]
    assert own_hours(schedule) == [
        {"daysOfWeek": ["sun"], "allDay": True},
        window("09:00", "12:00", *workdays),
        window("13:00", "17:00", *workdays),
    ]
    saved = Schedule.objects.get()
    assert saved.version == schedule.version + 1
    assert saved.last_updated > schedule.last_updated
    assert AuditEvent.objects.get().user == chen.user


def test_hours_every_second_week_and_on_the_first_and_third_weekday(as_chen, editor, schedule, today):
    monday = today - timedelta(days=today.weekday())
    page = as_chen.get(editor)
    offered = [code for code, _label in page.context["form"].fields["mon-0-weeks"].choices]
    assert offered == ["", *offered[1:3], *(f"nth:{nth}" for nth in ("1", "2", "3", "4", "-1", "1,3", "2,4"))]
    this, other = (page.context["form"].fields["sun-0-weeks"].choices[at][1] for at in (1, 2))
    sunday = monday + 6 * DAY
    assert (this, other) == tuple(
        f"every 2 weeks: {first:%b} {first.day}, {later:%b} {later.day}, \N{HORIZONTAL ELLIPSIS}"
        for first, later in ((sunday, sunday + 14 * DAY), (sunday + 7 * DAY, sunday + 21 * DAY))
    )
    code = next(each for each in offered if each and Recurrence(2, week_number(monday) % 2) == recurrence_of(each))
    week = entered(schedule.version, "closed", mon="09:00-12:00 09:00-12:00", wed="13:00-17:00")
    data = {**week, "mon-0-weeks": code, "mon-1-weeks": "nth:1,3"}
    preview = as_chen.post(editor, data)
    assertContains(preview, f"every 2 weeks, next in the week of Mon, {monday:%b} {monday.day}")
    assertContains(preview, "(first and third in the month)")
    assertRedirects(Client.post(as_chen, editor, {**data, "step": "save"}), editor)
    stored = {weeks_of(each) for each in own_hours(schedule)}
    [second] = stored - {RecurringWeeks(), RecurringWeeks(nth=(1, 3))}
    assert (len(stored), every(*second[:2])) == (3, recurrence_of(code))
    form = as_chen.get(editor).context["form"]
    assert {form[f"mon-{row}-weeks"].value() for row in (0, 1)} == {code, "nth:1,3"}


def test_hours_that_overlap_in_the_same_weeks_are_refused(as_chen, editor, schedule):
    week = entered(schedule.version, "closed", mon="09:00-12:00 11:00-13:00")
    refused = as_chen.post(editor, {**week, "mon-1-weeks": "nth:1"})
    assertContains(refused, "Monday: these hours begin at 11:00 AM, before the others have ended.")
    assert refused.context["form"]["mon-1-weeks"].value() == "nth:1"
    assertContains(
        as_chen.post(editor, {**week, "mon-0-weeks": "nth:2", "mon-1-weeks": "nth:1"}), "Check before you save"
    )


def test_the_preview_keeps_everything_that_was_typed(as_chen, editor, schedule):
    data = entered(schedule.version, tue="22:00-06:00")
    preview = as_chen.post(editor, data)
    kept = dict(preview.context["entered"])
    assert kept == {name: value for name, value in data.items() if name != "version"}
    assertContains(preview, "10:00 PM – 6:00 AM the next day")
    changing = as_chen.post(editor, {**kept, "version": schedule.version, "step": "change"})
    assert changing.context["form"]["tue-0-opens"].value() == "22:00"


def test_hours_that_are_typed_count_although_the_services_are_still_chosen(as_chen, editor, schedule):
    """A form without JavaScript keeps the service's hours unless the calendar's own are chosen."""
    as_chen.post(editor, {**entered(schedule.version, "09:00-12:00", whose="service"), "step": "save"})
    assert own_hours(schedule) == [window("09:00", "12:00")]


def test_the_second_to_save_sees_a_conflict_and_loses_nothing(as_chen, editor, schedule):
    data = entered(schedule.version, "09:00-12:00")
    Schedule.objects.update(version=schedule.version + 1)
    answer = as_chen.post(editor, {**data, "step": "save"})
    assert answer.status_code == 409
    assertContains(answer, "Someone else has saved in the meantime", status_code=409)
    assert dict(answer.context["entered"])["mon-0-closes"] == "12:00"
    assert not SchedulingParameters.objects.filter(schedule=schedule).exists()
    as_chen.post(editor, {**data, "version": schedule.version + 1, "step": "save"})
    assert own_hours(schedule) == [window("09:00", "12:00")]


def test_a_calendar_can_go_back_to_the_hours_of_the_service(as_chen, editor, schedule, checkup):
    schedule.scheduling_parameters.create(service=checkup, availability=[window("08:00", "10:00")])
    as_chen.post(editor, {**entered(schedule.version, whose="service"), "step": "save"})
    assert not SchedulingParameters.objects.filter(schedule=schedule).exists()


def test_the_last_change_can_be_undone(as_chen, editor, schedule):
    saved = as_chen.post(editor, {**entered(schedule.version, "09:00-12:00"), "step": "save"}, follow=True)
    assertContains(saved, "Undo the last change")
    as_chen.post(f"{editor}undo/")
    assert not SchedulingParameters.objects.filter(schedule=schedule).exists()
    assertNotContains(as_chen.get(editor), "Undo the last change")


def test_changes_by_others_are_not_undone(as_chen, editor, schedule):
    as_chen.post(editor, {**entered(schedule.version, "09:00-12:00"), "step": "save"})
    Schedule.objects.update(version=9)
    assertContains(as_chen.post(f"{editor}undo/", follow=True), "Nothing was undone")
    assert own_hours(schedule) == [window("09:00", "12:00")]


@pytest.mark.parametrize(
    ("spans", "text"),
    [
        pytest.param("09:00-", "Monday: enter the closing time.", id="no end"),
        pytest.param("-17:00", "Monday: enter the opening time.", id="no start"),
        pytest.param("-", "Monday: enter the hours, or choose Closed.", id="no hours"),
        pytest.param("nine-17:00", "Monday: enter a time such as 9:00 AM.", id="no time"),
        pytest.param(
            "09:00-13:00 12:00-17:00",
            "Monday: these hours begin at 12:00 PM, before the others have ended.",
            id="overlapping",
        ),
        pytest.param(
            "20:00-04:00 22:00-23:00",
            "Monday: these hours begin at 10:00 PM, before the others have ended.",
            id="within a night",
        ),
    ],
)
def test_hours_that_make_no_sense_are_said_to(as_chen, editor, schedule, spans, text):
    answer = as_chen.post(editor, entered(schedule.version, mon=spans))
    assert answer.context["form"].errors
    assertContains(answer, text)
    assert answer.context["form"]["tue-0-opens"].value() == "09:00"


def test_the_list_says_the_hours_of_each(as_chen, editor, schedule, checkup):
    response = as_chen.get("/staff/hours/")
    assertContains(response, editor)
    assertContains(response, "Every day: 9:00 AM – 5:00 PM")
    assertNotContains(response, "Services as a whole")


def test_the_pages_ask_as_much_for_much_as_for_little(as_administrator, editor, schedule, checkup, today):
    acts = [
        lambda: as_administrator.get("/staff/hours/"),
        lambda: as_administrator.get(editor),
        lambda: as_administrator.post(editor, entered(schedule.version, "09:00-12:00")),
        lambda: as_administrator.post(f"/staff/hours/services/{checkup.fhir_id}/", entered(1, "09:00-12:00")),
    ]

    def statements():
        for act in acts:
            act()  # the clinic's zone is cached after the first query, and a disclosure is recorded once
        return [statements_of(act) for act in acts]

    visit_at(schedule, checkup, today + 4 * DAY, 15)
    few = statements()
    for n in range(1, 4):
        ScheduleFactory(services=[checkup, ServiceFactory()], site=schedule.site)
        visit_at(schedule, checkup, today + n * DAY, 15)
        SlotFactory(schedule=schedule, status="free")
    assert statements() == few
    assert max(few) <= 23  # with the redirect to the preview


def statements_of(act):
    """Return the number of queries of a function call."""
    with CaptureQueriesContext(connection) as statements:
        act()
    return len(statements)
