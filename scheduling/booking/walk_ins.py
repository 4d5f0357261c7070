"""The use case of walk-ins: patients who come without a visit, and are seen as soon as somebody is free."""

from dataclasses import replace
from datetime import datetime

from django.utils.translation import gettext as _

from clinic.fhir.visit_types import APPOINTMENT_TYPE_OF_CODE, appointment_type
from clinic.models import Appointment, HealthcareService
from scheduling import access, availability
from scheduling.access import Caller
from scheduling.booking.idempotency import Once, use_case
from scheduling.booking.judging import judged
from scheduling.booking.request import WITHOUT_REASON, BookingRequest
from scheduling.booking.steps import take_step
from scheduling.booking.visits import book_within
from scheduling.errors import RuleBroken
from scheduling.plugins import BookingStep
from scheduling.requirements import day_of

WALK_IN = appointment_type(APPOINTMENT_TYPE_OF_CODE[HealthcareService.AppointmentType.WALK_IN])


@judged(BookingStep.BOOK)
@use_case
def walk_in(request: BookingRequest, *, caller: Caller, now: datetime, once: Once | None = None) -> Appointment:
    """Book a time of today for a patient who is there already, and record that they have arrived. Staff only.

    The service's minimum notice does not count, and the patient gets no message. Raises what `book` raises, and
    RuleBroken for another day.
    """
    request = replace(
        request,
        service=availability.without_notice(request.service),
        extra={**request.extra, "appointmentType": WALK_IN},
        tell=False,
    )
    visit = book_within(request, caller=caller, now=now)
    if not access.is_exempt_from_cutoffs(caller, visit):
        raise RuleBroken(_("Only clinic staff can record the steps of a visit."))
    if day_of(visit) != day_of(visit, now):
        raise RuleBroken(_("A walk-in is booked for today. Book another day as a new visit."))
    return take_step(visit, Appointment.Status.ARRIVED, WITHOUT_REASON, caller=caller, now=now)
