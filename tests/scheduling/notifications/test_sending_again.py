"""The timeline of messages, and sending one again."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from scheduling import notifications
from tests.factories import AppointmentFactory, CommunicationFactory
from tests.scheduling.notifications.messages import deliver, reminder

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("texts_are_recorded")]


def test_sending_again_writes_a_message_of_its_own_once(visit):
    message = CommunicationFactory(appointment=visit, occasion="0")
    deliver()
    again = notifications.send_again(message, now=timezone.now())
    assert notifications.send_again(message, now=timezone.now()) == again

    deliver()

    assert len(mail.outbox) == 2
    assert again.occasion.startswith("again-")
    assert again.pk != message.pk


def test_the_alert_counts_what_failed_for_visits_to_come_at_these_sites(visit):
    now = timezone.now()
    failed = CommunicationFactory(appointment=visit, status="not-done", attempts=5, occasion="0")
    reminder(visit, status="not-done", attempts=0)
    past = AppointmentFactory(site=visit.site, start=now - timedelta(days=1))
    CommunicationFactory(appointment=past, status="not-done", attempts=5)

    assert notifications.failed(None, now=now) == notifications.failed({visit.site_id}, now=now) == 1
    assert notifications.failed({visit.site_id + 1}, now=now) == 0
    notifications.send_again(failed, now=now)
    assert notifications.failed(None, now=now) == 0


def test_the_timeline_tells_what_became_of_each(visit, django_assert_num_queries):
    now = timezone.now()
    CommunicationFactory(appointment=visit, status="completed", sent=now, received=now, occasion="0")
    CommunicationFactory(
        appointment=visit, medium="sms", status="not-done", attempts=5, status_reason="No such number.", occasion="0"
    )
    reminder(visit, due=now + timedelta(hours=5))

    with django_assert_num_queries(1):
        lines = [(str(each.word), each.why, each.can_go_again) for each in notifications.timeline(visit)]

    assert sorted(lines) == [
        ("Delivered", "", True),
        ("Failed", "No such number.", True),
        ("Planned", "", False),
    ]
