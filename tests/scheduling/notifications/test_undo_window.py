"""Changes that staff undo at once send no message, and two changes in a row send one."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from clinic.models import Appointment, Communication
from scheduling import access, availability, booking, notifications
from scheduling.notifications import letters
from scheduling.notifications.undo_window import UNDO_WINDOW
from tests.factories import LocationFactory, ScheduleFactory, UserFactory
from tests.scheduling.notifications.messages import deliver
from tests.scheduling.situations import SOFTWARE, book, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk():
    return access.Caller(user=UserFactory(is_superuser=True))


@pytest.fixture
def visit(service, chen, ada):
    booked = book(wish(service, chen, at=monday(10), patient=ada))
    deliver()
    return booked


def move(visit, service, schedule, to, caller, now):
    offerings = tuple(availability.offerings_of(service, [schedule.fhir_id]))
    return booking.reschedule(
        visit.fhir_id, booking.RescheduleRequest(offerings=offerings, start=to), caller=caller, now=now
    )


def sent_bodies(event):
    return [message.body for message in Communication.objects.filter(event=event, medium="email", status="completed")]


def test_a_move_that_is_undone_at_once_sends_no_message(visit, service, chen, desk):
    now = timezone.now()
    move(visit, service, chen, monday(11), desk, now)
    deliver(now + UNDO_WINDOW - timedelta(seconds=1))
    move(visit, service, chen, monday(10), desk, now + timedelta(seconds=1))
    deliver(now + timedelta(minutes=5))
    assert sent_bodies("change") == []
    reminders = Communication.objects.filter(event="reminder", medium="email", status="preparation")
    assert [message.due for message in reminders] == [monday(10) - timedelta(hours=48), monday(8)]


def test_a_move_sends_its_message_after_the_undo_window(visit, service, chen, desk):
    now = timezone.now()
    move(visit, service, chen, monday(11), desk, now)
    deliver(now + UNDO_WINDOW - timedelta(seconds=1))
    assert sent_bodies("change") == []
    deliver(now + UNDO_WINDOW)
    assert len(sent_bodies("change")) == 1
    move(visit, service, chen, monday(10), desk, now + timedelta(minutes=1))
    deliver(now + timedelta(minutes=2))
    assert len(sent_bodies("change")) == 2, "who has heard of the first hears of the second"


def test_two_moves_send_one_message_from_the_first_time_to_the_last(visit, service, chen, desk):
    elsewhere = LocationFactory(name="Harbour", timezone="America/Chicago")
    there = ScheduleFactory(services=[service], site=elsewhere, actor=chen.bookable.practitioner)
    now = timezone.now()
    move(visit, service, chen, monday(11), desk, now)
    move(visit, service, there, monday(14), desk, now + timedelta(seconds=2))
    [message] = Communication.objects.filter(event="change", medium="email", status="preparation")
    message.appointment = Appointment.objects.select_related("patient", "service", "site").get(pk=visit.pk)
    composed = letters.compose(message, ZoneInfo("America/Chicago"), now=now).text
    assert "10:00 – 10:30 AM" in composed.partition("Before: ")[2].partition("\n")[0]
    assert "(New York time)" in composed.partition("Before: ")[2].partition("\n")[0]
    assert "1:00 – 1:30 PM" in composed.partition("When: ")[2].partition("\n")[0]
    assert "(Chicago time)" in composed.partition("When: ")[2].partition("\n")[0]


def test_a_cancellation_of_a_moved_visit_names_the_time_that_the_patient_knows(visit, service, chen, desk):
    now = timezone.now()
    move(visit, service, chen, monday(11), desk, now)
    booking.cancel(visit.fhir_id, caller=desk, now=now + timedelta(seconds=2))
    deliver(now + timedelta(minutes=1))
    assert sent_bodies("change") == []
    [body] = sent_bodies("cancellation")
    assert "10:00 – 10:30 AM" in body


def restore(visit, now):
    """Restore the row as the use case that undoes a cancellation does."""
    row = Appointment.objects.select_related("patient", "service").get(pk=visit.pk)
    row.status, row.sequence = "booked", row.sequence + 1
    row.save()
    notifications.restored(row, now=now)


@pytest.mark.parametrize(
    ("waits", "cancellations", "confirmations"), [(timedelta(seconds=2), 0, 1), (timedelta(minutes=1), 1, 2)]
)
def test_an_undone_cancellation_sends_a_message_if_the_cancellation_was_sent(
    visit, desk, waits, cancellations, confirmations
):
    now = timezone.now()
    booking.cancel(visit.fhir_id, caller=desk, now=now)
    deliver(now + waits)
    restore(visit, now + waits)
    deliver(now + timedelta(minutes=5))
    assert (len(sent_bodies("cancellation")), len(sent_bodies("confirmation"))) == (cancellations, confirmations)
    assert Communication.objects.filter(event="reminder", medium="email", status="preparation").count() == 2


def test_a_change_by_a_patient_or_software_sends_its_message_at_once(visit, service, chen):
    now = timezone.now()
    move(visit, service, chen, monday(11), SOFTWARE, now)
    deliver(now)
    assert len(sent_bodies("change")) == 1
