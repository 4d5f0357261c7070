"""Maintenance of subscriptions: heartbeats, and their end."""

from datetime import datetime
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef

from clinic.models import Notification, Subscription
from clinic.parking import Parking
from scheduling.subscriptions.changes import active

PENDING = (Notification.Status.WAITING, Notification.Status.SENDING)


@transaction.atomic(durable=True)
def maintain(*, now: datetime) -> None:
    """Turn off subscriptions that have ended, and plan heartbeats for those without recent notifications."""
    aside = Parking("tend subscriptions", Subscription, now=now)
    served = Subscription.objects.exclude(pk__in=aside.waiting)
    ended = served.filter(status=Subscription.Status.ACTIVE, end__lte=now, deleted_at=None)
    aside.process_each(ended, partial(_turn_off, now=now))
    pending = Notification.objects.filter(status__in=PENDING)
    pending.exclude(subscription__in=Subscription.objects.filter(active(now))).update(
        status=Notification.Status.FAILED, claimed_until=None, error="The subscription is not active any more."
    )
    silent = served.filter(
        active(now),
        ~Exists(pending.filter(subscription=OuterRef("pk"))),
        last_contact__lte=now - settings.HEARTBEAT_EVERY,
    )
    aside.process_each(silent.select_for_update(skip_locked=True), partial(_send_heartbeat, now=now))


def _turn_off(subscription: Subscription, now: datetime) -> None:
    Subscription.objects.filter(pk=subscription.pk).update(
        status=Subscription.Status.OFF, version=F("version") + 1, last_updated=now
    )


def _send_heartbeat(subscription: Subscription, now: datetime) -> None:
    Notification.objects.create(subscription=subscription, created=now, due=now)
