"""Requests that htmx makes for a part of a page."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails


class HtmxRequest(HttpRequest):
    htmx: HtmxDetails


def is_part(request: HtmxRequest) -> bool:
    return bool(request.htmx) and not request.htmx.history_restore_request
