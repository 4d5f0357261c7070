"""Parsers of bodies: one JSON object or XML element in UTF-8, without characters that PostgreSQL cannot store."""

import json
import math
import re
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from rest_framework.parsers import BaseParser

from api.formats.renderers import JSON_TYPES, XML_TYPES
from api.headers import base_of
from clinic.exact_json import MACHINE, read_decimal, read_whole
from clinic.fhir import own_addresses
from clinic.fhir.issues import InvalidElement
from clinic.fhir.xml import from_xml, read_xml
from scheduling.errors import Invalid, Issue

MAX_DEPTH = 100
MAX_STRING = 1024 * 1024  # characters
BASE64 = (".data", ".valueBase64Binary")
NULL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")  # PostgreSQL cannot store it
SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class FHIRParser(BaseParser):
    """Parser of FHIR JSON. Raises Invalid, and RequestDataTooBig for more than the settings allow."""

    media_type = JSON_TYPES[0]

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        # The request's own body, not the stream, is held to DATA_UPLOAD_MAX_MEMORY_SIZE.
        if parser_context is None:
            return self.read(own_addresses.to_stored(stream.read()))
        request = parser_context["request"]
        return self.read(own_addresses.to_stored(request.body, base_of(request)))

    def read(self, body: bytes) -> dict[str, Any]:
        return read_object(body)


class JSONParser(FHIRParser):
    media_type = JSON_TYPES[1]


class TextJSONParser(FHIRParser):
    media_type = JSON_TYPES[2]


class FHIRXMLParser(FHIRParser):
    """Parser of FHIR XML, which it turns into FHIR JSON."""

    media_type = XML_TYPES[0]

    def read(self, body: bytes) -> dict[str, Any]:
        return read_element(body)


class XMLParser(FHIRXMLParser):
    media_type = XML_TYPES[1]


class TextXMLParser(FHIRXMLParser):
    media_type = XML_TYPES[2]


PARSERS = (FHIRParser, JSONParser, TextJSONParser, FHIRXMLParser, XMLParser, TextXMLParser)


def read_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object in `body`. Raises Invalid."""
    value = read_json(body)
    if not isinstance(value, dict):
        _refuse("This is not a JSON object.")
    return value


def read_json(body: bytes) -> Any:
    """Return the JSON value in `body`. Raises Invalid."""
    if NULL.search(body):
        _refuse("A string holds the character U+0000, which cannot be stored.")
    try:
        value = json.loads(
            _text(body), object_pairs_hook=_unique, parse_float=_finite, parse_int=_whole, parse_constant=_no_number
        )
    except json.JSONDecodeError as error:
        _refuse(f"This is not JSON: {error.msg} at line {error.lineno} column {error.colno}.")
    except RecursionError:
        _refuse(f"This is nested more than {MAX_DEPTH} levels deep.")
    except ValueError:
        _refuse("A number is too long.")
    _check_depth(value)
    if len(body) > MAX_STRING:
        _check_lengths(value)
    if SURROGATE.search(body):
        _whole_characters(value)
    return value


def read_element(body: bytes) -> dict[str, Any]:
    """Return the resource in the XML of `body`. Raises Invalid."""
    root = read_root(body)
    try:
        value = from_xml(root)
    except InvalidElement as error:
        raise Invalid(issues=[Issue(error.code, error.text, error.at)]) from error
    _check_depth(value)
    if len(body) > MAX_STRING:
        _check_lengths(value)
    return value


def read_root(body: bytes) -> Any:
    """Return the root element of the XML of `body`. Raises Invalid."""
    try:
        return read_xml(_text(body))
    except InvalidElement as error:
        _refuse(error.text)


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        _refuse(f"This is not UTF-8: byte {error.start} cannot be read.")


def _check_depth(value: Any) -> None:
    """Raise Invalid for nesting so deep that recursive code would run out of stack."""
    level: list[Any] = [value] if isinstance(value, (dict, list)) else []
    for _ in range(MAX_DEPTH):
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, (dict, list))
        ]
        if not level:
            return
    _refuse(f"This is nested more than {MAX_DEPTH} levels deep.")


def _check_lengths(value: Any) -> None:
    """Raise Invalid for a string above a megabyte, except base64: https://hl7.org/fhir/R4/datatypes.html#string"""
    root = value.get("resourceType") if isinstance(value, dict) else None
    todo: list[tuple[Any, str]] = [(value, root if isinstance(root, str) else "")]
    while todo:
        node, path = todo.pop()
        if isinstance(node, str) and len(node) > MAX_STRING and not path.endswith(BASE64):
            text = f"A string is {MAX_STRING:,} characters long at most."
            raise Invalid(issues=[Issue("too-long", text, path)])
        if isinstance(node, dict):
            todo += [(child, f"{path}.{name}".removeprefix(".")) for name, child in node.items()]
        elif isinstance(node, list):
            todo += [(child, f"{path}[{n}]") for n, child in enumerate(node)]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Raise Invalid for a repeated name, which readers could read differently: https://hl7.org/fhir/R4/json.html"""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        _refuse(f"{next(name for name in names if names.count(name) > 1)!r} is said twice in one object.")
    return found


def _finite(text: str) -> float:
    number = read_decimal(text)
    if not math.isfinite(number):
        _refuse(f"{text} is too large a number.")
    return number


def _whole(text: str) -> int | float:
    return read_whole(text) if len(text) <= MACHINE else _finite(text)


def _no_number(text: str) -> NoReturn:
    _refuse(f"{text} is not JSON.")


def _whole_characters(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        _refuse("A string holds half of a character (a lone surrogate).")


def _refuse(text: str) -> NoReturn:
    raise Invalid(issues=[Issue("structure", text)])
