"""While PostgreSQL is away a task is broken off, and nothing is blamed: neither a row nor whom it is for."""

from datetime import date

import psycopg
import pytest
from django.db import OperationalError
from django.utils import timezone

from clinic.models import EventReceiver, ParkedRow
from scheduling import receivers, staff_notices, subscriptions, tasks
from scheduling.receivers import delivery as deliveries_of_events
from scheduling.subscriptions import delivery as deliveries_of_notifications
from tests.factories import NotificationFactory, ScheduleFactory

pytestmark = pytest.mark.django_db


def lose(*given, **named):
    raise OperationalError("lost") from psycopg.OperationalError("lost")


def test_notices_to_staff_are_collected_by_the_next_run(monkeypatch):
    monkeypatch.setattr(staff_notices, "collect", lose)
    with pytest.raises(OperationalError, match="lost"):
        tasks.tell_staff()


def test_a_notification_has_no_error(monkeypatch):
    day = date(2030, 1, 7)
    notification = NotificationFactory(schedule=ScheduleFactory(), first_day=day, last_day=day, due=timezone.now())
    monkeypatch.setattr(deliveries_of_notifications, "parcel_of", lose)
    with pytest.raises(OperationalError, match="lost"):
        subscriptions.deliver_next(now=timezone.now())
    notification.refresh_from_db()
    assert (notification.status, notification.error) == ("sending", "")  # sent again once its claim has ended
    assert not ParkedRow.objects.exists()


def test_an_event_is_no_failure_of_its_receiver(monkeypatch):
    receiver = EventReceiver.objects.create(name="Billing", url="http://a.invalid/", kinds=["booked"])
    delivery = receivers.send_test(receiver, now=timezone.now())
    monkeypatch.setattr(deliveries_of_events, "_send", lose)
    with pytest.raises(OperationalError, match="lost"):
        receivers.deliver_next(now=timezone.now())
    delivery.refresh_from_db()
    receiver.refresh_from_db()
    assert (delivery.status, delivery.error, receiver.failures) == ("waiting", "", 0)
