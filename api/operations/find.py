"""`GET|POST [base]/Appointment/$find`: free times, as Appointments that are proposed. Nothing is written.

One address for three ways to ask, told apart by the names of the parameters: Medplum's names schedules and a service;
that of Argonaut Scheduling and IHE what somebody looks for.
"""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from api.authentication import caller_of
from api.headers import base_of
from api.operations import find_on_schedules, find_openings
from api.parameters import read_inputs
from api.views import FHIRView
from scheduling import access

MEDPLUMS = frozenset({"service-type-reference", "schedule", "ignore-appointment", "occurrence-count"})


class Find(FHIRView):
    """Who names nothing in the body of a POST has forgotten it, and is told what Medplum's clients need."""

    http_method_names = ["get", "post", "head"]

    def get(self, request: Request) -> Response:
        now, caller, base = timezone.now(), caller_of(request), base_of(request)
        access.may_find(caller)
        inputs = read_inputs(request)
        is_medplums = inputs.names & MEDPLUMS or (request.method == "POST" and not inputs.names)
        how = find_on_schedules if is_medplums else find_openings
        return Response(how.find(inputs, caller, base, now))

    post = get


class FindAfterAmpersand(Find):
    """`$find&_count=3`, as Argonaut's examples write it for `$find?_count=3`."""

    def dispatch(self, request: HttpRequest, query: str) -> Any:
        request.META["QUERY_STRING"] = "&".join(filter(None, (query, request.META.get("QUERY_STRING"))))
        return super().dispatch(request)
