"""Middleware that notes when a session is used."""

from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from portal.account import sessions


class LastSeen:
    """Middleware that stores when the session of an account was last used, once in ten minutes. It reads no row."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_page = not request.path_info.startswith(f"/{settings.FHIR_BASE_PATH}")
        if is_page and response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR and request.session.accessed:
            sessions.note_use(request)
        return response
