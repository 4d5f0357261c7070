"""Celery tasks that run on a schedule or after a commit."""

import logging
from collections.abc import Callable

from celery import shared_task
from django.utils import timezone
from oauth2_provider.models import clear_expired

from clinic import contacts_renewal, parking, retention
from scheduling import booking, notifications, receivers, subscriptions

logger = logging.getLogger(__name__)

MESSAGES_AT_ONCE = 200  # by one worker; the next sweep goes on
NOTIFICATIONS_AT_ONCE = 50
EVENTS_AT_ONCE = 50


@shared_task(ignore_result=True)
def release_expired_holds() -> None:
    booking.release_expired_holds(now=timezone.now())


@shared_task(ignore_result=True)
def forget() -> None:
    """Delete data that is past its retention period."""
    now = timezone.now()
    retention.forget(now=now)
    try:
        clear_expired()
    except Exception as error:  # of expired tokens: everything else is done, and the next hour tries again
        parking.park("forget what is old", "tokens", "", error, now=now)


@shared_task(ignore_result=True)
def renew_contacts() -> None:
    """Update the names and addresses that are current now, for display and search."""
    contacts_renewal.renew(now=timezone.now())


@shared_task(ignore_result=True)
def deliver_messages(among: list[str] | None = None) -> None:
    """Send due messages: those with the ids `among`, or all that the sweep finds."""
    batch = notifications.Batch(among, now=timezone.now())
    for _ in range(MESSAGES_AT_ONCE):
        if not batch.deliver_next(now=timezone.now()):
            return


@shared_task(ignore_result=True)
def notify_subscribers() -> None:
    """Send due notifications to subscribers, and retry those that failed."""
    for plan in (subscriptions.collect, subscriptions.collect_visits, subscriptions.plan_handshakes):
        _plan_notifications(plan)
    for _ in range(NOTIFICATIONS_AT_ONCE):
        if not subscriptions.deliver_next(now=timezone.now()):
            return


def _plan_notifications(plan: Callable[..., object]) -> None:
    """Plan notifications. An error is only logged, so that due notifications still go out."""
    try:
        plan(now=timezone.now())
    except Exception:
        logger.exception("Notifications could not be planned (%s)", getattr(plan, "__name__", plan))


@shared_task(ignore_result=True)
def tell_receivers() -> None:
    """Send new events of visits to webhooks and plug-ins, and retry those that failed."""
    _plan_notifications(receivers.collect)
    for _ in range(EVENTS_AT_ONCE):
        if not receivers.deliver_next(now=timezone.now()):
            return


@shared_task(ignore_result=True)
def tend_subscriptions() -> None:
    subscriptions.maintain(now=timezone.now())
