"""Validation of the form of a resource, before its values are read.

The definitions are those of fhir.resources (https://www.hl7.org/fhir/R4/resourcelist.html). This module also refuses
what the library accepts: empty elements, numbers for strings, and Python's names of elements.
"""

import math
import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from pydantic import BaseModel, ValidationError

from clinic.fhir.datatypes import Json
from clinic.fhir.issues import ResourceIssue
from clinic.fhir.plain_form import FHIR_ID, is_plain

MAX_DEPTH = 60
# https://hl7.org/fhir/R4/datatypes.html#string; PostgreSQL stores neither NUL nor half a character.
UNSTORABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
ADDRESSES = (".url", "Url", ".channel.endpoint")
CODES = {
    "model_field_validation.missing": "required",
    "missing": "required",
    "extra_forbidden": "structure",
    "list_type": "structure",
    "model_validation_format": "structure",
}

# Messages of the library about values of the wrong form, and clearer texts for them.
ONE_OF_MANY = "Any of one field value is expected from this list"
CHOICE = re.compile(r"'(\w+)'")
NOT_OF_THE_FORM = " value string does not match spec regex."
FORMS = {
    "Date": "A date is written as 2026-01-05, 2026-01 or 2026.",
    "DateTime": "A dateTime is written as 2026-01-05T14:00:00Z, 2026-01-05, 2026-01 or 2026.",
    "Decimal": "A decimal is written as 1.5.",
    "Instant": "An instant is written as 2026-01-05T14:00:00Z, to the second and with its offset.",
    "Time": "A time is written as 14:00:00.",
}

# Values for required elements that are missing, so that the library checks the other elements too.
STAND_INS: dict[str, Json] = {
    "Schedule": {"actor": [{"display": "?"}]},
    "Slot": {
        "schedule": {"display": "?"},
        "status": "free",
        "start": "2000-01-01T00:00:00Z",
        "end": "2000-01-01T00:00:00Z",
    },
    "Appointment": {"status": "proposed", "participant": [{"status": "accepted"}]},
    "AppointmentResponse": {
        "appointment": {"display": "?"},
        "actor": {"display": "?"},
        "participantStatus": "needs-action",
    },
    "Questionnaire": {"status": "draft"},
    "QuestionnaireResponse": {"status": "in-progress"},
    "RelatedPerson": {"patient": {"display": "?"}},
    "Coverage": {"status": "draft", "beneficiary": {"display": "?"}, "payor": [{"display": "?"}]},
    "Encounter": {"status": "planned", "class": {"code": "AMB"}},
}


def validate(resource: Json, kind: str) -> list[ResourceIssue]:
    """Return all issues of the form. Elements that cannot be read are removed from `resource`."""
    if is_plain(resource, kind):
        return []
    issues = list(_shape(resource, kind))
    _take_out(resource, issues)
    while found := _new(_definition(resource, kind), issues):
        issues += found
        if not _take_out(resource, found):
            break
    if issues:
        converted = _definition({**STAND_INS.get(kind, {}), **resource}, kind)
        issues += converted
        _take_out(resource, converted)
    return list(dict.fromkeys(issues))


def _definition(resource: Json, kind: str) -> list[ResourceIssue]:
    """Return the library's issues. It may report a broken element only, so it is called again without that element.

    Values that the library converts are found only if no required element is missing: see STAND_INS.
    """
    try:
        model = _model(kind).model_validate(resource)
    except ValidationError as error:
        return [_issue(detail, kind) for detail in error.errors(include_url=False)]
    except KeyError:
        return [ResourceIssue("structure", "A contained resource is of no known type.", f"{kind}.contained")]
    return list(_types(resource, model, kind))


def _new(found: list[ResourceIssue], issues: list[ResourceIssue]) -> list[ResourceIssue]:
    """Return the issues that are not about elements removed before."""
    gone = {_root(issue) for issue in issues}
    return [issue for issue in found if issue.code != "required" or _root(issue) not in gone]


def _root(issue: ResourceIssue) -> str:
    """Return the name of the element that an issue is about, such as `start` for `Slot.start`."""
    return re.split(r"[.\[]", issue.expression + ".")[1]


@cache
def _model(kind: str) -> type[BaseModel]:
    """Return the library's class for a type. It is imported when first needed, since each has a module of its own."""
    model: type[BaseModel] = get_fhir_model_class(kind)
    return model


@cache
def _names(model: type[BaseModel]) -> dict[str, str]:
    """Return the Python attribute of each element, by FHIR's name."""
    names = {field.alias or name: name for name, field in model.model_fields.items()}
    names.pop("fhir_comments", None)
    return names


def _issue(error: Any, kind: str) -> ResourceIssue:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in error["loc"] if step != "root")
    path = kind + "".join(steps)
    code = CODES.get(error["type"], "value")
    if code == "required":
        return ResourceIssue(code, f"{path} is required.", path)
    if error["type"] == "extra_forbidden":
        return ResourceIssue(code, "Not an element of FHIR R4.", path)
    text = error["msg"].removeprefix("Value error, ")
    if text.startswith(ONE_OF_MANY):
        names = sorted(set(CHOICE.findall(text)) & error["input"].keys())
        return ResourceIssue("structure", f"Only one of {' and '.join(names)} can be said.", path)
    return ResourceIssue(code, FORMS.get(text.removesuffix(NOT_OF_THE_FORM), text), path)


def _take_out(resource: Json, issues: list[ResourceIssue]) -> bool:
    """Remove the elements that the issues are about. Return True if there were any."""
    return bool([resource.pop(root) for root in {_root(issue) for issue in issues} if root in resource])


def _shape(resource: Json, kind: str) -> Iterator[ResourceIssue]:
    """Yield issues of the JSON format: no element is empty, and null only fills a position in a list.

    https://hl7.org/fhir/R4/json.html
    """
    if not _are_resources(resource.get("contained", [])):
        yield ResourceIssue("structure", "What is contained says its resourceType.", f"{kind}.contained")
    if "id" in resource and not _is_id(resource["id"]):
        yield ResourceIssue("value", "An id is 1 to 64 letters, digits, hyphens and full stops.", f"{kind}.id")
    yield from _unmatched(resource, kind)
    todo: list[tuple[Any, str, int]] = [(value, f"{kind}.{name}", 1) for name, value in resource.items()]
    while todo:
        node, path, depth = todo.pop()
        if text := _fault(node, depth):
            yield ResourceIssue("structure", text, path)
        elif path.endswith((".url", "Url", ".channel.endpoint")) and not isinstance(
            node, str
        ):  # the library lets it pass
            yield ResourceIssue("value", "An address is a string.", path)
        elif isinstance(node, dict):
            yield from _unmatched(node, path)
            todo += [(value, f"{path}.{name}", depth + 1) for name, value in node.items()]
        elif isinstance(node, list):
            todo += [(item, f"{path}[{n}]", depth + 1) for n, item in enumerate(node) if item is not None]


def _unmatched(node: Json, path: str) -> Iterator[ResourceIssue]:
    """Yield issues of lists of primitive values: null needs an entry of `_name` at the same position.

    https://hl7.org/fhir/R4/json.html#primitive
    """
    for name, values in node.items():
        if not isinstance(values, list) or all(value is None for value in values):
            continue
        extras = node.get(f"_{name}")
        if isinstance(extras, list) and len(extras) != len(values):
            text = f"{name} has {len(values)} places, _{name} has {len(extras)}: null fills those that say nothing."
            yield ResourceIssue("structure", text, f"{path}._{name}")
        elif not name.startswith("_") and None in values:
            entries = extras if isinstance(extras, list) else []
            for n, value in enumerate(values):
                if value is None and not (n < len(entries) and entries[n]):
                    yield ResourceIssue("structure", f"Nothing is said here, nor in _{name}.", f"{path}.{name}[{n}]")


def _are_resources(contained: Any) -> bool:
    return isinstance(contained, list) and all(
        isinstance(resource, dict) and isinstance(resource.get("resourceType"), str) for resource in contained
    )


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and bool(FHIR_ID.fullmatch(value))


def _fault(node: Any, depth: int) -> str | None:
    if depth > MAX_DEPTH and isinstance(node, (dict, list)):
        return f"Deeper than {MAX_DEPTH} levels."
    if node is None or node in ("", [], {}):
        return "An element is never empty: leave it out."
    if isinstance(node, list) and all(item is None for item in node):
        return "A list of nothing: leave it out."
    if isinstance(node, str) and UNSTORABLE.search(node):
        return "A string holds no control characters."
    if isinstance(node, float) and not math.isfinite(node):
        return "Not a number."
    return None


def _types(node: Any, model: Any, path: str) -> Iterator[ResourceIssue]:
    """Yield an issue for each value that the library has converted to another type, and for each Python name."""
    if isinstance(model, BaseModel) and isinstance(node, dict):
        names = _names(type(model))
        for name, value in node.items():
            if name in names:
                yield from _types(value, getattr(model, names[name]), f"{path}.{name}")
            elif name != "resourceType":
                yield ResourceIssue("structure", "Not an element of FHIR R4.", f"{path}.{name}")
    elif isinstance(node, list) and isinstance(model, list):
        for n, (item, converted) in enumerate(zip(node, model, strict=False)):
            yield from _types(item, converted, f"{path}[{n}]")
    elif node is not None and not _is_form_of(model, node):
        yield ResourceIssue("value", f"{node!r} is of the wrong type.", path)


def _is_form_of(converted: Any, node: Any) -> bool:
    """True if the library's value would be written in JSON with the type of `node`."""
    if isinstance(converted, bool) or isinstance(node, bool):
        return isinstance(converted, bool) and isinstance(node, bool)
    if isinstance(converted, int):
        return isinstance(node, int)
    return isinstance(node, (int, float, Decimal) if isinstance(converted, (float, Decimal)) else str)
