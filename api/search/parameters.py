"""Registry of search parameters: https://hl7.org/fhir/R4/searchparameter-registry.html

The one list: searches read it, and so do the CapabilityStatement and the pages of the parameters.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from types import MappingProxyType

from api.search.kinds import Parameter
from api.search.tables.care import CARE
from api.search.tables.common import Parameters, of_every
from api.search.tables.people import PEOPLE
from api.search.tables.places import PLACES
from api.search.tables.visits import VISITS
from clinic.fhir import codes

TABLE: dict[str, Parameters] = {**PLACES, **PEOPLE, **VISITS, **CARE}


@cache
def parameters_of(kind: str) -> Mapping[str, Parameter]:
    """Return the parameters of a type by name, with those that every type has."""
    found = {**of_every(kind), **TABLE[kind]}
    return MappingProxyType(
        {name: replace(each, name=name, definition=_definition(kind, name, each)) for name, each in found.items()}
    )


def shared_parameters(kinds: Sequence[str]) -> Mapping[str, Parameter]:
    """Return the parameters that all these types have, as the first one defines them."""
    first, *others = map(parameters_of, kinds)
    return {name: each for name, each in first.items() if all(name in other for other in others)}


def expression(kind: str, name: str) -> str:
    """Return the FHIRPath of the elements that a parameter of a type searches; empty where FHIRPath cannot say it."""
    paths = parameters_of(kind)[name].element_path.split(" | ")
    return " | ".join(_expression(kind, path) for path in paths if path)


def _expression(kind: str, path: str) -> str:
    if path.startswith("Resource."):
        return path
    return f"({kind}.{path})" if " as " in path else f"{kind}.{path}"


def _definition(kind: str, name: str, parameter: Parameter) -> str:
    base = codes.OURS if parameter.ours else "http://hl7.org/fhir"
    return f"{base}/SearchParameter/{parameter.definition or f'{kind}-{name}'}"
