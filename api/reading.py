"""Answers to GET, by a request or in a Bundle: https://hl7.org/fhir/R4/http.html#read"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection
from typing import Any

from django.http import QueryDict
from django.utils import timezone

from api import history, search
from api.free_slots import read_free_slot
from api.operations.ids import read_free_slot_id
from clinic.fhir.datatypes import Json
from clinic.fhir.resources import RESOURCES, rows_of, to_fhir
from clinic.models import Resource
from scheduling import access
from scheduling.access import Caller
from scheduling.errors import Invalid, Issue, NotFound
from scheduling.interactions import Deleted, Find, WriteResult

URL = re.compile(
    r"/?(?:(?P<kind>[A-Z][A-Za-z]+)(?:/(?P<id>[A-Za-z0-9\-.]{1,64}))?)?"
    r"(?P<history>/?_history(?:/(?P<version>[^/?]+))?)?(?:\?(?P<query>.*))?",
    re.DOTALL,
)


def current(
    kind: str, fhir_id: str, caller: Caller, is_known: Callable[[Resource], bool] = lambda row: False
) -> Resource:
    """Return the resource, and record the disclosure unless `is_known`. Raises NotFound, Deleted."""
    row = visible(kind, fhir_id, caller)
    if row.deleted_at is not None:
        raise Deleted(f"{row.reference} was deleted.")
    if not is_known(row):
        access.record_disclosure([row], "read", caller=caller, now=timezone.now())
    return row


def version(kind: str, fhir_id: str, number: str, caller: Caller) -> Resource:
    """Return the resource in a version: https://hl7.org/fhir/R4/http.html#vread"""
    row = history.earlier(visible(kind, fhir_id, caller), number, caller)
    if row.deleted_at is not None:
        raise Deleted(f"{row.reference}/_history/{number} was deleted.")
    version = f"/_history/{number}"
    access.record_disclosure([row], "vread", caller=caller, now=timezone.now(), version=version)
    return row


def representations(written: Collection[WriteResult], caller: Caller) -> dict[str, Json]:
    """Return the written resources by reference: a query for each type.

    They may have more elements than the client sent.
    """
    ids: dict[str, list[str]] = defaultdict(list)
    for result in written:
        if result.outcome not in ("deleted", "known"):
            kind, _, fhir_id = result.reference.partition("/")
            ids[kind].append(fhir_id)
    rows = [row for kind, named in ids.items() for row in rows_of(RESOURCES[kind]).filter(fhir_id__in=named)]
    stored = {result.reference for result in written if result.outcome in ("updated", "unchanged")}
    disclosed = [row for row in rows if row.reference in stored]
    access.record_disclosure(disclosed, "read", caller=caller, now=timezone.now())
    return {row.reference: to_fhir(access.redacted(row, caller)) for row in rows}


def visible(kind: str, fhir_id: str, caller: Caller) -> Resource:
    """Return the row, even if deleted. Raises NotFound if the caller may not see it."""
    access.require(caller, kind, "r")
    found = RESOURCES[kind]
    rows = access.visible(found.model, caller, "r").select_related(*found.related).prefetch_related(*found.prefetch)
    row = rows.filter(fhir_id=fhir_id).first()
    if row is None:
        raise NotFound(f"There is no {kind}/{fhir_id}.")
    return access.redacted(row, caller)


def finder(caller: Caller, base: str) -> Find:
    """Return the function that looks up conditions, by a search among the rows that the caller may see."""

    def find(kind: str, query: str) -> list[Any]:
        if kind not in RESOURCES:
            raise Invalid(issues=[Issue("not-supported", f"There are no {kind} resources here.")])
        condition = search.read(kind, QueryDict(query), caller, base)
        if not condition.where:
            raise Invalid(f"{query!r} is no condition: it does not say which {kind} is meant.")
        return list(search.rows_of(condition, caller)[:2])

    return find


def answer(url: str, caller: Caller, base: str) -> Resource | Json:
    """Return the row or Bundle at an address. Raises NotFound, Deleted, Invalid, Forbidden."""
    match = URL.fullmatch(url.removeprefix(base))
    kind = match["kind"] if match else None
    if match is None or (kind and kind not in RESOURCES) or not (kind or match["history"] or match["query"]):
        text = f"{url!r} cannot be asked for in a Bundle: resources, searches and histories can."
        raise Invalid(issues=[Issue("not-supported", text, "request.url")])
    query = QueryDict(match["query"] or "")
    if match["version"]:
        return version(kind or "", match["id"] or "", match["version"], caller)
    if match["history"]:
        return past(kind or "", match["id"] or "", query, caller, base)
    if kind == "Slot" and read_free_slot_id(match["id"] or ""):
        return read_free_slot(match["id"], caller, timezone.now())
    if kind is None:
        return search.answer(search.read_all(query, caller, base), caller, base)
    return (
        current(kind, match["id"], caller)
        if match["id"]
        else search.answer(search.read(kind, query, caller, base), caller, base)
    )


def past(kind: str, fhir_id: str, query: QueryDict, caller: Caller, base: str) -> Json:
    """Return the history of a resource, of a type if there is no id, or of everything."""
    if not kind:
        return history.of_system(query, caller, base)
    if not fhir_id:
        return history.of_type(kind, query, caller, base)
    return history.of_resource(visible(kind, fhir_id, caller), query, caller, base)
