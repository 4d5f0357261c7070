"""Replacement of links within a transaction by the new ids of its resources: https://hl7.org/fhir/R4/http.html#trules

It replaces references, elements of the types uri, url and oid, and the links of narratives, but not canonicals.
"""

import re
from collections.abc import Mapping
from typing import Any

from clinic.fhir.datatypes import Json
from clinic.fhir.definitions import ElementDefinition, elements_of, model_of

TYPES = ("Uri", "Url", "Oid")
LINK = re.compile(r"""(?P<before>\b(?:href|src)\s*=\s*(?P<quote>["']))(?P<to>.*?)(?P=quote)""", re.DOTALL)


def renamed(resource: Json, names: Mapping[str, str]) -> Json:
    """Return a copy of the resource, which may be invalid, with its links replaced by `names`."""
    found: Json = _renamed(resource, None, names)
    return found


def _renamed(node: Any, element: ElementDefinition | None, names: Mapping[str, str]) -> Any:
    if isinstance(node, list):
        return [_renamed(item, element, names) for item in node]
    if isinstance(node, dict):
        kind = node.get("resourceType")
        model = model_of(kind) if isinstance(kind, str) else element.model if element else None
        elements = elements_of(model) if model else {}
        return {
            name: names.get(value, value)
            if name == "reference" and isinstance(value, str)
            else _renamed(value, elements.get(name), names)
            for name, value in node.items()
        }
    if isinstance(node, str) and element is not None:
        if element.type in TYPES:
            return names.get(node, node)
        if element.form == "xhtml":
            return LINK.sub(lambda link: f"{link['before']}{names.get(link['to'], link['to'])}{link['quote']}", node)
    return node
