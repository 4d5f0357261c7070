"""`POST [base]/Appointment/[id]/$confirm`: https://www.medplum.com/docs/scheduling/appointment-confirm"""

from typing import Any

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from api.authentication import caller_of
from api.headers import base_of
from api.operations.parameters import inputs_of
from api.operations.write_view import Attempt, WriteView, changed, version_of
from clinic.fhir.issues import InvalidElement
from scheduling import booking


class Confirm(WriteView):
    """Turns a hold that has not expired into a booked visit."""

    def post(self, request: Request, fhir_id: str) -> Response:
        now, caller, base = timezone.now(), caller_of(request), base_of(request)

        def prepare() -> Attempt:
            version = version_of(request)
            inputs = inputs_of(request, {"occurrences"})
            inputs.one("occurrences", _this)
            inputs.finish()
            confirmed = booking.ConfirmRequest(version=version)
            return Attempt(lambda once: booking.confirm(fhir_id, confirmed, caller=caller, now=now, once=once))

        return self.answered(request, prepare, lambda appointment: changed(appointment, base))


def _this(value: Any) -> None:
    """Raise InvalidElement for any other value than `this`: there are no recurring series."""
    if value != "this":
        raise InvalidElement("Recurring series are not supported: occurrences can only be 'this'", "not-supported")
