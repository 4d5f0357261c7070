"""Staff set weekly hours, closures and extra time, and see before what it would do."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import WEEKDAYS, AuditEvent, Schedule, SchedulingParameters, Slot
from tests.factories import (
    NEW_YORK,
    AppointmentFactory,
    LocationFactory,
    PatientFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def today():
    return timezone.now().astimezone(ZoneInfo(NEW_YORK)).date()


@pytest.fixture
def editor(schedule, checkup):
    return f"/staff/hours/calendars/{schedule.fhir_id}/{checkup.fhir_id}/"


@pytest.fixture
def as_chen(client, chen):
    client.force_login(chen.user)
    return client


@pytest.fixture
def as_administrator(client):
    client.force_login(UserFactory(is_superuser=True))
    return client


def entered(version, spans="09:00-12:00 13:00-17:00", *, since="", whose="own", **days):
    """A week as the form posts it: the same hours every day, but where a day is named."""
    data = {"version": version, "since": since, "whose": whose}
    for code in WEEKDAYS:
        hours = days.get(code, spans)
        data[f"{code}-state"] = hours if hours in ("closed", "all-day") else "open"
        for row, span in enumerate(hours.split() if data[f"{code}-state"] == "open" else ()):
            data[f"{code}-{row}-opens"], data[f"{code}-{row}-closes"] = span.split("-")
    return data


def own_hours(schedule):
    return SchedulingParameters.objects.get(schedule=schedule).availability


def window(opens, closes, *days, start=None, end=None):
    period = {name: str(day) for name, day in (("start", start), ("end", end)) if day}
    url = "https://clinic.example/fhir/StructureDefinition/availability-period"
    dated = {"extension": [{"url": url, "valuePeriod": period}]} if period else {}
    times = {"availableStartTime": f"{opens}:00", "availableEndTime": f"{closes}:00"}
    return {**dated, "daysOfWeek": list(days or WEEKDAYS), **times}


def visit_at(schedule, service, day, hour, **fields):
    start = datetime.combine(day, time(hour), ZoneInfo(NEW_YORK))
    end = start + timedelta(minutes=30)
    fields = {"patient": PatientFactory(given="Elena", family="Marquez"), "site": schedule.site, **fields}
    return AppointmentFactory(service=service, start=start, end=end, schedules=[schedule], **fields)


def test_the_hours_of_the_service_are_shown_where_a_calendar_has_none(as_chen, editor):
    shown = as_chen.get(editor)
    assertContains(shown, "This calendar has no hours of its own")
    assertContains(shown, "New York time")
    assert [each.first for each in shown.context["place"].versions] == [None]
    assert shown.context["form"]["mon-0-opens"].value() == time(9)


def test_a_preview_says_what_would_become_bookable_and_changes_nothing(as_chen, editor, schedule, today):
    shown = as_chen.post(editor, entered(schedule.version, "09:00-12:00", since=today + DAY))
    assertContains(shown, "Check before you save")
    assert shown.context["total"].before == 28 * 31
    assert shown.context["total"].after == 28 * 11
    assert not SchedulingParameters.objects.filter(schedule=schedule).exists()
    assert Schedule.objects.get().version == schedule.version


def test_it_says_which_days_lose_times(as_chen, editor, schedule, today):
    monday = today + timedelta(days=7 - today.weekday())
    shown = as_chen.post(editor, entered(schedule.version, "09:00-17:00", since=monday, fri="closed"))
    assert [(day.before, day.after, day.difference) for day in shown.context["days"]] == [(31, 0, "31 fewer")] * 4
    assert all(day.label.startswith("Fri") for day in shown.context["days"])
    assert [(week.before, week.after) for week in shown.context["weeks"]] == [(217, 186)] * 4


def test_what_was_typed_is_saved(as_chen, editor, schedule, chen):
    data = entered(schedule.version, sat="closed", sun="all-day")
    answer = as_chen.post(editor, {**data, "step": "save"})
    assertRedirects(answer, editor)
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


def test_the_preview_keeps_everything_that_was_typed(as_chen, editor, schedule):
    data = entered(schedule.version, tue="22:00-06:00")
    preview = as_chen.post(editor, data)
    kept = dict(preview.context["entered"])
    assert kept == {name: value for name, value in data.items() if name != "version"}
    assertContains(preview, "22:00 to 06:00 the next day")
    changing = as_chen.post(editor, {**kept, "version": schedule.version, "step": "change"})
    assert changing.context["form"]["tue-0-opens"].value() == "22:00"


def test_a_new_version_begins_on_its_day_and_the_one_before_ends_the_day_before(as_chen, editor, schedule, today):
    first = today + timedelta(days=40)
    as_chen.post(editor, {**entered(schedule.version, "08:00-10:00", since=first), "step": "save"})
    assert own_hours(schedule) == [
        window("09:00", "17:00", end=first - DAY),
        window("08:00", "10:00", start=first),
    ]
    shown = as_chen.get(editor, {"first": first})
    assert [each.first for each in shown.context["place"].versions] == [None, first]
    assert shown.context["form"]["mon-0-opens"].value() == time(8)


def test_a_version_that_is_removed_leaves_the_one_before_it(as_chen, editor, schedule, checkup, today):
    first = today + timedelta(days=10)
    hours = [window("09:00", "17:00", end=first - DAY), window("08:00", "10:00", start=first)]
    schedule.scheduling_parameters.create(service=checkup, availability=hours)
    data = {"version": schedule.version, "since": first}
    preview = as_chen.post(f"{editor}remove/", data)
    assert (preview.context["total"].before, preview.context["total"].after) == (28 * 7, 28 * 31)
    as_chen.post(f"{editor}remove/", {**data, "step": "save"})
    assert own_hours(schedule) == [window("09:00", "17:00")]


def test_a_new_version_does_not_begin_in_the_past(as_chen, editor):
    assertContains(as_chen.get(editor, {"first": "2020-05-01"}), "This day has passed")


def test_visits_outside_the_new_hours_are_listed_and_stay_booked(as_chen, editor, schedule, checkup, today):
    outside = visit_at(schedule, checkup, today + 3 * DAY, 15)
    visit_at(schedule, checkup, today + 3 * DAY, 10, patient=PatientFactory(given="Otto"))
    data = entered(schedule.version, "09:00-12:00")
    preview = as_chen.post(editor, data)
    assert [each.appointment for each in preview.context["stranded"]] == [outside]
    assertContains(preview, "1 booked visit would be outside the hours")
    assertContains(preview, "Elena Marquez")
    assertContains(preview, "15:00 to 15:30")
    as_chen.post(editor, {**data, "step": "save"})
    outside.refresh_from_db()
    assert outside.status == "booked"


def test_visits_after_the_four_weeks_are_counted(as_chen, editor, schedule, checkup, today):
    visit_at(schedule, checkup, today + 40 * DAY, 10)
    assertContains(as_chen.post(editor, entered(schedule.version, "09:00-12:00")), "1 visit is booked after")


def test_hours_that_are_typed_count_although_the_services_are_still_chosen(as_chen, editor, schedule):
    """Without JavaScript nobody chooses the calendar's own hours for them."""
    as_chen.post(editor, {**entered(schedule.version, "09:00-12:00", whose="service"), "step": "save"})
    assert own_hours(schedule) == [window("09:00", "12:00")]


def test_a_visit_that_was_outside_already_is_not_blamed_on_the_change(as_chen, editor, schedule, checkup, today):
    visit_at(schedule, checkup, today + 3 * DAY, 20)
    preview = as_chen.post(editor, entered(schedule.version, "09:00-12:00"))
    assert preview.context["stranded"] == []


def test_whoever_saves_second_is_told_and_loses_nothing(as_chen, editor, schedule):
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


def test_what_others_have_changed_since_is_not_undone(as_chen, editor, schedule):
    as_chen.post(editor, {**entered(schedule.version, "09:00-12:00"), "step": "save"})
    Schedule.objects.update(version=9)
    assertContains(as_chen.post(f"{editor}undo/", follow=True), "Nothing was undone")
    assert own_hours(schedule) == [window("09:00", "12:00")]


@pytest.mark.parametrize(
    ("spans", "text"),
    [
        pytest.param("09:00-", "Monday: enter until when it is open.", id="no end"),
        pytest.param("-17:00", "Monday: enter from when on it is open.", id="no start"),
        pytest.param("-", "Monday: enter the hours, or choose Closed.", id="no hours"),
        pytest.param("nine-17:00", "Monday: enter a time such as 09:00.", id="no time"),
        pytest.param(
            "09:00-13:00 12:00-17:00",
            "Monday: these hours begin at 12:00, before the others have ended.",
            id="overlapping",
        ),
        pytest.param(
            "20:00-04:00 22:00-23:00",
            "Monday: these hours begin at 22:00, before the others have ended.",
            id="within a night",
        ),
    ],
)
def test_hours_that_make_no_sense_are_said_to(as_chen, editor, schedule, spans, text):
    answer = as_chen.post(editor, entered(schedule.version, mon=spans))
    assert answer.context["form"].errors
    assertContains(answer, text)
    assert answer.context["form"]["tue-0-opens"].value() == "09:00"


def test_a_closure_is_previewed_saved_listed_and_removed(as_chen, editor, schedule, checkup, today):
    visit_at(schedule, checkup, today + 3 * DAY, 15)
    data = {
        "version": schedule.version,
        "first": today + 3 * DAY,
        "first_time": "12:00",
        "last": today + 4 * DAY,
        "description": "Training",
    }
    preview = as_chen.post(f"{editor}closures/", data)
    assertContains(preview, "Training")
    assertContains(preview, "Elena Marquez")
    assert [(day.before, day.after) for day in preview.context["days"]] == [(28, 11), (31, 0)]
    as_chen.post(f"{editor}closures/", {**data, "step": "save"})
    [closure] = SchedulingParameters.objects.get(schedule=schedule).not_available
    start = datetime.combine(today + 3 * DAY, time(12), ZoneInfo(NEW_YORK)).isoformat()
    assert closure == {"description": "Training", "during": {"start": start, "end": str(today + 4 * DAY)}}
    listed = as_chen.get(editor)
    assertContains(listed, "Training")
    [shown] = listed.context["place"].closures
    removal = {"version": schedule.version + 1, "entry": shown.written}
    assert as_chen.post(f"{editor}closures/remove/", removal).context["total"].difference == "48 more"
    as_chen.post(f"{editor}closures/remove/", {**removal, "step": "save"})
    assert not SchedulingParameters.objects.filter(schedule=schedule).exists()


def test_a_closure_ends_after_it_starts(as_chen, editor, schedule, today):
    data = {"version": schedule.version, "first": today + DAY, "last": today}
    assertContains(as_chen.post(f"{editor}closures/", data), "A closure ends after it starts")


def test_extra_time_is_previewed_added_and_removed(as_chen, editor, schedule, checkup, today):
    day = today + 3 * DAY
    data = {"day": day, "opens": "18:00", "closes": "20:00", "note": "Evening clinic"}
    preview = as_chen.post(f"{editor}extra/", data)
    assert [(each.before, each.after) for each in preview.context["days"]] == [(31, 38)]
    assert not Slot.objects.exists()
    as_chen.post(f"{editor}extra/", {**data, "step": "save"})
    slot = Slot.objects.get()
    assert (slot.status, slot.comment, slot.service_type) == ("free", "Evening clinic", checkup.type)
    assert slot.start == datetime.combine(day, time(18), ZoneInfo(NEW_YORK))
    assertContains(as_chen.get(editor), "Evening clinic")
    visit_at(schedule, checkup, day, 19)
    removal = f"{editor}extra/{slot.fhir_id}/remove/"
    assertContains(as_chen.post(removal), "Elena Marquez")
    assert Slot.objects.filter(status="free", deleted_at=None).exists()
    as_chen.post(removal, {"step": "save"})
    assert not Slot.objects.filter(status="free", deleted_at=None).exists()


def test_extra_time_has_not_passed(as_chen, editor, today):
    data = {"day": today - DAY, "opens": "18:00", "closes": "20:00"}
    assertContains(as_chen.post(f"{editor}extra/", data), "This day has passed")


def test_patients_set_no_hours(as_ada, editor):
    assert as_ada.get("/staff/hours/").status_code == 403
    assert as_ada.get(editor).status_code == 403


def test_nor_does_anyone_who_is_not_signed_in(client, editor):
    assert client.get(editor).url.startswith("/accounts/login/")


def test_the_front_desk_sets_those_of_its_site_alone(client, rana, editor, checkup, schedule):
    elsewhere = ScheduleFactory(services=[checkup], site=LocationFactory(name="Elsewhere"))
    client.force_login(rana)
    assert client.get(editor).status_code == 200
    there = f"/staff/hours/calendars/{elsewhere.fhir_id}/{checkup.fhir_id}/"
    assert client.get(there).status_code == 404
    assert client.post(there, {**entered(1), "step": "save"}).status_code == 404
    assertNotContains(client.get("/staff/hours/"), "Elsewhere")


def test_a_practitioner_sets_their_own_alone(as_chen, checkup, site):
    colleague = ScheduleFactory(services=[checkup], site=site)
    assert as_chen.get(f"/staff/hours/calendars/{colleague.fhir_id}/{checkup.fhir_id}/").status_code == 404


def test_a_calendar_has_only_the_services_it_gives(as_chen, schedule):
    other = ServiceFactory()
    assert as_chen.get(f"/staff/hours/calendars/{schedule.fhir_id}/{other.fhir_id}/").status_code == 404


def test_only_administrators_set_a_service_as_a_whole(as_chen, checkup):
    assert as_chen.get(f"/staff/hours/services/{checkup.fhir_id}/").status_code == 403


def test_a_service_as_a_whole_changes_the_calendars_without_hours_of_their_own(as_administrator, schedule, checkup):
    ScheduleFactory(services=[checkup], parameters={"availability": [window("10:00", "11:00")]})
    editor = f"/staff/hours/services/{checkup.fhir_id}/"
    data = entered(checkup.version, "09:00-12:00")
    tomorrow_on = {"since": timezone.now().astimezone(ZoneInfo(NEW_YORK)).date() + DAY}
    preview = as_administrator.post(editor, {**data, **tomorrow_on})
    assert (preview.context["total"].before, preview.context["total"].after) == (28 * (31 + 3), 28 * (11 + 3))
    as_administrator.post(editor, {**data, "step": "save"})
    assert SchedulingParameters.objects.get(schedule=None).availability == [window("09:00", "12:00")]
    checkup.refresh_from_db()
    assert checkup.version == 2


def test_a_service_that_nobody_gives_can_be_set_all_the_same(as_administrator, checkup):
    editor = f"/staff/hours/services/{checkup.fhir_id}/"
    assertContains(as_administrator.post(editor, entered(1)), "No calendar gives this service.")


def test_the_list_says_the_hours_of_each(as_chen, editor, schedule, checkup):
    shown = as_chen.get("/staff/hours/")
    assertContains(shown, editor)
    assertContains(shown, "Monday to Sunday: 09:00 to 17:00")
    assertNotContains(shown, "Services as a whole")


def test_the_pages_ask_as_much_for_much_as_for_little(
    as_administrator, editor, schedule, checkup, today, django_assert_num_queries
):
    as_administrator.get(editor)
    for n in range(1, 4):
        ScheduleFactory(services=[checkup, ServiceFactory()], site=schedule.site)
        visit_at(schedule, checkup, today + n * DAY, 15)
        SlotFactory(schedule=schedule, status="free")
    with django_assert_num_queries(9):
        as_administrator.get("/staff/hours/")
    with django_assert_num_queries(10):
        as_administrator.get(editor)
    with django_assert_num_queries(14):
        as_administrator.post(editor, entered(schedule.version, "09:00-12:00"))
    with django_assert_num_queries(12):
        as_administrator.post(f"/staff/hours/services/{checkup.fhir_id}/", entered(1, "09:00-12:00"))


def test_hours_that_begin_far_ahead_are_counted_although_nobody_can_book_them_yet(as_chen, editor, schedule, checkup):
    checkup.booking_horizon_days = 30
    checkup.save()
    first = timezone.now().date() + timedelta(days=400)
    preview = as_chen.post(editor, entered(schedule.version, "09:00-12:00", since=first))
    assert (preview.context["total"].before, preview.context["total"].after) == (28 * 31, 28 * 11)
