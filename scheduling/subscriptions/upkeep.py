"""What becomes of subscriptions as time passes: heartbeats, and their end."""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef

from clinic.models import Notification, Subscription
from scheduling.subscriptions.changes import active

PENDING = (Notification.Status.WAITING, Notification.Status.SENDING)


@transaction.atomic(durable=True)
def tend(*, now: datetime) -> None:
    """Turn off what has ended, plan heartbeats where nothing was told for long."""
    Subscription.objects.filter(status=Subscription.Status.ACTIVE, end__lte=now, deleted_at=None).update(
        status=Subscription.Status.OFF, version=F("version") + 1, last_updated=now
    )
    pending = Notification.objects.filter(status__in=PENDING)
    pending.exclude(subscription__in=Subscription.objects.filter(active(now))).update(
        status=Notification.Status.FAILED, claimed_until=None, error="The subscription is not active any more."
    )
    silent = Subscription.objects.filter(
        active(now),
        ~Exists(pending.filter(subscription=OuterRef("pk"))),
        last_contact__lte=now - settings.HEARTBEAT_EVERY,
    )
    Notification.objects.bulk_create(
        Notification(subscription=each, created=now, due=now) for each in silent.select_for_update(skip_locked=True)
    )
