"""Deliveries planned from the feed of visit events, and the receivers that the feed is read for."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from clinic.models import EventDelivery, EventReceiver
from scheduling import events, plugins

CONSUMER = "receivers"


@transaction.atomic(durable=True)
def collect(*, now: datetime) -> int:
    """Plan the deliveries of the events so far, in their order. Returns their number."""
    _welcome_plugins()
    happened = events.collect(CONSUMER)
    receivers = list(EventReceiver.objects.filter(active=True)) if happened else []
    planned = [
        EventDelivery(receiver=receiver, event=event, created=now, due=now)
        for event in happened
        for receiver in receivers
        if event.kind in receiver.kinds
    ]
    return len(EventDelivery.objects.bulk_create(planned))


def follow_feed() -> None:
    """Read the feed while there is an active receiver. Call it after a receiver was written."""
    if EventReceiver.objects.filter(active=True).exists():
        events.join(CONSUMER)
    else:
        events.leave(CONSUMER)


def send_test(webhook: EventReceiver, *, now: datetime) -> EventDelivery:
    """Plan a delivery without an event."""
    return EventDelivery.objects.create(receiver=webhook, created=now, due=now)


def send_again(deliveries: QuerySet[EventDelivery], *, now: datetime) -> int:
    """Plan the deliveries that were sent or have failed again, with the same ids and contents. Returns their number."""
    done = deliveries.exclude(status=EventDelivery.Status.WAITING)
    return done.update(status=EventDelivery.Status.WAITING, due=now, attempts=0)


def _welcome_plugins() -> None:
    """Make each plug-in with a method for an event a receiver."""
    kinds_by_plugin = plugins.kinds_by_plugin()
    if not kinds_by_plugin:
        return
    known = {receiver.plugin: receiver for receiver in EventReceiver.objects.filter(plugin__in=kinds_by_plugin)}
    for name, kinds in kinds_by_plugin.items():
        if name in known and known[name].kinds == kinds:
            continue
        EventReceiver.objects.update_or_create(plugin=name, defaults={"name": name, "kinds": kinds})
        follow_feed()
