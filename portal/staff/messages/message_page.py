"""The page of a message in the words of staff: its recipients before it is sent, and its log afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from clinic import time_text
from clinic.message_templates import MessageText
from clinic.models import Communication, StaffMessage
from clinic.translations import actor_name, text_of
from scheduling import staff_messages
from scheduling.access import Caller
from scheduling.notifications import TimelineEntry, timeline_entry
from scheduling.notifications.timeline import MEDIA
from scheduling.notifications.undo_window import WAITING
from scheduling.staff_messages import Recipient


@dataclass(frozen=True, slots=True)
class MessagePreview:
    """A draft: its recipients by medium, those who cannot be reached, and its text as the first recipient reads it."""

    reached: Sequence[Recipient]
    unreachable: Sequence[Recipient]
    counts: Sequence[tuple[Any, int]]
    sample: MessageText | None

    @property
    def sample_patient(self) -> str:
        return str(self.reached[0].patient) if self.reached else ""


def preview_of(message: StaffMessage, *, caller: Caller, now: datetime) -> MessagePreview:
    """Return the recipients whom the draft reaches now. A constant number of queries."""
    recipients = staff_messages.recipients_of(message, caller=caller, now=now)
    reached = [each for each in recipients if each.media]
    counts = [(MEDIA[medium], count) for medium, count in staff_messages.count_by_medium(reached).items()]
    sample = staff_messages.wording_for(message, reached[0], now=now) if reached else None
    return MessagePreview(reached, [each for each in recipients if not each.is_reached], counts, sample)


def log_of(message: StaffMessage) -> list[TimelineEntry]:
    """Return the messages to the patients with their states. One query."""
    rows = staff_messages.notes_of(message).select_related("patient", "appointment")
    return [timeline_entry(row) for row in rows]


def can_be_undone(entries: Sequence[TimelineEntry]) -> bool:
    """True while all messages wait."""
    statuses = {Communication.Status(entry.message.status) for entry in entries}
    return bool(statuses) and statuses <= set(WAITING)


def selection_text(message: StaffMessage) -> str:
    """Return the selection in words."""
    if message.service is not None:
        return _("Waiting list: %(service)s") % {"service": text_of(message.service, "name")}
    if message.absence is not None:
        return _("Absence: %(name)s") % {"name": actor_name(message.absence.bookable.actor)}
    if message.first is None:
        return ""
    days = time_text.days(message.first, message.last or message.first)
    return _("Visits: %(days)s") % {"days": days}
