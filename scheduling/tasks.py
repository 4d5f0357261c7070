"""The clock's door: what happens because time has passed."""

import logging

from celery import shared_task
from django.utils import timezone
from oauth2_provider.models import clear_expired

from clinic import contacts_renewal, parking, retention
from scheduling import booking, notifications, subscriptions

logger = logging.getLogger(__name__)

MESSAGES_AT_ONCE = 200  # by one worker; the next sweep goes on
NOTIFICATIONS_AT_ONCE = 50


@shared_task(ignore_result=True)
def release_expired_holds() -> None:
    booking.release_expired_holds(now=timezone.now())


@shared_task(ignore_result=True)
def forget() -> None:
    """Delete what is kept for no longer."""
    now = timezone.now()
    retention.forget(now=now)
    try:
        clear_expired()
    except Exception as error:  # of tokens: the tables above have been gone through, and the next hour tries again
        parking.park("forget what is old", "tokens", "", error, now=now)


@shared_task(ignore_result=True)
def renew_contacts() -> None:
    """Show and search the names and addresses that count by now."""
    contacts_renewal.renew(now=timezone.now())


@shared_task(ignore_result=True)
def deliver_messages(among: list[str] | None = None) -> None:
    """Send what is due: the messages that have just been written, or whatever the sweep finds."""
    for _ in range(MESSAGES_AT_ONCE):
        if not notifications.deliver_next(now=timezone.now(), among=among):
            return


@shared_task(ignore_result=True)
def notify_subscribers() -> None:
    """Tell who subscribes what has changed, and try again what did not arrive."""
    _collect_changes()
    for _ in range(NOTIFICATIONS_AT_ONCE):
        if not subscriptions.deliver_next(now=timezone.now()):
            return


def _collect_changes() -> None:
    """Notifications that are due are delivered even if later changes cannot be collected."""
    try:
        subscriptions.collect(now=timezone.now())
    except Exception:
        logger.exception("Changes of free time could not be collected")


@shared_task(ignore_result=True)
def tend_subscriptions() -> None:
    subscriptions.tend(now=timezone.now())
