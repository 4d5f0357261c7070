"""`POST [base]/Appointment/[id]/$reschedule`: https://www.medplum.com/docs/scheduling/appointment-reschedule"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from api.authentication import caller_of
from api.headers import base_of
from api.operations.parameters import Inputs, inputs_of, moment, reference_to, refusal
from api.operations.write_view import Attempt, WriteView, add_alternatives, changed, relocated, version_of
from clinic.models import Appointment, HealthcareService
from scheduling import access, availability, booking
from scheduling.access import Caller
from scheduling.availability import Offering
from scheduling.booking import Once
from scheduling.errors import Invalid, SchedulingError

MOST_SCHEDULES = 100
START = "Parameters.start"


class Reschedule(WriteView):
    """Moves an Appointment to another time, for the same duration, on the named schedules.

    It takes all of them and no others; for a patient also the further schedules that the visit has by now.
    """

    def post(self, request: Request, fhir_id: str) -> Response:
        now, caller, base = timezone.now(), caller_of(request), base_of(request)

        def prepare() -> Attempt:
            version = version_of(request)
            start, schedules = _read(inputs_of(request, {"start", "schedule"}), base)
            appointment = access.changeable_appointment(caller, fhir_id)
            service = _service(appointment)
            is_bound = not access.is_exempt_from_cutoffs(caller, appointment)
            offerings = availability.moved_visit_of(appointment).offerings(
                _offerings(service, schedules, caller), with_extras=is_bound
            )

            def run(once: Once | None) -> Appointment:
                return booking.reschedule(
                    fhir_id,
                    booking.RescheduleRequest(offerings=offerings, start=start, version=version),
                    caller=caller,
                    now=now,
                    once=once,
                )

            def tell(error: SchedulingError) -> None:
                error.issues = relocated(error.issues, _places(service, schedules))
                add_alternatives(error, service, offerings, start, now=now, at=START)

            return Attempt(run, tell)

        return self.answered(request, prepare, lambda appointment: changed(appointment, base))


def _read(inputs: Inputs, base: str) -> tuple[datetime, Sequence[str]]:
    start = inputs.required("start", moment)
    named = inputs.every("schedule", reference_to("Schedule", base, "schedule reference"), at_least_one=True)
    if len(named) > MOST_SCHEDULES:
        inputs.refuse(f"Too many schedules: {MOST_SCHEDULES} at most", "schedule")
    inputs.finish()
    return start, named


def _service(appointment: Appointment) -> HealthcareService:
    if appointment.service is None:
        raise Invalid("Appointment has no service reference", expression="Appointment.serviceType")
    return appointment.service


def _offerings(service: HealthcareService, schedules: Sequence[str], caller: Caller) -> tuple[Offering, ...]:
    named, is_known = list(dict.fromkeys(schedules)), partial(access.may_know_calendar, caller)
    try:
        return tuple(availability.offerings_of(service, named, is_known=is_known))
    except SchedulingError as error:
        raise refusal(relocated(error.issues, _places(service, schedules))) from error


def _places(service: HealthcareService, schedules: Sequence[str]) -> dict[str, str]:
    return {
        service.reference: "Appointment.serviceType",
        **{f"Schedule/{schedules[n]}": f"Parameters.schedule[{n}]" for n in reversed(range(len(schedules)))},
    }
