"""The searchset of a search: https://hl7.org/fhir/R4/bundle.html#searchset

A page has only resources that the caller may see. The number of SQL statements does not depend on the number of
resources.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.utils import timezone

from api.outcomes import outcome_entry
from api.replica_reads import read_for
from api.search import free_slots, system
from api.search.conditions import LIST
from api.search.includes import MAX_INCLUDED, Included, included
from api.search.rows import Page, page_of, rows_of
from api.search.search import Search
from api.search.summaries import shortened
from api.search.system import SystemSearch
from clinic.fhir.codes import UCUM
from clinic.fhir.resources import to_fhir
from scheduling import access
from scheduling.access import Caller
from scheduling.errors import Issue

Json = dict[str, Any]

DISTANCE_URL = "http://hl7.org/fhir/StructureDefinition/location-distance"


def answer(search: Search, caller: Caller, base: str) -> Json:
    """Return the Bundle: a page of matches, the included resources, and the links to other pages."""
    bundle: Json = {"resourceType": "Bundle", "type": "searchset"}
    now = timezone.now()
    found = read_for(caller, partial(_found, search, caller, base, now))
    if found.total is not None:
        bundle["total"] = found.total
    bundle["link"] = [{"relation": name, "url": url} for name, url in _links(search, found.page, base)]
    query = search.link("") or "?"
    access.record_disclosure(found.disclosed, "search", caller=caller, now=now, query=query)
    entries = [_match(search, *pair, base) for pair in zip(found.page.rows, found.matches, strict=True)]
    entries += [_entry(_short(search, each), "include", base) for each in found.others.resources]
    if notes := list(_notes(search, complete=found.others.complete)):
        entries.append(outcome_entry(notes, "warning"))
    return {**bundle, "entry": entries} if entries else bundle


@dataclass(frozen=True)
class _Found:
    """The number of matches, unless they are not counted, a page of them, and what is included with it."""

    total: int | None
    page: Page
    matches: list[Json]
    others: Included

    @property
    def disclosed(self) -> list[Any]:
        """The stored rows among them."""
        return [*(row for row in self.page.rows if not isinstance(row, dict)), *self.others.rows]


def _found(search: Search, caller: Caller, base: str, now: datetime) -> _Found:
    total, page = _results(search, caller, base, now)
    matches = [row if isinstance(row, dict) else to_fhir(access.redacted(row, caller)) for row in page.rows]
    return _Found(total, page, matches, included(matches, search.includes, caller, base))


def _results(search: Search, caller: Caller, base: str, now: datetime) -> tuple[int | None, Page]:
    """Return the number of matches, unless the search says not to count them, and the page."""
    is_counted = search.controls.get("_total") != "none" or not search.count
    if isinstance(search, SystemSearch):
        return system.count(search, caller) if is_counted else None, system.page(search, caller)
    free = free_slots.free_slots_of(search, caller, base, now) if search.kind == "Slot" else None
    if free is not None:
        search.total = free_slots.total_of(search, free, caller) if is_counted else None
        return search.total, free_slots.page_of(search, free, caller)
    rows = rows_of(search, caller)
    return rows.count() if is_counted else None, page_of(search, rows)


def _links(search: Search, page: Page, base: str) -> Iterator[tuple[str, str]]:
    """Yield the link to this page, with the parameters that were used, and the links to other pages."""
    if search.cursor:
        yield "self", search.page_link(base, search.cursor.place, backwards=search.cursor.backwards)
    else:
        yield "self", search.link(base)
    if search.count and (search.cursor or page.after):
        yield "first", search.page_link(base, [])
    if page.before:
        yield "previous", search.page_link(base, page.first, backwards=True)
    if page.after:
        yield "next", search.page_link(base, page.last)


def _match(search: Search, row: Any, resource: Json, base: str) -> Json:
    entry = _entry(_short(search, resource), "match", base)
    if search.shows_distance:
        distance = {"value": round(row.sort_0, 3), "unit": "km", "system": UCUM, "code": "km"}
        entry["search"]["extension"] = [{"url": DISTANCE_URL, "valueDistance": distance}]
    return entry


def _short(search: Search, resource: Json) -> Json:
    elements = [each.strip() for each in search.controls.get("_elements", "").split(",") if each.strip()]
    return shortened(resource, search.controls.get("_summary", "false"), elements)


def _entry(resource: Json, mode: str, base: str) -> Json:
    full_url = f"{base}{resource['resourceType']}/{resource['id']}"
    return {"fullUrl": full_url, "resource": resource, "search": {"mode": mode}}


def _notes(search: Search, *, complete: bool) -> Iterator[Issue]:
    yield from search.notes
    for name, why in search.ignored.items():
        yield Issue("not-supported", f"{name!r} {why} and was ignored.")
    if any(LIST in name for name, _ in search.processed):
        yield Issue("not-supported", "No lists are kept here, current ones neither: nothing is on them.", LIST)
    if not complete:
        text = f"More goes with these than the {MAX_INCLUDED} resources that are included. Search for it by itself."
        yield Issue("incomplete", text)
