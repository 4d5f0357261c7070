"""The pages for 400, 500 and 503."""

import sys
from http import HTTPStatus

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseServerError
from django.http.multipartparser import MultiPartParserError
from django.template.loader import render_to_string

from clinic import database, request_id
from portal.common.context_processors import of_the_clinic
from portal.common.form_drafts import PASSWORD


def bad_request(_request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return the page for 400. It is made from the settings alone, because nothing in the request can be trusted."""
    return HttpResponseBadRequest(render_to_string("400.html", of_the_clinic()))


def server_error(request: HttpRequest) -> HttpResponse:
    """Return the page for 500, with the id of the request, or for 503 while PostgreSQL is away.

    The session is not read: it may have failed.
    """
    if database.is_away(sys.exception()):
        return unavailable(request)
    context = of_the_clinic() | {"request_id": request_id.current.get()}
    return HttpResponseServerError(render_to_string("500.html", context))


def unavailable(request: HttpRequest) -> HttpResponse:
    """Return the page for 503, with Retry-After and a button that sends the same again, with what was typed."""
    database.drop_dead_connections()
    context = of_the_clinic() | {"again": request.get_full_path(), "typed": _typed(request)}
    return HttpResponse(
        render_to_string("503.html", context),
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        headers={"Retry-After": database.RETRY_AFTER, "Cache-Control": "no-store"},
    )


def _typed(request: HttpRequest) -> list[tuple[str, str]] | None:
    """Return the fields of a form as it was sent; None if there is none, or it has a password or a file."""
    if request.method != "POST":
        return None
    try:
        fields = [(name, str(value)) for name, values in request.POST.lists() for value in values]
        has_files = bool(request.FILES)
    except (OSError, SuspiciousOperation, MultiPartParserError):  # it did not arrive whole
        return None
    return None if has_files or any(PASSWORD in name for name, _ in fields) else fields
