"""Middleware of the pages: security headers, compression, size limit, and HEAD."""

from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

from clinic import branding, replica
from portal.common.callers import READING, caller_of
from portal.common.error_pages import bad_request
from scheduling import access

API = "/fhir/"
FILES = 4  # factor by which a form with files may be larger than another


def content_security_policy(*, images: str = "", forms: str = "", ancestors: str = "'none'") -> str:
    """Return the Content-Security-Policy: this site, the clinic's logo, and the page's own `images` and `forms`.

    The page may be framed by its `ancestors`.
    """
    images = " ".join(filter(None, ("'self'", "data:", branding.origin(settings.CLINIC_LOGO_URL), images)))
    rules = {
        "default-src": "'self'",
        "base-uri": "'none'",
        "form-action": f"'self' {forms}".strip(),
        "frame-ancestors": ancestors,
        "img-src": images,
        "object-src": "'none'",
    }
    return "; ".join(f"{name} {sources}" for name, sources in rules.items())


class BodyLimit:
    """Middleware that refuses a too large request before it is read. Django itself does not limit files."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE * FILES
        if length.isdecimal() and int(length) <= most:
            return self.get_response(request)
        response = bad_request(request, RequestDataTooBig())
        response.status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        return response


class Compression(GZipMiddleware):
    """Middleware that compresses pages and JSON with gzip.

    The size of a compressed page reveals no secret (BREACH): CSRF tokens are masked anew each time, and Django adds up
    to 100 random bytes. Not compressed are tokens of /oauth/, streams, and responses with a strong ETag, because a
    strong ETag stands for the exact bytes.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        is_secret = request.path.startswith("/oauth/") and not response.get("Content-Type", "").startswith("text/html")
        if response.streaming or is_secret or response.get("ETag", "").startswith('"'):
            return response
        return super().process_response(request, response)


class NotedWrites:
    """Middleware that notes for the replica what a form may have written. API views note their own writes."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.method not in READING and not request.path.startswith(API):
            replica.note_write(caller_of(request).owner)
        return response


class HeadAsGet:
    """Middleware that answers HEAD like GET, without the body, for all views: RFC 9110, section 9.3.2.

    A HEAD shows nobody the page, so no disclosure is recorded. The API answers HEAD itself.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method != "HEAD" or request.path.startswith(API):
            return self.get_response(request)
        request.method = "GET"
        with access.withheld():
            response = self.get_response(request)
        request.method = "HEAD"
        if response.streaming:
            response.streaming_content = ()  # type: ignore[attr-defined]
        else:
            response.headers.setdefault("Content-Length", str(len(response.content)))
            response.content = b""
        return response


class SecurityHeaders:
    """Middleware that sets the Content-Security-Policy and keeps pages with a session out of caches."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.policy = content_security_policy()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", self.policy)
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response
