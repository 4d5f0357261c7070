"""The base class of all views of the FHIR API."""

from collections.abc import Callable, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any, cast

from django.db import transaction as database
from django.http import HttpRequest
from rest_framework.parsers import BaseParser
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from api import throttling
from api.authentication import BearerAuthentication, SessionAuthentication
from api.formats.parsers import PARSERS
from api.formats.renderers import RENDERERS, FHIRNegotiation
from api.headers import REPLAYED
from clinic import replica
from clinic.fhir.datatypes import Json
from scheduling.access import Caller
from scheduling.errors import SchedulingError


class IsKnown(BasePermission):
    """Permission for callers with a token or a session. scheduling.access decides what they may do."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.auth, Caller)


class FHIRView(APIView):
    """Base of the API's views: authentication, throttling, and FHIR in JSON or XML."""

    authentication_classes = [BearerAuthentication, SessionAuthentication]
    permission_classes = [IsKnown]
    renderer_classes = RENDERERS
    parser_classes: Sequence[type[BaseParser]] = PARSERS
    content_negotiation_class = FHIRNegotiation
    only_reads = False  # True for a view whose POST is a search
    http_method_names = ["get", "post", "put", "patch", "delete", "head"]

    def perform_authentication(self, request: Request) -> None:
        """Count the request for its address before the token is looked up, so that tokens cannot be guessed without a
        limit.
        """
        throttling.check_address(request)
        super().perform_authentication(request)
        if isinstance(request.auth, Caller):
            throttling.check_client(request.auth)

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        if get := getattr(self, "get", None):
            self.head = partial(_answer_head, get)  # Django's own is `get` itself

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        if request.method not in SAFE_METHODS and not self.only_reads and isinstance(request.auth, Caller):
            replica.note_write(request.auth.owner)
        if response.status_code == HTTPStatus.FORBIDDEN and isinstance(request.auth, Caller) and request.auth.client:
            response["WWW-Authenticate"] = 'Bearer error="insufficient_scope"'
        return response

    def handle_exception(self, exc: Exception) -> Response:
        response = super().handle_exception(exc)
        if isinstance(exc, SchedulingError) and exc.repeated:
            response[REPLAYED] = "true"
        return response


def _answer_head(get: Callable[..., Any], request: Request, **named: str) -> Any:
    """Answer HEAD as GET, and roll back the record of a disclosure: the body is not sent."""
    with database.atomic():
        response = get(request, **named)
        database.set_rollback(True)
    return response


def body_of(request: Request) -> Json:
    """Return the JSON object of the body; empty if nothing was sent."""
    return cast(Json, request.data)
