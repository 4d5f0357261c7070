"""The views of `Appointment/$find`, `$hold` and `$book`, which three dialects share.

One address serves Medplum's, Argonaut Scheduling's and IHE's operation: the names of the parameters decide which.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from django.http import HttpRequest
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from api.authentication import caller_of
from api.fhir_view import FHIRView
from api.headers import base_of
from api.operations.argonaut.booking import REFUSALS, ArgonautBooking
from api.operations.argonaut.find import find as argonaut_find
from api.operations.dialects import Dialect, dialect_of, is_medplum_find
from api.operations.medplum.booking import prepare
from api.operations.medplum.find import find as medplum_find
from api.operations.parameters import read_inputs
from api.operations.write_view import WriteView, created, version_of
from api.replica_reads import read_for
from clinic.models import Appointment
from scheduling import access, booking


class Find(FHIRView):
    """`GET|POST [base]/Appointment/$find`: free times, as proposed Appointments. Nothing is written."""

    http_method_names = ["get", "post", "head"]
    only_reads = True

    def get(self, request: Request) -> Response:
        now, caller, base = timezone.now(), caller_of(request), base_of(request)
        access.may_find(caller)
        inputs = read_inputs(request)
        find = medplum_find if is_medplum_find(request, inputs) else argonaut_find
        return Response(read_for(caller, partial(find, inputs, caller, base, now)))

    post = get


class FindAfterAmpersand(Find):
    """`$find&_count=3`, as Argonaut's examples write it for `$find?_count=3`."""

    def dispatch(self, request: HttpRequest, query: str) -> Any:
        request.META["QUERY_STRING"] = "&".join(filter(None, (query, request.META.get("QUERY_STRING"))))
        return super().dispatch(request)


class _HoldOrBook(WriteView):
    """Base of $hold and $book: it takes the time of one visit or of a series, all of it or nothing."""

    use_case: ClassVar[Callable[..., Appointment]]
    series_use_case: ClassVar[Callable[..., tuple[Appointment, ...]]]

    def post(self, request: Request, fhir_id: str = "") -> Response:
        now, caller, base = timezone.now(), caller_of(request), base_of(request)
        use_case, series_use_case = type(self).use_case, type(self).series_use_case
        inputs = read_inputs(request, resource="Appointment")
        dialect = dialect_of(request, inputs, names_one=bool(fhir_id))
        if dialect is Dialect.MEDPLUM:
            return self.answered(
                request,
                lambda: prepare(inputs, use_case, series_use_case, caller=caller, now=now, base=base),
                lambda made: created(made, base),
            )
        holds = use_case is booking.hold
        argonaut_booking = ArgonautBooking(inputs, dialect, fhir_id, holds, caller, now, base, version_of(request))
        try:
            return self.answered(request, argonaut_booking.prepare, argonaut_booking.answer)
        except REFUSALS as refusal:
            return argonaut_booking.refused(refusal)


class Hold(_HoldOrBook):
    """`POST [base]/Appointment/$hold`: a `pending` Appointment, until the instant that the header Expires names."""

    use_case = staticmethod(booking.hold)
    series_use_case = staticmethod(booking.hold_series)


class Book(_HoldOrBook):
    """`POST [base]/Appointment/$book`: a `booked` Appointment."""

    use_case = staticmethod(booking.book)
    series_use_case = staticmethod(booking.book_series)
