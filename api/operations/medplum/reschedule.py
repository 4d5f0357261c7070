"""`POST [base]/Appointment/[id]/$reschedule`: https://www.medplum.com/docs/scheduling/appointment-reschedule"""

from collections.abc import Mapping, Sequence
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
from scheduling.errors import Invalid, NotFound, SchedulingError

MOST_SCHEDULES = 100
START = "Parameters.start"
NAMED = "service-type-reference"


class Reschedule(WriteView):
    """Moves an Appointment to another time, for the same duration, on the named schedules.

    It takes all of them and no others; for a patient also the further schedules that the visit has by now. With a
    service it becomes a visit of that: for its duration, on the named schedules only.
    """

    def post(self, request: Request, fhir_id: str) -> Response:
        now, caller, base = timezone.now(), caller_of(request), base_of(request)

        def prepare() -> Attempt:
            version = version_of(request)
            start, schedules, named = _read(inputs_of(request, {"start", "schedule", NAMED}), base)
            appointment = access.changeable_appointment(caller, fhir_id)
            service = _service_of(appointment) if named is None else _named_service(named)
            places = _places(service, schedules, is_named=named is not None)
            offerings = _offerings(service, schedules, places, caller)
            if service.pk == appointment.service_id:
                is_bound = not access.is_exempt_from_cutoffs(caller, appointment)
                offerings = availability.moved_visit_of(appointment).offerings(offerings, with_extras=is_bound)

            def run(once: Once | None) -> Appointment:
                return booking.reschedule(
                    fhir_id,
                    booking.RescheduleRequest(offerings=offerings, start=start, service=service, version=version),
                    caller=caller,
                    now=now,
                    once=once,
                )

            def tell(error: SchedulingError) -> None:
                error.issues = relocated(error.issues, places)
                add_alternatives(error, service, offerings, start, now=now, at=START)

            return Attempt(run, tell)

        return self.answered(request, prepare, lambda appointment: changed(appointment, base))


def _read(inputs: Inputs, base: str) -> tuple[datetime, Sequence[str], str | None]:
    start = inputs.required("start", moment)
    service = inputs.one(NAMED, reference_to("HealthcareService", base, NAMED))
    named = inputs.every("schedule", reference_to("Schedule", base, "schedule reference"), at_least_one=True)
    if len(named) > MOST_SCHEDULES:
        inputs.refuse(f"Too many schedules: {MOST_SCHEDULES} at most", "schedule")
    inputs.finish()
    return start, named, service


def _named_service(fhir_id: str) -> HealthcareService:
    service = availability.service_of(fhir_id)
    if service is None:
        raise NotFound("HealthcareService not found", expression=f"Parameters.{NAMED}")
    return service


def _service_of(appointment: Appointment) -> HealthcareService:
    if appointment.service is None:
        raise Invalid("Appointment has no service reference", expression="Appointment.serviceType")
    return appointment.service


def _offerings(
    service: HealthcareService, schedules: Sequence[str], places: Mapping[str, str], caller: Caller
) -> tuple[Offering, ...]:
    named, is_known = list(dict.fromkeys(schedules)), partial(access.may_know_calendar, caller)
    try:
        return tuple(availability.offerings_of(service, named, is_known=is_known))
    except SchedulingError as error:
        raise refusal(relocated(error.issues, places)) from error


def _places(service: HealthcareService, schedules: Sequence[str], *, is_named: bool) -> dict[str, str]:
    return {
        service.reference: f"Parameters.{NAMED}" if is_named else "Appointment.serviceType",
        **{f"Schedule/{schedules[n]}": f"Parameters.schedule[{n}]" for n in reversed(range(len(schedules)))},
    }
