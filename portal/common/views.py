"""Views for the language and the colours of all pages, and error handlers."""

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
    """Change the language of the pages and, for a patient, of messages; then go back to the page before."""
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
    """Return the stylesheet of the clinic's accent colour."""
    return HttpResponse(theme.css(), content_type="text/css; charset=utf-8")


def bad_request(_request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return the page for 400. It is made from the settings alone, because nothing in the request can be trusted."""
    return HttpResponseBadRequest(render_to_string("400.html", of_the_clinic()))


def server_error(_request: HttpRequest) -> HttpResponse:
    """Return the page for 500, or for 503 while PostgreSQL is away. The session is not read: it may have failed."""
    if database.is_away(sys.exception()):
        return unavailable()
    return HttpResponseServerError(render_to_string("500.html", of_the_clinic()))


def unavailable() -> HttpResponse:
    """Return the page for 503, with Retry-After."""
    database.drop_dead_connections()
    return HttpResponse(
        render_to_string("503.html", of_the_clinic()),
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        headers={"Retry-After": database.RETRY_AFTER},
    )
