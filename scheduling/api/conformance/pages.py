"""Definitions that anybody can read, so that what we claim resolves: `[base]/OperationDefinition/Appointment-find`."""

from collections.abc import Callable
from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from clinic.fhir.datatypes import Json
from scheduling.api.conformance.code_systems import code_systems
from scheduling.api.conformance.operation_definitions import operation_definitions
from scheduling.api.conformance.search_parameters import search_parameters
from scheduling.api.conformance.structures import structure_definitions
from scheduling.api.headers import base_of
from scheduling.api.views import FHIRView
from scheduling.errors import Invalid, NotFound

DEFINITIONS: dict[str, Callable[[str], list[Json]]] = {
    "OperationDefinition": operation_definitions,
    "SearchParameter": search_parameters,
    "StructureDefinition": structure_definitions,
    "CodeSystem": code_systems,
}
# The element that each search parameter looks at.
SEARCHABLE = {"_id": "id", "url": "url"}
OF_EVERY_PAGE = ("_format", "_pretty")


class OpenView(FHIRView):
    """For everybody: nobody is asked who they are."""

    authentication_classes = []
    permission_classes = []


class DefinitionView(OpenView):
    """`[base]/SearchParameter/[id]` and its like."""

    kind: ClassVar[str] = ""

    def get(self, request: Request, fhir_id: str) -> Response:
        for each in DEFINITIONS[self.kind](base_of(request)):
            if each["id"] == fhir_id:
                return Response(each)
        raise NotFound(f"There is no {self.kind}/{fhir_id}.")


class DefinitionsView(OpenView):
    """All of a type, or the one with a url or an id."""

    kind: ClassVar[str] = ""

    def get(self, request: Request) -> Response:
        base = base_of(request)
        wanted = {name: value for name, value in request.query_params.items() if name not in OF_EVERY_PAGE}
        if unknown := wanted.keys() - SEARCHABLE.keys():
            raise Invalid(f"{min(unknown)!r} is no parameter here: search by {', '.join(SEARCHABLE)}.")
        found = [
            each
            for each in DEFINITIONS[self.kind](base)
            if all(each[SEARCHABLE[name]] == value for name, value in wanted.items())
        ]
        return Response(_bundle(self.kind, found, request.build_absolute_uri(), base))


def _bundle(kind: str, found: list[Json], address: str, base: str) -> Json:
    bundle: Json = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(found),
        "link": [{"relation": "self", "url": address}],
    }
    entries = [
        {"fullUrl": f"{base}{kind}/{each['id']}", "resource": each, "search": {"mode": "match"}} for each in found
    ]
    return {**bundle, "entry": entries} if entries else bundle
