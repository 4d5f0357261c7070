"""Notifications planned from events of visits: those of each subscription to a topic, in the order of the feed."""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from django.db import transaction

from clinic import database
from clinic.fhir.subscriptions import SERVICE_TYPE, SubscriptionCriteria, criteria_of
from clinic.fhir.topics import SLOT_CHANGED, TOPICS
from clinic.models import Appointment, Notification, PractitionerRole, Subscription, VisitEvent
from clinic.parking import Parking
from scheduling import events
from scheduling.participants import PATIENT, PLACE, PRACTITIONER, references_of
from scheduling.subscriptions.subscribers import active, fail, number_events, visible_keys

logger = logging.getLogger(__name__)

CONSUMER = "subscriptions"
OF_FREE_TIME = ("", SLOT_CHANGED)  # topics; Argonaut's form has none
ROLE = "PractitionerRole/"

# The values that filters compare: references by parameter, and the codes of the service.
Facts = dict[str, set[str]]


@transaction.atomic(durable=True)
def collect_visits(*, now: datetime) -> int:
    """Plan the notifications for the events of visits so far. Returns their number.

    An event that fails is set aside and tried again later; a subscription that fails gets the status error. The others
    are notified anyway.
    """
    aside = Parking("collect events of visits", VisitEvent, now=now)
    again = VisitEvent.objects.filter(pk__in=aside.due).select_related(*events.VISIT)
    collected = [*again, *events.collect(CONSUMER)]
    if not collected:
        return 0
    facts: dict[int, Facts] = {}

    def read(event: VisitEvent) -> None:
        facts[event.pk] = _facts(event.appointment)

    aside.process_each(collected, read, writes=False)
    _add_people_in_roles(facts.values())
    readable = [event for event in collected if event.pk in facts]
    planned = [
        Notification(subscription=subscription, event=event, created=now, due=now)
        for subscription in _listeners(now)
        for event in _events_of(subscription, readable, facts, now)
    ]
    number_events(planned)
    return len(Notification.objects.bulk_create(planned))


def listens_to_visits(subscription: Subscription) -> bool:
    """True if the subscription needs the feed of events."""
    return subscription.topic not in OF_FREE_TIME


def leave_unless_needed() -> None:
    """Leave the feed of events if no subscription needs it, so that bookings write none."""
    served = Subscription.objects.filter(
        status__in=(Subscription.Status.ACTIVE, Subscription.Status.REQUESTED), deleted_at=None
    )
    if not served.exclude(topic__in=OF_FREE_TIME).exists():
        events.leave(CONSUMER)


def _listeners(now: datetime) -> Iterable[Subscription]:
    return Subscription.objects.filter(active(now)).exclude(topic__in=OF_FREE_TIME).select_related("user")


def _events_of(
    subscription: Subscription, collected: Sequence[VisitEvent], facts: Mapping[int, Facts], now: datetime
) -> list[VisitEvent]:
    """The events that the subscription asks for, of visits that the subscriber may see."""
    try:
        with transaction.atomic():
            kind, criteria = TOPICS[subscription.topic].kind, criteria_of(subscription)
            found = [each for each in collected if each.kind == kind and _matches(criteria, facts[each.pk])]
            visits = {event.appointment_id for event in found}
            seen = visible_keys(subscription, Appointment, visits, now)
            return [event for event in found if event.appointment_id in seen]
    except Exception as error:  # written under older rules, or by hand
        if database.is_away(error):
            raise
        logger.error("Subscription %s: it cannot be served (%s)", subscription.pk, type(error).__name__)
        fail(subscription, "It cannot be read any more: send it again.", now)
        return []


def _matches(criteria: SubscriptionCriteria, facts: Facts) -> bool:
    return all(not wanted.isdisjoint(facts.get(name, ())) for name, wanted in criteria.references.items())


def _facts(appointment: Appointment) -> Facts:
    actors = set(references_of(appointment.participant))
    if appointment.site is not None:
        actors.add(appointment.site.reference)
    service = appointment.service
    return {
        "actor": actors,
        "patient": {each for each in actors if each.startswith(PATIENT)},
        "practitioner": {each for each in actors if each.startswith(PRACTITIONER)},
        "location": {each for each in actors if each.startswith(PLACE)},
        "service": {service.reference} if service else set(),
        SERVICE_TYPE: _tokens(service.type) if service else set(),
    }


def _tokens(concepts: Iterable[Mapping[str, Sequence[Mapping[str, str]]]]) -> set[str]:
    """The codes of concepts, with and without their systems, as search parameters write them."""
    codings = [coding for concept in concepts for coding in concept.get("coding", ()) if "code" in coding]
    return {form for each in codings for form in (each["code"], f"{each.get('system', '')}|{each['code']}")}


def _add_people_in_roles(facts: Collection[Facts]) -> None:
    """Add the Practitioners of the PractitionerRoles that take part. One statement."""
    named = {each.removeprefix(ROLE) for every in facts for each in every["practitioner"] if each.startswith(ROLE)}
    rows = PractitionerRole.objects.filter(fhir_id__in=named, practitioner__isnull=False).select_related("practitioner")
    people = {role.reference: role.practitioner.reference for role in rows if role.practitioner}
    for every in facts:
        found = {people[each] for each in every["practitioner"] if each in people}
        every["practitioner"] |= found
        every["actor"] |= found
