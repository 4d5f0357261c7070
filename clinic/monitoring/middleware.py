"""The middleware that counts requests, first in the list where METRICS_TOKEN is set."""

from collections.abc import Callable
from time import perf_counter

from django.http import HttpRequest, HttpResponseBase

from clinic.monitoring.counters import REQUESTS, SECONDS

UNKNOWN = "unknown"  # an address without a view, so that made-up addresses do not make labels


class RequestMetrics:
    """Counts each request and the time that its answer takes, by the name of its view."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        begin = perf_counter()
        response = self._get_response(request)
        match = request.resolver_match
        view = (match.view_name or UNKNOWN) if match else UNKNOWN
        method = request.method if request.method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE") else "other"
        REQUESTS.labels(view, method, str(response.status_code)).inc()
        SECONDS.labels(view).observe(perf_counter() - begin)
        return response
