"""Labels of a visit's statuses: the word, the icon and the colour of each, for every page.

A tone is a class `status--<tone>` in static/css/components.css, whose colours are in static/css/tokens.css. In the grid
of the staff's calendar the colour is that of the service.
"""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from clinic.models import Appointment

Status = Appointment.Status


@dataclass(frozen=True, slots=True)
class StatusWord:
    """Label of a status: the word, its icon and its tone."""

    word: Any
    icon: str
    tone: str


STATUS_WORDS = {
    Status.PROPOSED: StatusWord(_("Proposed"), "clock", "info"),
    Status.PENDING: StatusWord(_("Held"), "clock", "warn"),
    Status.BOOKED: StatusWord(_("Booked"), "check", "good"),
    Status.ARRIVED: StatusWord(_("Arrived"), "arrive", "info"),
    Status.CHECKED_IN: StatusWord(_("In room"), "arrive", "info"),
    Status.FULFILLED: StatusWord(_("Done"), "done", "quiet"),
    Status.CANCELLED: StatusWord(_("Cancelled"), "cross", "quiet"),
    Status.NOSHOW: StatusWord(_("No-show"), "missed", "bad"),
    Status.ENTERED_IN_ERROR: StatusWord(_("Entered in error"), "cross", "quiet"),
    Status.WAITLIST: StatusWord(_("On the waiting list"), "clock", "info"),
}
REQUESTED = StatusWord(_("Requested"), "hourglass", "info")
SUGGESTED = StatusWord(_("Suggested"), "hourglass", "info")
HOLD_OVER = StatusWord(_("Hold ended"), "clock", "quiet")


def status_of(appointment: Appointment) -> StatusWord:
    """Return the label of an appointment's status. It does not depend on the time."""
    return status_word(appointment.status, is_request=appointment.is_request, is_suggestion=appointment.is_suggestion)


def status_word(status: str, *, is_request: bool, is_suggestion: bool) -> StatusWord:
    """Return the label of a status. A request is a pending appointment that does not expire; a suggestion is a hold
    that answers a request.
    """
    if is_suggestion and status == Status.PENDING:
        return SUGGESTED
    return REQUESTED if is_request else STATUS_WORDS[Status(status)]
