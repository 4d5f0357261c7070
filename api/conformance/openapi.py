"""The OpenAPI document, from the same tables as the CapabilityStatement.

https://spec.openapis.org/oas/v3.0.3
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from api.conformance.definitions import computable
from api.conformance.pages import DEFINITIONS
from api.conformance.routes import (
    CONDITIONAL,
    ON_TYPE,
    interactions_of,
    is_conditional,
    is_open,
    system_interactions,
)
from api.conformance.schemas import ID, reference, schemas
from api.conformance.search_parameters import OF_ALL_TYPES, of_definitions
from api.formats.renderers import JSON_TYPES, XML_TYPES
from api.headers import base_of
from api.operations.registry import OPERATIONS, Operation
from api.patching import PATCHES
from api.search import parameters_of, shared_parameters
from api.smart.discovery import endpoints
from clinic.fhir.datatypes import Json
from clinic.fhir.resources import RESOURCES
from clinic.version import version

TEXT: Json = {"type": "string"}
PLACEHOLDERS: dict[str, Json] = {"id": ID, "version": TEXT}
IF_MATCH: Json = {"name": "If-Match", "in": "header", "schema": TEXT, "example": 'W/"1"'}
IF_NONE_EXIST: Json = {"name": "If-None-Exist", "in": "header", "schema": TEXT}
IDEMPOTENCY_KEY: Json = {"name": "Idempotency-Key", "in": "header", "schema": {**TEXT, "pattern": "^[!-~]{1,255}$"}}
COUNT: Json = {"name": "_count", "in": "query", "schema": {"type": "integer", "minimum": 0}}
RESULTS: list[Json] = [
    COUNT,
    {"name": "_sort", "in": "query", "schema": TEXT},
    {"name": "_include", "in": "query", "schema": TEXT},
    {"name": "_summary", "in": "query", "schema": {**TEXT, "enum": ["true", "text", "data", "count", "false"]}},
]
OF_HISTORIES: list[Json] = [COUNT, *({"name": name, "in": "query", "schema": TEXT} for name in ("_since", "_at"))]
# Parameters of each interaction besides those in its path.
FURTHER_PARAMETERS = {
    "history-instance": OF_HISTORIES,
    "history-type": OF_HISTORIES,
    "create": [IF_NONE_EXIST],
    "update": [IF_MATCH],
    "patch": [IF_MATCH],
    "delete": [IF_MATCH],
}
OTHERS = ("Basic", "Bundle", "CapabilityStatement", "OperationOutcome", "Parameters")
UNNAMED = ("_has",)  # whose names say what they ask for
WITH_BODY = ("create", "update")
BUNDLES = ("search-type", "history-instance", "history-type")
PRIMITIVE = re.compile("[a-z]")  # how the names of data types start that a query can hold


@require_safe
def openapi(request: HttpRequest) -> JsonResponse:
    """`GET [base]/openapi.json`, for everybody."""
    found = endpoints(request)
    return JsonResponse(document(base_of(request), found["authorize"], found["token"]))


@lru_cache(maxsize=8)
def document(base: str, authorize: str, token: str) -> Json:
    """Return the document, made once for the life of the process."""
    flows: Json = {
        "authorizationCode": {"authorizationUrl": authorize, "tokenUrl": token, "scopes": {}},
        "clientCredentials": {"tokenUrl": token, "scopes": {}},
    }
    return {
        "openapi": "3.0.3",
        "info": {"title": f"Scheduling of {settings.CLINIC_NAME}", "version": version()},
        "servers": [{"url": base.rstrip("/")}],
        "security": [{"smart": []}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {"smart": {"type": "oauth2", "flows": flows}},
            "schemas": schemas([*RESOURCES, *DEFINITIONS, *OTHERS]),
        },
    }


def _paths() -> Json:
    found: Json = defaultdict(dict)
    for address, method, call in _calls():
        security: Json = {"security": []} if is_open(address.format(id="1", version="1")) else {}
        found[f"/{address}"][method] = {**call, **security}
    return dict(found)


def _calls() -> Iterator[tuple[str, str, Json]]:
    """Yield the path below the base, the method and the OpenAPI operation of each request that is answered."""
    yield "metadata", "get", _call("get", "metadata", answer="CapabilityStatement")
    if "transaction" in system_interactions():
        yield "", "post", _call("post", "", body="Bundle", answer="Bundle")
    if "search-system" in system_interactions():
        yield "", "get", _call("get", "", [*_shared(), *RESULTS], answer="Bundle")
        yield "_search", "post", _form("_search", _shared())
    for kind in RESOURCES:
        yield from _interactions(kind)
        yield f"{kind}/_search", "post", _form(f"{kind}/_search", _criteria(kind))
    for kind in DEFINITIONS:
        yield from _interactions(kind)
    yield "SubscriptionTopic/{id}", "get", _call("get", "SubscriptionTopic/{id}", answer="Basic")
    for operation in OPERATIONS:
        yield from _operation(operation)


def _interactions(kind: str) -> Iterator[tuple[str, str, Json]]:
    for code in interactions_of(kind):
        address, method = ON_TYPE[code]
        address = address.replace("{kind}", kind)
        yield address, method, _interaction(code, method, address, kind)
    for code, method in CONDITIONAL.items():
        if is_conditional(kind, code):
            yield kind, method, _interaction(code, method, kind, kind)


def _interaction(code: str, method: str, address: str, kind: str) -> Json:
    """Return the OpenAPI operation of an interaction, with search parameters if the address names no resource."""
    parameters = FURTHER_PARAMETERS.get(code, [])
    if (kind, code) == ("Appointment", "create"):
        parameters = [*parameters, IDEMPOTENCY_KEY]
    if code != "create" and address == kind:
        parameters = [*_criteria(kind), *parameters]
    if code == "search-type":
        parameters = [*parameters, *(RESULTS if kind in RESOURCES else [COUNT])]
    answer = "Bundle" if code in BUNDLES else "" if code == "delete" else kind
    call = _call(method, address, parameters, body=kind if code in WITH_BODY else "", answer=answer)
    if code == "patch":
        call["requestBody"] = {"required": True, "content": {each: {"schema": {}} for each in PATCHES}}
    return call


def _criteria(kind: str) -> list[Json]:
    if kind in RESOURCES:
        names = [*parameters_of(kind), "_filter", "_list"]
    else:
        names = [each["name"] for each in of_definitions(kind)]
    return [{"name": name, "in": "query", "schema": TEXT} for name in names]


def _shared() -> list[Json]:
    """Return the search parameters that all types share."""
    names = [*(each["name"] for each in OF_ALL_TYPES), *shared_parameters(list(RESOURCES))]
    return [{"name": name, "in": "query", "schema": TEXT} for name in names if name not in UNNAMED]


def _form(address: str, criteria: Iterable[Json]) -> Json:
    """Return a search with its parameters in the body, which access logs do not record."""
    properties = {each["name"]: each["schema"] for each in (*criteria, *RESULTS)}
    schema: Json = {"type": "object", "properties": properties}
    content = {"application/x-www-form-urlencoded": {"schema": schema}}
    return {**_call("post", address, answer="Bundle"), "requestBody": {"content": content}}


def _operation(operation: Operation) -> Iterator[tuple[str, str, Json]]:
    types = {each.name: each.type for each in operation.parameters if each.use == "out"}
    answer = types.get("return", "")
    for address in operation.addresses:
        for method in operation.methods:
            if method == "GET":
                call = _call("get", address, _query(operation), answer=answer)
            else:
                call = _call("post", address, [IDEMPOTENCY_KEY], body="Parameters", answer=answer)
            yield address, method.lower(), {**call, "summary": operation.documentation}


def _query(operation: Operation) -> list[Json]:
    """Return the input parameters that fit into a query string."""
    return [
        {
            "name": each.name,
            "in": "query",
            "description": each.documentation,
            "required": each.min > 0,
            "schema": {"type": "array", "items": TEXT} if each.max == "*" else TEXT,
        }
        for each in operation.parameters
        if each.use == "in" and PRIMITIVE.match(each.type)
    ]


def _call(method: str, address: str, parameters: Iterable[Json] = (), *, body: str = "", answer: str = "") -> Json:
    in_path: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": PLACEHOLDERS[name]}
        for name in re.findall(r"{(\w+)}", address)
    ]
    well = {"description": "Done", **({"content": _content(answer)} if answer not in ("", "Binary") else {})}
    call: Json = {
        "operationId": computable(f"{method} {address}"),
        "parameters": [*in_path, *parameters],
        "responses": {
            "2XX": well,
            "default": {"description": "Refused, with the reason", "content": _content("OperationOutcome")},
        },
    }
    return {**call, "requestBody": {"required": True, "content": _content(body)}} if body else call


def _content(kind: str) -> Json:
    return {JSON_TYPES[0]: {"schema": reference(kind)}, XML_TYPES[0]: {"schema": TEXT}}
