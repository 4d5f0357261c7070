"""Telling software that free time has changed: https://hl7.org/fhir/R4/subscription.html, as Argonaut Scheduling does.

What changes free time leaves a `ScheduleChange`, written by the database in the same transaction. `collect` makes of
these what each subscriber is to be told, `deliver_next` tells it, `tend` keeps the subscriptions themselves.
"""

from scheduling.subscriptions.changes import collect
from scheduling.subscriptions.delivery import deliver_next
from scheduling.subscriptions.upkeep import tend

__all__ = ["collect", "deliver_next", "tend"]
