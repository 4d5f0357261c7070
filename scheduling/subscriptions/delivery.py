"""Telling subscribers what is due: claimed in one transaction, sent outside of any, written down in another.

At least once: a worker that dies in between leaves a claim that runs out, and the notification goes again. An endpoint
that does not answer is left alone for longer and longer, with all that waits for it, and given up after some hours'
worth of patience: the subscription then says so in its `error`, and is served again once its client asks for it.
"""

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import Q, QuerySet

from clinic import exact_json, outgoing
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
class Result:
    """What came of a try; no error if it arrived."""

    milliseconds: int
    status_code: int | None = None
    error: str = ""


def deliver_next(*, now: datetime) -> bool:
    """Tell one subscriber what is due longest. False where nothing is."""
    notification = claim(now=now)
    if notification is None:
        return False
    try:
        _deliver(notification, now)
    except Exception as error:  # not even what became of it can be written down: the others go on
        park(DELIVERING, Notification.__name__, notification.pk, error, now=now)
    return True


def _deliver(notification: Notification, now: datetime) -> None:
    if notification.attempts > TRIES:
        _close(notification, Status.FAILED, error="Sending it was broken off each time.")
        return
    try:
        result = _try(notification)
    except Exception as error:  # a fault in this one, not of the endpoint: the others go on
        _set_aside(notification, error, now)
        return
    if result.error:
        _failed(notification, result, now)
    else:
        _arrived(notification, result, now)


def claim(*, now: datetime) -> Notification | None:
    """Take a notification until the lease ends, passing by those that others have."""
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


def _try(notification: Notification) -> Result:
    subscription = notification.subscription
    try:
        headers, content = [("User-Agent", "clinic-scheduling"), *subscription.headers()], b""
    except CannotDecrypt:
        return Result(0, error="The values of its headers cannot be read any more: send them again.")
    resource = payload_of(notification)
    if resource is not None and subscription.payload:
        headers.append(("Content-Type", subscription.payload))
        content = exact_json.dumps(resource)
    began = time.monotonic()
    status, error = None, ""
    try:
        status = outgoing.request("POST", subscription.endpoint, headers=headers, content=content).status
        if not 200 <= status < 300:
            error = f"The endpoint answered {status}."
    except (outgoing.NotAllowed, outgoing.Unreachable) as why:
        error = str(why)
    return Result(round((time.monotonic() - began) * 1000), status, error)


def _set_aside(notification: Notification, error: Exception, now: datetime) -> None:
    """Try it again after longer and longer, and give it up in the end. Its subscription has no part in it."""
    logger.error("Notification %s cannot be made (%s)", notification.pk, type(error).__name__, exc_info=error)
    said = f"It cannot be made ({type(error).__name__})."
    if notification.attempts >= TRIES:
        _close(notification, Status.FAILED, tried=now, error=said)
        return
    again = now + _pause(notification.attempts)
    _close(notification, Status.WAITING, tried=now, due=again, error=said)


@transaction.atomic
def _arrived(notification: Notification, result: Result, now: datetime) -> None:
    """The endpoint answers: all that waits for it because it did not is due."""
    _close(notification, Status.SENT, tried=now, **_outcome(result))
    Subscription.objects.filter(pk=notification.subscription_id).update(failures=0, last_contact=now)
    put_off = _others(notification).filter(due__gt=now)
    put_off.exclude(attempts__gt=0, duration_ms=None).update(due=now)  # but not those that cannot be made


@transaction.atomic
def _failed(notification: Notification, result: Result, now: datetime) -> None:
    """Wait, with all else that waits for the endpoint; or give it up."""
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


def _outcome(result: Result) -> dict[str, object]:
    return {"duration_ms": result.milliseconds, "status_code": result.status_code, "error": result.error}


def _close(notification: Notification, status: Status, **what: object) -> None:
    """Write what became of it, unless the claim has run out and somebody else has taken it over."""
    mine = Notification.objects.filter(
        pk=notification.pk, status=Status.SENDING, claimed_until=notification.claimed_until
    )
    mine.update(status=status, claimed_until=None, **what)
