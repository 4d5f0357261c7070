"""The middleware that logs each request, in the list where ACCESS_LOG is on."""

import logging
from collections.abc import Callable
from time import perf_counter

from django.http import HttpRequest, HttpResponseBase

logger = logging.getLogger(__name__)


class AccessLog:
    """Middleware that logs each request without its query, in which names and birth dates are searched for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        begin = perf_counter()
        response = self._get_response(request)
        milliseconds = round((perf_counter() - begin) * 1000)
        match = request.resolver_match
        fields = {
            "method": request.method,
            "path": request.path,
            "status": response.status_code,
            "milliseconds": milliseconds,
            "view": match.view_name if match else "",
        }
        logger.info("%s %s %s, %d ms", request.method, request.path, response.status_code, milliseconds, extra=fields)
        return response
