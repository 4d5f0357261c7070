"""Messages about visits: Communication rows, written in the transaction of the change they report, and their delivery.

The use cases of scheduling.booking call `requested`, `suggested`, `booked`, `moved`, `cancelled`, `left` and `restored`
inside their transaction. A worker (scheduling.tasks) sends the messages that are due as a `Batch`. `arrived` and
`bounced` are called when a provider reports the outcome.
"""

from scheduling.notifications.calendar_files import CalendarBlock, CalendarProperties, calendar_of
from scheduling.notifications.delivery import Batch
from scheduling.notifications.outbox import (
    booked,
    cancelled,
    left,
    moved,
    plan_reminders,
    prove,
    requested,
    restored,
    send_again,
    series_booked,
    series_cancelled,
    series_requested,
    suggested,
)
from scheduling.notifications.receipts import arrived, bounced, follow
from scheduling.notifications.timeline import TimelineEntry, failed, failures, timeline, timeline_entry
from scheduling.notifications.undo_window import snapshot_of

__all__ = [
    "Batch",
    "CalendarBlock",
    "CalendarProperties",
    "TimelineEntry",
    "arrived",
    "booked",
    "bounced",
    "calendar_of",
    "cancelled",
    "failed",
    "failures",
    "follow",
    "left",
    "moved",
    "plan_reminders",
    "prove",
    "requested",
    "restored",
    "send_again",
    "series_booked",
    "series_cancelled",
    "series_requested",
    "snapshot_of",
    "suggested",
    "timeline",
    "timeline_entry",
]
