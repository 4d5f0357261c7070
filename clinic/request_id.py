"""The id of a request, which stands in its log lines, in its response and in those of the tasks that it starts."""

import re
from collections.abc import Callable
from contextvars import ContextVar
from uuid import uuid4

from django.http import HttpRequest, HttpResponseBase

HEADER = "X-Request-ID"
TASK_HEADER = "request_id"  # of messages to the broker
SANE = re.compile(r"[A-Za-z0-9._-]{1,64}")

# Of the request or task that this thread works on; empty where it works on none. A task that several requests have
# started together has the ids of all, with spaces between them.
current: ContextVar[str] = ContextVar("request_id", default="")


class RequestId:
    """Middleware that gives each request an id: X-Request-ID of the client or a proxy if it is sane, else a new one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = given if SANE.fullmatch(given) else uuid4().hex
        token = current.set(request_id)
        try:
            response = self._get_response(request)
        finally:
            current.reset(token)
        response.headers[HEADER] = request_id
        return response
