"""Messages that a booking, a move and a cancellation write: when they are due and who gets them."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.models import Communication, Event, Medium
from scheduling import availability, booking, notifications
from scheduling.booking import StatusRequest
from scheduling.errors import TimeTaken
from scheduling.notifications import quiet_hours
from tests.factories import (
    NEW_YORK,
    LocationFactory,
    MessagePreferencesFactory,
    PatientFactory,
    RelatedPersonFactory,
    ScheduleFactory,
    UserFactory,
)
from tests.scheduling.situations import SOFTWARE, book, hold, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)

ZONE = ZoneInfo(NEW_YORK)
EVERY_WAY = {"email", "sms", "in-app"}


@pytest.fixture(autouse=True)
def texts_are_sent(settings):
    settings.SMS_ENABLED = True


def planned(**conditions):
    return set(Communication.objects.filter(status="preparation", **conditions).values_list("event", "medium"))


def move(appointment, service, *schedules, to, **how):
    offerings = availability.offerings_of(service, [schedule.fhir_id for schedule in schedules])
    request = booking.RescheduleRequest(offerings=tuple(offerings), start=to, **how)
    return booking.reschedule(appointment.fhir_id, request, caller=SOFTWARE, now=timezone.now())


def cancel(appointment, **how):
    return booking.cancel(appointment.fhir_id, StatusRequest(**how), caller=SOFTWARE, now=timezone.now())


def test_a_booking_is_confirmed_and_reminded_of_by_every_way_there_is(service, chen, ada):
    book(wish(service, chen, at=monday(10), patient=ada))

    assert planned() == {(event, medium) for event in ("confirmation", "reminder") for medium in EVERY_WAY}
    assert Communication.objects.filter(event="reminder", medium="email").count() == 2


def test_a_hold_tells_nothing_before_it_is_confirmed(service, chen, ada):
    held = hold(wish(service, chen, at=monday(10), patient=ada))
    assert not planned()

    booking.confirm(held.fhir_id, caller=SOFTWARE, now=timezone.now())

    assert (Event.CONFIRMATION, Medium.EMAIL) in planned()


@pytest.mark.parametrize("act", ["book", "move", "cancel"])
def test_staff_may_leave_the_telling_to_themselves(service, chen, ada, act):
    booked = book(replace(wish(service, chen, at=monday(10), patient=ada), tell=False))
    if act == "move":
        move(booked, service, chen, to=monday(11), tell=False)
    if act == "cancel":
        cancel(booked, tell=False)

    assert {event for event, _ in planned()} == (set() if act == "cancel" else {"reminder"})


def test_a_move_writes_a_message_and_moves_the_reminders(service, chen, ada):
    booked = book(wish(service, chen, at=monday(10), patient=ada))

    move(booked, service, chen, to=monday(15, days=1))

    assert planned(event="confirmation") == set()
    assert planned(event="change") == {("change", medium) for medium in EVERY_WAY}
    due = Communication.objects.filter(event="reminder", medium="email", status="preparation").values_list("due")
    assert [moment for (moment,) in due] == [monday(15, days=1) - timedelta(hours=48), monday(13, days=1)]
    withdrawn = Communication.objects.filter(status="not-done", event="reminder")
    assert set(withdrawn.values_list("status_reason", flat=True)) == {"The visit was moved."}


def test_a_cancellation_writes_a_message_and_withdraws_the_others(service, chen, ada):
    booked = book(wish(service, chen, at=monday(10), patient=ada))

    cancel(booked)

    assert planned() == {("cancellation", medium) for medium in EVERY_WAY}


def test_a_booking_that_is_rolled_back_writes_no_message(service, chen, ada):
    book(wish(service, chen, at=monday(10), patient=ada))
    with pytest.raises(TimeTaken):
        book(wish(service, chen, at=monday(10), patient=PatientFactory(email="bo@example.com")))

    assert not Communication.objects.filter(address="bo@example.com").exists()


def test_reminders_whose_moment_has_passed_are_not_planned(service, ada):
    now = timezone.now()
    chen = ScheduleFactory(services=[service])
    service.reminders = [timedelta(days=60), timedelta(hours=2)]
    service.save()

    book(wish(service, chen, at=monday(10), patient=ada))

    [reminder] = Communication.objects.filter(event="reminder", medium="email")
    assert reminder.due == monday(8)
    assert reminder.due > now


def test_a_service_without_reminders_has_none(service, chen, ada):
    service.reminders = []
    service.save()
    book(wish(service, chen, at=monday(10), patient=ada))
    assert {event for event, _ in planned()} == {"confirmation"}


@pytest.mark.parametrize(
    ("chosen", "confirmed_by", "reminded_by"),
    [
        ({}, EVERY_WAY, EVERY_WAY),
        ({"by_sms": False}, {"email", "in-app"}, {"email", "in-app"}),
        ({"by_email": False}, {"sms", "in-app"}, {"sms", "in-app"}),
        ({"by_email": False, "by_sms": False}, {"in-app"}, {"in-app"}),
        ({"reminders": False}, EVERY_WAY, set()),
    ],
)
def test_the_ways_that_a_patient_wants_are_taken(service, chen, ada, chosen, confirmed_by, reminded_by):
    MessagePreferencesFactory(patient=ada, **chosen)

    book(wish(service, chen, at=monday(10), patient=ada))

    assert {medium for _, medium in planned(event="confirmation")} == confirmed_by
    assert {medium for _, medium in planned(event="reminder")} == reminded_by


def test_without_a_chosen_medium_messages_go_by_one_and_reminders_by_none(service, chen):
    guest = PatientFactory(phone="+1 212 555 0123")
    MessagePreferencesFactory(patient=guest, by_email=False, by_sms=False)

    book(wish(service, chen, at=monday(10), patient=guest))

    assert planned() == {("confirmation", "email")}


def test_without_a_text_service_no_text_is_planned(settings, service, chen, ada):
    settings.SMS_ENABLED = False
    book(wish(service, chen, at=monday(10), patient=ada))
    assert not planned(medium="sms")


def test_each_carer_of_a_child_gets_a_message(service, chen):
    child = PatientFactory(given="Kim", email="")
    RelatedPersonFactory(patient=child, user=UserFactory(email="mother@example.com"), phone="+1 212 555 0001")
    RelatedPersonFactory(patient=child, user=UserFactory(email="father@example.com"), email="dad@example.com")
    RelatedPersonFactory(patient=child, user=None, email="aunt@example.com")
    RelatedPersonFactory(patient=child, user=UserFactory(), active=False, email="was@example.com")

    book(wish(service, chen, at=monday(10), patient=child))

    messages = Communication.objects.filter(event="confirmation")
    assert set(messages.filter(medium="email").values_list("address", flat=True)) == {
        "mother@example.com",
        "dad@example.com",
    }
    assert messages.get(medium="sms").address == "+1 212 555 0001"
    assert messages.filter(medium="in-app").count() == 1


def test_a_booking_writes_its_messages_with_one_read_and_one_insert(service, chen, ada):
    with CaptureQueriesContext(connection) as queries:
        book(wish(service, chen, at=monday(10), patient=ada))

    about = [query["sql"] for query in queries if "clinic_communication" in query["sql"]]
    assert len(about) == 1
    assert about[0].startswith("INSERT")
    assert sum("clinic_messagepreferences" in query["sql"] for query in queries) == 1


def test_reminders_that_are_wanted_later_are_planned_then(service, chen, ada):
    chosen = MessagePreferencesFactory(patient=ada, reminders=False)
    book(wish(service, chen, at=monday(10), patient=ada))
    assert not planned(event="reminder")

    chosen.reminders = True
    chosen.save()
    notifications.plan_reminders(ada, now=timezone.now())
    notifications.plan_reminders(ada, now=timezone.now())

    assert planned(event="reminder") == {("reminder", medium) for medium in EVERY_WAY}
    assert Communication.objects.filter(event="reminder").count() == 6


LATE = datetime(2026, 1, 5, 23, tzinfo=ZONE)
NOON = datetime(2026, 1, 5, 12, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("due", "visit", "goes"),
    [
        pytest.param("2026-01-05 12:00", "2026-01-07 12:00", "2026-01-05 12:00", id="by day at once"),
        pytest.param("2026-01-05 20:59", "2026-01-07 12:00", "2026-01-05 20:59", id="until it begins"),
        pytest.param("2026-01-05 21:00", "2026-01-07 12:00", "2026-01-06 08:00", id="from then on in the morning"),
        pytest.param("2026-01-06 03:00", "2026-01-07 12:00", "2026-01-06 08:00", id="after midnight too"),
        pytest.param("2026-01-06 08:00", "2026-01-07 12:00", "2026-01-06 08:00", id="from its end at once"),
        pytest.param("2026-01-06 07:00", "2026-01-06 09:00", "2026-01-06 08:00", id="an hour ahead is enough"),
        pytest.param("2026-01-06 06:30", "2026-01-06 08:30", "2026-01-05 20:45", id="else the evening before"),
        pytest.param("2026-01-06 05:00", "2026-01-06 07:00", "2026-01-05 20:45", id="before a visit in the night"),
        pytest.param("2026-03-08 05:00", "2026-03-09 12:00", "2026-03-08 08:00", id="when the clocks change"),
    ],
)
def test_quiet_hours(due, visit, goes):
    due, visit, goes = (
        datetime.fromisoformat(each).replace(tzinfo=ZONE).astimezone(UTC) for each in (due, visit, goes)
    )
    assert quiet_hours.allowed_time(due, ZONE, visit=visit, now=due - timedelta(days=1)) == goes


def test_a_text_that_can_only_go_in_the_night_does_not_go():
    visit = datetime(2026, 1, 6, 8, 30, tzinfo=ZONE)
    assert quiet_hours.allowed_time(visit - timedelta(hours=2), ZONE, visit=visit, now=LATE) is None


@pytest.mark.parametrize(
    ("hours", "due", "goes"),
    [((time(13), time(14)), NOON.replace(hour=13), NOON.replace(hour=14)), (None, LATE, LATE)],
)
def test_a_clinic_chooses_its_quiet_hours(settings, hours, due, goes):
    settings.QUIET_HOURS = hours
    assert quiet_hours.allowed_time(due, ZONE, visit=None, now=due) == goes


def test_only_texts_are_kept_for_the_morning_by_the_clock_of_the_site(service, ada):
    site = LocationFactory(timezone="Pacific/Auckland")
    chen = ScheduleFactory(services=[service], site=site)
    service.reminders = [timedelta(hours=2)]
    service.save()

    book(wish(service, chen, at=monday(10), patient=ada))

    by_mail, by_text = (Communication.objects.get(event="reminder", medium=each).due for each in ("email", "sms"))
    assert by_mail == monday(8)
    assert by_text.astimezone(ZoneInfo("Pacific/Auckland")).time() == time(20, 45)
