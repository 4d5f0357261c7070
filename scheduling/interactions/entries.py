"""Entries: single resources to write, or the entries of a Bundle.

https://hl7.org/fhir/R4/http.html#transaction. References between entries by `fullUrl` are resolved here.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from clinic.fhir import transaction_links
from clinic.fhir.resources import RESOURCES, InvalidResource, ResourceIssue
from clinic.models.base import new_fhir_id
from scheduling.errors import Invalid, Issue, SchedulingError
from scheduling.versions import ANY, Versions

Json = dict[str, Any]

Interaction = Literal["create", "update", "patch", "delete"]
Patch = Callable[[Json], Json]  # raises SchedulingError if it cannot be applied
ReadPatch = Callable[[Json], Patch]  # reads the patch in an entry's resource; raises Invalid

URL = re.compile(
    r"/?(?P<type>[A-Z][A-Za-z]+)(?:/(?P<id>[A-Za-z0-9\-.]{1,64})|\?(?P<condition>.+))?",
)
RESTFUL = re.compile(r"(?P<base>https?://.+/)(?P<relative>[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64})")
ETAG = re.compile(r'(?:W/)?"(\d{1,9})"')
METHODS: dict[str, Interaction] = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
READS = ("GET",)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A resource to be created, updated, patched or deleted.

    `fhir_id` is the client's, or a new one for a create. `version` is the version to replace, or several allowed ones.
    `condition` is a search that must find the single resource to write, or nothing for a create. `index` is the
    position in the Bundle.
    """

    type: str
    interaction: Interaction
    resource: Json
    fhir_id: str
    version: Versions | None = None
    condition: str = ""
    patch: Patch | None = None
    index: int = 0
    full_url: str = ""

    @property
    def reference(self) -> str:
        return f"{self.type}/{self.fhir_id}" if self.fhir_id else f"{self.type}?{self.condition}"


@dataclass(frozen=True)
class EntryProblem:
    """The reason why an entry cannot be written."""

    index: int
    reference: str
    error: SchedulingError | InvalidResource

    @property
    def issues(self) -> Sequence[Issue | ResourceIssue]:
        return self.error.issues


class BundleRefused(SchedulingError):
    """Refusal of a whole Bundle, of which nothing was written, with all reasons.

    `unseen` is the number of entries not examined because they refer to refused ones.
    """

    def __init__(self, problems: Sequence[EntryProblem], unseen: int = 0) -> None:
        self.problems = sorted(problems, key=lambda problem: problem.index)
        self.unseen = unseen
        super().__init__(issues=[_in_bundle(issue, each) for each in self.problems for issue in each.issues])


def no_patches(resource: Json) -> Patch:
    """The `read_patch` of callers that support no patches: raises Invalid."""
    raise _invalid("not-supported", "PATCH cannot be part of this Bundle.", "request.method")


def entries_of(
    bundle: Json,
    base: str = "",
    types: Sequence[str] = ("transaction", "collection"),
    read_patch: ReadPatch = no_patches,
) -> list[Entry]:
    """The entries of a transaction or collection Bundle. In a collection, resources with an id are updates.

    Raises Invalid for another Bundle, BundleRefused for entries with unsupported requests.
    """
    is_collection = bundle.get("type") == "collection"
    entries: list[Entry] = []
    problems: list[EntryProblem] = []
    for index, raw_entry in enumerate(raw_entries(bundle, *types)):
        try:
            if is_collection or not is_read(raw_entry):
                entries.append(entry_of(raw_entry, index, base, read_patch, is_collection=is_collection))
        except SchedulingError as error:
            problems.append(EntryProblem(index, _entry_name(raw_entry) or f"Bundle.entry[{index}]", error))
    problems += _repetitions(entries)
    if problems:
        raise BundleRefused(problems)
    return resolved(entries)


def raw_entries(bundle: Json, *types: str) -> list[Any]:
    """The unparsed entries of a Bundle of one of these types. Raises Invalid."""
    if bundle.get("resourceType") != "Bundle":
        raise _invalid("structure", "This is not a Bundle.", "")
    if bundle.get("type") not in types:
        raise _invalid("not-supported", f"Bundle.type is not {' or '.join(types)}.", "Bundle.type")
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        raise _invalid("structure", "Bundle.entry is a list.", "Bundle.entry")
    return entries


def is_read(entry: Any) -> bool:
    """True if an entry of a Bundle is a read, which the API answers."""
    request = entry.get("request") if isinstance(entry, dict) else None
    return isinstance(request, dict) and request.get("method") in READS


def entry_of(
    entry: Any, index: int, base: str = "", read_patch: ReadPatch = no_patches, *, is_collection: bool = False
) -> Entry:
    """The parsed entry of a Bundle. Raises Invalid."""
    if not isinstance(entry, dict):
        raise _invalid("required", "The entry has no resource.", "resource")
    if not is_collection:
        _check_request(entry.get("request"))
    resource: Any = entry.get("resource")
    is_deletion = not is_collection and entry["request"]["method"] == "DELETE"
    if not is_deletion and not _is_resource(resource):
        raise _invalid("required", "The entry has no resource.", "resource")
    full_url = entry.get("fullUrl", "")
    if not isinstance(full_url, str):
        raise _invalid("structure", "fullUrl is a string.", "fullUrl")
    request = _request_of(resource) if is_collection else entry["request"]
    made = _entry(request, {} if is_deletion else resource, base, read_patch)
    return replace(made, index=index, full_url=full_url)


def creation_of(kind: str, resource: Json, condition: str = "") -> Entry:
    """A create: https://hl7.org/fhir/R4/http.html#create. An id in the body is ignored."""
    fhir_id = new_fhir_id()
    resource = {**resource, "id": fhir_id}
    return Entry(type=kind, interaction="create", resource=resource, fhir_id=fhir_id, condition=condition)


def update_of(
    kind: str, fhir_id: str, resource: Json, version: Versions | None = None, *, condition: str = ""
) -> Entry:
    """An update: https://hl7.org/fhir/R4/http.html#update. The ids of URL and body must be equal. Raises Invalid.

    With a `condition`, the body may have no id.
    """
    if condition:
        fhir_id = str(resource.get("id") or new_fhir_id())
    elif resource.get("id") != fhir_id:
        sent_id = repr(resource["id"]) if "id" in resource else "no id"
        raise _invalid("invalid", f"The id of the URL is {fhir_id!r}, the resource says {sent_id}.", f"{kind}.id")
    return Entry(
        type=kind, interaction="update", resource=resource, fhir_id=fhir_id, version=version, condition=condition
    )


def patch_of(kind: str, fhir_id: str, patch: Patch, version: Versions | None = None, *, condition: str = "") -> Entry:
    """A patch: https://hl7.org/fhir/R4/http.html#patch"""
    return Entry(
        type=kind,
        interaction="patch",
        resource={},
        fhir_id=fhir_id,
        version=version,
        condition=condition,
        patch=patch,
    )


def deletion_of(kind: str, fhir_id: str, version: Versions | None = None, *, condition: str = "") -> Entry:
    """A delete: https://hl7.org/fhir/R4/http.html#delete"""
    return Entry(type=kind, interaction="delete", resource={}, fhir_id=fhir_id, version=version, condition=condition)


def version_of(if_match: str) -> Versions:
    """The versions in an If-Match header; ANY for `*`. Raises Invalid."""
    if if_match.strip() == "*":
        return ANY
    tags = [ETAG.fullmatch(tag.strip()) for tag in if_match.split(",") if tag.strip()]
    numbers = frozenset(int(tag[1]) for tag in tags if tag)
    if not numbers or None in tags:
        raise _invalid("value", f'{if_match!r} is not a version such as W/"3".', "")
    return numbers


def resolved(entries: Sequence[Entry]) -> list[Entry]:
    """The entries with references between them replaced by `Type/id`: https://hl7.org/fhir/R4/bundle.html#references

    A relative reference is resolved against the base of its entry's fullUrl.
    """
    names = {entry.full_url: entry.reference for entry in entries if entry.full_url}
    at_base: dict[str, dict[str, str]] = {}
    for url, reference in names.items():
        if match := RESTFUL.fullmatch(url):
            at_base.setdefault(match["base"], dict(names))[match["relative"]] = reference
    bases = [RESTFUL.sub(r"\g<base>", entry.full_url) for entry in entries]
    return [_with(entry, at_base.get(base, names)) for entry, base in zip(entries, bases, strict=True)]


def renamed(entries: Sequence[Entry], names: Mapping[str, str]) -> list[Entry]:
    """The entries with references in their resources replaced."""
    return [_with(entry, names) for entry in entries]


def _with(entry: Entry, names: Mapping[str, str]) -> Entry:
    return replace(entry, resource=transaction_links.renamed(entry.resource, names)) if names else entry


def _is_resource(node: Any) -> bool:
    return isinstance(node, dict) and isinstance(node.get("resourceType"), str)


def _check_request(request: Any) -> None:
    if not isinstance(request, dict) or not isinstance(request.get("url"), str):
        raise _invalid("required", "The entry has no request with method and url.", "request")
    method = request.get("method")
    if not isinstance(method, str) or method not in METHODS:
        text = f"{method} cannot be part of a Bundle here: GET, {', '.join(METHODS)} can."
        raise _invalid("not-supported", text, "request.method")


def _request_of(resource: Json) -> Json:
    """The request of an entry in a collection."""
    kind, fhir_id = resource["resourceType"], resource.get("id")
    return {"method": "PUT", "url": f"{kind}/{fhir_id}"} if fhir_id else {"method": "POST", "url": kind}


def _entry(request: Json, resource: Json, base: str, read_patch: ReadPatch) -> Entry:
    kind, fhir_id, condition = _target(request, base)
    if kind not in RESOURCES or RESOURCES[kind].from_fhir is None:
        raise _invalid("not-supported", f"{kind} resources cannot be written here.", "resource")
    interaction = METHODS[request["method"]]
    if interaction in ("create", "update") and resource["resourceType"] != kind:
        text = f"A {resource['resourceType']} cannot be sent to {request['url']}."
        raise _invalid("invalid", text, "request.url")
    version = version_of(str(request["ifMatch"])) if "ifMatch" in request else None
    match interaction:
        case "create":
            return creation_of(kind, resource, str(request.get("ifNoneExist", "")))
        case "update":
            return update_of(kind, fhir_id, resource, version, condition=condition)
        case "patch":
            return patch_of(kind, fhir_id, read_patch(resource), version, condition=condition)
        case "delete":
            return deletion_of(kind, fhir_id, version, condition=condition)


def _target(request: Json, base: str) -> tuple[str, str, str]:
    """The type, and the id or search, in the request's URL. Raises Invalid."""
    url = request["url"].removeprefix(base) if base else request["url"]
    match = URL.fullmatch(url)
    is_creation = request["method"] == "POST"
    if not match or bool(match["id"] or match["condition"]) == is_creation:
        form = "Type" if is_creation else "Type/id or Type?search"
        raise _invalid("not-supported", f"The url of a {request['method']} is {form}, not {url!r}.", "request.url")
    return match["type"], match["id"] or "", match["condition"] or ""


def _repetitions(entries: Iterable[Entry]) -> Iterator[EntryProblem]:
    """Problems for resources or fullUrls that occur a second time."""
    seen: set[str] = set()
    for entry in entries:
        names = {entry.reference, entry.full_url} - {""}
        if names & seen:
            text = f"{(names & seen).pop()} comes twice in this Bundle."
            yield EntryProblem(entry.index, entry.reference, _invalid("invalid", text, ""))
        seen |= names


def _entry_name(entry: Any) -> str:
    """The reference of an entry that could not be parsed, as far as it is given."""
    resource = entry.get("resource") if isinstance(entry, dict) else None
    parts = (resource.get("resourceType"), resource.get("id")) if isinstance(resource, dict) else ()
    return "/".join(str(part) for part in parts if part)


def _in_bundle(issue: Issue | ResourceIssue, problem: EntryProblem) -> Issue:
    kind, _, path = issue.expression.partition(".")
    where = f"Bundle.entry[{problem.index}]"
    if kind[:1].isupper():
        where += f".resource.{path}" if path else ".resource"
    elif issue.expression:
        where += f".{issue.expression}"
    return Issue(issue.code, f"{problem.reference}: {issue.text}", where)


def _invalid(code: str, text: str, expression: str) -> Invalid:
    return Invalid(issues=[Issue(code, text, expression)])
