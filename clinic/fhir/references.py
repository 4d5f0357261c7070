"""From FHIR references to rows: https://hl7.org/fhir/R4/references.html"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import Q

from clinic.fhir.datatypes import Json
from clinic.fhir.issues import InvalidResource, ResourceIssue
from clinic.models import (
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
MODELS: dict[str, type[Resource]] = {
    model.RESOURCE_TYPE: model for model in apps.get_app_config("clinic").get_models() if issubclass(model, Resource)
}
ACTORS: dict[type[Resource], tuple[tuple[str, ...], tuple[str, ...]]] = {
    Practitioner: ((), ()),
    PractitionerRole: (("practitioner",), ("locations__part_of",)),
    Location: (("part_of",), ()),
    Device: (("location__part_of",), ()),
    HealthcareService: ((), ("scheduling_parameters",)),
    Patient: ((), ()),
}


def local_reference(text: str) -> str:
    """`Type/id` of a reference, whatever base or version it names; the text itself if it is no such thing."""
    match = REFERENCE.fullmatch(text)
    return match[1] if match else text


class References:
    """The rows that resources refer to, by `Type/id`. One query, however many there are and of what types."""

    def __init__(self, base: str = "") -> None:
        """`base` is our own address, such as https://clinic.example/fhir/R4: absolute references to it are ours."""
        self._base = base.rstrip("/") + "/" if base else ""
        self._keys: dict[str, int] = {}
        self._rows: dict[str, dict[int, Resource]] = defaultdict(dict)
        self._questionnaires: dict[str, Questionnaire | None] = {}
        self._named: set[str] = set()
        self.now: datetime | None = None  # by which names and addresses are chosen

    @staticmethod
    def collect(resources: Iterable[Json]) -> set[str]:
        """Every `reference` there is in these resources, at any depth."""
        return {text for resource in resources for text in _references(resource)}

    @classmethod
    def load(cls, references: Iterable[str], base: str = "") -> "References":
        """Those that are rows and not deleted."""
        refs = cls(base)
        wanted: dict[str, set[str]] = defaultdict(set)
        for text in references:
            kind, _, fhir_id = (refs._own(text) or "").partition("/")
            if kind in MODELS:
                wanted[kind].add(fhir_id)
        refs._keys.update(_keys(wanted))
        return refs

    def add(self, reference: str, pk: int) -> None:
        """A row that was created since."""
        self._keys[reference] = pk

    def kept(
        self, there: Callable[[type[Resource], Collection[int]], Collection[int]], also: Iterable[str] = ()
    ) -> "References":
        """Only the rows that are `there`, of a model and of primary keys, and those that `also` names.

        Nobody can tell that the others exist. What `also` names is not asked for by `check`.
        """
        by_type: dict[str, dict[str, int]] = defaultdict(dict)
        for reference, pk in self._keys.items():
            by_type[reference.partition("/")[0]][reference] = pk
        refs = References(self._base)
        for kind, keys in by_type.items():
            pks = set(there(MODELS[kind], set(keys.values())))
            refs._keys |= {reference: pk for reference, pk in keys.items() if pk in pks}
        refs.promise(also)
        refs._keys |= {own: self._keys[own] for own in refs._named & self._keys.keys()}
        return refs

    def promise(self, references: Iterable[str]) -> None:
        """The references without those that are named already or will exist once all is written: `check` skips them."""
        self._named |= {own for text in references if (own := self._own(text))}

    def is_unknown(self, text: str) -> bool:
        """True if it refers to a row of ours that is not known."""
        own = self._own(text)
        if own is None or own.partition("/")[0] not in MODELS:
            return False
        return own not in self._keys and own not in self._named

    def check(self, resource: Json) -> None:
        """InvalidResource for references to rows of ours that are not known, wherever in a well-formed resource."""
        issues = [
            ResourceIssue("not-found", f"{text!r} is not known here.", path)
            for path, text in _placed(resource, resource["resourceType"])
            if self.is_unknown(text)
        ]
        if issues:
            raise InvalidResource(issues)

    def find(self, reference: str, *allowed_types: str, path: str) -> int:
        """The primary key of what `path` refers to; InvalidResource where there is none, or of another type."""
        own = self._own(reference)
        if own and allowed_types and own.partition("/")[0] not in allowed_types:
            text = f"{reference!r} is not a reference to {' or '.join(allowed_types)}."
            raise InvalidResource([ResourceIssue("not-found", text, path)])
        if own is None or own not in self._keys:
            raise InvalidResource([ResourceIssue("not-found", f"{reference!r} is not known here.", path)])
        return self._keys[own]

    def actor(self, kind: str, pk: int) -> Any:
        """The row of an actor with its zone and site. The first that is asked for brings all known ones of its type."""
        if pk not in self._rows[kind]:
            model = MODELS[kind]
            related, prefetch = ACTORS[model]
            known = [key for reference, key in self._keys.items() if reference.startswith(f"{kind}/")]
            rows = model._default_manager.select_related(*related).prefetch_related(*prefetch)
            self._rows[kind] |= rows.in_bulk(known)
        return self._rows[kind][pk]

    def questionnaire(self, canonical: str, *, path: str) -> Questionnaire | None:
        """The row that a canonical names by url or as `Questionnaire/id`; None for a url that is not of ours.

        InvalidResource for an id of ours that is not there. Asked for once, however many name it.
        """
        if canonical not in self._questionnaires:
            self._questionnaires[canonical] = self._find_questionnaire(canonical)
        found = self._questionnaires[canonical]
        if found is None and (self._own(canonical.partition("|")[0]) or "").startswith("Questionnaire/"):
            raise InvalidResource([ResourceIssue("not-found", f"{canonical!r} is not known here.", path)])
        return found

    def _find_questionnaire(self, canonical: str) -> Questionnaire | None:
        """Of several of one url the active one, and of those the newest."""
        url, _, version = canonical.partition("|")
        kind, _, fhir_id = (self._own(url) or "").partition("/")
        named = Q(url=url) | Q(fhir_id=fhir_id) if kind == "Questionnaire" else Q(url=url)
        rows = Questionnaire.objects.filter(named, deleted_at=None).order_by("-pk")
        fitting = [row for row in rows if not version or row.extra.get("version", version) == version]
        return min(fitting, key=lambda row: row.status != Questionnaire.Status.ACTIVE, default=None)

    def _own(self, reference: str) -> str | None:
        """`Type/id` if it is relative or at our own base."""
        relative = reference.removeprefix(self._base) if self._base else reference
        match = REFERENCE.fullmatch(relative)
        return match[1] if match and relative.startswith(match[1]) else None


def _keys(wanted: Mapping[str, Collection[str]]) -> dict[str, int]:
    """The primary keys of what is there, by reference."""
    if not wanted:
        return {}
    of_one_type = "SELECT %s || '/' || fhir_id, id FROM {} WHERE fhir_id = ANY(%s) AND deleted_at IS NULL"
    statement = " UNION ALL ".join(of_one_type.format(MODELS[kind]._meta.db_table) for kind in wanted)
    with connection.cursor() as cursor:
        cursor.execute(statement, [value for kind, ids in wanted.items() for value in (kind, list(ids))])
        return dict(cursor.fetchall())


def _references(resource: Json) -> Iterator[str]:
    """Without recursion: nobody has looked yet how deep it is."""
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
    """Every reference, and where it is."""
    if isinstance(node, list):
        for n, each in enumerate(node):
            yield from _placed(each, f"{path}[{n}]")
    elif isinstance(node, dict):
        for name, value in node.items():
            if name == "reference" and isinstance(value, str):
                yield f"{path}.reference", value
            else:
                yield from _placed(value, f"{path}.{name}")
