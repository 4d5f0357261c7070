"""Renderers and content negotiation: https://hl7.org/fhir/R4/http.html#mime-type"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import orjson
from django.http.request import MediaType
from django.utils.http import parse_header_parameters
from lxml import etree
from rest_framework.exceptions import NotAcceptable, UnsupportedMediaType
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from clinic import exact_json
from clinic.fhir import own_addresses
from clinic.fhir.xml import to_xml

JSON_TYPES = ("application/fhir+json", "application/json", "text/json")
XML_TYPES = ("application/fhir+xml", "application/xml", "text/xml")
FORMATS = {"json": JSON_TYPES[0], "xml": XML_TYPES[0], **{name: name for name in (*JSON_TYPES, *XML_TYPES)}}
FHIR_VERSION = "4.0"
CHARSETS = ("utf-8", "utf8", "us-ascii")


class FHIRRenderer(BaseRenderer):
    """Renderer of FHIR JSON; `_pretty=true` indents it."""

    media_type = JSON_TYPES[0]
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
        return own_addresses.to_served(self.write(data, pretty=pretty))

    def write(self, data: Any, *, pretty: bool) -> bytes:
        return exact_json.dumps(data, orjson.OPT_INDENT_2 if pretty else None)


class JSONRenderer(FHIRRenderer):
    media_type = JSON_TYPES[1]


class TextJSONRenderer(FHIRRenderer):
    media_type = JSON_TYPES[2]


class FHIRXMLRenderer(FHIRRenderer):
    """Renderer of FHIR XML. Parts of the data may be JSON text already."""

    media_type = XML_TYPES[0]
    format = "xml"

    def write(self, data: Any, *, pretty: bool) -> bytes:
        root = to_xml(exact_json.loads(exact_json.dumps(data)))
        return bytes(etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=pretty))


class XMLRenderer(FHIRXMLRenderer):
    media_type = XML_TYPES[1]


class TextXMLRenderer(FHIRXMLRenderer):
    media_type = XML_TYPES[2]


RENDERERS = (FHIRRenderer, JSONRenderer, TextJSONRenderer, FHIRXMLRenderer, XMLRenderer, TextXMLRenderer)


class FHIRNegotiation(DefaultContentNegotiation):
    """Content negotiation by `_format`, then by the Accept header. A space in `_format` is read as `+`."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        if name := request.query_params.get("_format"):
            return _by_format(name, renderers)
        renderer = _by_accept(request.headers.get("Accept", "*/*"), renderers)
        return renderer, str(renderer.media_type)

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        """Return the parser of a request.

        Raises UnsupportedMediaType, also for another character set or version of FHIR.
        """
        known = list(parsers)
        _, parameters = parse_header_parameters(request.content_type)
        is_ours = parameters.get("charset", "utf-8").lower() in CHARSETS
        found = super().select_parser(request, known)
        if found is None or not is_ours or parameters.get("fhirversion", FHIR_VERSION) != FHIR_VERSION:
            names = ", ".join(str(each.media_type) for each in known)
            text = f"Content-Type {request.content_type!r} cannot be read: send {names}, in UTF-8."
            raise UnsupportedMediaType(request.content_type, text)
        return found


def _by_format(name: str, renderers: Iterable[BaseRenderer]) -> tuple[BaseRenderer, str]:
    media_type = FORMATS.get(name.partition(";")[0].strip().replace(" ", "+"))
    for renderer in renderers:
        if renderer.media_type == media_type:
            return renderer, media_type
    raise NotAcceptable(f"_format={name} cannot be served: use json or xml.")


def _by_accept(header: str, renderers: Iterable[BaseRenderer]) -> BaseRenderer:
    known = list(renderers)
    best = _accepted(header, tuple(str(renderer.media_type) for renderer in known))
    if best is None:
        raise NotAcceptable(f"None of what is accepted can be served: use one of {', '.join(JSON_TYPES + XML_TYPES)}.")
    return known[best]


@lru_cache(maxsize=64)
def _accepted(header: str, media_types: tuple[str, ...]) -> int | None:
    """Return the index of the media type that an Accept header prefers, or None; the first, JSON, for HTML.

    https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1
    """
    ranges = [MediaType(text) for text in header.split(",") if text.strip()] or [MediaType("*/*")]
    if any((each.main_type, each.sub_type) == ("text", "html") for each in ranges):
        return 0
    preferences = [_preference(media_type, ranges) for media_type in media_types]
    best = max(range(len(media_types)), key=preferences.__getitem__)
    return best if preferences[best][0] else None


def _preference(media_type: str, ranges: Iterable[MediaType]) -> tuple[float, int]:
    """Return the quality of the most specific range for a media type, and how specific the range is, to break ties."""
    main, _, sub = media_type.partition("/")
    found = [
        each
        for each in ranges
        if each.main_type in ("*", main)
        and each.sub_type in ("*", "", sub)
        and each.params.get("fhirversion", FHIR_VERSION) == FHIR_VERSION
    ]
    best = max(found, key=lambda each: each.specificity, default=None)
    return (best.quality, best.specificity) if best else (0, 0)
