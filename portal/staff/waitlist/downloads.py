"""The columns of the waiting list, of its offers and of free time as CSV files."""

from typing import NamedTuple

from django.utils.translation import gettext_lazy as _

from clinic import time_text
from clinic.translations import text_of
from portal.common.csv_lists import Column, CsvList, DateColumn, PatientColumns, VisitColumns
from portal.staff.waitlist.gaps import GapRow
from portal.staff.waitlist.waits import CallRow, OfferRow, Queue, QueueRow


class Waiting(NamedTuple):
    """Somebody who waits, with the list that they are on."""

    queue: Queue
    row: QueueRow


def _call_text(each: CallRow) -> str:
    words = f"{time_text.day_and_time(each.called)}, {each.who}: {each.outcome}"
    return f"{words}. {each.call.note}" if each.call.note else words


WAITING: CsvList[Waiting] = CsvList(
    name="waiting list",
    about=lambda each: [each.row.entry],
    columns=(
        Column(_("Service"), lambda each: text_of(each.queue.service, "name")),
        Column(_("Place in the list"), lambda each: each.row.place),
        PatientColumns(lambda each: each.row.waiting.patient),
        DateColumn(_("Waiting since"), lambda each: each.row.waiting.since),
        Column(_("Priority"), lambda each: dict(each.row.priorities)[each.row.priority]),
        Column(_("Wishes"), lambda each: "; ".join(f"{label}: {text}" for label, text in each.row.waiting.facts)),
        DateColumn(_("Booked now"), lambda each: each.row.waiting.visit.start if each.row.waiting.visit else None),
        DateColumn(_("Asked now"), lambda each: each.row.waiting.offer.start if each.row.waiting.offer else None),
        Column(_("Calls"), lambda each: "; ".join(map(_call_text, each.row.calls))),
    ),
)
OFFERS: CsvList[OfferRow] = CsvList(
    name="offers of the waiting list",
    about=lambda row: [row.entry],
    columns=(
        PatientColumns(lambda row: row.entry.patient),
        VisitColumns(lambda row: row.visit),
        DateColumn(_("Offered"), lambda row: row.offered),
        Column(_("Rule"), lambda row: row.rule),
        Column(_("Outcome"), lambda row: row.outcome),
        DateColumn(_("Answered"), lambda row: row.answered),
    ),
)
CALLS: CsvList[CallRow] = CsvList(
    name="calls to the waiting list",
    about=lambda row: [row.call.entry],
    columns=(
        DateColumn(_("Time"), lambda row: row.called),
        PatientColumns(lambda row: row.call.entry.patient),
        Column(_("Service"), lambda row: text_of(row.call.entry.service, "name")),
        Column(_("Called by"), lambda row: row.who),
        Column(_("Outcome"), lambda row: row.outcome),
        Column(_("Note"), lambda row: row.call.note),
    ),
)
GAPS: CsvList[GapRow] = CsvList(
    name="free time",
    columns=(
        Column(_("Calendar"), lambda row: row.name),
        DateColumn(_("Start"), lambda row: row.start),
        DateColumn(_("End"), lambda row: row.end),
    ),
)
