"""Subscriptions to events and to changes of free time: https://hl7.org/fhir/R4/subscription.html

There are two forms: Argonaut Scheduling's, and FHIR's topics (clinic.fhir.topics). Every change of free time leaves a
`ScheduleChange`, and every step of a visit a `VisitEvent`, written by the database in the same transaction. `collect`
and `collect_visits` turn these into notifications for each subscriber, `plan_handshakes` greets new subscribers,
`deliver_next` sends all of them, and `maintain` ends subscriptions and plans heartbeats.
"""

from scheduling.subscriptions.bundles import content_of, events_for, notification_bundle, status_of
from scheduling.subscriptions.changes import collect
from scheduling.subscriptions.delivery import deliver_next
from scheduling.subscriptions.maintenance import maintain, plan_handshakes
from scheduling.subscriptions.visits import collect_visits

__all__ = [
    "collect",
    "collect_visits",
    "content_of",
    "deliver_next",
    "events_for",
    "maintain",
    "notification_bundle",
    "plan_handshakes",
    "status_of",
]
