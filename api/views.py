"""Views of the REST interactions: https://hl7.org/fhir/R4/http.html"""

from dataclasses import replace
from functools import cache, partial
from http import HTTPStatus
from typing import Any, ClassVar

from django.http import QueryDict
from django.utils import timezone
from rest_framework.parsers import BaseParser, FormParser
from rest_framework.request import Request
from rest_framework.response import Response

from api import reading, search
from api.authentication import caller_of
from api.bundles import Sender, batch, transaction
from api.fhir_view import FHIRView, body_of
from api.headers import base_of, is_known, prefers, required_versions, version_headers
from api.operations.plain_booking import AppointmentBooker
from api.operations.write_view import Answer, once, replay
from api.outcomes import outcome
from api.patching import PatchParser, patch_of
from api.search import PASSED_OVER
from clinic.fhir.resources import to_fhir
from clinic.models import Appointment
from scheduling import booking, interactions
from scheduling.booking import AlreadyAnswered
from scheduling.errors import Invalid, Issue, NotFound, SchedulingError
from scheduling.interactions import Entry, WriteResult

Json = dict[str, Any]


class SystemView(FHIRView):
    """`GET [base]?search` and `POST [base]`: https://hl7.org/fhir/R4/http.html#search and #transaction"""

    def get(self, request: Request) -> Response:
        return _search_response("", request, request.query_params)

    def post(self, request: Request) -> Response:
        """Process a transaction, all of it or nothing, or each entry of a batch by itself."""
        bundle = body_of(request)
        sender = Sender(
            caller=caller_of(request),
            now=timezone.now(),
            base=base_of(request),
            returning=prefers(request, "return"),
        )
        process = batch if bundle.get("type") == "batch" else transaction
        return Response(process(bundle, sender))


class ResourceView(FHIRView):
    """Base of the views that write one type. If-Match makes the version a condition."""

    kind: ClassVar[str] = ""

    def get_parsers(self) -> list[BaseParser]:
        return [PatchParser()] if self.request.method == "PATCH" else super().get_parsers()

    def perform(self, request: Request, entry: Entry) -> Response:
        """Perform the interaction; a create of an Appointment only once for each Idempotency-Key."""
        caller, base, now = caller_of(request), base_of(request), timezone.now()
        booker = AppointmentBooker(caller, base, now)
        answer_for = cache(partial(_answer, request=request))  # the response is stored in the transaction
        takes_key = entry.interaction == "create" and entry.type == Appointment.RESOURCE_TYPE
        key = once(request, answer_for) if takes_key else None
        try:
            if key is not None:
                booking.recall(key)
                key = replace(key, tell=booker.explain)
            find = reading.finder(caller, base)
            write = interactions.WriteRequest(entries=[entry], base=base, find=find, booking_of=booker)
            written = interactions.perform(write, caller=caller, now=now, once=key)
        except AlreadyAnswered as before:
            return replay(before.answer)
        except SchedulingError as refusal:
            if key is None:
                booker.explain(refusal)
            raise
        return answer_for(written).response()


class TypeView(ResourceView):
    """`[base]/Type`: https://hl7.org/fhir/R4/http.html#search and #create

    `[base]/Type?search` names the one resource to be written: https://hl7.org/fhir/R4/http.html#cond-update
    """

    def get(self, request: Request) -> Response:
        return _search_response(self.kind, request, request.query_params)

    def post(self, request: Request) -> Response:
        """Create a resource.

        A search in the address is refused: FHIR has none there, and ignoring it would make duplicates.
        """
        if names := sorted(request.query_params.keys() - PASSED_OVER):
            text = f"POST {self.kind} takes no search: say {', '.join(names)} in the header If-None-Exist."
            raise Invalid(issues=[Issue("not-supported", text)])
        condition = request.headers.get("If-None-Exist", "")
        return self.perform(request, interactions.creation_of(self.kind, body_of(request), condition))

    def put(self, request: Request) -> Response:
        condition, version = self._condition(request), required_versions(request)
        return self.perform(
            request, interactions.update_of(self.kind, "", body_of(request), version, condition=condition)
        )

    def patch(self, request: Request) -> Response:
        condition, version = self._condition(request), required_versions(request)
        return self.perform(
            request, interactions.patch_of(self.kind, "", patch_of(request), version, condition=condition)
        )

    def delete(self, request: Request) -> Response:
        condition, version = self._condition(request), required_versions(request)
        return self.perform(request, interactions.deletion_of(self.kind, "", version, condition=condition))

    def _condition(self, request: Request) -> str:
        """Return the search that names the resource. Raises Invalid without one."""
        if query := request.META.get("QUERY_STRING", ""):
            return str(query)
        raise Invalid(f"Say which {self.kind} is meant: {self.kind}/[id], or a search that finds only it.")


class SearchView(FHIRView):
    """`POST [base]/Type/_search`, and `[base]/_search`: the parameters of the form and of the query together."""

    kind: ClassVar[str] = ""
    parser_classes = [FormParser]
    only_reads = True

    def post(self, request: Request) -> Response:
        query = request.query_params.copy()
        query.update(request.data)
        return _search_response(self.kind, request, query)


class InstanceView(ResourceView):
    """`[base]/Type/id`: https://hl7.org/fhir/R4/http.html#read, #update, #patch and #delete"""

    def get(self, request: Request, fhir_id: str) -> Response:
        has_it = partial(is_known, request)
        row = reading.current(self.kind, fhir_id, caller_of(request), has_it)
        if has_it(row):
            return Response(status=HTTPStatus.NOT_MODIFIED, headers=version_headers(row))
        return Response(to_fhir(row), headers=version_headers(row))

    def put(self, request: Request, fhir_id: str) -> Response:
        version = required_versions(request)
        return self.perform(request, interactions.update_of(self.kind, fhir_id, body_of(request), version))

    def patch(self, request: Request, fhir_id: str) -> Response:
        version = required_versions(request)
        return self.perform(request, interactions.patch_of(self.kind, fhir_id, patch_of(request), version))

    def delete(self, request: Request, fhir_id: str) -> Response:
        return self.perform(request, interactions.deletion_of(self.kind, fhir_id, required_versions(request)))


class VersionView(FHIRView):
    """`[base]/Type/id/_history/version`: https://hl7.org/fhir/R4/http.html#vread"""

    kind: ClassVar[str] = ""

    def get(self, request: Request, fhir_id: str, version: str) -> Response:
        row = reading.version(self.kind, fhir_id, version, caller_of(request))
        return Response(to_fhir(row), headers=version_headers(row))


class HistoryView(FHIRView):
    """`_history` of a resource, a type or everything: https://hl7.org/fhir/R4/http.html#history"""

    kind: ClassVar[str] = ""

    def get(self, request: Request, fhir_id: str = "") -> Response:
        caller, base = caller_of(request), base_of(request)
        return Response(reading.past(self.kind, fhir_id, request.query_params, caller, base))


class NowhereView(FHIRView):
    """404 for every other address below the base."""

    def get(self, request: Request, path: str = "") -> Response:
        raise NotFound(f"There is nothing at {path!r} here.")

    post = put = patch = delete = get


def _search_response(kind: str, request: Request, query: QueryDict) -> Response:
    """Answer a search of a type, or of all types without one."""
    caller, base = caller_of(request), base_of(request)
    lenient = prefers(request, "handling") == "lenient"
    parsed = (
        search.read(kind, query, caller, base, lenient=lenient)
        if kind
        else search.read_all(query, caller, base, lenient=lenient)
    )
    return Response(search.answer(parsed, caller, base))


def _answer(written: WriteResult, request: Request) -> Answer:
    """Answer a write: 201 with the address if it created a resource; the body as the client prefers.

    For a patient who was known already the body is what the client sent, with the id of the known record.
    """
    if written.outcome == "known":
        _, _, fhir_id = written.reference.partition("/")
        elements = {name: value for name, value in body_of(request).items() if name != "meta"}
        location = {"Location": f"{base_of(request)}{written.location}"}
        return Answer(HTTPStatus.OK, {**elements, "id": fhir_id}, location)
    if written.outcome == "deleted":
        return _answer_to_deletion(written, request)
    headers = version_headers(written) | {"Location": f"{base_of(request)}{written.location}"}
    status = HTTPStatus.CREATED if written.outcome == "created" else HTTPStatus.OK
    match prefers(request, "return"):
        case "minimal":
            return Answer(status, None, headers)
        case "OperationOutcome":
            return Answer(status, _outcome(written), headers)
    resources = reading.representations([written], caller_of(request))
    return Answer(status, resources[written.reference], headers)


def _answer_to_deletion(written: WriteResult, request: Request) -> Answer:
    """Answer a deletion: 204 also if there was no such resource."""
    headers = version_headers(written) if written.version else {}
    if prefers(request, "return") == "OperationOutcome":
        return Answer(HTTPStatus.OK, _outcome(written), headers)
    return Answer(HTTPStatus.NO_CONTENT, None, headers)


def _outcome(written: WriteResult) -> Json:
    return outcome([Issue("informational", f"{written.reference} is {written.outcome}.")], "information")
