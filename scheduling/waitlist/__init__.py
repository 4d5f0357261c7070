"""The waiting list: time that came free is offered to those who wait, one person at a time.

The database notes what comes free (FreedTime). A worker asks the availability engine for the times that fit there, goes
through the entries in the order of their service, and holds a time for the first who would take it
(scheduling.booking.offers). If they decline or do not answer, it is offered to the next.
"""

from scheduling.waitlist.calls import calls_of, last_calls, note_call, remove_call
from scheduling.waitlist.gaps import Candidate, Gap, book_gap, candidates, offer_gap
from scheduling.waitlist.log import FillFigure, Wait, fill_figure, offers_of, read_waits
from scheduling.waitlist.matching import offer_freed_time
from scheduling.waitlist.order import PassedOver, in_order

__all__ = [
    "Candidate",
    "FillFigure",
    "Gap",
    "PassedOver",
    "Wait",
    "book_gap",
    "calls_of",
    "candidates",
    "fill_figure",
    "in_order",
    "last_calls",
    "note_call",
    "offer_freed_time",
    "offer_gap",
    "offers_of",
    "read_waits",
    "remove_call",
]
