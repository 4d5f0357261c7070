"""What somebody wants written: single resources, or the entries of a Bundle.

https://hl7.org/fhir/R4/http.html#transaction. References among the entries, by their `fullUrl`, are resolved here.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from clinic.fhir.resources import RESOURCES, InvalidResource, ResourceIssue
from clinic.models.base import new_fhir_id
from scheduling.errors import Invalid, Issue, SchedulingError

Json = dict[str, Any]

URL = re.compile(r"/?(?P<type>[A-Z][A-Za-z]+)(?:/(?P<id>[A-Za-z0-9\-.]{1,64}))?")
ETAG = re.compile(r'(?:W/)?"(\d{1,9})"')
METHODS = ("POST", "PUT")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A resource to be created, or with `is_update` to be what it is from now on.

    `fhir_id` is the client's for an update, else ours. `version` is the one that is to be replaced; `condition` an
    If-None-Exist query; `index` the place in the Bundle.
    """

    type: str
    resource: Json
    fhir_id: str
    is_update: bool = False
    version: int | None = None
    condition: str = ""
    index: int = 0
    full_url: str = ""

    @property
    def reference(self) -> str:
        return f"{self.type}/{self.fhir_id}"


@dataclass(frozen=True)
class Problem:
    """Why one entry cannot be written."""

    index: int
    reference: str
    error: SchedulingError | InvalidResource

    @property
    def issues(self) -> Sequence[Issue | ResourceIssue]:
        return self.error.issues


class BundleRefused(SchedulingError):
    """Nothing of a Bundle was written, for all these reasons.

    `unseen` entries were not looked at, because they refer to some that are refused.
    """

    def __init__(self, problems: Sequence[Problem], unseen: int = 0) -> None:
        self.problems = sorted(problems, key=lambda problem: problem.index)
        self.unseen = unseen
        super().__init__(issues=[_in_bundle(issue, each) for each in self.problems for issue in each.issues])


def entries_of(bundle: Json, base: str = "", types: Sequence[str] = ("transaction", "collection")) -> list[Entry]:
    """The entries of a transaction, or of a collection, whose resources with an id are updates.

    Raises Invalid for what is no such Bundle, BundleRefused for entries that ask for something else.
    """
    entries: list[Entry] = []
    problems: list[Problem] = []
    for index, each in enumerate(raw_entries(bundle, *types)):
        try:
            entries.append(entry_of(each, index, base, is_collection=bundle.get("type") == "collection"))
        except SchedulingError as error:
            problems.append(Problem(index, _name(each) or f"Bundle.entry[{index}]", error))
    problems += _twice(entries)
    if problems:
        raise BundleRefused(problems)
    return resolved(entries)


def raw_entries(bundle: Json, *types: str) -> list[Any]:
    """The entries as they are, of a Bundle of one of these types. Raises Invalid."""
    if bundle.get("resourceType") != "Bundle":
        raise _invalid("structure", "This is not a Bundle.", "")
    if bundle.get("type") not in types:
        raise _invalid("not-supported", f"Bundle.type is not {' or '.join(types)}.", "Bundle.type")
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        raise _invalid("structure", "Bundle.entry is a list.", "Bundle.entry")
    return entries


def entry_of(entry: Any, index: int, base: str = "", *, is_collection: bool = False) -> Entry:
    """One entry of a Bundle. Raises Invalid."""
    resource = entry.get("resource") if isinstance(entry, dict) else None
    if not is_collection and isinstance(entry, dict):
        _check_request(entry.get("request"))
    if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
        raise _invalid("required", "The entry has no resource.", "resource")
    full_url = entry.get("fullUrl", "")
    if not isinstance(full_url, str):
        raise _invalid("structure", "fullUrl is a string.", "fullUrl")
    request = _request_of(resource) if is_collection else entry["request"]
    made = _asked(request, resource, base)
    return replace(made, index=index, full_url=full_url)


def update_of(kind: str, fhir_id: str, resource: Json, version: int | None = None) -> Entry:
    """https://hl7.org/fhir/R4/http.html#update: the id is in the URL and in the body. Raises Invalid."""
    if resource.get("id") != fhir_id:
        said = repr(resource["id"]) if "id" in resource else "no id"
        raise _invalid("invalid", f"The id of the URL is {fhir_id!r}, the resource says {said}.", f"{kind}.id")
    return Entry(type=kind, resource=resource, fhir_id=fhir_id, is_update=True, version=version)


def creation_of(kind: str, resource: Json, condition: str = "") -> Entry:
    """https://hl7.org/fhir/R4/http.html#create: an id of the body is ignored."""
    fhir_id = new_fhir_id()
    return Entry(type=kind, resource={**resource, "id": fhir_id}, fhir_id=fhir_id, condition=condition)


def version_of(if_match: str) -> int:
    """The version that an If-Match header names. Raises Invalid."""
    match = ETAG.fullmatch(if_match.strip())
    if not match:
        raise _invalid("value", f'{if_match!r} is not a version such as W/"3".', "")
    return int(match[1])


def resolved(entries: Sequence[Entry]) -> list[Entry]:
    """With the references among them made `Type/id`: https://hl7.org/fhir/R4/bundle.html#references"""
    return renamed(entries, {entry.full_url: entry.reference for entry in entries if entry.full_url})


def renamed(entries: Sequence[Entry], names: Mapping[str, str]) -> list[Entry]:
    """With other references in their resources."""
    return [replace(entry, resource=_renamed(entry.resource, names)) for entry in entries] if names else list(entries)


def _check_request(request: Any) -> None:
    if not isinstance(request, dict) or not isinstance(request.get("url"), str):
        raise _invalid("required", "The entry has no request with method and url.", "request")
    method = request.get("method")
    if method not in METHODS:
        raise _invalid(
            "not-supported", f"{method} cannot be part of a Bundle here: POST and PUT can.", "request.method"
        )


def _request_of(resource: Json) -> Json:
    """What an entry of a collection asks for."""
    kind, fhir_id = resource["resourceType"], resource.get("id")
    return {"method": "PUT", "url": f"{kind}/{fhir_id}"} if fhir_id else {"method": "POST", "url": kind}


def _asked(request: Json, resource: Json, base: str) -> Entry:
    url = request["url"].removeprefix(base) if base else request["url"]
    match = URL.fullmatch(url)
    is_update = request["method"] == "PUT"
    if not match or bool(match["id"]) != is_update:
        wanted = "Type/id" if is_update else "Type"
        raise _invalid("not-supported", f"The url of a {request['method']} is {wanted}, not {url!r}.", "request.url")
    kind = match["type"]
    if resource["resourceType"] != kind:
        text = f"A {resource['resourceType']} cannot be sent to {url}."
        raise _invalid("invalid", text, "request.url")
    if kind not in RESOURCES or RESOURCES[kind].from_fhir is None:
        raise _invalid("not-supported", f"{kind} resources cannot be written here.", "resource")
    if is_update:
        version = version_of(str(request["ifMatch"])) if "ifMatch" in request else None
        return update_of(kind, match["id"], resource, version)
    return creation_of(kind, resource, str(request.get("ifNoneExist", "")))


def _twice(entries: Iterable[Entry]) -> Iterator[Problem]:
    """A resource, or the name of one, that comes a second time."""
    seen: set[str] = set()
    for entry in entries:
        names = {entry.reference, entry.full_url} - {""}
        if names & seen:
            text = f"{(names & seen).pop()} comes twice in this Bundle."
            yield Problem(entry.index, entry.reference, _invalid("invalid", text, ""))
        seen |= names


def _renamed(node: Any, names: Mapping[str, str]) -> Any:
    if isinstance(node, list):
        return [_renamed(item, names) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        name: names.get(value, value) if name == "reference" and isinstance(value, str) else _renamed(value, names)
        for name, value in node.items()
    }


def _name(entry: Any) -> str:
    """What an entry that could not be read says that it is."""
    resource = entry.get("resource") if isinstance(entry, dict) else None
    parts = (resource.get("resourceType"), resource.get("id")) if isinstance(resource, dict) else ()
    return "/".join(str(part) for part in parts if part)


def _in_bundle(issue: Issue | ResourceIssue, problem: Problem) -> Issue:
    kind, _, path = issue.expression.partition(".")
    where = f"Bundle.entry[{problem.index}]"
    if kind[:1].isupper():
        where += f".resource.{path}" if path else ".resource"
    elif issue.expression:
        where += f".{issue.expression}"
    return Issue(issue.code, f"{problem.reference}: {issue.text}", where)


def _invalid(code: str, text: str, expression: str) -> Invalid:
    return Invalid(issues=[Issue(code, text, expression)])
