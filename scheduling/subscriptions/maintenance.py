"""Maintenance of subscriptions: handshakes, heartbeats, and their end."""

from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models import DurationField, Exists, ExpressionWrapper, F, OuterRef, Q, Value

from clinic.models import Notification, Subscription
from clinic.parking import Parking
from scheduling.subscriptions.subscribers import active, requested
from scheduling.subscriptions.visits import leave_unless_needed

PENDING = (Notification.Status.WAITING, Notification.Status.SENDING)


def maintain(*, now: datetime) -> None:
    """Turn off subscriptions that have ended, and plan heartbeats for those without recent notifications.

    The feed of events is left in a transaction of its own: a process that collects locks it before it locks
    subscriptions.
    """
    with transaction.atomic(durable=True):
        aside = Parking("tend subscriptions", Subscription, now=now)
        served = Subscription.objects.exclude(pk__in=aside.waiting)
        in_use = (Subscription.Status.ACTIVE, Subscription.Status.REQUESTED)
        ended = served.filter(status__in=in_use, end__lte=now, deleted_at=None)
        aside.process_each(ended, partial(_turn_off, now=now))
        pending = Notification.objects.filter(status__in=PENDING)
        pending.exclude(subscription__in=Subscription.objects.filter(active(now) | requested(now))).update(
            status=Notification.Status.FAILED, claimed_until=None, error="The subscription is not active any more."
        )
        silent = served.filter(active(now), ~Exists(pending.filter(subscription=OuterRef("pk"))), _is_silent(now))
        aside.process_each(silent.select_for_update(skip_locked=True), partial(_plan_contact, now=now))
    leave_unless_needed()


@transaction.atomic(durable=True)
def plan_handshakes(*, now: datetime) -> None:
    """Plan the handshake of each subscription to a topic that was requested since."""
    aside = Parking("plan handshakes", Subscription, now=now)
    pending = Notification.objects.filter(subscription=OuterRef("pk"), status__in=PENDING)
    new = Subscription.objects.filter(requested(now), ~Exists(pending.filter(event=None, schedule=None)))
    new = new.exclude(pk__in=aside.waiting).select_for_update(skip_locked=True)
    aside.process_each(new, partial(_plan_contact, now=now))


def _is_silent(now: datetime) -> Q:
    """The condition for subscribers who have heard nothing for so long that a heartbeat is due."""
    period = ExpressionWrapper(F("heartbeat") * Value(timedelta(seconds=1)), DurationField())
    asked_for = ~Q(topic="") & Q(heartbeat__isnull=False, last_contact__lte=now - period)
    return asked_for | Q(topic="", last_contact__lte=now - settings.HEARTBEAT_EVERY)


def _turn_off(subscription: Subscription, now: datetime) -> None:
    Subscription.objects.filter(pk=subscription.pk).update(
        status=Subscription.Status.OFF, version=F("version") + 1, last_updated=now
    )


def _plan_contact(subscription: Subscription, now: datetime) -> None:
    """Plan a notification without an event: a handshake if the subscription is requested, else a heartbeat."""
    Notification.objects.create(subscription=subscription, created=now, due=now)
