"""What to tell whom: Communication rows, written in the transaction of what they tell, and their delivery.

The outbox. `requested`, `booked`, `moved`, `cancelled` and `restored` are called by the use cases of
scheduling.booking inside their transaction; `deliver_next` by a worker (scheduling.tasks), for what is due; `arrived`
and `bounced` when a provider says what became of it.
"""

from scheduling.notifications.delivery import deliver_next
from scheduling.notifications.invitation import Block, Feed, calendar_of
from scheduling.notifications.outbox import (
    booked,
    cancelled,
    moved,
    plan_reminders,
    prove,
    requested,
    restored,
    send_again,
)
from scheduling.notifications.receipts import arrived, bounced, follow
from scheduling.notifications.timeline import failed, failures, timeline
from scheduling.notifications.undoing import stand_of

__all__ = [
    "Block",
    "Feed",
    "arrived",
    "booked",
    "bounced",
    "calendar_of",
    "cancelled",
    "deliver_next",
    "failed",
    "failures",
    "follow",
    "moved",
    "plan_reminders",
    "prove",
    "requested",
    "restored",
    "send_again",
    "stand_of",
    "timeline",
]
