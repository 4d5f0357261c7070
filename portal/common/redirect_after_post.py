"""Redirect after every POST: a page that answers a form is kept in the session, and a GET shows it.

So reloading the page and going back to it send nothing again, and what was typed stays on it. Forms whose typed data
must outlive the page, such as those of patients, use portal.common.form_drafts as well.
"""

import time
import zlib
from base64 import b85decode, b85encode
from collections.abc import Callable
from secrets import token_urlsafe
from typing import Any, TypedDict

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import ResolverMatch, resolve
from django.utils import translation
from django.utils.cache import add_never_cache_headers

from portal.common import frames, kiosk
from portal.common.middleware import API

PARAMETER = "posted"  # in the address: which of the kept pages
MOST = 3  # pages kept, for as many tabs
KEPT_FOR = 2 * 3600  # seconds
PAGE_STATUSES = frozenset({200, 409, 422, 429})  # others say that the request itself was refused
_KEY = "pages_after_post"


class KeptPage(TypedDict):
    """A page that answered a POST, as the session keeps it."""

    name: str
    at: float
    path: str
    language: str | None
    status: int
    headers: dict[str, str]
    content: str


class RedirectAfterPost:
    """Middleware that answers a form by a redirect to the page that the view rendered.

    Left alone are requests by htmx, for a part of a page; what other programs send; Administration, which has Django's
    own way; and the API.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(API):
            return self.get_response(request)
        name = _remove_parameter(request)
        if name and request.method == "GET" and not request.headers.get("HX-Request"):
            return _kept_page(request, name) or redirect(request.get_full_path())
        response = self.get_response(request)
        return _keep(request, response) if _is_page_after_post(request, response) else response


def _remove_parameter(request: HttpRequest) -> str:
    """Take the name of a kept page out of the address, so that no view builds an address with it."""
    name = request.GET.get(PARAMETER, "")
    if name:
        query: QueryDict = request.GET.copy()
        del query[PARAMETER]
        request.META["QUERY_STRING"] = query.urlencode()
        request.GET = query  # type: ignore[assignment]
    return name


def _is_page_after_post(request: HttpRequest, response: HttpResponse) -> bool:
    match = request.resolver_match
    return (
        request.method == "POST"
        and response.status_code in PAGE_STATUSES
        and response.headers.get("Content-Type", "").startswith("text/html")
        and not response.streaming
        and not request.headers.get("HX-Request")
        and match is not None
        and match.app_name != "admin"
        and not _is_from_program(request, match)
        and not _is_without_cookies(request)
    )


def _is_from_program(request: HttpRequest, match: ResolverMatch) -> bool:
    """True if another program sends it, such as a mail program that unsubscribes: no form of a page has no token."""
    return getattr(match.func, "csrf_exempt", False) and "csrfmiddlewaretoken" not in request.POST


def _is_without_cookies(request: HttpRequest) -> bool:
    """True in a frame whose cookies the browser does not keep: no session would have the page."""
    return frames.frame_of(request) is not None and settings.CSRF_COOKIE_NAME not in request.COOKIES


def _keep(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Keep the page, and redirect to it with the cookies that it sets."""
    page = KeptPage(
        name=token_urlsafe(6),
        at=time.time(),
        path=request.path,
        language=translation.get_language(),
        status=response.status_code,
        headers=dict(response.headers),
        content=b85encode(zlib.compress(response.content)).decode(),
    )
    request.session[_KEY] = [page, *_kept(request)][:MOST]
    query = request.GET.copy()
    query[PARAMETER] = page["name"]
    answer = redirect(f"{request.path}?{query.urlencode()}")
    answer.cookies = response.cookies
    return answer


def _kept_page(request: HttpRequest, name: str) -> HttpResponse | None:
    """Return the kept page; None if it is gone, or in another language than the reader has chosen since.

    On a tablet for everybody it is shown once.
    """
    pages = _kept(request)
    page = next((each for each in pages if each["name"] == name and each["path"] == request.path), None)
    if page is None or page["language"] != translation.get_language():
        return None
    if kiosk.is_any(request):
        request.session[_KEY] = [each for each in pages if each is not page]
    content = zlib.decompress(b85decode(page["content"]))
    response = HttpResponse(content, status=page["status"], headers=page["headers"])
    request.resolver_match = resolve(request.path_info)  # as after a view: frames are allowed for some of them
    add_never_cache_headers(response)
    return response


def _kept(request: HttpRequest) -> list[Any]:
    since = time.time() - KEPT_FOR
    return [page for page in request.session.get(_KEY, []) if page["at"] >= since]
