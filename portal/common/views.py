"""The frame of every page: its language, its colours, and the page for when all else has failed."""

import sys
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseServerError
from django.template.loader import render_to_string
from django.views.decorators.cache import cache_control
from django.views.decorators.http import condition, require_POST, require_safe
from django.views.i18n import set_language as set_cookie

from clinic import database
from portal.common import languages, theme
from portal.common.callers import caller_of
from portal.common.context_processors import of_the_clinic


@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Read the page one comes from in another language; a patient is written to in it as well."""
    response: HttpResponse = set_cookie(request)
    chosen = response.cookies.get(settings.LANGUAGE_COOKIE_NAME)
    patient = caller_of(request).patient
    if chosen and patient:
        languages.keep(patient, chosen.value)
    return response


@require_safe
@condition(etag_func=lambda _request: f'"{theme.version()}"')
@cache_control(public=True, max_age=24 * 3600)
def stylesheet(request: HttpRequest) -> HttpResponse:
    """The clinic's own colour in place of ours."""
    return HttpResponse(theme.css(), content_type="text/css; charset=utf-8")


def bad_request(_request: HttpRequest, exception: Exception) -> HttpResponse:
    """400, made of the settings alone: the request cannot be trusted to say even where it was sent."""
    return HttpResponseBadRequest(render_to_string("400.html", of_the_clinic()))


def server_error(_request: HttpRequest) -> HttpResponse:
    """500, or 503 while PostgreSQL is away. Made of the settings alone: the session may be what failed."""
    if database.is_away(sys.exception()):
        return unavailable()
    return HttpResponseServerError(render_to_string("500.html", of_the_clinic()))


def unavailable() -> HttpResponse:
    """503: the same request can be sent again soon."""
    database.drop_dead_connections()
    return HttpResponse(
        render_to_string("503.html", of_the_clinic()),
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        headers={"Retry-After": database.RETRY_AFTER},
    )
