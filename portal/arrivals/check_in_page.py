"""The page on which a patient checks in and then waits, for each way to reach it: account, link, front desk."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from clinic.models import Appointment, Coverage, Patient
from portal.appointments.refusals import refusal_text
from portal.appointments.visits import Visit
from portal.booking import steps
from scheduling import access, booking, requirements
from scheduling.access import Caller
from scheduling.errors import SchedulingError
from scheduling.waiting import Wait, wait_of

Status = Appointment.Status


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A visit on the day, as the patient's page shows it.

    `caller` acts for its patient. Without `is_private` the page says no more than when and where the visit is.
    """

    visit: Visit
    caller: Caller
    wait: Wait
    is_private: bool

    @property
    def can_check_in(self) -> bool:
        return self.visit.can_check_in(self.visit.now)

    @property
    def times(self) -> str:
        return self.visit.check_in_times(self.visit.now)

    @property
    def is_early(self) -> bool:
        return self.visit.has_check_in and self.visit.is_booked and self.visit.now < self.visit.check_in_opens

    @property
    def is_waiting(self) -> bool:
        return self.visit.appointment.status == Status.ARRIVED

    @property
    def is_called(self) -> bool:
        """True if staff have asked the patient in."""
        return self.visit.appointment.status == Status.CHECKED_IN

    @property
    def patient(self) -> Patient | None:
        return self.visit.appointment.patient if self.is_private else None

    @property
    def coverages(self) -> list[Coverage]:
        """The insurance of the patient on the day, if the reader may see it."""
        if self.patient is None or self.caller.user is None:
            return []
        valid = requirements.coverages(self.patient.pk, requirements.day_of(self.visit.appointment))
        return list(valid & access.visible(Coverage, self.caller))

    @property
    def has_open_questions(self) -> bool:
        """True if the clinic still waits for answers."""
        return self.visit.appointment.service is not None and steps.unanswered(self.visit.appointment)

    @property
    def can_answer(self) -> bool:
        """True if the reader can answer the open questions online now."""
        is_reader = self.caller.user is not None or bool(self.caller.guest)
        return is_reader and requirements.accepts_answers(self.visit.appointment, now=self.visit.now)


def respond(
    request: HttpRequest, visit: Visit, *, caller: Caller, is_private: bool, now: datetime, **more: object
) -> HttpResponse:
    """Check the patient in on POST, and show the page. A script asks for its changing part alone."""
    if request.method == "POST":
        try:
            booking.check_in(visit.id, caller=caller, now=now)
        except SchedulingError as refusal:
            messages.error(request, refusal_text(refusal))
        return redirect(request.get_full_path())
    wait = wait_of(visit.appointment, visit.zone, now=now)
    arrival = Arrival(visit=visit, caller=caller, wait=wait, is_private=is_private)
    page = "_arrival" if request.headers.get("HX-Request") == "true" else "check_in"
    return render(request, f"portal/arrivals/{page}.html", {"arrival": arrival, "visit": visit, **more})
