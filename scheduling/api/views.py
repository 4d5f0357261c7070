"""The REST interactions: https://hl7.org/fhir/R4/http.html"""

from http import HTTPStatus
from typing import Any, ClassVar, cast

from django.http import QueryDict
from django.utils import timezone
from rest_framework.parsers import FormParser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clinic.fhir.resources import RESOURCES, rows_of, to_fhir
from clinic.models import Resource
from scheduling import access, interactions
from scheduling.access import Caller
from scheduling.api import search
from scheduling.api.authentication import BearerAuthentication, SessionAuthentication, caller_of
from scheduling.api.bundles import batch_response, transaction_response
from scheduling.api.formats.parsers import FHIRParser, JSONParser, TextJSONParser
from scheduling.api.formats.renderers import FHIRNegotiation, FHIRRenderer, JSONRenderer, TextJSONRenderer
from scheduling.api.headers import base_of, is_known_version, prefers, version_headers
from scheduling.api.outcomes import outcome
from scheduling.errors import Issue, NotFound
from scheduling.interactions import Written

Json = dict[str, Any]


class IsKnown(BasePermission):
    """Somebody with a token or a session. What they may do is for scheduling.access to say."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.auth, Caller)


class FHIRView(APIView):
    """What all views of the API share: who may come in, and that both sides speak FHIR JSON."""

    authentication_classes = [BearerAuthentication, SessionAuthentication]
    permission_classes = [IsKnown]
    renderer_classes = [FHIRRenderer, JSONRenderer, TextJSONRenderer]
    parser_classes = [FHIRParser, JSONParser, TextJSONParser]
    content_negotiation_class = FHIRNegotiation
    http_method_names = ["get", "post", "put", "patch", "delete", "head"]

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response


class SystemView(FHIRView):
    """`POST [base]`: https://hl7.org/fhir/R4/http.html#transaction"""

    def post(self, request: Request) -> Response:
        """All of a transaction or nothing; of a batch, what can be done."""
        bundle, caller, now, base = body_of(request), caller_of(request), timezone.now(), base_of(request)
        if bundle.get("type") == "batch":
            return Response(batch_response(interactions.batch(bundle, caller=caller, now=now, base=base)))
        return Response(transaction_response(interactions.transaction(bundle, caller=caller, now=now, base=base)))


class TypeView(FHIRView):
    """`[base]/Type`: https://hl7.org/fhir/R4/http.html#search and #create"""

    kind: ClassVar[str] = ""

    def get(self, request: Request) -> Response:
        return _found(self.kind, request, request.query_params)

    def post(self, request: Request) -> Response:
        written = interactions.create(
            self.kind,
            body_of(request),
            caller=caller_of(request),
            now=timezone.now(),
            base=base_of(request),
            condition=request.headers.get("If-None-Exist", ""),
        )
        return _written(written, request)


class SearchView(FHIRView):
    """`POST [base]/Type/_search`: the parameters of the form and of the query together."""

    kind: ClassVar[str] = ""
    parser_classes = [FormParser]

    def post(self, request: Request) -> Response:
        query = request.query_params.copy()
        query.update(request.data)
        return _found(self.kind, request, query)


class InstanceView(FHIRView):
    """`[base]/Type/id`: https://hl7.org/fhir/R4/http.html#read and #update"""

    kind: ClassVar[str] = ""

    def get(self, request: Request, fhir_id: str) -> Response:
        row = _visible(self.kind, fhir_id, caller_of(request))
        if row.deleted_at is not None:
            gone = Issue("deleted", f"{row.reference} was deleted.")
            return Response(outcome([gone]), HTTPStatus.GONE, headers=version_headers(row))
        if is_known_version(request, row.version):
            return Response(status=HTTPStatus.NOT_MODIFIED, headers=version_headers(row))
        return Response(to_fhir(row), headers=version_headers(row))

    def put(self, request: Request, fhir_id: str) -> Response:
        match = request.headers.get("If-Match")
        written = interactions.update(
            self.kind,
            fhir_id,
            body_of(request),
            caller=caller_of(request),
            now=timezone.now(),
            base=base_of(request),
            version=interactions.version_of(match) if match is not None else None,
        )
        return _written(written, request)


class VersionView(FHIRView):
    """`[base]/Type/id/_history/version`, the address of what was just written: only the newest version is kept."""

    kind: ClassVar[str] = ""

    def get(self, request: Request, fhir_id: str, version: str) -> Response:
        row = _visible(self.kind, fhir_id, caller_of(request))
        if row.deleted_at is not None or version != str(row.version):
            raise NotFound(f"There is no version {version} of {row.reference} here.")
        return Response(to_fhir(row), headers=version_headers(row))


class NowhereView(FHIRView):
    """Whatever else is asked for under our base."""

    def get(self, request: Request, path: str = "") -> Response:
        raise NotFound(f"There is nothing at {path!r} here.")

    post = put = patch = delete = get


def body_of(request: Request) -> Json:
    """The JSON object that was sent; nothing sent is an empty one."""
    return cast(Json, request.data)


def _found(kind: str, request: Request, query: QueryDict) -> Response:
    caller, base = caller_of(request), base_of(request)
    lenient = prefers(request, "handling") == "lenient"
    return Response(search.answer(search.read(kind, query, caller, base, lenient=lenient), caller, base))


def _visible(kind: str, fhir_id: str, caller: Caller) -> Resource:
    """The row, a deleted one too. What the caller may not see is not there."""
    access.require(caller, kind, "r")
    found = RESOURCES[kind]
    rows = access.visible(found.model, caller).select_related(*found.related).prefetch_related(*found.prefetch)
    row = rows.filter(fhir_id=fhir_id).first()
    if row is None:
        raise NotFound(f"There is no {kind}/{fhir_id}.")
    return access.as_shown(row, caller)


def _written(written: Written, request: Request) -> Response:
    """201 for what was created, with its address; the body as the client prefers."""
    headers = version_headers(written)
    status = HTTPStatus.CREATED if written.outcome == "created" else HTTPStatus.OK
    if written.outcome == "created":
        headers["Location"] = f"{base_of(request)}{written.location}"
    match prefers(request, "return"):
        case "minimal":
            return Response(None, status, headers=headers)
        case "OperationOutcome":
            told = Issue("informational", f"{written.reference} is {written.outcome}.")
            return Response(outcome([told], "information"), status, headers=headers)
    kind, _, fhir_id = written.reference.partition("/")
    return Response(to_fhir(rows_of(RESOURCES[kind]).get(fhir_id=fhir_id)), status, headers=headers)
