"""Settings of a service (lengths, buffers, notice, reminders, requirements) and of a single calendar."""

from datetime import timedelta

import pytest
from django.test import Client
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import HealthcareService, Schedule, SchedulingParameters
from tests.factories import AppointmentFactory, QuestionnaireFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def calendar_page(schedule, checkup):
    return f"/staff/hours/calendars/{schedule.fhir_id}/{checkup.fhir_id}/settings/"


@pytest.fixture
def service_page(schedule, checkup):
    return f"/staff/hours/services/{checkup.fhir_id}/settings/"


def of_calendar(**changed):
    return {"version": 1, "duration": "", "buffer_before": "", "meeting_url": "", **changed}


def of_service(**changed):
    return {
        "version": 1,
        "duration": 30,
        "alignment_interval": 15,
        "minimum_notice_count": 1,
        "minimum_notice_unit": 60,
        "cancellation_notice_count": 1,
        "cancellation_notice_unit": 1440,
        "eligibility": "everyone",
        "reminder-0_count": 2,
        "reminder-0_unit": 1440,
        "reminder-1_count": 2,
        "reminder-1_unit": 60,
        **changed,
    }


def test_it_is_said_in_words(as_chen, calendar_page, schedule, checkup):
    schedule.scheduling_parameters.create(service=checkup, buffer_before=5, buffer_after=10)
    response = as_chen.get(calendar_page)
    assertContains(response, "30 minutes, 5 minutes before, 10 minutes after, starts every 15 minutes")
    assertContains(response, "Leave empty to use the service\u2019s: 30 minutes.")


def test_a_calendar_differs_from_its_service(as_chen, calendar_page, schedule):
    data = of_calendar(duration=45, buffer_after=15, meeting_url="https://video.example/chen")
    preview = as_chen.post(calendar_page, data)
    assertContains(preview, "45 minutes, 15 minutes after, starts every 15 minutes")
    assert preview.context["total"].after < preview.context["total"].before
    assert not SchedulingParameters.objects.filter(schedule=schedule).exists()
    assertRedirects(Client.post(as_chen, calendar_page, {**data, "step": "save"}), calendar_page)
    own = SchedulingParameters.objects.get(schedule=schedule)
    assert (own.duration, own.buffer_before, own.buffer_after) == (45, None, 15)
    saved = Schedule.objects.get()
    assert (saved.version, saved.meeting_url) == (2, "https://video.example/chen")


def test_a_longer_visit_strands_none_that_is_booked(as_chen, calendar_page, schedule, checkup, ten):
    last = ten.replace(hour=16, minute=30)
    AppointmentFactory(service=checkup, start=last, end=last + timedelta(minutes=30), schedules=[schedule])
    assert as_chen.post(calendar_page, of_calendar(duration=60)).context["stranded"] == []


def test_settings_for_administrators_are_not_shown_to_others(as_chen, calendar_page, service_page):
    assertNotContains(as_chen.get(calendar_page), "Who it is for")
    assert as_chen.get(service_page).status_code == 403
    assert as_chen.post(service_page, {**of_service(), "step": "save"}).status_code == 403


def test_an_administrator_sets_the_service_for_everyone(as_administrator, service_page, checkup):
    questionnaire = QuestionnaireFactory(title="Allergies")
    data = of_service(
        duration=20,
        minimum_notice_count=4,
        booking_horizon_days=60,
        cancellation_notice_count=2,
        eligibility="returning",
        requires_coverage="on",
        requires_care_team="on",
        requires_questionnaires="on",
        questionnaires=[questionnaire.pk],
        preparation="Drink water.",
        **{"reminder-1_count": "", "reminder-2_count": 90, "reminder-2_unit": 1},
    )
    preview = as_administrator.post(service_page, data)
    for words in ("20 minutes", "Returning patients", "Allergies", "Drink water.", "4 hours", "2 days"):
        assertContains(preview, words)
    assert HealthcareService.objects.get().preparation == ""
    as_administrator.post(service_page, {**data, "step": "save"})
    saved = HealthcareService.objects.get()
    assert saved.version == 2
    assert saved.minimum_notice == timedelta(hours=4)
    assert saved.booking_horizon_days == 60
    assert saved.cancellation_notice == timedelta(days=2)
    assert saved.reminders == [timedelta(days=2), timedelta(minutes=90)]
    assert (saved.eligibility, saved.preparation) == ("returning", "Drink water.")
    assert saved.requires_coverage
    assert saved.requires_care_team
    assert saved.requires_questionnaires
    assert list(saved.questionnaires.all()) == [questionnaire]
    assert SchedulingParameters.objects.get(schedule=None).duration == 20


LIMITS = {
    "total_day_limit": 40,
    "total_week_limit": 150,
    "new_patient_limit": 5,
    "patient_limit": 2,
    "patient_week_limit": 1,
}


def test_an_administrator_limits_how_many_are_booked(as_administrator, service_page):
    data = of_service(day_limit=3, week_limit=12, new_patient_session_limit=2, **LIMITS)
    preview = as_administrator.post(service_page, data)
    for words in (
        "3 visits a day, 12 visits a week, 2 new patients a session",
        "Upcoming visits of one patient",
        "New patients a day",
    ):
        assertContains(preview, words)
    as_administrator.post(service_page, {**data, "step": "save"})
    assert HealthcareService.objects.filter(**LIMITS).count() == 1
    assert SchedulingParameters.objects.filter(schedule=None, day_limit=3, new_patient_session_limit=2).count() == 1


def test_a_practitioner_limits_their_own_calendar(as_chen, calendar_page, schedule, checkup, ten):
    checkup.scheduling_parameters.update(day_limit=8)
    assertContains(as_chen.get(calendar_page), "On one calendar. Leave empty to use the service\u2019s: 8.")
    AppointmentFactory(service=checkup, start=ten, end=ten + timedelta(minutes=30), schedules=[schedule])
    data = of_calendar(day_limit=4, total_day_limit=1)
    preview = as_chen.post(calendar_page, data)
    assertContains(preview, "4 visits a day")
    assert {day: after for day, _, after in preview.context["preview"].changed}[ten.date()] == 0
    as_chen.post(calendar_page, {**data, "step": "save"})
    assert Schedule.objects.get().total_day_limit == 1
    assert SchedulingParameters.objects.get(schedule=schedule).day_limit == 4


def test_notice_and_horizon_are_part_of_what_is_counted(as_administrator, service_page):
    preview = as_administrator.post(service_page, of_service(booking_horizon_days=7))
    assert [week.after for week in preview.context["weeks"][2:]] == [0, 0]


def test_an_unchanged_service_has_nothing_to_save(as_administrator, service_page):
    preview = as_administrator.post(service_page, of_service())
    assertContains(preview, "there is nothing to save.")
    assertNotContains(preview, 'value="save"')


def test_the_second_to_save_sees_a_conflict(as_administrator, service_page):
    HealthcareService.objects.update(version=2)
    answer = as_administrator.post(service_page, {**of_service(duration=20), "step": "save"})
    assertContains(answer, "Someone else has saved in the meantime", status_code=409)
    assert dict(answer.context["entered"])["duration"] == "20"


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        pytest.param({"duration": ""}, "Length of a visit: enter a whole number from 1 to 1440.", id="no length"),
        pytest.param({"duration": 0}, "Length of a visit: enter a whole number from 1 to 1440.", id="no time at all"),
        pytest.param({"day_limit": 0}, "Visits a day: enter a whole number from 1 to 1000.", id="no visits at all"),
        pytest.param({"slot_capacity": 500}, "Patients at the same time: enter a whole number from 1", id="a crowd"),
        pytest.param({"buffer_after": "ten"}, "Kept free after it: enter a whole number from 0", id="a word"),
        pytest.param({"minimum_notice_count": -3}, "Enter 0 or more.", id="a negative notice"),
        pytest.param({"minimum_notice_count": ""}, "Enter how long, or 0 for no minimum.", id="no notice"),
        pytest.param(
            {"minimum_notice_count": 400, "minimum_notice_unit": 1440}, "Enter at most 365 days.", id="too long"
        ),
        pytest.param({"reminder-0_count": "two"}, "Enter a whole number.", id="no number"),
    ],
)
def test_invalid_settings_are_refused_beside_their_fields(as_administrator, service_page, changed, text):
    assertContains(as_administrator.post(service_page, of_service(**changed)), text)


def test_a_video_room_that_is_no_link_is_refused_in_plain_words(as_chen, calendar_page):
    answer = as_chen.post(calendar_page, of_calendar(meeting_url="my room", duration=20))
    assertContains(answer, "Enter the link of the video room, such as https://video.example.org/room.")
    assertContains(answer, 'value="my room"')
    assertContains(answer, 'value="20"')


def test_the_lengths_can_be_undone(as_chen, calendar_page, schedule):
    saved = as_chen.post(calendar_page, {**of_calendar(duration=45), "step": "save"}, follow=True)
    assertContains(saved, "Undo the last change")
    as_chen.post(calendar_page.replace("settings/", "undo/"))
    assert not SchedulingParameters.objects.filter(schedule=schedule).exists()
