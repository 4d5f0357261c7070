"""Histories of resources: https://hl7.org/fhir/R4/http.html#history

A history is of one resource, a type or all types, newest first, with the resources that the caller may see. Each
version has the request that made it and the response to that.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.core import signing
from django.db.models import CharField, F, Q, QuerySet, Value
from django.http import QueryDict
from django.utils import timezone

from api.search.values import Span, read_span
from clinic.fhir.datatypes import Json, instant, read_instant
from clinic.fhir.issues import InvalidElement
from clinic.fhir.past_versions import rows_as_they_were
from clinic.fhir.resources import RESOURCES, rows_of, to_fhir
from clinic.models import Resource
from scheduling import access
from scheduling.access import Caller
from scheduling.errors import Invalid, Issue, NotFound

DEFAULT_COUNT = 50
MAX_COUNT = 1000
NUMBER = re.compile(r"[0-9]{1,9}")
SALT = "fhir.history"
PASSED_OVER = frozenset({"_format", "_pretty"})
KNOWN = ("_count", "_since", "_at", "_cursor")
CURRENT = 0


class Place(NamedTuple):
    """Position of a version in a history; `past` is the key of its PastVersion, or CURRENT."""

    last_updated: datetime
    kind: str
    row: int
    version: int
    past: int


@dataclass(frozen=True, kw_only=True)
class Window:
    """The requested part of a history.

    `at` is a period; versions that were current during any part of it are included.
    """

    count: int = DEFAULT_COUNT
    since: datetime | None = None
    at: Span[datetime] | None = None
    after: Place | None = None

    def within(self, kind: str, row: str) -> Q:
        """Return the versions of a type within the window; `row` is the column with the key of the resource."""
        versions = Q(last_updated__gte=self.since) if self.since else Q()
        if self.at:
            versions &= Q(last_updated__lt=self.at.after)
        if self.after is None:
            return versions
        beyond = Q(last_updated__lt=self.after.last_updated)
        if kind == self.after.kind:
            later = Q(**{f"{row}__gt": self.after.row}) | Q(**{row: self.after.row}, version__lt=self.after.version)
            beyond |= Q(last_updated=self.after.last_updated) & later
        elif kind > self.after.kind:
            beyond |= Q(last_updated=self.after.last_updated)
        return versions & beyond


def earlier(row: Resource, version: str, caller: Caller) -> Resource:
    """Return the resource in this version. Raises NotFound."""
    if version == str(row.version):
        return row
    past = access.visible_past(type(row), caller).filter(
        row_id=row.pk, version=version if NUMBER.fullmatch(version) else 0
    )
    found: list[Resource] = rows_as_they_were(RESOURCES[row.RESOURCE_TYPE], past.values_list("pk", flat=True))
    if found:
        return access.redacted(found[0], caller)
    raise NotFound(f"There is no version {version} of {row.reference}.")


def of_resource(row: Resource, query: QueryDict, caller: Caller, base: str) -> Json:
    """Return the history of a resource that the caller may see: https://hl7.org/fhir/R4/http.html#history"""
    return _history([row.RESOURCE_TYPE], Q(pk=row.pk), query, caller, f"{base}{row.reference}/_history", base)


def of_type(kind: str, query: QueryDict, caller: Caller, base: str) -> Json:
    access.require(caller, kind, "s")
    return _history([kind], Q(), query, caller, f"{base}{kind}/_history", base)


def of_system(query: QueryDict, caller: Caller, base: str) -> Json:
    """Return the history of all types that the caller may search, except AuditEvent: each request would add to it."""
    kinds = access.searchable_types(caller, (kind for kind in RESOURCES if kind != "AuditEvent"))
    return _history(kinds, Q(), query, caller, f"{base}_history", base)


def _history(kinds: Sequence[str], whose: Q, query: QueryDict, caller: Caller, url: str, base: str) -> Json:
    window = _window(query, url)
    places = [Place(*each) for each in _places(kinds, whose, window, caller)[: window.count + 1]]
    page = places[: window.count]
    parameters = [(name, str(query[name])) for name in KNOWN[:-1] if name in query]
    links = [{"relation": "self", "url": _link(url, [*parameters, *_from(str(query.get("_cursor", "")))])}]
    if page and len(places) > len(page):
        links.append({"relation": "next", "url": _link(url, [*parameters, *_from(_cursor(page[-1], url))])})
    bundle: Json = {
        "resourceType": "Bundle",
        "type": "history",
        "total": _places(kinds, whose, replace(window, after=None), caller).count(),
        "link": links,
    }
    rows = _rows(page, caller)
    here = links[0]["url"].removeprefix(base)
    access.record_disclosure(rows, "history", caller=caller, now=timezone.now(), query=here)
    entries = [_entry(row, base) for row in rows]
    return {**bundle, "entry": entries} if entries else bundle


def _places(kinds: Sequence[str], whose: Q, window: Window, caller: Caller) -> "QuerySet[Any, Any]":
    first, *others = [arm for kind in kinds for arm in _arms(kind, whose, window, caller)]
    return first.union(*others, all=True).order_by("-last_updated", "of_type", "of_row", "-version")


def _arms(kind: str, whose: Q, window: Window, caller: Caller) -> "Iterable[QuerySet[Any, Any]]":
    """Return the queries of a type: the newest version of each resource, and the earlier versions."""
    model = RESOURCES[kind].model
    rows = access.visible(model, caller).filter(whose)
    past = access.visible_past(model, caller)
    if whose:
        past = past.filter(row_id__in=rows.values("pk"))
    if window.at:
        past = past.filter(replaced__gte=window.at.first)
    for versions, row, key in ((rows, "pk", Value(CURRENT)), (past, "row_id", F("pk"))):
        named = versions.order_by().annotate(of_type=Value(kind, CharField()), of_row=F(row), of_past=key)
        yield named.filter(window.within(kind, row)).values_list(*COLUMNS)


COLUMNS = ("last_updated", "of_type", "of_row", "version", "of_past")


def _rows(page: Sequence[Place], caller: Caller) -> list[Resource]:
    """Return the rows in the order of the page, as they are or were. A few statements for each type."""
    current: dict[str, set[int]] = defaultdict(set)
    past: dict[str, set[int]] = defaultdict(set)
    for place in page:
        (past if place.past else current)[place.kind].add(place.past or place.row)
    found = [row for kind, keys in current.items() for row in rows_of(RESOURCES[kind]).filter(pk__in=keys)]
    found += [row for kind, keys in past.items() for row in rows_as_they_were(RESOURCES[kind], keys)]
    versions = {(row.RESOURCE_TYPE, row.pk, row.version): access.redacted(row, caller) for row in found}
    names = [(place.kind, place.row, place.version) for place in page]
    return [versions[name] for name in names if name in versions]  # or it has just got a newer one


def _entry(row: Resource, base: str) -> Json:
    """Return the entry of a version, with the request that made it and its response."""
    method, status = _request_and_status(row)
    entry: Json = {
        "fullUrl": f"{base}{row.reference}",
        "request": {"method": method, "url": row.RESOURCE_TYPE if method == "POST" else row.reference},
        "response": {
            "status": f"{status.value} {status.phrase}",
            "etag": f'W/"{row.version}"',
            "lastModified": instant(row.last_updated),
        },
    }
    return entry if method == "DELETE" else {**entry, "resource": to_fhir(row)}


def _request_and_status(row: Resource) -> tuple[str, HTTPStatus]:
    if row.deleted_at is not None:
        return "DELETE", HTTPStatus.NO_CONTENT
    return ("POST", HTTPStatus.CREATED) if row.version == 1 else ("PUT", HTTPStatus.OK)


def _window(query: QueryDict, url: str) -> Window:
    """Read the parameters of a history. Raises Invalid."""
    for name in query:
        if name not in KNOWN and name not in PASSED_OVER:
            text = f"{name!r} is no parameter of a history here. Known are {', '.join(KNOWN[:-1])}."
            raise Invalid(issues=[Issue("not-supported", text, name)])
    return Window(
        count=_count(str(query.get("_count") or DEFAULT_COUNT)),
        since=_since(str(query["_since"])) if query.get("_since") else None,
        at=_at(str(query["_at"])) if query.get("_at") else None,
        after=_place(str(query["_cursor"]), url) if query.get("_cursor") else None,
    )


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise Invalid(issues=[Issue("invalid", f"_count: {text!r} is not a number.", "_count")])
    return min(int(text), MAX_COUNT)


def _since(text: str) -> datetime:
    try:
        return read_instant(text.replace(" ", "+"))  # a plus sign that was not encoded
    except InvalidElement as error:
        raise Invalid(issues=[Issue("invalid", f"_since: {error.text}", "_since")]) from error


def _at(text: str) -> Span[datetime]:
    """Read `_at`: an instant, or a whole day, month or year. Raises Invalid."""
    with suppress(Invalid):
        span = read_span(text.replace(" ", "+"))
        if span.prefix == "eq":
            return span
    raise Invalid(
        issues=[Issue("invalid", f"_at: {text!r} is not a time such as 2026-01-05T14:00:00Z or 2026-01.", "_at")]
    )


def _link(url: str, query: Sequence[tuple[str, str]]) -> str:
    return f"{url}?{urlencode(query)}" if query else url


def _from(cursor: str) -> list[tuple[str, str]]:
    return [("_cursor", cursor)] if cursor else []


def _cursor(place: Place, url: str) -> str:
    return signing.dumps([place.last_updated.isoformat(), *place[1:]], salt=f"{SALT} {url}")


def _place(cursor: str, url: str) -> Place:
    try:
        moment, *others = signing.loads(cursor, salt=f"{SALT} {url}")
    except signing.BadSignature as error:
        raise Invalid(f"{cursor!r} is not the cursor of a page of this history.") from error
    return Place(datetime.fromisoformat(moment), *others)
