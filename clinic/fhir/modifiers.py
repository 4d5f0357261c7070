"""Modifier extensions and implicit rules: they change the meaning of a resource and are not understood here.

https://hl7.org/fhir/R4/extensibility.html#modifierExtension: whoever acts upon a resource refuses such extensions. Of
https://hl7.org/fhir/R4/resource.html#implicitRules none are known here either.
"""

from collections.abc import Iterator
from typing import Any

from clinic.fhir.datatypes import Json
from clinic.fhir.issues import ResourceIssue

NAME = "modifierExtension"


def unknown(resource: Json, path: str) -> Iterator[ResourceIssue]:
    """Every modifier, wherever in the resource, of which nothing is known. Without recursion: see References."""
    nodes: list[tuple[Any, str]] = [(resource, path)]
    while nodes:
        node, at = nodes.pop()
        if isinstance(node, list):
            nodes += [(each, f"{at}[{n}]") for n, each in enumerate(node)]
        elif isinstance(node, dict):
            if NAME in node:
                text = f"It changes what the resource means, and is not known here: {_urls(node[NAME])}."
                yield ResourceIssue("extension", text, f"{at}.{NAME}")
            if "resourceType" in node and "implicitRules" in node:
                text = f"No such rules are known here: {str(node['implicitRules'])[:200]}."
                yield ResourceIssue("not-supported", text, f"{at}.implicitRules")
            nodes += [(each, f"{at}.{name}") for name, each in node.items() if name != NAME]


def _urls(extensions: Any) -> str:
    listed = extensions if isinstance(extensions, list) else [extensions]
    return ", ".join(str(each.get("url"))[:200] for each in listed if isinstance(each, dict)) or "it has no url"
