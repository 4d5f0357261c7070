"""The elements of each FHIR type: their order, form and cardinality, from the definitions of fhir.resources."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from inspect import isclass
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, get_args, get_origin

from fhir.resources.R4B import get_fhir_model_class
from fhir_core import types
from fhir_core.fhirabstractmodel import FHIRAbstractModel
from fhir_core.types import FhirBase, FhirElementOrResourceBase, Xhtml

Model: TypeAlias = type[FHIRAbstractModel]
OPEN = frozenset({"+", "etc.", "Resource"})
Form: TypeAlias = Literal["text", "boolean", "integer", "decimal", "xhtml", "complex", "resource"]


@dataclass(frozen=True, slots=True)
class ElementDefinition:
    """The definition of one element of a FHIR type.

    `place` is its position among the elements; `model` is the type of a complex element. For a text, `type` is its
    class in fhir.resources, such as Uri, and `codes` are the allowed codes, if they are fixed. `targets` are the types
    of resource that a Reference can name, if they are limited.
    """

    place: int
    many: bool
    required: bool
    form: Form
    model: Model | None = None
    type: str = ""
    codes: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()


def model_of(kind: str) -> Model | None:
    """Return the definition of a resource type or data type; None for an unknown name."""
    try:
        return get_fhir_model_class(kind)
    except ValueError:
        return None


def type_name(model: Model) -> str:
    """Return FHIR's name of a type, such as HumanName, or CapabilityStatementRest for a part of another type."""
    return str(model.get_resource_type())


@cache
def elements_of(model: Model) -> Mapping[str, ElementDefinition]:
    """Return the definitions of a type's elements by name, in FHIR's order."""
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    found = {}
    for place, name in enumerate(model.elements_sequence()):
        field = fields[name]
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        required = field.is_required() or bool(extra.get("element_required"))
        parts = _parts(field.annotation, field.metadata)
        many = any(get_origin(part) is list for part in parts)
        form, inner = _form(parts)
        text = next((type(part).__name__ for part in parts if type(part).__module__ == types.__name__), "")
        codes, targets = _all(extra.get("enum_values")), _all(extra.get("enum_reference_types"))
        found[name] = ElementDefinition(place, many, required, form, inner, text, codes, targets)
    return MappingProxyType(found)


def _form(parts: Iterable[Any]) -> tuple[Form, Model | None]:
    classes = [part for part in parts if isclass(part)]
    for class_ in classes:
        if issubclass(class_, FhirElementOrResourceBase):
            return "resource", None
        if issubclass(class_, FhirBase):
            return "complex", class_.get_model_klass()
    if any(isinstance(part, Xhtml) for part in parts):
        return "xhtml", None
    forms: dict[type, Form] = {bool: "boolean", int: "integer", Decimal: "decimal"}
    return next((form for type_, form in forms.items() if type_ in classes), "text"), None


def _all(listed: Any) -> tuple[str, ...]:
    """Return the values of a closed list of the library; nothing for an open list."""
    return () if not listed or OPEN.intersection(listed) else tuple(listed)


def _parts(annotation: Any, metadata: Iterable[Any] = ()) -> list[Any]:
    """Return the annotation of a field, its metadata and, recursively, its arguments."""
    return [annotation, *metadata, *(part for argument in get_args(annotation) for part in _parts(argument))]
