"""What is sent: https://hl7.org/fhir/R4/http.html#mime-type"""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from django.utils.http import parse_header_parameters
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

MEDIA_TYPES = ("application/fhir+json", "application/json", "text/json")
FORMATS = {"json": MEDIA_TYPES[0], **{name: name for name in MEDIA_TYPES}}


class FHIRRenderer(BaseRenderer):
    """FHIR JSON; `_pretty=true` for people."""

    media_type = MEDIA_TYPES[0]
    format = "json"
    charset = "utf-8"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        if data is None:
            return b""
        request: Request | None = (renderer_context or {}).get("request")
        pretty = request is not None and request.query_params.get("_pretty") == "true"
        return orjson.dumps(data, option=orjson.OPT_INDENT_2 if pretty else None)


class JSONRenderer(FHIRRenderer):
    media_type = MEDIA_TYPES[1]


class TextJSONRenderer(FHIRRenderer):
    media_type = MEDIA_TYPES[2]


class FHIRNegotiation(DefaultContentNegotiation):
    """By `_format`, which goes before the Accept header. A `+` that a query string has made a space is a `+`."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        if asked := request.query_params.get("_format"):
            return _by_format(asked, renderers)
        renderer, _ = super().select_renderer(request, renderers, None)
        return renderer, str(renderer.media_type)

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        """None, which is 415, for other character sets than UTF-8 too."""
        _, parameters = parse_header_parameters(request.content_type)
        known = parameters.get("charset", "utf-8").lower() in ("utf-8", "utf8", "us-ascii")
        return super().select_parser(request, parsers) if known else None

    def filter_renderers(self, renderers: Iterable[BaseRenderer], format: str) -> list[BaseRenderer]:
        return list(renderers)  # `format` is no parameter of FHIR's


def _by_format(asked: str, renderers: Iterable[BaseRenderer]) -> tuple[BaseRenderer, str]:
    media_type = FORMATS.get(asked.partition(";")[0].strip().replace(" ", "+"))
    for renderer in renderers:
        if renderer.media_type == media_type:
            return renderer, media_type
    raise NotAcceptable(f"_format={asked} cannot be served: use json.")
