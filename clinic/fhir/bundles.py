"""Validation of a Bundle that a client sends, apart from its resources: https://hl7.org/fhir/R4/bundle.html#invs"""

from collections.abc import Iterator
from typing import Any

from clinic.fhir.datatypes import Json
from clinic.fhir.definitions import Model, elements_of, model_of
from clinic.fhir.issues import ResourceIssue


def faults(bundle: Json) -> Iterator[ResourceIssue]:
    """Yield an issue for each unknown element and broken invariant, so that a misspelt ifNoneExist is not ignored."""
    model = model_of("Bundle")
    yield from _unknown(bundle, model, "Bundle")
    if "total" in bundle:
        yield ResourceIssue("invariant", "bdl-1: Only what a search or a history answers has a total.", "Bundle.total")
    entries = bundle.get("entry")
    seen: set[Any] = set()
    for n, entry in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(entry, dict):
            yield from _of_entry(entry, _part(model, "entry"), f"Bundle.entry[{n}]")
            yield from _of_url(entry.get("fullUrl"), seen, f"Bundle.entry[{n}].fullUrl")


def _of_entry(entry: Json, model: Model | None, path: str) -> Iterator[ResourceIssue]:
    yield from _unknown(entry, model, path)
    if isinstance(entry.get("request"), dict):
        yield from _unknown(entry["request"], _part(model, "request"), f"{path}.request")
    for name, key, kind in (("search", "bdl-2", "a search answers"), ("response", "bdl-4", "is an answer")):
        if name in entry:
            yield ResourceIssue("invariant", f"{key}: Only what {kind} has a {name}.", f"{path}.{name}")


def _of_url(url: Any, seen: set[Any], path: str) -> Iterator[ResourceIssue]:
    if not isinstance(url, str):
        return
    if url in seen:
        yield ResourceIssue("invariant", f"bdl-7: {url} comes twice in this Bundle.", path)
    if "/_history/" in url:
        yield ResourceIssue("invariant", "bdl-8: A fullUrl names no version.", path)
    seen.add(url)


def _unknown(node: Json, model: Model | None, path: str) -> Iterator[ResourceIssue]:
    known = elements_of(model) if model else {}
    for name in node:
        if name != "resourceType" and name.removeprefix("_") not in known:
            yield ResourceIssue("structure", "Not an element of FHIR R4.", f"{path}.{name}")


def _part(model: Model | None, name: str) -> Model | None:
    return elements_of(model)[name].model if model else None
