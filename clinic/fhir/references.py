"""The rows that FHIR references name: https://hl7.org/fhir/R4/references.html"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Q

from clinic.fhir.datatypes import Json
from clinic.fhir.issues import InvalidResource, ResourceIssue
from clinic.models import (
    RESOURCE_MODELS,
    Device,
    HealthcareService,
    Location,
    Patient,
    Practitioner,
    PractitionerRole,
    Questionnaire,
    Resource,
)

REFERENCE = re.compile(r"(?:.*/)?([A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?")
MODELS: dict[str, type[Resource]] = {model.RESOURCE_TYPE: model for model in RESOURCE_MODELS}
ACTORS: dict[type[Resource], tuple[tuple[str, ...], tuple[str, ...]]] = {
    Practitioner: ((), ()),
    PractitionerRole: (("practitioner",), ("locations__part_of",)),
    Location: (("part_of",), ()),
    Device: (("location__part_of",), ()),
    HealthcareService: ((), ("scheduling_parameters",)),
    Patient: ((), ()),
}


def local_reference(text: str) -> str:
    """Return the `Type/id` of a reference, without its base and version; other texts are returned unchanged."""
    match = REFERENCE.fullmatch(text)
    return match[1] if match else text


class References:
    """The primary keys of the rows that resources refer to, by `Type/id`. One query reads them all."""

    def __init__(self, base: str = "") -> None:
        """`base` is this server's FHIR address, such as https://clinic.example/fhir/R4, for absolute references."""
        self._base = base.rstrip("/") + "/" if base else ""
        self._keys: dict[str, int] = {}
        self._rows: dict[str, dict[int, Resource]] = defaultdict(dict)
        self._names: dict[str, str] = {}
        self._questionnaires: dict[str, Questionnaire | None] = {}
        self._named: set[str] = set()
        self.now: datetime | None = None  # the time at which names and addresses must be current

    @staticmethod
    def collect(resources: Iterable[Json]) -> set[str]:
        """Return every `reference` in these resources, at any depth."""
        return {text for resource in resources for text in _references(resource)}

    @classmethod
    def load(cls, references: Iterable[str], base: str = "") -> "References":
        """Read the rows that these references name, except deleted ones."""
        refs = cls(base)
        ids: dict[str, set[str]] = defaultdict(set)
        for text in references:
            kind, _, fhir_id = (refs._own(text) or "").partition("/")
            if kind in MODELS:
                ids[kind].add(fhir_id)
        refs._keys.update(_keys(ids))
        return refs

    def add(self, reference: str, pk: int) -> None:
        """Add a row that was created after `load`."""
        self._keys[reference] = pk

    def visible_only(
        self, visible: Callable[[type[Resource], Collection[int]], Collection[int]], also: Iterable[str] = ()
    ) -> "References":
        """Return the References of the rows that the caller may know.

        `visible` filters the primary keys of a model; other rows are treated as missing, except those that `also`
        names, which `check` accepts.
        """
        by_type: dict[str, dict[str, int]] = defaultdict(dict)
        for reference, pk in self._keys.items():
            by_type[reference.partition("/")[0]][reference] = pk
        refs = References(self._base)
        for kind, keys in by_type.items():
            pks = set(visible(MODELS[kind], set(keys.values())))
            refs._keys |= {reference: pk for reference, pk in keys.items() if pk in pks}
        refs.allow(also)
        refs._keys |= {own: self._keys[own] for own in refs._named & self._keys.keys()}
        return refs

    def allow(self, references: Iterable[str]) -> None:
        """Let `check` accept these references: the resource had them before, or their rows will be written with it."""
        self._named |= {own for text in references if (own := self._own(text))}

    def add_names(self, names: Mapping[str, str]) -> None:
        """Add the names of rows, by `Type/id`, that the caller has read already: `name` does not read these rows."""
        self._names.update(names)

    def name(self, reference: str, pk: int) -> str:
        """Return the name of the row that a reference of this server (`Type/id`) names; `pk` is its primary key."""
        return self._names.get(reference) or str(self.actor(reference.partition("/")[0], pk))

    def is_unknown(self, text: str) -> bool:
        """True if the reference is to this server, and names no known row."""
        own = self._own(text)
        if own is None or own.partition("/")[0] not in MODELS:
            return False
        return own not in self._keys and own not in self._named

    def check(self, resource: Json) -> None:
        """Raise InvalidResource if a reference anywhere in a well-formed resource names an unknown row."""
        issues = [
            ResourceIssue("not-found", f"{text!r} is not known here.", path)
            for path, text in _placed(resource, resource["resourceType"])
            if self.is_unknown(text)
        ]
        if issues:
            raise InvalidResource(issues)

    def find(self, reference: str, *allowed_types: str, path: str) -> int:
        """Return the primary key of the row that the reference at `path` names.

        Raises InvalidResource if there is none, or if it has another type.
        """
        own = self._own(reference)
        if own and allowed_types and own.partition("/")[0] not in allowed_types:
            text = f"{reference!r} is not a reference to {' or '.join(allowed_types)}."
            raise InvalidResource([ResourceIssue("not-found", text, path)])
        if own is None or own not in self._keys:
            raise InvalidResource([ResourceIssue("not-found", f"{reference!r} is not known here.", path)])
        return self._keys[own]

    def actor(self, kind: str, pk: int) -> Any:
        """Return the row of an actor, with its zone and site. The first call reads all known rows of that type."""
        if pk not in self._rows[kind]:
            model = MODELS[kind]
            related, prefetch = ACTORS[model]
            known = [key for reference, key in self._keys.items() if reference.startswith(f"{kind}/")]
            rows = model._default_manager.select_related(*related).prefetch_related(*prefetch)
            self._rows[kind] |= rows.in_bulk(known)
        return self._rows[kind][pk]

    def questionnaire(self, canonical: str, *, path: str) -> Questionnaire | None:
        """Return the row that a canonical names by url or as `Questionnaire/id`; None for an unknown url.

        Raises InvalidResource for an unknown id of this server. Results are cached.
        """
        if canonical not in self._questionnaires:
            self._questionnaires[canonical] = self._find_questionnaire(canonical)
        found = self._questionnaires[canonical]
        if found is None and (self._own(canonical.partition("|")[0]) or "").startswith("Questionnaire/"):
            raise InvalidResource([ResourceIssue("not-found", f"{canonical!r} is not known here.", path)])
        return found

    def _find_questionnaire(self, canonical: str) -> Questionnaire | None:
        """Return the active questionnaire with this url, or the newest if several or none are active."""
        url, _, version = canonical.partition("|")
        kind, _, fhir_id = (self._own(url) or "").partition("/")
        named = Q(url=url) | Q(fhir_id=fhir_id) if kind == "Questionnaire" else Q(url=url)
        rows = Questionnaire.objects.filter(named, deleted_at=None).order_by("-pk")
        fitting = [row for row in rows if not version or row.extra.get("version", version) == version]
        return min(fitting, key=lambda row: row.status != Questionnaire.Status.ACTIVE, default=None)

    def _own(self, reference: str) -> str | None:
        """Return `Type/id` of a relative reference, or of an absolute one to this server; None for any other."""
        relative = reference.removeprefix(self._base) if self._base else reference
        match = REFERENCE.fullmatch(relative)
        return match[1] if match and relative.startswith(match[1]) else None


def _keys(ids_by_type: Mapping[str, Collection[str]]) -> dict[str, int]:
    """Return the primary keys of existing rows, by reference. The same types are always read by the same statement."""
    if not ids_by_type:
        return {}
    kinds = sorted(ids_by_type)
    of_one_type = "SELECT %s || '/' || fhir_id, id FROM {} WHERE fhir_id = ANY(%s) AND deleted_at IS NULL"
    statement = " UNION ALL ".join(of_one_type.format(MODELS[kind]._meta.db_table) for kind in kinds)
    with connection.cursor() as cursor:
        cursor.execute(statement, [value for kind in kinds for value in (kind, list(ids_by_type[kind]))])
        return dict(cursor.fetchall())


def _references(resource: Json) -> Iterator[str]:
    """Yield every reference. Without recursion, since the depth has not been checked yet."""
    nodes: list[Any] = [resource]
    while nodes:
        node = nodes.pop()
        if isinstance(node, list):
            nodes += node
        elif isinstance(node, dict):
            nodes += node.values()
            if isinstance(text := node.get("reference"), str):
                yield text


def _placed(node: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield every reference with its path."""
    if isinstance(node, list):
        for n, item in enumerate(node):
            yield from _placed(item, f"{path}[{n}]")
    elif isinstance(node, dict):
        for name, value in node.items():
            if name == "reference" and isinstance(value, str):
                yield f"{path}.reference", value
            else:
                yield from _placed(value, f"{path}.{name}")
