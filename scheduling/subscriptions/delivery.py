"""Delivery of notifications: claimed in one transaction, sent outside any, and recorded in another.

Delivery is at least once: if a worker dies in between, its claim expires and the notification is sent again. The
events of a subscription to a topic are sent one after the other, by their numbers.

An endpoint that does not respond is retried after growing pauses, together with all its waiting notifications, and
given up after some hours. The subscription then has an `error`, and is served again once its client requests it.
"""

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from clinic import database, exact_json, http_client
from clinic.encryption import CannotDecrypt
from clinic.fhir import own_addresses
from clinic.models import Notification, Subscription
from clinic.parking import Parking, park
from scheduling import events
from scheduling.subscriptions.parcels import SET_ASIDE, Parcel, Withheld, parcel_of
from scheduling.subscriptions.subscribers import REVOKED, active, fail, requested
from scheduling.subscriptions.visits import CONSUMER, listens_to_visits

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
        parcel = parcel_of(notification, now=now)
        result = _send(notification.subscription, parcel)
    except Withheld as refusal:
        _withhold(notification, refusal, now)
        return
    except Exception as error:  # a bug in this notification, not the endpoint: the others go on
        if database.is_away(error):
            raise
        _set_aside(notification, error, now)
        return
    if result.error:
        _failed(notification, result, now)
    else:
        _arrived(notification, parcel, result, now)


def claim(*, now: datetime) -> Notification | None:
    """Claim a notification until the lease ends, skipping those claimed by other workers."""
    served = Q(subscription__in=Subscription.objects.filter(active(now)))
    handshakes = Q(subscription__in=Subscription.objects.filter(requested(now)), event=None, schedule=None)
    aside = Parking(DELIVERING, Notification, now=now)
    earlier = Notification.objects.filter(
        subscription=OuterRef("subscription"),
        number__lt=OuterRef("number"),
        status__in=(Status.WAITING, Status.SENDING),
    ).exclude(SET_ASIDE | Q(pk__in=aside.waiting))
    due = Notification.objects.filter(
        Q(status=Status.WAITING) | Q(status=Status.SENDING, claimed_until__lte=now),
        served | handshakes,
        ~Exists(earlier),
        due__lte=now,
    )
    with transaction.atomic(durable=True):
        rows = due.select_related("subscription__user", "event").order_by("due", "pk")
        return aside.claim(rows, partial(_take, now=now))


def _take(notification: Notification, now: datetime) -> None:
    notification.status = Status.SENDING
    notification.claimed_until = now + LEASE
    notification.attempts += 1
    notification.save(update_fields=["status", "claimed_until", "attempts"])


def _send(subscription: Subscription, parcel: Parcel) -> DeliveryResult:
    try:
        headers, content = [("User-Agent", "clinic-scheduling"), *subscription.headers()], b""
    except CannotDecrypt:
        return DeliveryResult(0, error="The values of its headers cannot be read any more: send them again.")
    if parcel.resource is not None and subscription.payload:
        headers.append(("Content-Type", subscription.payload))
        content = own_addresses.to_served(exact_json.dumps(parcel.resource))
    began = time.monotonic()
    status, error = None, ""
    try:
        response = http_client.request(
            "POST", subscription.endpoint, headers=headers, content=content, timeout=parcel.timeout
        )
        status = response.status
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
def _withhold(notification: Notification, refusal: Withheld, now: datetime) -> None:
    """Record that the subscriber may not see it. A subscriber whose access has ended is sent nothing more."""
    _close(notification, Status.FAILED, tried=now, error=str(refusal))
    if str(refusal) == REVOKED:
        _give_up(_locked(notification), REVOKED, now)


@transaction.atomic
def _arrived(notification: Notification, parcel: Parcel, result: DeliveryResult, now: datetime) -> None:
    """Record the delivery. The endpoint responds, so all its waiting notifications become due."""
    subscription = notification.subscription
    is_greeted = subscription.status == Subscription.Status.REQUESTED
    if is_greeted and listens_to_visits(subscription):
        events.join(CONSUMER)  # first: whoever collects locks the feed before it locks subscriptions
    _close(notification, Status.SENT, tried=now, **_outcome(result))
    others = _others(notification)
    others.filter(pk__in=parcel.others).update(status=Status.SENT, tried=now, **_outcome(result))
    Subscription.objects.filter(pk=notification.subscription_id).update(failures=0, last_contact=now)
    if is_greeted:
        _activate(subscription, now)
    others.filter(due__gt=now).exclude(SET_ASIDE).update(due=now)


def _activate(subscription: Subscription, now: datetime) -> None:
    """Make a requested subscription active after its handshake, unless its client has changed it meanwhile."""
    same = Subscription.objects.filter(pk=subscription.pk, version=subscription.version, status=subscription.status)
    same.update(status=Subscription.Status.ACTIVE, version=F("version") + 1, last_updated=now)


@transaction.atomic
def _failed(notification: Notification, result: DeliveryResult, now: datetime) -> None:
    """Postpone all notifications of the endpoint, or give it up."""
    subscription = _locked(notification)
    subscription.failures += 1
    subscription.last_contact = now
    is_served = subscription.status in (Subscription.Status.ACTIVE, Subscription.Status.REQUESTED)
    if subscription.failures < TRIES or not is_served:
        subscription.save(update_fields=["failures", "last_contact"])
        again = now + _pause(subscription.failures)
        _close(notification, Status.WAITING, tried=now, due=again, **_outcome(result))
        _others(notification).filter(due__lt=again).update(due=again)
        return
    _close(notification, Status.FAILED, tried=now, **_outcome(result))
    _give_up(subscription, f"Given up after {subscription.failures} tries: {result.error}", now)


def _give_up(subscription: Subscription, error: str, now: datetime) -> None:
    """Stop serving a locked subscription, and drop what waits for it."""
    fail(subscription, error, now)
    waiting = Notification.objects.filter(subscription=subscription, status=Status.WAITING)
    waiting.update(status=Status.FAILED, error="The subscription was given up.")


def _locked(notification: Notification) -> Subscription:
    return Subscription.objects.select_for_update(no_key=True).get(pk=notification.subscription_id)


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
