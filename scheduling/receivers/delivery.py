"""Delivery of events to webhooks and plug-ins: at least once, and the events of a visit in their order.

A worker claims a receiver, not an event, so each receiver is told of one event at a time, and one that is slow or away
holds up no other. The claim is a transaction, the request is outside any, and its outcome is recorded in another: if a
worker dies in between, the claim expires and the event is sent again. What fails is tried again after growing pauses,
for a day and a half; later events of the same visit wait for it, other events do not. A webhook to which nothing has
come through in all that time is turned off.
"""

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from clinic import database, http_client
from clinic.encryption import CannotDecrypt
from clinic.models import EventDelivery, EventReceiver
from clinic.parking import Parking, park
from scheduling import plugins
from scheduling.receivers.content import compose, news_of
from scheduling.receivers.notices import tell_administrators
from scheduling.receivers.planning import follow_feed
from scheduling.receivers.signing import signed_headers

logger = logging.getLogger(__name__)

TELLING = "tell receivers"
LEASE = timedelta(minutes=2)  # longer than the time limits of requests and plug-ins
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
# The pauses after each failed attempt of one event, as Standard Webhooks recommends them.
PAUSES = (5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR)
TRIES = len(PAUSES) + 1
# The pauses of a receiver after failures in a row: other events are tried meanwhile, but not all of them at once.
RECEIVER_PAUSES = PAUSES[:2]

Status = EventDelivery.Status


@dataclass(frozen=True)
class AttemptResult:
    """The result of an attempt; without an error the event was delivered."""

    milliseconds: int
    status_code: int | None = None
    error: str = ""


def deliver_next(*, now: datetime) -> bool:
    """Send the next event of the receiver that has waited longest. Returns False if there is none."""
    delivery = _claim(now)
    if delivery is None:
        return False
    began = time.monotonic()
    try:
        if delivery.attempts > TRIES:  # no attempt came to an end
            status, error = None, "Sending it was broken off each time."
        else:
            delivery.content = delivery.content or compose(delivery)
            status, error = _send(delivery, now)
    except Exception as failure:  # a plug-in's, or a bug in this event: the others go on
        if database.is_away(failure):
            raise
        logger.error("Event delivery %s failed (%s)", delivery.pk, type(failure).__name__, exc_info=failure)
        status, error = None, f"It could not be told ({type(failure).__name__})."
    result = AttemptResult(round((time.monotonic() - began) * 1000), status, error)
    try:
        _record(delivery, result, now)
    except Exception as failure:  # the outcome cannot be recorded: the other events go on
        park(TELLING, EventDelivery.__name__, delivery.pk, failure, now=now)
    return True


@transaction.atomic(durable=True)
def _claim(now: datetime) -> EventDelivery | None:
    """Claim a receiver until the lease ends, skipping those claimed by other workers; return its next event."""
    aside, late = Parking(TELLING, EventReceiver, now=now), Parking(TELLING, EventDelivery, now=now)
    while True:
        ready = _ready(now).exclude(pk__in=late.waiting)
        receivers = EventReceiver.objects.filter(
            Q(claimed_until=None) | Q(claimed_until__lte=now),
            Exists(ready.filter(receiver=OuterRef("pk"))),
            active=True,
            due__lte=now,
        ).exclude(pk__in=aside.waiting)
        receiver = receivers.order_by("due", "pk").select_for_update(skip_locked=True, no_key=True).first()
        if receiver is None:
            return None
        related = ("event__appointment__service",)
        delivery = ready.filter(receiver=receiver).select_related(*related).order_by("due", "pk").first()
        if delivery is None:  # another worker has just sent it
            return None
        if late.process_each([delivery], _count_attempt) and aside.process_each([receiver], partial(_take, now=now)):
            delivery.receiver = receiver
            return delivery


def _count_attempt(delivery: EventDelivery) -> None:
    delivery.attempts += 1
    delivery.save(update_fields=["attempts"])


def _take(receiver: EventReceiver, now: datetime) -> None:
    receiver.claimed_until = now + LEASE
    receiver.save(update_fields=["claimed_until"])


def _ready(now: datetime) -> QuerySet[EventDelivery]:
    """The deliveries that are due, without those of a visit that has an earlier event for the same receiver."""
    earlier = EventDelivery.objects.filter(
        receiver=OuterRef("receiver"),
        event__appointment=OuterRef("event__appointment"),
        pk__lt=OuterRef("pk"),
        status=Status.WAITING,
    )
    return EventDelivery.objects.filter(~Exists(earlier), status=Status.WAITING, due__lte=now)


def _send(delivery: EventDelivery, now: datetime) -> tuple[int | None, str]:
    """Send the event to its webhook or plug-in; return the HTTP status, if any, and what went wrong."""
    receiver = delivery.receiver
    if receiver.plugin:
        plugins.tell(receiver.plugin, news_of(delivery), now=now)
        return None, ""
    body = delivery.content.encode()
    try:
        signature = signed_headers(receiver, delivery.message_id, body, now=now)
    except CannotDecrypt:
        return None, "The secret cannot be read any more: make a new one."
    headers = [("User-Agent", "clinic-scheduling"), ("Content-Type", "application/json"), *signature]
    try:
        status = http_client.request("POST", receiver.url, headers=headers, content=body).status
    except (http_client.NotAllowed, http_client.Unreachable) as refusal:
        return None, str(refusal)
    return status, "" if 200 <= status < 300 else f"The endpoint answered {status}."


@transaction.atomic(durable=True)
def _record(delivery: EventDelivery, result: AttemptResult, now: datetime) -> None:
    """Record the result, unless the claim has expired and another worker has the receiver."""
    claimed = EventReceiver.objects.filter(pk=delivery.receiver_id, claimed_until=delivery.receiver.claimed_until)
    receiver = claimed.select_for_update(no_key=True).first()
    if receiver is None:
        return
    receiver.claimed_until = None
    delivery.tried, delivery.duration_ms = now, result.milliseconds
    delivery.status_code, delivery.error = result.status_code, result.error
    if not result.error:
        delivery.status = Status.SENT
        receiver.failures, receiver.due, receiver.last_success = 0, now, now
    else:
        _postpone(delivery, receiver, now)
    delivery.save()
    receiver.save()
    if delivery.status == Status.FAILED and _is_given_up(delivery, receiver):
        _turn_off(receiver, result.error)


def _postpone(delivery: EventDelivery, receiver: EventReceiver, now: datetime) -> None:
    """Set when the event, and anything for its receiver, is tried again. After the last attempt it has failed."""
    receiver.failures += 1
    receiver.due = now + RECEIVER_PAUSES[min(receiver.failures, len(RECEIVER_PAUSES)) - 1]
    if delivery.attempts >= TRIES:
        delivery.status = Status.FAILED
    else:
        delivery.due = now + PAUSES[delivery.attempts - 1]


def _is_given_up(delivery: EventDelivery, receiver: EventReceiver) -> bool:
    """True if nothing has come through since the failed event was planned. Plug-ins are never given up."""
    if receiver.plugin or receiver.failures < TRIES:
        return False
    return receiver.last_success is None or receiver.last_success < delivery.created


def _turn_off(webhook: EventReceiver, error: str) -> None:
    webhook.active, webhook.error = False, f"Turned off after {webhook.failures} failures in a row: {error}"
    webhook.save()
    waiting = EventDelivery.objects.filter(receiver=webhook, status=Status.WAITING)
    waiting.update(status=Status.FAILED, error="The webhook was turned off.")
    follow_feed()
    transaction.on_commit(lambda: tell_administrators(webhook), robust=True)
