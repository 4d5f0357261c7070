"""FHIR's invariants of well-formed resources: https://hl7.org/fhir/R4/conformance-rules.html#constraints

They are the invariants of data types and contained resources, fixed codes, and the types that a reference can name.
The invariants of one resource type are in that type's module.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from clinic.fhir import narratives
from clinic.fhir.datatypes import Json
from clinic.fhir.definitions import ElementDefinition, Model, elements_of, model_of, type_name
from clinic.fhir.issues import ResourceIssue
from clinic.fhir.references import local_reference
from clinic.local_time import read_iso

BASE64 = re.compile(r"(?:(?:\s*[0-9A-Za-z+/=]){4})+\s*")
ADDRESS = re.compile(r"\S*")
FORMS = {
    "Base64Binary": (BASE64, "This is not base64."),
    "Canonical": (ADDRESS, "There is no space in an address."),
    "Uri": (ADDRESS, "There is no space in an address."),
    "Url": (ADDRESS, "There is no space in an address."),
}


@dataclass(frozen=True)
class Invariant:
    """An invariant of a data type. `is_broken` is called with each element of that type."""

    key: str
    text: str
    is_broken: Callable[[Json], Any]


def _has_value(extension: Json) -> bool:
    return any(name.lstrip("_").startswith("value") for name in extension)


def _ends_before_it_starts(period: Json) -> bool:
    """True if the start is after the end, compared to the precision of the less precise of the two."""
    start, end = period.get("start"), period.get("end")
    if not start or not end:
        return False
    if "T" in start and "T" in end:
        with suppress(ValueError):  # a day such as 31 February
            return read_iso(start) > read_iso(end)
    length = min(len(start), len(end), len("2026-01-05"))
    return bool(start[:length] > end[:length])


def _is_of_home(element: Json) -> bool:
    return any(part.get("use") == "home" for part in (*element.get("telecom", ()), *element.get("address", ())))


# The invariants of each type.
RULES: dict[str, tuple[Invariant, ...]] = {
    "Attachment": (
        Invariant(
            "att-1", "Data has a contentType.", lambda element: "data" in element and "contentType" not in element
        ),
    ),
    "ContactPoint": (
        Invariant("cpt-2", "A value has a system.", lambda element: "value" in element and "system" not in element),
    ),
    "Extension": (
        Invariant(
            "ext-1",
            "It has either extensions or a value[x].",
            lambda element: ("extension" in element) == _has_value(element),
        ),
    ),
    "Organization": (
        Invariant(
            "org-1", "It has a name or an identifier.", lambda element: not element.keys() & {"name", "identifier"}
        ),
        Invariant("org-2, org-3", "Nobody is at home in an organization.", _is_of_home),
    ),
    "PatientContact": (
        Invariant(
            "pat-1",
            "It has a name, a telecom, an address or an organization.",
            lambda element: not element.keys() & {"name", "telecom", "address", "organization"},
        ),
    ),
    "Period": (Invariant("per-1", "A period ends after it starts.", _ends_before_it_starts),),
    "Quantity": (
        Invariant("qty-3", "A code has a system.", lambda element: "code" in element and "system" not in element),
    ),
    "QuestionnaireResponseItem": (
        Invariant(
            "qrs-1",
            "Items are in the answer or beside it, not both.",
            lambda element: {"answer", "item"} <= element.keys(),
        ),
    ),
}


def broken_invariants(resource: Json, kind: str, *, is_whole: bool = True) -> Iterator[ResourceIssue]:
    """Yield an issue for each broken invariant of a resource with a valid form.

    Without `is_whole`, elements with an invalid form have been removed, so nothing is said about missing ones.
    """
    inner = resource.get("contained", ())
    contained = {entry["id"]: entry["resourceType"] for entry in inner if "id" in entry} if is_whole else None
    named: set[str] = set()
    todo: list[tuple[Json, Model | None, str]] = [(resource, model_of(kind), kind)]
    while todo:
        node, model, path = todo.pop()
        if model is None:
            continue
        for rule in RULES.get(type_name(model), ()):
            if rule.is_broken(node):
                yield ResourceIssue("invariant", f"{rule.key}: {rule.text}", path)
        elements = elements_of(model)
        for name, value in node.items():
            element = elements.get(name)
            if element is None:
                todo += _extended(name, value, path)
                continue
            for part, at in _placed(value, f"{path}.{name}"):
                if element.form == "resource":
                    todo.append((part, model_of(part["resourceType"]), at))
                elif element.model is None:
                    named.add(str(part))
                    yield from _of_text(part, element, at)
                else:
                    todo.append((part, element.model, at))
                    if "reference" in part and type_name(element.model) == "Reference":
                        yield from _of_reference(part["reference"], element, contained, at)
    if is_whole:
        yield from _of_contained(resource, kind, named)


def _extended(name: str, value: Any, path: str) -> Iterator[tuple[Json, Model | None, str]]:
    """Yield the Elements in `_name`, which holds the id and the extensions of a primitive value."""
    if name.startswith("_"):
        yield from ((part, model_of("Element"), at) for part, at in _placed(value, f"{path}.{name[1:]}"))


def _placed(value: Any, path: str) -> Iterator[tuple[Any, str]]:
    """Yield each value of a list, or the single value, with its path."""
    if isinstance(value, list):
        yield from ((part, f"{path}[{n}]") for n, part in enumerate(value) if part is not None)
    else:
        yield value, path


def _of_text(value: Any, element: ElementDefinition, path: str) -> Iterator[ResourceIssue]:
    if element.codes and value not in element.codes:
        yield ResourceIssue("code-invalid", f"{value!r} is not one of {', '.join(element.codes)}.", path)
    elif element.form == "xhtml":
        yield from (ResourceIssue("invariant", text, path) for text in narratives.faults(value))
    elif element.type in FORMS and not FORMS[element.type][0].fullmatch(value):
        yield ResourceIssue("value", FORMS[element.type][1], path)


def _of_reference(
    text: str, element: ElementDefinition, contained: Mapping[str, str] | None, path: str
) -> Iterator[ResourceIssue]:
    kind = _type_named(text)
    if text.startswith("#") and text != "#" and contained is not None:
        kind = contained.get(text[1:], "")
        if not kind:
            yield ResourceIssue("invariant", f"ref-1: {text!r} is not among what is contained.", f"{path}.reference")
    if element.targets and kind and kind not in element.targets:
        types = " or ".join(element.targets)
        yield ResourceIssue("value", f"{text!r} is not a reference to {types}.", f"{path}.reference")


def _type_named(reference: str) -> str:
    """Return the resource type in a literal reference; empty if there is none."""
    kind, slash, _ = local_reference(reference).partition("/")
    return kind if slash and model_of(kind) else ""


def _of_contained(resource: Json, kind: str, named: set[str]) -> Iterator[ResourceIssue]:
    """Check the invariants of contained resources: https://hl7.org/fhir/R4/references.html#contained"""
    for n, inner in enumerate(resource.get("contained", ())):
        path = f"{kind}.contained[{n}]"
        meta = inner.get("meta", {})
        if "contained" in inner:
            yield ResourceIssue("invariant", "dom-2: Nothing is contained in what is contained.", f"{path}.contained")
        if f"#{inner.get('id', '')}" not in named and "#" not in named:
            yield ResourceIssue("invariant", "dom-3: What is contained is referred to by its id.", path)
        if meta.keys() & {"versionId", "lastUpdated"}:
            yield ResourceIssue("invariant", "dom-4: What is contained has no versions.", f"{path}.meta")
        if "security" in meta:
            yield ResourceIssue("invariant", "dom-5: What is contained has no security label.", f"{path}.meta.security")
