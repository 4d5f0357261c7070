"""Modifier extensions and implicit rules: they change the meaning of a resource, so unknown ones must be refused.

This server knows none: https://hl7.org/fhir/R4/extensibility.html#modifierExtension,
https://hl7.org/fhir/R4/resource.html#implicitRules
"""

from collections.abc import Iterator
from typing import Any

from clinic.fhir.datatypes import Json
from clinic.fhir.issues import ResourceIssue

NAME = "modifierExtension"


def unknown(resource: Json, path: str) -> Iterator[ResourceIssue]:
    """Yield an issue for each modifier anywhere in the resource. Without recursion, since its depth is not checked."""
    nodes: list[tuple[Any, str]] = [(resource, path)]
    while nodes:
        node, at = nodes.pop()
        if isinstance(node, list):
            nodes += [(item, f"{at}[{n}]") for n, item in enumerate(node)]
        elif isinstance(node, dict):
            if NAME in node:
                text = f"It changes what the resource means, and is not known here: {_urls(node[NAME])}."
                yield ResourceIssue("extension", text, f"{at}.{NAME}")
            if "resourceType" in node and "implicitRules" in node:
                text = f"No such rules are known here: {str(node['implicitRules'])[:200]}."
                yield ResourceIssue("not-supported", text, f"{at}.implicitRules")
            nodes += [(value, f"{at}.{name}") for name, value in node.items() if name != NAME]


def _urls(extensions: Any) -> str:
    listed = extensions if isinstance(extensions, list) else [extensions]
    return ", ".join(str(each.get("url"))[:200] for each in listed if isinstance(each, dict)) or "it has no url"
