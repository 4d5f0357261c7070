"""FHIRPath Patch: https://hl7.org/fhir/R4/fhirpatch.html, Parameters whose paths fhirpathpy evaluates."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from fhirpathpy import evaluate

from api.formats.parsers import read_object
from api.patching.errors import NotApplied
from clinic.fhir.datatypes import Json
from clinic.fhir.definitions import Model, elements_of, model_of
from scheduling.errors import Invalid, Issue
from scheduling.interactions import Patch

MOST_OPERATIONS = 200
LONGEST_PATH = 500
LAST_STEP = re.compile(r"(?:(?P<parent>.+)\.)?(?P<name>[A-Za-z]\w*)(?:\[(?P<index>\d{1,4})\])?", re.DOTALL)
STRING = re.compile(r"'(?:[^'\\]|\\.)*'")
CALL = re.compile(r"(\w+)\s*\(")
# The functions allowed in paths. Others are refused, because matching a pattern could take hours.
FUNCTIONS = frozenset({"where", "first", "last", "single", "extension", "exists", "empty", "not", "startsWith"})

Place = tuple[Any, Any]  # a dict or list, and the key or index in it


@dataclass(frozen=True)
class PatchOperation:
    """One operation of a patch. A missing part is None."""

    type: str
    path: str
    number: int
    name: Any = None
    value: Any = None
    index: Any = None
    source: Any = None
    destination: Any = None

    def refuse(self, text: str) -> NoReturn:
        raise NotApplied(f"Operation {self.number}, {self.type} {self.path}: {text}")


def read(body: bytes) -> Patch:
    """Read the patch of a body. Raises Invalid."""
    return of(read_object(body))


def of(parameters: Json) -> Patch:
    """Return the patch in Parameters. Raises Invalid."""
    parts = parameters.get("parameter")
    if parameters.get("resourceType") != "Parameters" or not isinstance(parts, list) or not parts:
        _refuse(
            "A FHIRPath Patch is a Parameters resource, with a parameter `operation` for each change.", "Parameters"
        )
    if len(parts) > MOST_OPERATIONS:
        _refuse(f"A FHIRPath Patch has {MOST_OPERATIONS} operations at most.", "Parameters.parameter")
    operations = [_operation(each, n) for n, each in enumerate(parts)]

    def apply(resource: Json) -> Json:
        for operation in operations:
            CHANGES[operation.type](resource, operation)
        return resource

    return apply


# Reading


def _operation(parameter: Any, n: int) -> PatchOperation:
    where = f"Parameters.parameter[{n}]"
    if not isinstance(parameter, dict) or parameter.get("name") != "operation":
        _refuse("Each parameter of a FHIRPath Patch is an `operation`.", where)
    parts = {name: _value(part) for name, part in _parts(parameter, where)}
    kind, path = parts.pop("type", None), parts.pop("path", None)
    if not isinstance(kind, str) or kind not in CHANGES:
        _refuse(f"{kind!r} is no type of operation: {', '.join(CHANGES)}.", where)
    if not isinstance(path, str) or len(path) > LONGEST_PATH:
        _refuse(f"An operation has a path of {LONGEST_PATH} characters at most.", where)
    for function in CALL.findall(STRING.sub("", path)):
        if function not in FUNCTIONS:
            _refuse(f"{function}() cannot be used in a path here: {', '.join(sorted(FUNCTIONS))} can.", where)
    if unknown := parts.keys() - {"name", "value", "index", "source", "destination"}:
        _refuse(f"{min(unknown)!r} is no part of an operation.", where)
    return PatchOperation(kind, path, n, **parts)


def _parts(parameter: Json, where: str) -> Iterator[tuple[str, Json]]:
    parts = parameter.get("part")
    for part in parts if isinstance(parts, list) else ():
        if not isinstance(part, dict) or not isinstance(part.get("name"), str):
            _refuse("A part has a name.", where)
        yield part["name"], part


def _value(part: Json) -> Any:
    """Return the sent value, or an object made of its parts; a repeated name makes a list."""
    if "part" not in part:
        return next((value for name, value in part.items() if name.startswith("value")), part.get("resource"))
    made: dict[str, list[Any]] = {}
    for name, inner in _parts(part, "Parameters.parameter"):
        made.setdefault(name, []).append(_value(inner))
    return {name: values if len(values) > 1 else values[0] for name, values in made.items()}


# Changing


def _add(resource: Json, operation: PatchOperation) -> None:
    parent = _only([each for each in _nodes(resource, operation.path, operation) if isinstance(each, dict)], operation)
    name = operation.name
    element = _elements(resource, parent).get(name) if isinstance(name, str) else None
    if element is None:
        operation.refuse(f"{name!r} is no element there.")
    value = _shaped(operation.value, element.model)
    if element.many:
        parent.setdefault(name, []).append(value)
    elif name in parent:
        operation.refuse(f"There is a {name} already: replace it.")
    else:
        parent[name] = value


def _insert(resource: Json, operation: PatchOperation) -> None:
    items, index = _items(resource, operation), operation.index
    if not isinstance(index, int) or not 0 <= index <= len(items):
        operation.refuse(f"{index!r} is no place among the {len(items)} there are.")
    items.insert(index, operation.value)


def _delete(resource: Json, operation: PatchOperation) -> None:
    """Delete an element; it is no error if there is none."""
    if places := list(_places(resource, operation)):
        container, key = _only(places, operation)
        del container[key]
        if isinstance(container, dict):
            container.pop(f"_{key}", None)


def _replace(resource: Json, operation: PatchOperation) -> None:
    container, key = _only(list(_places(resource, operation)), operation)
    container[key] = operation.value
    if isinstance(container, dict):
        container.pop(f"_{key}", None)


def _move(resource: Json, operation: PatchOperation) -> None:
    items = _items(resource, operation)
    for index in (operation.source, operation.destination):
        if not isinstance(index, int) or not 0 <= index < len(items):
            operation.refuse(f"{index!r} is no place among the {len(items)} there are.")
    items.insert(operation.destination, items.pop(operation.source))


CHANGES: dict[str, Callable[[Json, PatchOperation], None]] = {
    "add": _add,
    "insert": _insert,
    "delete": _delete,
    "replace": _replace,
    "move": _move,
}


# Finding


def _nodes(resource: Json, path: str, operation: PatchOperation) -> list[Any]:
    """Return the values that a path finds: the resource's own, not copies."""
    try:
        found = evaluate(resource, path, options={"returnRawData": True})
    except Exception as error:  # the library raises all kinds, for what it cannot read or does not know
        operation.refuse(f"The path cannot be evaluated ({error}).")
    return [getattr(each, "data", each) for each in found]


def _places(resource: Json, operation: PatchOperation) -> Iterator[Place]:
    """Return the places of the elements that a path finds."""
    last = LAST_STEP.fullmatch(operation.path)
    if last is None:
        nodes = [each for each in _nodes(resource, operation.path, operation) if isinstance(each, dict)]
        yield from (place for place, node, _ in _all(resource) if any(node is each for each in nodes))
        return
    for parent in _nodes(resource, last["parent"] or resource["resourceType"], operation):
        value = parent.get(last["name"]) if isinstance(parent, dict) else None
        if isinstance(value, list):
            indexes = range(len(value)) if last["index"] is None else [int(last["index"])]
            yield from ((value, index) for index in indexes if index < len(value))
        elif value is not None and last["index"] in (None, "0"):
            yield parent, last["name"]


def _items(resource: Json, operation: PatchOperation) -> list[Any]:
    """Return the list that a path names."""
    last = LAST_STEP.fullmatch(operation.path)
    if last is None or last["index"] is not None:
        operation.refuse("It names no list.")
    parents = _nodes(resource, last["parent"] or resource["resourceType"], operation)
    items = [each[last["name"]] for each in parents if isinstance(each, dict) and last["name"] in each]
    found = _only(items, operation)
    if not isinstance(found, list):
        operation.refuse("It names no list.")
    return found


def _all(resource: Json) -> Iterator[tuple[Place, Json, Model | None]]:
    """Yield every object within the resource, with its place and its definition."""
    todo: list[tuple[Any, Model | None]] = [(resource, model_of(resource["resourceType"]))]
    while todo:
        node, model = todo.pop()
        elements = elements_of(model) if model else {}
        for name, value in node.items():
            inner = elements[name].model if name in elements else None
            listed = enumerate(value) if isinstance(value, list) else ((None, value),)
            for index, item in listed:
                if isinstance(item, dict):
                    yield ((node, name) if index is None else (value, index)), item, inner
                    todo.append((item, inner))


def _elements(resource: Json, parent: Json) -> Any:
    """Return the elements that an object of the resource may have."""
    if parent is resource:
        model = model_of(resource["resourceType"])
    else:
        model = next((model for _, node, model in _all(resource) if node is parent), None)
    return elements_of(model) if model else {}


def _shaped(value: Any, model: Model | None) -> Any:
    """Return the object of the parts, with lists where the definition has lists."""
    if not isinstance(value, dict) or model is None:
        return value
    elements = elements_of(model)
    return {
        name: [each] if name in elements and elements[name].many and not isinstance(each, list) else each
        for name, each in value.items()
    }


def _only(found: Sequence[Any], operation: PatchOperation) -> Any:
    if len(found) != 1:
        operation.refuse("It finds nothing." if not found else f"It finds {len(found)} elements, not one.")
    return found[0]


def _refuse(text: str, expression: str) -> NoReturn:
    raise Invalid(issues=[Issue("structure", text, expression)])
