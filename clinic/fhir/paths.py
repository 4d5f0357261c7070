"""Paths of elements in a resource: get, put and remove the value at a path."""

from collections.abc import Iterator
from typing import Any

from clinic.fhir.datatypes import Json

Step = str | int | tuple[str, str | bool]
MISSING: Any = object()


class Path:
    """The steps from a resource to one of its elements.

    A step is an element's name, a position in a list, or `(key, value)` for the first item of a list that has this
    value, as in `Path("telecom", ("system", "phone"), "value")`. `put` creates missing parents, and `remove` also
    removes parents that become empty.
    """

    def __init__(self, root: str, *steps: Step) -> None:
        self.root = root
        self.steps: tuple[Step, ...] = (root, *steps)

    def __str__(self) -> str:
        """Return the path in FHIRPath: https://hl7.org/fhirpath/"""
        return "".join(_fhirpath(step) for step in self.steps).removeprefix(".")

    def get(self, resource: Json) -> Any:
        node: Any = resource
        for step in self.steps:
            node = _child(node, step)
            if node is MISSING:
                return MISSING
        return node

    def put(self, resource: Json, value: Any) -> None:
        node: Any = resource
        for step, after in zip(self.steps, self.steps[1:], strict=False):
            child = _child(node, step)
            if child is MISSING:
                child = {} if isinstance(after, str) else []
                child = _attach(node, step, child)
            node = child
        _attach(node, self.steps[-1], value)

    def remove(self, resource: Json) -> None:
        nodes = list(self._nodes(resource))
        if len(nodes) < len(self.steps):
            return
        nodes[-1].pop(self.steps[-1])
        for node, step in reversed(list(zip(nodes, self.steps[:-1], strict=False))):
            _detach_if_empty(node, step)

    def _nodes(self, resource: Json) -> Iterator[Any]:
        """Yield the container of each step, as long as it exists."""
        node: Any = resource
        for step in self.steps:
            child = _child(node, step)
            if child is MISSING:
                return
            yield node
            node = child


def extension_path(url: str, value: str) -> Path:
    """Return the path of an extension's value, as in `extension_path(TIMEZONE, "valueCode")`."""
    return Path("extension", ("url", url), value)


def _fhirpath(step: Step) -> str:
    if isinstance(step, str):
        return f".{step}"
    if isinstance(step, int):
        return f"[{step}]"
    key, value = step
    return f".where({key}={str(value).lower()})" if isinstance(value, bool) else f".where({key}='{value}')"


def _child(node: Any, step: Step) -> Any:
    if isinstance(step, str):
        return node.get(step, MISSING) if isinstance(node, dict) else MISSING
    if not isinstance(node, list):
        return MISSING
    if isinstance(step, int):
        return node[step] if step < len(node) else MISSING
    key, value = step
    return next((item for item in node if isinstance(item, dict) and item.get(key) == value), MISSING)


def _attach(node: Any, step: Step, child: Any) -> Any:
    if isinstance(step, str):
        node[step] = child
    else:
        if isinstance(step, tuple):
            child = {step[0]: step[1], **child}
        node.append(child)
    return child


def _detach_if_empty(node: Any, step: Step) -> None:
    """Remove a child that is empty or holds only the key of its step. An empty item at a position stays."""
    child = _child(node, step)
    if isinstance(step, str):
        if not child or (isinstance(child, list) and not any(child)):
            del node[step]
    elif isinstance(step, tuple) and child == {step[0]: step[1]}:
        node.remove(child)
