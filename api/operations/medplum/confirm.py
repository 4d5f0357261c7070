"""`POST [base]/Appointment/[id]/$confirm`: https://www.medplum.com/docs/scheduling/appointment-confirm"""

from collections.abc import Callable
from functools import partial

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from api.authentication import caller_of
from api.headers import base_of
from api.operations.medplum.series import OCCURRENCES, occurrences
from api.operations.parameters import inputs_of
from api.operations.write_view import Attempt, WriteView, changed, version_of
from scheduling import booking
from scheduling.booking import Occurrences, Written


class Confirm(WriteView):
    """Turns a hold that has not expired into a booked visit, or the holds of a series into booked visits."""

    def post(self, request: Request, fhir_id: str) -> Response:
        now, caller, base = timezone.now(), caller_of(request), base_of(request)

        def prepare() -> Attempt:
            version = version_of(request)
            inputs = inputs_of(request, {OCCURRENCES})
            which = inputs.one(OCCURRENCES, occurrences) or Occurrences.THIS
            inputs.finish()
            confirmed = booking.ConfirmRequest(version=version)
            confirm: Callable[..., Written] = partial(booking.confirm, fhir_id)
            if which != Occurrences.THIS:
                confirm = partial(booking.confirm_series, fhir_id, which)
            return Attempt(lambda once: confirm(confirmed, caller=caller, now=now, once=once))

        return self.answered(request, prepare, lambda made: changed(made, base))
