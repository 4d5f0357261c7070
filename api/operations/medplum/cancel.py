"""`POST [base]/Appointment/[id]/$cancel`: https://www.medplum.com/docs/scheduling/appointment-cancel

Also `POST [base]/Appointment/$cancel`, which names the appointment in a parameter.
"""

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from api.authentication import caller_of
from api.headers import base_of
from api.operations.parameters import concept, inputs_of, reference_to
from api.operations.write_view import Attempt, WriteView, alone, version_of
from scheduling import booking

REASON, NAMED = "cancelationReason", "appointment-reference"


class Cancel(WriteView):
    """Cancels an Appointment and frees its time."""

    def post(self, request: Request, fhir_id: str = "") -> Response:
        now, caller = timezone.now(), caller_of(request)

        def prepare() -> Attempt:
            version = version_of(request)
            inputs = inputs_of(request, {REASON} if fhir_id else {REASON, NAMED})
            reason = inputs.one(REASON, concept)
            named = reference_to("Appointment", base_of(request), "appointment reference")
            which = fhir_id or inputs.required(NAMED, named)
            inputs.finish()
            cancelled = booking.StatusRequest(reason=reason, version=version)
            return Attempt(lambda once: booking.cancel(which, cancelled, caller=caller, now=now, once=once))

        return self.answered(request, prepare, alone)
