"""Messages about visits: Communication rows, written in the transaction of the change they report, and their delivery.

The use cases of scheduling.booking call `requested`, `booked`, `moved`, `cancelled` and `restored` inside their
transaction. A worker (scheduling.tasks) calls `deliver_next` for messages that are due. `arrived` and `bounced` are
called when a provider reports the outcome.
"""

from scheduling.notifications.calendar_files import CalendarBlock, CalendarProperties, calendar_of
from scheduling.notifications.delivery import deliver_next
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
from scheduling.notifications.timeline import TimelineEntry, failed, failures, timeline, timeline_entry
from scheduling.notifications.undo_window import snapshot_of

__all__ = [
    "CalendarBlock",
    "CalendarProperties",
    "TimelineEntry",
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
    "snapshot_of",
    "timeline",
    "timeline_entry",
]
