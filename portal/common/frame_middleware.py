"""Middleware for pages in a frame on a site of the clinic's own: where they may be framed, and their own cookies."""

from collections.abc import Callable
from http.cookies import Morsel
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, ResolverMatch, get_script_prefix, reverse, set_script_prefix
from django.utils.http import urlencode

from clinic import embedding
from clinic.models import HealthcareService
from portal.common import frames
from portal.common.middleware import content_security_policy

COOKIE = "embed-"  # before the names of the cookies in frames


class PartitionedMorsel(Morsel[str]):
    """A cookie that a browser keeps apart for each site on which the frame is: https://github.com/privacycg/CHIPS

    It is sent although third-party cookies are blocked, and nobody is recognised by it elsewhere. Python knows the
    attribute from 3.14 on.
    """

    _reserved = {**Morsel._reserved, "partitioned": "Partitioned"}  # type: ignore[attr-defined]
    _flags = {*Morsel._flags, "partitioned"}  # type: ignore[attr-defined]


class Frames:
    """Middleware that serves the pages of frames.PAGES below /embed/<options>/ as well, and nothing else there.

    The prefix counts as that of the site, so that every address that a page names is below it too. Only allowed
    origins may frame these pages; all other pages keep `frame-ancestors 'none'`. A frame has its own cookies, so its
    session is never that in which somebody has signed in.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        match = frames.PATH.fullmatch(request.path_info)
        if match is None:
            return self.get_response(request)
        origins = embedding.allowed_origins()
        if not origins:
            raise Http404
        prefix, before = match[0].removesuffix(match["path"]), get_script_prefix()
        frame = frames.read_frame(f"{before.rstrip('/')}{prefix}", match["options"])
        frames.set_frame(request, frame)
        request.path_info = request.META["PATH_INFO"] = match["path"]
        request.COOKIES = _own_cookies(request.COOKIES, frame)
        set_script_prefix(f"{frame.prefix}/")
        try:
            response = self.get_response(request)
        finally:
            set_script_prefix(before)
        _set_own_cookies(response)
        if request.resolver_match is not None:  # a page that there is, or the way to a new tab
            response.xframe_options_exempt = True
            response.headers["Content-Security-Policy"] = content_security_policy(ancestors=" ".join(origins))
            response.headers["X-Robots-Tag"] = "noindex"
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """Lead to a new tab for pages that are not framed, and where the browser keeps no cookie for the frame.

        A visit that is paid before it is booked is taken there too: the pages of payment refuse frames.
        """
        frame, match = frames.frame_of(request), request.resolver_match
        if frame is None or match is None:
            return None
        is_kept = request.method != "POST" or settings.CSRF_COOKIE_NAME in request.COOKIES
        if match.view_name in frames.PAGES and is_kept and not _is_paid_first(match):
            return None
        context = {"address": _outside(request, frame), "keeps_time": "time" in request.POST}
        return render(request, "portal/embedding/new_tab.html", context)


def _outside(request: HttpRequest, frame: frames.Frame) -> str:
    """The address outside of frames of the requested page; of a form, that with the choice that was made in it."""
    match = request.resolver_match
    assert match is not None
    if request.method != "POST":
        return request.get_full_path().removeprefix(frame.prefix)
    name = "portal:deep-link" if match.view_name == "portal:hold" else match.view_name
    query = urlencode({"time": request.POST["time"]}) if "time" in request.POST else ""
    try:
        address = reverse(name, kwargs=match.kwargs).removeprefix(frame.prefix)
    except NoReverseMatch:
        address = "/"
    return f"{address}?{query}" if query else address


def _is_paid_first(match: ResolverMatch) -> bool:
    """True if the page takes the time of a visit that is paid before it is booked."""
    if match.view_name not in ("portal:hold", "portal:course"):
        return False
    service = HealthcareService.objects.filter(fhir_id=match.kwargs["service_id"])
    return service.exclude(prepayment="").exists()


def _own_cookies(cookies: dict[str, str], frame: frames.Frame) -> dict[str, str]:
    """The frame's cookies under their usual names, without those of other pages; by default the frame's language."""
    own = {name.removeprefix(COOKIE): value for name, value in cookies.items() if name.startswith(COOKIE)}
    default = {settings.LANGUAGE_COOKIE_NAME: frame.language} if frame.language else {}
    return {**default, **own}


def _set_own_cookies(response: HttpResponse) -> None:
    """Set the response's cookies as those of frames."""
    for name in list(response.cookies):
        cookie = response.cookies.pop(name)
        own: PartitionedMorsel = PartitionedMorsel()
        own.set(f"{COOKIE}{name}", cookie.value, cookie.coded_value)
        own.update({**cookie, "path": frames.ROOT, "samesite": "None", "secure": True, "partitioned": True})
        response.cookies[own.key] = own
