"""The answer to a search: https://hl7.org/fhir/R4/bundle.html#searchset

A page of what the caller may see. The number of SQL statements does not depend on the number of resources.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from clinic.fhir.codes import UCUM
from clinic.fhir.resources import RESOURCES, to_fhir
from scheduling import access
from scheduling.access import Caller
from scheduling.api.outcomes import outcome
from scheduling.api.search.includes import MAX_INCLUDED, included
from scheduling.api.search.searching import Search
from scheduling.api.search.summaries import shortened
from scheduling.errors import Issue

Json = dict[str, Any]

DISTANCE_URL = "http://hl7.org/fhir/StructureDefinition/location-distance"


@dataclass(frozen=True)
class Page:
    """The rows of a page, and whether there are more on either side of it."""

    rows: list[Any]
    before: bool = False
    after: bool = False


def rows_of(search: Search, caller: Caller) -> "QuerySet[Any]":
    """All matches that the caller may see."""
    access.require(caller, search.kind, "s")
    return access.visible(search.model, caller, "s").filter(*search.where, deleted_at=None)


def answer(search: Search, caller: Caller, base: str) -> Json:
    """The Bundle: a page of matches, what goes with them, and the ways to the other pages."""
    rows = rows_of(search, caller)
    bundle: Json = {"resourceType": "Bundle", "type": "searchset"}
    if search.controls.get("_total") != "none" or not search.count:
        bundle["total"] = rows.count()
    page = _page(search, rows)
    bundle["link"] = [{"relation": name, "url": url} for name, url in _links(search, page, base)]
    matches = [to_fhir(access.as_shown(row, caller)) for row in page.rows]
    others = included(matches, search.includes, caller, base)
    asked = search.link("")
    disclosed = [*page.rows, *others.rows]
    access.record_disclosure(disclosed, "search", caller=caller, now=timezone.now(), query=asked)
    entries = [_match(search, *pair, base) for pair in zip(page.rows, matches, strict=True)]
    entries += [_entry(_short(search, each), "include", base) for each in others.resources]
    if told := list(_told(search, complete=others.complete)):
        entries.append({"resource": outcome(told, severity="warning"), "search": {"mode": "outcome"}})
    return {**bundle, "entry": entries} if entries else bundle


def _page(search: Search, rows: "QuerySet[Any]") -> Page:
    """One row more than is shown says whether there is another page."""
    if not search.count:
        return Page([])
    kind, order = RESOURCES[search.kind], search.order
    place, backwards = (search.cursor.place, search.cursor.backwards) if search.cursor else ([], False)
    rows = rows.select_related(*kind.related).prefetch_related(*kind.prefetch)
    rows = order.sort(rows, backwards=backwards)
    if place:
        rows = rows.filter(order.beyond(place, backwards=backwards))
    found = list(rows[: search.count + 1])
    shown, more = found[: search.count], len(found) > search.count
    if backwards:
        return Page(shown[::-1], before=more, after=True)
    return Page(shown, before=bool(place), after=more)


def _links(search: Search, page: Page, base: str) -> Iterator[tuple[str, str]]:
    """Itself as it was understood; the other pages where there are any."""
    place = search.order.place
    if search.cursor:
        yield "self", search.page_link(base, search.cursor.place, backwards=search.cursor.backwards)
    else:
        yield "self", search.link(base)
    if search.count and (search.cursor or page.after):
        yield "first", search.page_link(base, [])
    if page.rows and page.before:
        yield "previous", search.page_link(base, place(page.rows[0]), backwards=True)
    if page.rows and page.after:
        yield "next", search.page_link(base, place(page.rows[-1]))


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


def _told(search: Search, *, complete: bool) -> Iterator[Issue]:
    for name in search.ignored:
        text = f"{name!r} is no search parameter of {search.kind} here and was ignored."
        yield Issue("not-supported", text)
    if not complete:
        text = f"More goes with these than the {MAX_INCLUDED} resources that are included. Search for it by itself."
        yield Issue("incomplete", text)
