"""Recognition of resources whose form is valid beyond doubt, in a tenth of the time that the library needs.

Most resources that clients send are plain: texts, codes, references and instants, each where FHIR has it. For all
others, the valid ones too, clinic.fhir.validation asks the library, which says what is wrong.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

from clinic.fhir.datatypes import Json
from clinic.fhir.definitions import ElementDefinition, Model, elements_of, model_of
from clinic.local_time import read_iso

DEEPEST = 20
FHIR_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
PRINTABLE = re.compile(r"[ !-~\u00a1-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+")
WORD = re.compile(r"[!-~]+")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-](?:0\d|1[0-3]):[0-5]\d)", re.ASCII)


def _is_instant(text: str) -> bool:
    if not INSTANT.fullmatch(text):
        return False
    try:
        read_iso(text)
    except ValueError:  # a day such as 31 February
        return False
    return True


# The forms of texts, by their type in fhir.resources. What is not here is not plain.
FORMS: dict[str, Callable[[str], object]] = {
    "Canonical": WORD.fullmatch,
    "Code": WORD.fullmatch,
    "DateTime": _is_instant,
    "Id": FHIR_ID.fullmatch,
    "Instant": _is_instant,
    "String": PRINTABLE.fullmatch,
    "Uri": WORD.fullmatch,
}


class _Definition(NamedTuple):
    """A type's elements, those that it must have, and the sets of which it has one at most, such as value[x]."""

    elements: Mapping[str, ElementDefinition]
    required: frozenset[str]
    choices: tuple[frozenset[str], ...]


def is_plain(resource: Json, kind: str) -> bool:
    """True only if the form of the resource is valid. False if it may not be."""
    model = model_of(kind)
    elements = {name: value for name, value in resource.items() if name != "resourceType"}
    return model is not None and _is_plain(elements, model, 1)


def _is_plain(node: Any, model: Model, depth: int) -> bool:
    if type(node) is not dict or not node or depth > DEEPEST:
        return False
    elements, required, choices = _definition(model)
    if not required <= node.keys() or any(len(node.keys() & choice) > 1 for choice in choices):
        return False
    for name, value in node.items():
        element = elements.get(name)
        if element is None:
            return False
        if not element.many:
            value = (value,)
        elif type(value) is not list or not value:
            return False
        if not all(_is_plain_value(part, element, depth) for part in value):
            return False
    return True


def _is_plain_value(value: Any, element: ElementDefinition, depth: int) -> bool:
    if element.model is not None:
        return _is_plain(value, element.model, depth + 1)
    if element.form == "boolean":
        return type(value) is bool
    form = FORMS.get(element.type)
    return form is not None and type(value) is str and bool(form(value))


@cache
def _definition(model: Model) -> _Definition:
    elements = elements_of(model)
    choices: dict[str, set[str]] = {}
    required = {name for name, element in elements.items() if element.required}
    for name, field in model.model_fields.items():
        extra = field.json_schema_extra
        if isinstance(extra, dict) and (choice := extra.get("one_of_many")):
            choices.setdefault(str(choice), set()).add(field.alias or name)
            if extra.get("one_of_many_required"):
                required.add(f"{choice}[x]")  # no element has this name: a type with such a choice is not plain
    return _Definition(elements, frozenset(required), tuple(map(frozenset, choices.values())))
