"""Views of the definitions, open to everybody: `[base]/OperationDefinition/Appointment-find`."""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from django.http import QueryDict
from rest_framework.request import Request
from rest_framework.response import Response

from api.conformance.code_systems import code_systems
from api.conformance.naming_systems import naming_systems
from api.conformance.operation_definitions import operation_definitions
from api.conformance.search_parameters import of_definitions, search_parameters
from api.conformance.structures import structure_definitions
from api.fhir_view import FHIRView
from api.headers import base_of
from clinic.fhir import own_addresses
from clinic.fhir.datatypes import Json
from scheduling.errors import Invalid, Issue, NotFound

DEFINITIONS: dict[str, Callable[[str], list[Json]]] = {
    "OperationDefinition": operation_definitions,
    "SearchParameter": search_parameters,
    "StructureDefinition": structure_definitions,
    "CodeSystem": code_systems,
    "NamingSystem": naming_systems,
}
OF_EVERY_PAGE = ("_format", "_pretty", "_count", "_offset")


class OpenView(FHIRView):
    """Base of the views that need no token."""

    authentication_classes = []
    permission_classes = []


class DefinitionView(OpenView):
    """`[base]/SearchParameter/[id]`, and the same for the other types of definition."""

    kind: ClassVar[str] = ""

    def get(self, request: Request, fhir_id: str) -> Response:
        for definition in DEFINITIONS[self.kind](base_of(request)):
            if definition["id"] == fhir_id:
                return Response(definition)
        raise NotFound(f"There is no {self.kind}/{fhir_id}.")


class DefinitionsView(OpenView):
    """A search for the definitions of a type, by url or id."""

    kind: ClassVar[str] = ""

    def get(self, request: Request) -> Response:
        query = request.query_params
        criteria = {name: _stored(query.getlist(name), request) for name in query if name not in OF_EVERY_PAGE}
        known = [parameter["name"] for parameter in of_definitions(self.kind)]
        if unknown := criteria.keys() - set(known):
            raise Invalid(f"{min(unknown)!r} is no parameter here: search by {', '.join(known)}.")
        found = [each for each in DEFINITIONS[self.kind](base_of(request)) if _matches(each, criteria)]
        return Response(_page(self.kind, found, request))


def _stored(values: Sequence[str], request: Request) -> list[str]:
    """Return the values with addresses of ours as they are stored."""
    return [own_addresses.as_stored(value, base_of(request)) for value in values]


def _page(kind: str, found: list[Json], request: Request) -> Json:
    """Return the page that `_count` asks for; without it, everything."""
    base, query = base_of(request), request.query_params.copy()
    first, count = _number(query, "_offset", 0), _number(query, "_count", len(found))
    links = [{"relation": "self", "url": request.build_absolute_uri()}]
    if 0 < count < len(found) - first:
        query["_offset"] = str(first + count)
        links.append({"relation": "next", "url": f"{base}{kind}?{query.urlencode()}"})
    bundle: Json = {"resourceType": "Bundle", "type": "searchset", "total": len(found), "link": links}
    entries = [
        {"fullUrl": f"{base}{kind}/{each['id']}", "resource": each, "search": {"mode": "match"}}
        for each in found[first : first + count]
    ]
    return {**bundle, "entry": entries} if entries else bundle


def _matches(definition: Json, criteria: Mapping[str, Sequence[str]]) -> bool:
    """True if a definition matches. A repeated parameter means and, a comma means or."""
    return all(_searched(definition, name) in value.split(",") for name, values in criteria.items() for value in values)


def _searched(definition: Json, name: str) -> str:
    """Return the value at which a search parameter looks."""
    match name:
        case "_id":
            return str(definition["id"])
        case "value":
            return str(definition["uniqueId"][0]["value"])
    return str(definition[name])


def _number(query: QueryDict, name: str, otherwise: int) -> int:
    """Read a whole number. Raises Invalid."""
    text = str(query.get(name) or otherwise)
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise Invalid(issues=[Issue("invalid", f"{name}: {text!r} is not a number.", name)])
    return int(text)
