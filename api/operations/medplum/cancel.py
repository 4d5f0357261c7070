"""`POST [base]/Appointment/[id]/$cancel`: https://www.medplum.com/docs/scheduling/appointment-cancel

Also `POST [base]/Appointment/$cancel`, which names the appointment in a parameter.
"""

from collections.abc import Callable
from functools import partial

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from api.authentication import caller_of
from api.headers import base_of
from api.operations.medplum.series import OCCURRENCES, occurrences
from api.operations.parameters import concept, inputs_of, reference_to
from api.operations.write_view import Answer, Attempt, WriteView, alone, changed, version_of
from clinic.models import Appointment
from scheduling import booking
from scheduling.booking import Occurrences, Written

REASON, NAMED = "cancelationReason", "appointment-reference"


class Cancel(WriteView):
    """Cancels an Appointment and frees its time; with `occurrences` also those that follow it in its series, or all."""

    def post(self, request: Request, fhir_id: str = "") -> Response:
        now, caller, base = timezone.now(), caller_of(request), base_of(request)

        def prepare() -> Attempt:
            version = version_of(request)
            inputs = inputs_of(request, {REASON, OCCURRENCES} if fhir_id else {REASON, OCCURRENCES, NAMED})
            reason = inputs.one(REASON, concept)
            meant = inputs.one(OCCURRENCES, occurrences) or Occurrences.THIS
            which = fhir_id or inputs.required(NAMED, reference_to("Appointment", base, "appointment reference"))
            inputs.finish()
            cancelled = booking.StatusRequest(reason=reason, version=version)
            cancel: Callable[..., Written] = partial(booking.cancel, which)
            if meant != Occurrences.THIS:
                cancel = partial(booking.cancel_series, which, meant)
            return Attempt(lambda once: cancel(cancelled, caller=caller, now=now, once=once))

        def answer(made: Written) -> Answer:
            return alone(made) if isinstance(made, Appointment) else changed(made, base)

        return self.answered(request, prepare, answer)
