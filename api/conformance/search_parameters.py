"""SearchParameters, from the search tables: https://hl7.org/fhir/R4/searchparameter.html"""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from api.conformance.definitions import definition
from api.conformance.profiles import US_CORE_SEARCHES
from api.search import Parameter, Reference, expression, parameters_of
from clinic.fhir.datatypes import Json
from clinic.fhir.resources import RESOURCES

CODES = {"of-type": "ofType"}  # a modifier's code, where a URL writes it in another way
COMPARED = ("number", "date", "quantity", "special")

# Further parameters of a search over several types. FHIR R4 has no definitions of these.
OF_ALL_TYPES = (
    {"name": "_type", "type": "token"},
    {"name": "_filter", "type": "special"},
    {"name": "_has", "type": "special"},
    {"name": "_list", "type": "special"},
)

_ID = {"name": "_id", "definition": "http://hl7.org/fhir/SearchParameter/Resource-id", "type": "token"}
_URL = {"name": "url", "definition": "http://hl7.org/fhir/SearchParameter/conformance-url", "type": "uri"}
_VALUE = {"name": "value", "definition": "http://hl7.org/fhir/SearchParameter/NamingSystem-value", "type": "string"}


def of_definitions(kind: str) -> list[Json]:
    """Return the parameters of a search for definitions of a type. A NamingSystem of R4 has no url."""
    return [_ID, _VALUE if kind == "NamingSystem" else _URL]


def declared(parameters: Mapping[str, Parameter], kind: str = "") -> list[Json]:
    """Return the parameters of a type, or of all, as a CapabilityStatement lists them."""
    return [
        {"name": name, "definition": US_CORE_SEARCHES.get((kind, name), each.definition), "type": each.TYPE}
        for name, each in parameters.items()
    ]


def search_parameters(base: str) -> list[Json]:
    """Return each SearchParameter once, with all types that have it."""
    found: dict[str, dict[str, Parameter]] = defaultdict(dict)
    for kind in RESOURCES:
        for parameter in parameters_of(kind).values():
            found[parameter.definition][kind] = parameter
    return [*(_definition(url, kinds) for url, kinds in found.items()), *_derived()]


def _derived() -> Iterator[Json]:
    for (kind, name), url in US_CORE_SEARCHES.items():
        parameter = parameters_of(kind)[name]
        yield {**_definition(url, {kind: parameter}), "derivedFrom": parameter.definition}


def _definition(url: str, kinds: Mapping[str, Parameter]) -> Json:
    parameter = next(iter(kinds.values()))
    text = parameter.description or f"FHIR's search parameter `{parameter.name}`, as it is answered here."
    elements: Json = {
        **definition("SearchParameter", url.rpartition("/")[2], url, text),
        "code": parameter.name,
        "base": list(kinds),
        "type": parameter.TYPE,
        "target": sorted({name for each in kinds.values() if isinstance(each, Reference) for name in each.types}),
        "expression": " | ".join(dict.fromkeys(each for kind in kinds if (each := expression(kind, parameter.name)))),
        "xpathUsage": parameter.usage,
        "multipleOr": True,
        "multipleAnd": True,
        "comparator": list(parameter.COMPARATORS) if parameter.TYPE in COMPARED else [],
        "modifier": [CODES.get(each, each) for each in parameter.MODIFIERS],
    }
    return {name: value for name, value in elements.items() if value not in ([], "")}
