"""Which elements there are, in which order, of which form and how often: as the definitions of fhir.resources say."""

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
    """`place` is where it stands among the others; `model` is the type of what is complex.

    Of a text, `type` is the class of fhir.resources that reads it, such as Uri, and `codes` all it can be, if that is
    fixed. `targets` are the types of resource that a Reference can name, if not all.
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
    """The definition of a type of resource or of data; None for what is none."""
    try:
        return get_fhir_model_class(kind)
    except ValueError:
        return None


def type_name(model: Model) -> str:
    """FHIR's name of it: HumanName, or CapabilityStatementRest for what is within another."""
    return str(model.get_resource_type())


@cache
def elements_of(model: Model) -> Mapping[str, ElementDefinition]:
    """By name, in their order."""
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
    for each in classes:
        if issubclass(each, FhirElementOrResourceBase):
            return "resource", None
        if issubclass(each, FhirBase):
            return "complex", each.get_model_klass()
    if any(isinstance(part, Xhtml) for part in parts):
        return "xhtml", None
    forms: dict[type, Form] = {bool: "boolean", int: "integer", Decimal: "decimal"}
    return next((form for type_, form in forms.items() if type_ in classes), "text"), None


def _all(listed: Any) -> tuple[str, ...]:
    """Nothing, where the library's list goes on or is of everything."""
    return () if not listed or OPEN.intersection(listed) else tuple(listed)


def _parts(annotation: Any, metadata: Iterable[Any] = ()) -> list[Any]:
    """The annotation of a field, and all that it is made of."""
    return [annotation, *metadata, *(part for each in get_args(annotation) for part in _parts(each))]
