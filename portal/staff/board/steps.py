"""The steps of a visit on its day: the statuses that the desk records, and which of them can come next."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from portal.appointments.visits import Status

AFTER_MIDNIGHT = timedelta(hours=6)  # for so long, the visits of the evening before may still be going on


@dataclass(frozen=True, slots=True)
class Step:
    """A status that the desk can record next: the text of its button, and its key."""

    status: str
    word: Any
    key: str


ARRIVED = Step(Status.ARRIVED, _("Arrived"), "a")
IN_ROOM = Step(Status.CHECKED_IN, _("In room"), "r")
DONE = Step(Status.FULFILLED, _("Done"), "d")
MISSED = Step(Status.NOSHOW, _("No-show"), "n")

# The columns, with the next steps of their visits.
STEPS: dict[Status, tuple[Step, ...]] = {
    Status.BOOKED: (ARRIVED, IN_ROOM, MISSED),
    Status.ARRIVED: (IN_ROOM, DONE, MISSED),
    Status.CHECKED_IN: (DONE,),
    Status.FULFILLED: (),
    Status.NOSHOW: (),
}
# Of a past day, only how the visit ended: nobody arrives any more.
LATER_STEPS: dict[Status, tuple[Step, ...]] = {
    Status.BOOKED: (DONE, MISSED),
    Status.ARRIVED: (DONE, MISSED),
    Status.CHECKED_IN: (DONE,),
}
HEADINGS = {
    Status.BOOKED: _("Expected"),
    Status.ARRIVED: _("Arrived"),
    Status.CHECKED_IN: _("In room"),
    Status.FULFILLED: _("Done"),
    Status.NOSHOW: _("No-show"),
}


def steps_after(status: Status, start: datetime, now: datetime) -> tuple[Step, ...]:
    """Return the steps the desk can record: none before the day of the visit, no no-show before its start, and after
    the day only how the visit ended.
    """
    local = now.astimezone(start.tzinfo)
    if local.date() < start.date():
        return ()
    steps = LATER_STEPS if (local - AFTER_MIDNIGHT).date() > start.date() else STEPS
    return tuple(step for step in steps.get(status, ()) if step is not MISSED or now >= start)
