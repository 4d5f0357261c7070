"""FHIR's own rules for what is of the right form: https://hl7.org/fhir/R4/conformance-rules.html#constraints

Those of data types and of what is contained, the codes that are fixed, and which types a reference can name. What one
type of resource has besides is in its own module.
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
    """A constraint on a data type; `is_broken` is asked about each of them."""

    key: str
    text: str
    is_broken: Callable[[Json], Any]


def _has_value(extension: Json) -> bool:
    return any(name.lstrip("_").startswith("value") for name in extension)


def _ends_before_it_starts(period: Json) -> bool:
    """As far as both say it: a year is not before a day of its own."""
    start, end = period.get("start"), period.get("end")
    if not start or not end:
        return False
    if "T" in start and "T" in end:
        with suppress(ValueError):  # no day of any month
            return read_iso(start) > read_iso(end)
    length = min(len(start), len(end), len("2026-01-05"))
    return bool(start[:length] > end[:length])


def _is_of_home(element: Json) -> bool:
    return any(each.get("use") == "home" for each in (*element.get("telecom", ()), *element.get("address", ())))


# By type.
RULES: dict[str, tuple[Invariant, ...]] = {
    "Attachment": (
        Invariant("att-1", "Data has a contentType.", lambda each: "data" in each and "contentType" not in each),
    ),
    "ContactPoint": (
        Invariant("cpt-2", "A value has a system.", lambda each: "value" in each and "system" not in each),
    ),
    "Extension": (
        Invariant(
            "ext-1",
            "It has either extensions or a value[x].",
            lambda each: ("extension" in each) == _has_value(each),
        ),
    ),
    "Organization": (
        Invariant("org-1", "It has a name or an identifier.", lambda each: not each.keys() & {"name", "identifier"}),
        Invariant("org-2, org-3", "Nobody is at home in an organization.", _is_of_home),
    ),
    "PatientContact": (
        Invariant(
            "pat-1",
            "It has a name, a telecom, an address or an organization.",
            lambda each: not each.keys() & {"name", "telecom", "address", "organization"},
        ),
    ),
    "Period": (Invariant("per-1", "A period ends after it starts.", _ends_before_it_starts),),
    "Quantity": (Invariant("qty-3", "A code has a system.", lambda each: "code" in each and "system" not in each),),
    "QuestionnaireResponseItem": (
        Invariant(
            "qrs-1", "Items are in the answer or beside it, not both.", lambda each: {"answer", "item"} <= each.keys()
        ),
    ),
}


def broken_invariants(resource: Json, kind: str, *, is_whole: bool = True) -> Iterator[ResourceIssue]:
    """What breaks the rules, in a resource whose form is right. If it is not `is_whole`, what it lacks may be there."""
    inner = {each["id"]: each["resourceType"] for each in resource.get("contained", ()) if "id" in each}
    contained = inner if is_whole else None
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
            for each, at in _placed(value, f"{path}.{name}"):
                if element.form == "resource":
                    todo.append((each, model_of(each["resourceType"]), at))
                elif element.model is None:
                    named.add(str(each))
                    yield from _of_text(each, element, at)
                else:
                    todo.append((each, element.model, at))
                    if "reference" in each and type_name(element.model) == "Reference":
                        yield from _of_reference(each["reference"], element, contained, at)
    if is_whole:
        yield from _of_contained(resource, kind, named)


def _extended(name: str, value: Any, path: str) -> Iterator[tuple[Json, Model | None, str]]:
    """What `_name` says of a primitive value is an Element."""
    if name.startswith("_"):
        yield from ((each, model_of("Element"), at) for each, at in _placed(value, f"{path}.{name[1:]}"))


def _placed(value: Any, path: str) -> Iterator[tuple[Any, str]]:
    """Each of a list that is there, or the one, and where it is."""
    if isinstance(value, list):
        yield from ((each, f"{path}[{n}]") for n, each in enumerate(value) if each is not None)
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
        wanted = " or ".join(element.targets)
        yield ResourceIssue("value", f"{text!r} is not a reference to {wanted}.", f"{path}.reference")


def _type_named(reference: str) -> str:
    """The type of what a literal reference names, if it says so."""
    kind, slash, _ = local_reference(reference).partition("/")
    return kind if slash and model_of(kind) else ""


def _of_contained(resource: Json, kind: str, named: set[str]) -> Iterator[ResourceIssue]:
    """https://hl7.org/fhir/R4/references.html#contained"""
    for n, each in enumerate(resource.get("contained", ())):
        path = f"{kind}.contained[{n}]"
        meta = each.get("meta", {})
        if "contained" in each:
            yield ResourceIssue("invariant", "dom-2: Nothing is contained in what is contained.", f"{path}.contained")
        if f"#{each.get('id', '')}" not in named and "#" not in named:
            yield ResourceIssue("invariant", "dom-3: What is contained is referred to by its id.", path)
        if meta.keys() & {"versionId", "lastUpdated"}:
            yield ResourceIssue("invariant", "dom-4: What is contained has no versions.", f"{path}.meta")
        if "security" in meta:
            yield ResourceIssue("invariant", "dom-5: What is contained has no security label.", f"{path}.meta.security")
