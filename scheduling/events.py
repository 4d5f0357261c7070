"""The feed of visit events: booked, moved, cancelled, arrived, fulfilled, noshow and corrected visits.

The database writes a VisitEvent in the transaction of each change, whatever makes it. Each consumer has its own place
in the feed and gets every event at least once, and the events of a visit in their order:

    events.join("webhooks")                                # once: the feed begins for it now
    with transaction.atomic(durable=True):                 # in a task of its own, about every second
        for event in events.collect("webhooks"):  # the consumer's place is stored at commit
            ...                                            # write what is to be sent, and send it after commit

If the transaction is rolled back, the consumer gets the same events again. A consumer that fails on an event parks it
(clinic.parking) and goes on. An event's `appointment` is the visit as it is now, which may be later than the event.
Changes of free time are no events of a visit: scheduling.subscriptions collects them.

Events get their numbers when they are collected, not when they are written: a transaction that commits late is
numbered late and never skipped. Use cases lock a visit before they change it, so the key of an earlier event of
a visit is lower, and it is visible first.
"""

from django.db import connection, transaction

from clinic.models import EventConsumer, VisitEvent

BATCH = 500
VISIT = ("appointment__service", "appointment__patient", "appointment__site")  # what is read with an event
FEED_LOCK = 5  # the first key of two; see the other advisory locks in scheduling.booking

_NUMBER = """
    UPDATE clinic_visitevent event SET number = numbered.number
    FROM (
        SELECT id, nextval('clinic_visitevent_number') AS number
        FROM (SELECT id FROM clinic_visitevent WHERE number IS NULL ORDER BY id) AS new
    ) AS numbered
    WHERE event.id = numbered.id
"""


@transaction.atomic
def join(consumer: str) -> None:
    """Let the consumer have the events that are committed from now on. Joining again changes nothing."""
    _number_new_events()
    last = VisitEvent.objects.exclude(number=None).order_by("-number").values_list("number", flat=True).first()
    EventConsumer.objects.get_or_create(name=consumer, defaults={"place": last or 0})


def leave(consumer: str) -> None:
    """Forget the consumer and its place. Without any consumer no events are written."""
    EventConsumer.objects.filter(name=consumer).delete()


def collect(consumer: str, *, limit: int = BATCH) -> list[VisitEvent]:
    """Return the consumer's next events in their order, with their visits; none while another worker collects for it.

    Call it in the transaction in which the events are processed: the consumer's place moves on at its commit.
    """
    reader = EventConsumer.objects.select_for_update(skip_locked=True).filter(name=consumer).first()
    if reader is None:
        return []
    _number_new_events()
    events = list(VisitEvent.objects.filter(number__gt=reader.place).select_related(*VISIT)[:limit])
    if events:
        EventConsumer.objects.filter(pk=reader.pk).update(place=events[-1].number)
    return events


def _number_new_events() -> None:
    """Number the events that have been committed since. The lock until commit makes lower numbers visible first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [FEED_LOCK])
        cursor.execute(_NUMBER)
