"""Active subscriptions, what their subscribers may see, and the numbers of their events."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime

from django.db.models import F, Q

from clinic.models import Notification, Resource, Subscription
from scheduling import access
from scheduling.access import Caller

REVOKED = "The access of its software has ended."


def active(now: datetime) -> Q:
    """Return the condition for active subscriptions."""
    return _in_force(now) & Q(status=Subscription.Status.ACTIVE)


def requested(now: datetime) -> Q:
    """The condition for subscriptions to a topic that wait for their handshake."""
    return _in_force(now) & Q(status=Subscription.Status.REQUESTED)


def _in_force(now: datetime) -> Q:
    return Q(deleted_at=None) & (Q(end=None) | Q(end__gt=now))


def fail(subscription: Subscription, error: str, now: datetime) -> None:
    """Stop serving the subscription until its client requests it again."""
    subscription.status = Subscription.Status.ERROR
    subscription.error = error
    subscription.version += 1
    subscription.last_updated = now
    subscription.save(update_fields=["status", "error", "version", "last_updated", "failures", "last_contact"])


def subscriber(subscription: Subscription, now: datetime) -> Caller | None:
    """The caller to whom the subscription belongs, as it may act now; None if its access has ended."""
    return access.standing_caller(subscription.client, subscription.user, subscription.scopes, now=now)


def visible_keys(subscription: Subscription, model: type[Resource], keys: Collection[int], now: datetime) -> set[int]:
    """The primary keys, of those given, of rows that the subscriber may see now. A revoked subscription fails."""
    if not keys:
        return set()
    caller = subscriber(subscription, now)
    if caller is None:
        fail(subscription, REVOKED, now)
        return set()
    return set(access.visible(model, caller).filter(pk__in=keys).values_list("pk", flat=True))


def number_events(notifications: Iterable[Notification]) -> None:
    """Give the unsaved notifications the next numbers of their subscriptions, in their order."""
    of_each: dict[int, list[Notification]] = defaultdict(list)
    for notification in notifications:
        of_each[notification.subscription_id].append(notification)
    for key, events in sorted(of_each.items()):
        Subscription.objects.filter(pk=key).update(events=F("events") + len(events))  # locks it until commit
        last = Subscription.objects.values_list("events", flat=True).get(pk=key)
        for number, event in enumerate(events, last - len(events) + 1):
            event.number = number
