"""Running late: staff say it once, those concerned are told once, and it can be taken back before."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from clinic.models import AuditEvent, Communication, Delay
from scheduling import booking
from scheduling.access import Caller
from scheduling.booking import DelayRequest
from scheduling.errors import Forbidden, RuleBroken
from scheduling.notifications import Batch
from scheduling.notifications.undo_window import UNDO_WINDOW
from scheduling.waiting import Wait, delays_on, waits_of
from tests.factories import NEW_YORK, AppointmentFactory, LocationFactory, PatientFactory, UserFactory
from tests.scheduling.situations import monday

pytestmark = pytest.mark.django_db(transaction=True)

ZONE = ZoneInfo(NEW_YORK)
MINUTE = timedelta(minutes=1)
NOW = monday(9)


@pytest.fixture
def schedule(chen, site):
    chen.site = site
    chen.save()
    return chen


@pytest.fixture
def visits(schedule, service, site):
    """Visits of 30 minutes at ten, half past ten and eleven, and one at two: its patient has email alone."""
    starts = [monday(10), monday(10) + 30 * MINUTE, monday(11), monday(14)]
    return [
        AppointmentFactory(
            patient=PatientFactory(email=f"patient{number}@example.com", phone=""),
            service=service,
            site=site,
            start=start,
            end=start + 30 * MINUTE,
            schedules=[schedule],
        )
        for number, start in enumerate(starts)
    ]


@pytest.fixture
def desk(site):
    return Caller(user=UserFactory(desk_locations=[site]))


@pytest.fixture
def say(schedule, site, desk):
    def said(minutes, at=NOW, caller=desk, use_case=booking.announce_delay, **more):
        request = DelayRequest(bookable=schedule.bookable_id, site=site, minutes=minutes, **more)
        return use_case(request, caller=caller, now=at)

    return said


def lateness(visits, at=NOW):
    waits = waits_of(visits, ZONE, delays_on(monday(9).date()), now=at)
    return [waits.get(visit.pk, Wait()).late // MINUTE for visit in visits]


def messages():
    return Communication.objects.filter(event="delay").order_by("appointment__start", "pk")


def deliver(at):
    batch = Batch(now=at)
    while batch.deliver_next(now=at):
        pass


def times_in(mails):
    return [mail.subject.rpartition(", ")[2].removesuffix(" (New York time)") for mail in mails]


def statuses_and_bodies():
    """Return the status and the body of each message, in order."""
    return [(message.status, message.body) for message in messages()]


def test_the_visits_of_the_rest_of_the_day_begin_later_until_a_pause_makes_up_for_it(visits, say):
    assert say(20, use_case=booking.preview_delay) == {visit.pk: 20 * MINUTE for visit in visits[:3]}
    assert not Delay.objects.exists()
    say(20)
    assert lateness(visits) == [20, 20, 20, 0]


def test_those_concerned_are_told_once_by_their_own_way_after_the_undo_window(visits, say, mailoutbox):
    visits[1].status = "arrived"  # reads it on their page
    visits[1].save()
    for _ in range(2):
        say(20)
    assert [message.appointment for message in messages()] == [visits[0], visits[2]]
    deliver(NOW)
    assert mailoutbox == []
    deliver(NOW + UNDO_WINDOW)
    deliver(NOW + 2 * UNDO_WINDOW)
    assert [mail.to for mail in mailoutbox] == [["patient0@example.com"], ["patient2@example.com"]]
    assert "Expected to begin: " in mailoutbox[0].body
    assert times_in(mailoutbox) == ["10:20 AM", "11:20 AM"]


def test_nobody_is_told_if_staff_do_not_want_it(visits, say):
    say(20, tell=False)
    assert not messages().exists()
    assert lateness(visits) == [20, 20, 20, 0]


def test_it_can_be_taken_back_before_it_is_sent_and_not_afterwards(visits, say, mailoutbox):
    say(20)
    say(0, use_case=booking.undo_delay, at=NOW + 5 * timedelta(seconds=1))
    assert lateness(visits) == [0, 0, 0, 0]
    deliver(NOW + UNDO_WINDOW)
    assert (mailoutbox, {status for status, _body in statuses_and_bodies()}) == ([], {"not-done"})
    say(20, at=NOW + MINUTE)
    deliver(NOW + 2 * MINUTE)
    with pytest.raises(RuleBroken, match="have been told already"):
        say(0, use_case=booking.undo_delay, at=NOW + 2 * MINUTE)
    assert lateness(visits) == [20, 20, 20, 0]


def test_a_change_is_told_to_those_for_whom_it_changes_and_the_end_to_those_who_were_told(visits, say, mailoutbox):
    say(20)
    deliver(NOW + MINUTE)
    mailoutbox.clear()
    say(40, at=NOW + 2 * MINUTE)
    say(0, use_case=booking.undo_delay, at=NOW + 2 * MINUTE)
    assert lateness(visits) == [20, 20, 20, 0]
    say(40, at=NOW + 3 * MINUTE)
    deliver(NOW + 4 * MINUTE)
    assert times_in(mailoutbox) == ["10:40 AM", "11:10 AM", "11:40 AM"]
    mailoutbox.clear()
    say(0, at=NOW + 5 * MINUTE)
    deliver(NOW + 6 * MINUTE)
    assert times_in(mailoutbox) == ["10:00 AM", "10:30 AM", "11:00 AM"]
    assert lateness(visits) == [0, 0, 0, 0]


def test_a_message_that_waits_is_not_sent_once_something_else_was_said_or_the_patient_has_come(visits, say, mailoutbox):
    say(20)
    say(30, at=NOW + timedelta(seconds=1))
    visits[0].status = "arrived"
    visits[0].save()
    deliver(NOW + MINUTE)
    assert [mail.to for mail in mailoutbox] == [["patient1@example.com"], ["patient2@example.com"]]
    reasons = set(messages().filter(status="not-done").values_list("status_reason", flat=True))
    assert reasons == {"Something else has been said since.", "The patient has arrived."}


def test_a_cancelled_visit_is_not_told(visits, say, mailoutbox, desk):
    say(20)
    booking.cancel(visits[0].fhir_id, caller=desk, now=NOW)
    deliver(NOW + MINUTE)
    assert visits[0].pk not in messages().filter(status="completed").values_list("appointment", flat=True)


def test_those_who_work_with_the_calendar_there_may_say_it(visits, say, schedule, site, boss):
    chen = UserFactory()
    schedule.bookable.practitioner.user = chen
    schedule.bookable.practitioner.save()
    for caller in (boss, Caller(user=chen)):
        assert say(20, caller=caller, use_case=booking.preview_delay)
    elsewhere = Caller(user=UserFactory(desk_locations=[LocationFactory()]))
    for caller in (elsewhere, Caller(user=PatientFactory(user=UserFactory()).user), Caller()):
        for use_case in (booking.preview_delay, booking.announce_delay, booking.undo_delay):
            with pytest.raises(Forbidden):
                say(20, caller=caller, use_case=use_case)


def test_it_is_written_down_who_said_it(visits, say, desk):
    say(20)
    say(0)
    assert list(AuditEvent.objects.filter(subtype="delay").values_list("user", flat=True)) == [desk.user.pk] * 2


def test_the_queue_and_the_lateness_are_of_the_day(visits, say):
    say(20)
    assert lateness(visits, at=NOW + timedelta(days=1)) == [0, 0, 0, 0]
