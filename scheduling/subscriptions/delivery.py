"""Delivery of notifications: claimed in one transaction, sent outside any, and recorded in another.

Delivery is at least once: if a worker dies in between, its claim expires and the notification is sent again. An
endpoint that does not respond is retried after growing pauses, together with all its waiting notifications, and given
up after some hours. The subscription then has an `error`, and is served again once its client requests it.
"""

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import Q, QuerySet

from clinic import exact_json, http_client
from clinic.encryption import CannotDecrypt
from clinic.models import Notification, Subscription
from clinic.parking import Parking, park
from scheduling.subscriptions.changes import active, fail
from scheduling.subscriptions.payload import payload_of

DELIVERING = "notify subscribers"
logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=1)  # longer than the time limit of a request
TRIES = 8
FIRST_PAUSE = timedelta(seconds=5)  # then four times as long after each try, up to
LONGEST_PAUSE = timedelta(hours=1)

Status = Notification.Status


@dataclass(frozen=True)
class DeliveryResult:
    """The result of an attempt; without an error it was delivered."""

    milliseconds: int
    status_code: int | None = None
    error: str = ""


def deliver_next(*, now: datetime) -> bool:
    """Send the notification that has been due longest. Returns False if there is none."""
    notification = claim(now=now)
    if notification is None:
        return False
    try:
        _deliver(notification, now)
    except Exception as error:  # the outcome cannot be recorded: the other notifications go on
        park(DELIVERING, Notification.__name__, notification.pk, error, now=now)
    return True


def _deliver(notification: Notification, now: datetime) -> None:
    if notification.attempts > TRIES:
        _close(notification, Status.FAILED, error="Sending it was broken off each time.")
        return
    try:
        result = _try(notification)
    except Exception as error:  # a bug in this notification, not the endpoint: the others go on
        _set_aside(notification, error, now)
        return
    if result.error:
        _failed(notification, result, now)
    else:
        _arrived(notification, result, now)


def claim(*, now: datetime) -> Notification | None:
    """Claim a notification until the lease ends, skipping those claimed by other workers."""
    served = Subscription.objects.filter(active(now))
    due = Notification.objects.filter(
        Q(status=Status.WAITING) | Q(status=Status.SENDING, claimed_until__lte=now),
        due__lte=now,
        subscription__in=served,
    )
    aside = Parking(DELIVERING, Notification, now=now)
    with transaction.atomic(durable=True):
        while True:
            rows = due.exclude(pk__in=aside.waiting).select_related("subscription").order_by("due", "pk")
            notification = rows.select_for_update(skip_locked=True, no_key=True, of=("self",)).first()
            if notification is None or aside.process_each([notification], partial(_take, now=now)):
                return notification


def _take(notification: Notification, now: datetime) -> None:
    notification.status = Status.SENDING
    notification.claimed_until = now + LEASE
    notification.attempts += 1
    notification.save(update_fields=["status", "claimed_until", "attempts"])


def _try(notification: Notification) -> DeliveryResult:
    subscription = notification.subscription
    try:
        headers, content = [("User-Agent", "clinic-scheduling"), *subscription.headers()], b""
    except CannotDecrypt:
        return DeliveryResult(0, error="The values of its headers cannot be read any more: send them again.")
    resource = payload_of(notification)
    if resource is not None and subscription.payload:
        headers.append(("Content-Type", subscription.payload))
        content = exact_json.dumps(resource)
    began = time.monotonic()
    status, error = None, ""
    try:
        status = http_client.request("POST", subscription.endpoint, headers=headers, content=content).status
        if not 200 <= status < 300:
            error = f"The endpoint answered {status}."
    except (http_client.NotAllowed, http_client.Unreachable) as why:
        error = str(why)
    return DeliveryResult(round((time.monotonic() - began) * 1000), status, error)


def _set_aside(notification: Notification, error: Exception, now: datetime) -> None:
    """Retry it after growing pauses, and give it up in the end, without blaming its subscription."""
    logger.error("Notification %s cannot be made (%s)", notification.pk, type(error).__name__, exc_info=error)
    reason = f"It cannot be made ({type(error).__name__})."
    if notification.attempts >= TRIES:
        _close(notification, Status.FAILED, tried=now, error=reason)
        return
    again = now + _pause(notification.attempts)
    _close(notification, Status.WAITING, tried=now, due=again, error=reason)


@transaction.atomic
def _arrived(notification: Notification, result: DeliveryResult, now: datetime) -> None:
    """Record the delivery. The endpoint responds, so all its waiting notifications become due."""
    _close(notification, Status.SENT, tried=now, **_outcome(result))
    Subscription.objects.filter(pk=notification.subscription_id).update(failures=0, last_contact=now)
    put_off = _others(notification).filter(due__gt=now)
    put_off.exclude(attempts__gt=0, duration_ms=None).update(due=now)  # except those with a bug of their own


@transaction.atomic
def _failed(notification: Notification, result: DeliveryResult, now: datetime) -> None:
    """Postpone all notifications of the endpoint, or give it up."""
    subscription = Subscription.objects.select_for_update(no_key=True).get(pk=notification.subscription_id)
    subscription.failures += 1
    subscription.last_contact = now
    if subscription.failures < TRIES or subscription.status != Subscription.Status.ACTIVE:
        subscription.save(update_fields=["failures", "last_contact"])
        again = now + _pause(subscription.failures)
        _close(notification, Status.WAITING, tried=now, due=again, **_outcome(result))
        _others(notification).filter(due__lt=again).update(due=again)
        return
    fail(subscription, f"Given up after {subscription.failures} tries: {result.error}", now)
    _close(notification, Status.FAILED, tried=now, **_outcome(result))
    _others(notification).update(status=Status.FAILED, error="The subscription was given up.")


def _pause(failures: int) -> timedelta:
    longer: int = 4 ** (failures - 1)
    return min(FIRST_PAUSE * longer, LONGEST_PAUSE)


def _others(notification: Notification) -> QuerySet[Notification]:
    return Notification.objects.filter(subscription=notification.subscription_id, status=Status.WAITING)


def _outcome(result: DeliveryResult) -> dict[str, object]:
    return {"duration_ms": result.milliseconds, "status_code": result.status_code, "error": result.error}


def _close(notification: Notification, status: Status, **what: object) -> None:
    """Record the outcome, unless the claim has expired and another worker has the notification."""
    mine = Notification.objects.filter(
        pk=notification.pk, status=Status.SENDING, claimed_until=notification.claimed_until
    )
    mine.update(status=status, claimed_until=None, **what)
