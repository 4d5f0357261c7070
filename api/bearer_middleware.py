"""The middleware that hands requests with a bearer token to the API without what only pages need."""

from collections.abc import Callable
from typing import cast

from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers

Handler = Callable[[HttpRequest], HttpResponse]


class BearerMiddleware:
    """Middleware that calls the view of an API request with a bearer token, past all middleware after this one.

    That is the middleware of pages: sessions, signing in, CSRF tokens, messages and htmx. An API request without a
    token may be a browser's with a session, and goes through it. The language is chosen as for pages.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        to_view = _Views()._get_response  # type: ignore[attr-defined]  # the stubs leave it out
        self.view_response = cast(Handler, convert_exception_to_response(to_view))
        self.base = f"/{settings.FHIR_BASE_PATH}"

    def __call__(self, request: HttpRequest) -> HttpResponse:
        scheme = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")[0]
        if scheme.lower() != "bearer" or not request.path_info.startswith(self.base):
            return self.get_response(request)
        language = translation.get_language_from_request(request)
        translation.activate(language)  # the thread may still have that of the request before
        response = self.view_response(request)
        response.headers.setdefault("Content-Language", language)
        patch_vary_headers(response, ["Accept-Language"])
        return response


class _Views(BaseHandler):
    """Django's way from a request to its view, with no middleware around it."""

    _view_middleware = ()
    _template_response_middleware = ()
    _exception_middleware = ()
