"""What every answer says to the browser: run nothing but ours, keep nothing of a patient's."""

from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

from clinic import branding
from portal.common.views import bad_request
from scheduling import access

API = "/fhir/"
FILES = 4  # how many times larger a form with files may be than any other


def content_security_policy(*, images: str = "", forms: str = "") -> str:
    """Everything comes from here; only a clinic's logo may lie elsewhere, and what a page says of images and forms."""
    images = " ".join(filter(None, ("'self'", "data:", branding.origin(settings.CLINIC_LOGO_URL), images)))
    rules = {
        "default-src": "'self'",
        "base-uri": "'none'",
        "form-action": f"'self' {forms}".strip(),
        "frame-ancestors": "'none'",
        "img-src": images,
        "object-src": "'none'",
    }
    return "; ".join(f"{name} {sources}" for name, sources in rules.items())


class BodyLimit:
    """Refuses what is larger than any form of ours before it is read: Django bounds fields, and files not at all."""

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
    """Compresses pages and JSON for those who take gzip.

    An attacker who lets a browser ask for a page and measures it learns nothing of what is secret in it: forms carry
    their CSRF token masked anew each time, and Django adds up to 100 random bytes. Tokens of /oauth/ are sent as they
    are, so are streams, and what has a strong ETag: that names the bytes, and is compared with them.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        is_secret = request.path.startswith("/oauth/") and not response.get("Content-Type", "").startswith("text/html")
        if response.streaming or is_secret or response.get("ETag", "").startswith('"'):
            return response
        return super().process_response(request, response)


class HeadAsGet:
    """Answers HEAD as GET, without the body, whatever methods a view names: RFC 9110, section 9.3.2.

    Nobody is shown what the page holds, so no disclosure is recorded. The API answers HEAD itself.
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
    """No inline script or style runs anywhere, and pages of a signed-in person stay in no cache."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.policy = content_security_policy()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", self.policy)
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response
