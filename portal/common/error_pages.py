"""The pages for 400, 500 and 503."""

import sys
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseServerError
from django.template.loader import render_to_string

from clinic import database, request_id
from portal.common.context_processors import of_the_clinic


def bad_request(_request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return the page for 400. It is made from the settings alone, because nothing in the request can be trusted."""
    return HttpResponseBadRequest(render_to_string("400.html", of_the_clinic()))


def server_error(_request: HttpRequest) -> HttpResponse:
    """Return the page for 500, with the id of the request, or for 503 while PostgreSQL is away.

    The session is not read: it may have failed.
    """
    if database.is_away(sys.exception()):
        return unavailable()
    context = of_the_clinic() | {"request_id": request_id.current.get()}
    return HttpResponseServerError(render_to_string("500.html", context))


def unavailable() -> HttpResponse:
    """Return the page for 503, with Retry-After."""
    database.drop_dead_connections()
    return HttpResponse(
        render_to_string("503.html", of_the_clinic()),
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        headers={"Retry-After": database.RETRY_AFTER},
    )
