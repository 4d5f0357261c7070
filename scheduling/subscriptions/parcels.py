"""The body of a notification's request, in the form of its subscription, Argonaut's or that of topics."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from clinic import http_client
from clinic.fhir.datatypes import Json
from clinic.fhir.topics import Content, read_channel
from clinic.models import Notification, Subscription
from scheduling import access
from scheduling.subscriptions.bundles import events_for, notification_bundle, server_base
from scheduling.subscriptions.payload import payload_of
from scheduling.subscriptions.subscribers import REVOKED, subscriber

# Notifications that wait because of a bug of their own: they hold back no other.
SET_ASIDE = Q(status=Notification.Status.WAITING, attempts__gt=0, duration_ms=None)


class Withheld(Exception):
    """The subscriber may not see what would be sent. The message is a sentence that says why."""


@dataclass(frozen=True)
class Parcel:
    """A request's body, if it has one, the seconds until it is given up, and the notifications that it holds besides
    the claimed one, by primary key.
    """

    resource: Json | None
    timeout: float = http_client.TIMEOUT
    others: tuple[int, ...] = ()


def parcel_of(notification: Notification, *, now: datetime) -> Parcel:
    """The parcel of a claimed notification. Raises Withheld."""
    subscription = notification.subscription
    if not subscription.topic:
        return Parcel(payload_of(notification))
    caller = subscriber(subscription, now)
    if caller is None:
        raise Withheld(REVOKED)
    channel, base = read_channel(subscription.extra), server_base()
    timeout = float(channel.timeout or http_client.TIMEOUT)
    if notification.number is None:
        is_new = subscription.status == Subscription.Status.REQUESTED
        kind = "handshake" if is_new else "heartbeat"
        bundle = notification_bundle(subscription, kind, content=Content.EMPTY, base=base, now=now)
        return Parcel(bundle, timeout)
    others = _next(notification, channel.most_events - 1)
    events = events_for([notification, *others], channel.content, caller)
    if not events:
        raise Withheld("The subscriber may not see it any more.")
    disclosed = [row for event in events for row in event.disclosed]
    access.record_disclosure(disclosed, "notification", caller=caller, now=now, query=subscription.reference)
    bundle = notification_bundle(
        subscription, "event-notification", events, content=channel.content, base=base, now=now
    )
    return Parcel(bundle, timeout, tuple(each.pk for each in others))


def _next(notification: Notification, most: int) -> list[Notification]:
    """Return the notifications that wait behind this one until it is delivered."""
    waiting = Notification.objects.filter(
        subscription=notification.subscription_id, number__gt=notification.number, status=Notification.Status.WAITING
    )
    return list(waiting.exclude(SET_ASIDE).select_related("event").order_by("number")[:most])
