"""Messages about visits: Communication rows, written in the transaction of the change they report, and their delivery.

The use cases of scheduling.booking call `requested`, `suggested`, `offered`, `booked`, `moved`, `cancelled`, `left` and
`restored` inside their transaction. A worker (scheduling.tasks) sends the messages that are due as a `Batch`. `arrived`
and `bounced` are called when a provider reports the outcome.
"""

from scheduling.notifications.announcements import call_task
from scheduling.notifications.audience import address_of
from scheduling.notifications.calendar_files import CalendarBlock, CalendarProperties, calendar_of
from scheduling.notifications.calendar_links import CalendarLink, calendar_links
from scheduling.notifications.delays import told_lateness, withdraw_delay
from scheduling.notifications.delivery import Batch
from scheduling.notifications.inbound_texts import InboundText, dealt_with
from scheduling.notifications.outbox import (
    booked,
    can_be_told_to_rebook,
    cancelled,
    delayed,
    fee_charged,
    left,
    moved,
    offered,
    paid_later,
    plan_reminders,
    rebooking_needed,
    recalled,
    refunded,
    requested,
    restored,
    send_again,
    stays_as_booked,
    suggested,
    time_lost,
)
from scheduling.notifications.personal_outbox import (
    comes_of_age,
    coverage_checked,
    invited,
    messages_of,
    prove,
    referral_ended,
    referral_followed,
    staff_told,
    ticket_sent,
)
from scheduling.notifications.receipts import arrived, bounced, follow
from scheduling.notifications.series_outbox import (
    combined_agreed,
    series_booked,
    series_cancelled,
    series_moved,
    series_requested,
)
from scheduling.notifications.timeline import TimelineEntry, failed, failures, timeline, timeline_entry
from scheduling.notifications.undo_window import UNDO_WINDOW, snapshot_of

__all__ = [
    "UNDO_WINDOW",
    "Batch",
    "CalendarBlock",
    "CalendarLink",
    "CalendarProperties",
    "InboundText",
    "TimelineEntry",
    "address_of",
    "arrived",
    "booked",
    "bounced",
    "calendar_links",
    "calendar_of",
    "call_task",
    "can_be_told_to_rebook",
    "cancelled",
    "combined_agreed",
    "comes_of_age",
    "coverage_checked",
    "dealt_with",
    "delayed",
    "failed",
    "failures",
    "fee_charged",
    "follow",
    "invited",
    "left",
    "messages_of",
    "moved",
    "offered",
    "paid_later",
    "plan_reminders",
    "prove",
    "rebooking_needed",
    "recalled",
    "referral_ended",
    "referral_followed",
    "refunded",
    "requested",
    "restored",
    "send_again",
    "series_booked",
    "series_cancelled",
    "series_moved",
    "series_requested",
    "snapshot_of",
    "staff_told",
    "stays_as_booked",
    "suggested",
    "ticket_sent",
    "time_lost",
    "timeline",
    "timeline_entry",
    "told_lateness",
    "withdraw_delay",
]
