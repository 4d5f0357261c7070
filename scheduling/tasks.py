"""Celery tasks that run on a schedule or after a commit."""

import logging
from collections.abc import Callable
from datetime import timedelta

from celery import shared_task
from django.core.cache import cache
from django.utils import timezone
from oauth2_provider.models import clear_expired

from clinic import contacts_renewal, database, parking, retention
from scheduling import (
    absences,
    booking,
    carers,
    exports,
    imports,
    notifications,
    opening,
    recalls,
    receivers,
    reports,
    staff_notices,
    subscriptions,
    waitlist,
)
from scheduling.interactions import duplicates

logger = logging.getLogger(__name__)

MESSAGES_AT_ONCE = 200  # by one worker; the next sweep goes on
NOTIFICATIONS_AT_ONCE = 50
EVENTS_AT_ONCE = 50
VISITS_AT_ONCE = 300  # steps of the visits of absences
BATCHES_OF_DUPLICATES = 50  # by one run; the next one goes on
COMPARED = "duplicates:compared"  # the cache key of the position up to which patients' records were compared
LATE_COMMITS = timedelta(minutes=5)
IMPORTS_AT_ONCE = 50  # batches of lines; the next sweep goes on
LONGEST_EXPORT = 4 * 60 * 60  # seconds
OFFERS_AT_ONCE = 200  # stretches of free time that one worker looks at


@shared_task(ignore_result=True)
def release_expired_holds() -> None:
    booking.release_expired_holds(now=timezone.now())


@shared_task(ignore_result=True)
def tell_of_ended_referrals() -> None:
    booking.tell_of_ended_referrals(now=timezone.now())


@shared_task(ignore_result=True)
def offer_freed_time() -> None:
    """Offer time that came free to the waiting list, and let offers pass on that were not answered."""
    booking.release_lapsed_offers(now=timezone.now())
    for _ in range(OFFERS_AT_ONCE):
        if not waitlist.offer_freed_time(now=timezone.now()):
            return


@shared_task(ignore_result=True)
def tend_absences() -> None:
    """Find, hold and offer other times for the visits that cannot take place, and follow the answers."""
    for _ in range(VISITS_AT_ONCE):
        if not absences.tend(now=timezone.now()):
            return


@shared_task(ignore_result=True)
def end_waits_that_are_over() -> None:
    booking.end_waits_that_are_over(now=timezone.now())


@shared_task(ignore_result=True)
def tend_recalls() -> None:
    """Make the recalls of services' rules, end those that were booked, and tell the patients whose time has come."""
    recalls.tend(now=timezone.now())


@shared_task(ignore_result=True)
def count_days() -> None:
    """Count the days of the reports whose figures are missing or no longer true."""
    reports.count_days(now=timezone.now())


@shared_task(ignore_result=True)
def close_next_holidays() -> None:
    """Close the next year's days of the public holidays that are closed this year."""
    opening.add_next_holidays(now=timezone.now())


@shared_task(ignore_result=True)
def note_released_time() -> None:
    """Note kept time that is released now, for the waiting list and the subscribers."""
    opening.note_released_time(now=timezone.now())


@shared_task(ignore_result=True)
def forget() -> None:
    """Delete data that is past its retention period."""
    now = timezone.now()
    retention.forget(now=now)
    booking.forget_cards(now=now)
    try:
        clear_expired()
    except Exception as error:  # of expired tokens: everything else is done, and the next hour tries again
        parking.park("forget what is old", "tokens", "", error, now=now)


@shared_task(ignore_result=True)
def renew_contacts() -> None:
    """Update the names and addresses that are current now, for display and search."""
    contacts_renewal.renew(now=timezone.now())


@shared_task(ignore_result=True)
def find_duplicates() -> None:
    """Compare patients' records that were written since the last run with all others.

    The position is kept in the cache: if it is lost, all records are compared again. It stays a while behind, for
    records whose transaction commits later than others.
    """
    now = timezone.now()
    position: duplicates.Position | None = cache.get(COMPARED)
    for _ in range(BATCHES_OF_DUPLICATES):
        reached = duplicates.compare_changed(position, now=now)
        if reached is None:
            return
        position = reached
        cache.set(COMPARED, min(position, (now - LATE_COMMITS, 0)), timeout=None)


@shared_task(ignore_result=True)
def tell_of_age() -> None:
    """Tell young patients and their parents that the parents' access ends soon."""
    carers.tell_of_age(now=timezone.now())


@shared_task(ignore_result=True)
def work_on_imports() -> None:
    """Check and import the lines of files that managers have sent."""
    for _ in range(IMPORTS_AT_ONCE):
        if not imports.work(now=timezone.now()):
            return


@shared_task(ignore_result=True, time_limit=LONGEST_EXPORT)
def make_exports() -> None:
    """Make the file of everything as FHIR that an owner has asked for."""
    exports.work(now=timezone.now())


@shared_task(ignore_result=True)
def deliver_messages(among: list[str] | None = None) -> None:
    """Send due messages: those with the ids `among`, or all that the sweep finds."""
    batch = notifications.Batch(among, now=timezone.now())
    for _ in range(MESSAGES_AT_ONCE):
        if not batch.deliver_next(now=timezone.now()):
            return


@shared_task(ignore_result=True)
def settle_payments() -> None:
    """Settle open payments, and carry out the orders to the payment provider that are due."""
    booking.settle_open_payments(now=timezone.now())
    booking.perform_orders(now=timezone.now())


@shared_task(ignore_result=True)
def notify_subscribers() -> None:
    """Send due notifications to subscribers, and retry those that failed."""
    for plan in (subscriptions.collect, subscriptions.collect_visits, subscriptions.plan_handshakes):
        _plan_notifications(plan)
    for _ in range(NOTIFICATIONS_AT_ONCE):
        if not subscriptions.deliver_next(now=timezone.now()):
            return


def _plan_notifications(plan: Callable[..., object]) -> None:
    """Plan notifications. An error is only logged, so that due ones still go out, unless PostgreSQL is away."""
    try:
        plan(now=timezone.now())
    except Exception as error:
        if database.is_away(error):
            raise
        logger.exception("Notifications could not be planned (%s)", getattr(plan, "__name__", plan))


@shared_task(ignore_result=True)
def tell_receivers() -> None:
    """Send new events of visits to webhooks and plug-ins, and retry those that failed."""
    _plan_notifications(receivers.collect)
    for _ in range(EVENTS_AT_ONCE):
        if not receivers.deliver_next(now=timezone.now()):
            return


@shared_task(ignore_result=True)
def tell_staff() -> None:
    """Tell staff what has happened to visits, and send the digests whose hour has come."""
    for step in (staff_notices.collect, staff_notices.send_emails, staff_notices.send_digests):
        _plan_notifications(step)


@shared_task(ignore_result=True)
def tend_subscriptions() -> None:
    subscriptions.maintain(now=timezone.now())
