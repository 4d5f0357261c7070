"""The clock's door: what happens because time has passed."""

from celery import shared_task
from django.utils import timezone
from oauth2_provider.models import clear_expired

from clinic import retention
from scheduling import booking, notifications, subscriptions

MESSAGES_AT_ONCE = 200  # by one worker; the next sweep goes on
NOTIFICATIONS_AT_ONCE = 50


@shared_task(ignore_result=True)
def release_expired_holds() -> None:
    booking.release_expired_holds(now=timezone.now())


@shared_task(ignore_result=True)
def forget() -> None:
    """Delete what is kept for no longer."""
    retention.forget(now=timezone.now())
    clear_expired()


@shared_task(ignore_result=True)
def deliver_messages(among: list[str] | None = None) -> None:
    """Send what is due: the messages that have just been written, or whatever the sweep finds."""
    for _ in range(MESSAGES_AT_ONCE):
        if not notifications.deliver_next(now=timezone.now(), among=among):
            return


@shared_task(ignore_result=True)
def notify_subscribers() -> None:
    """Tell who subscribes what has changed, and try again what did not arrive."""
    subscriptions.collect(now=timezone.now())
    for _ in range(NOTIFICATIONS_AT_ONCE):
        if not subscriptions.deliver_next(now=timezone.now()):
            return


@shared_task(ignore_result=True)
def tend_subscriptions() -> None:
    subscriptions.tend(now=timezone.now())
