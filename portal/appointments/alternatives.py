"""Answers of patients to the other times that are offered for a visit that the clinic cannot keep."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _

from clinic.models import Rebooking
from portal.appointments.forms import AlternativeForm
from portal.appointments.refusals import refusal_text
from portal.appointments.visits import Visit
from scheduling import booking
from scheduling.access import Caller
from scheduling.errors import SchedulingError


@dataclass(frozen=True, slots=True)
class OfferedTimes:
    """The alternatives to a visit that the clinic cannot keep, the text for the patient, and the state of its
    Rebooking.
    """

    rebooking: Rebooking
    times: Sequence[Visit]

    @property
    def notice(self) -> str:
        return self.rebooking.absence.notice

    @property
    def is_to_be_called(self) -> bool:
        return self.rebooking.state == Rebooking.State.CALL

    @property
    def until(self) -> datetime | None:
        """The last moment at which one of the times can be taken; None if none is held any more."""
        ends = [time.hold_ends for time in self.times if time.hold_ends]
        return max(ends) if ends else None


def offered_times(visit: Visit, *, now: datetime) -> OfferedTimes | None:
    """Return the alternatives to a visit that the clinic cannot keep; None for other visits, without a query."""
    rebooking = booking.offer_made_for(visit.appointment, now=now)
    if rebooking is None:
        return None
    held = booking.standing_alternatives(visit.appointment, now=now)
    return OfferedTimes(rebooking, [Visit(hold, visit.zone, now) for hold in held])


def answer(request: HttpRequest, visit: Visit, *, caller: Caller, now: datetime) -> None:
    """Carry out the patient's choice in the form, and show its result as a message. Raises Http404 for other forms."""
    form = AlternativeForm(request.POST)
    if not form.is_valid():
        raise Http404
    try:
        match form.cleaned_data["answer"]:
            case "call":
                booking.ask_for_call(visit.id, caller=caller, now=now)
                messages.success(request, _("Thank you. The clinic will call you."))
            case "cancel":
                booking.cancel_rebooked(visit.id, caller=caller, now=now)
                messages.success(request, _("Your visit is cancelled. Nothing is charged for it."))
            case _hold:
                booking.choose_alternative(visit.id, form.cleaned_data["hold"], caller=caller, now=now)
                messages.success(request, _("Thank you. Your visit is moved to the time that you have chosen."))
    except SchedulingError as refusal:
        messages.error(request, refusal_text(refusal))
