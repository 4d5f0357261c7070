"""Subscriptions to changes of free time: https://hl7.org/fhir/R4/subscription.html, as in Argonaut Scheduling.

Every change of free time leaves a `ScheduleChange`, written by the database in the same transaction. `collect` turns
these into notifications for each subscriber, `deliver_next` sends them, and `maintain` ends subscriptions and plans
heartbeats.
"""

from scheduling.subscriptions.changes import collect
from scheduling.subscriptions.delivery import deliver_next
from scheduling.subscriptions.maintenance import maintain

__all__ = ["collect", "deliver_next", "maintain"]
