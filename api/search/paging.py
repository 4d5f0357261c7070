"""Pages by position: each starts after the last row of the page before, so that new rows do not shift it.

https://hl7.org/fhir/R4/http.html#paging. The address of a page reveals nothing about the search: the query and
the position are encrypted in it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import F, Field, FloatField, Model, Q, QuerySet
from django.db.models.expressions import Combinable

from clinic import encryption
from scheduling.errors import Invalid

PURPOSE = "search.page"
Place = list[str | None]


@dataclass(frozen=True)
class Cursor:
    """A page of a search: after a position (empty: the start), or before it.

    `begun` is when the first page was asked for, in UTC seconds, and `total` its number of matches, in a search that
    counts them only then.
    """

    kind: str
    query: str
    place: Place = field(default_factory=list)
    backwards: bool = False
    begun: int = 0
    total: int | None = None

    def seal(self) -> str:
        values = [self.kind, self.query, self.place, self.backwards, self.begun, self.total]
        return encryption.encrypt(json.dumps(values, separators=(",", ":")), PURPOSE)


def unseal(text: str, kind: str) -> Cursor:
    """Return the cursor of a page's address. Raises Invalid for an unknown one, or one of another type."""
    try:
        cursor = Cursor(*json.loads(encryption.decrypt(text, PURPOSE)))
    except encryption.CannotDecrypt:
        raise Invalid("This is not the cursor of a page of ours.") from None
    if cursor.kind != kind:
        raise Invalid("This is the cursor of a page of another search.")
    return cursor


@dataclass(frozen=True)
class Key:
    """A key to sort by: a column or a distance. Rows without a value come last, or first if descending."""

    expression: Combinable
    field: "Field[Any, Any]"
    descending: bool = False

    @classmethod
    def of(cls, model: type[Model], column: str, *, descending: bool) -> "Key":
        return cls(F(column), _field(model, column), descending)


DISTANCE: "Field[Any, Any]" = FloatField()


@dataclass(frozen=True)
class Order:
    """A total order of rows. PostgreSQL sorts NULL last."""

    keys: Sequence[Key] = ()

    @cached_property
    def names(self) -> list[str]:
        return [f"sort_{n}" for n, _ in enumerate(self.keys)]

    def sort(self, rows: "QuerySet[Any]", *, backwards: bool = False) -> "QuerySet[Any]":
        rows = rows.annotate(**{name: key.expression for name, key in zip(self.names, self.keys, strict=True)})
        columns = (
            f"{'-' if key.descending != backwards else ''}{name}"
            for name, key in zip(self.names, self.keys, strict=True)
        )
        return rows.order_by(*columns, "-pk" if backwards else "pk")

    def beyond(self, place: Place, *, backwards: bool = False, rest: Q | None = None) -> Q:
        """Return the rows after the position, or before it; `rest` is for rows with equal keys."""
        *written, pk = place
        try:
            values = [key.field.to_python(value) for key, value in zip(self.keys, written, strict=True)]
        except (ValidationError, ValueError):
            raise Invalid("This page is of a search that has changed.") from None
        condition = Q(**{f"pk__{'lt' if backwards else 'gt'}": pk}) if rest is None else rest
        for name, key, value in reversed(list(zip(self.names, self.keys, values, strict=True))):
            condition = _further(name, value, down=key.descending != backwards) | (_same(name, value) & condition)
        return condition

    def place(self, row: Any) -> Place:
        values = (getattr(row, name) for name in self.names)
        return [*(None if value is None else str(value) for value in values), str(row.pk)]


def _further(name: str, value: Any, *, down: bool) -> Q:
    if value is None:
        return Q(**{f"{name}__isnull": False}) if down else Q(pk__in=[])
    further = Q(**{f"{name}__{'lt' if down else 'gt'}": value})
    return further if down else further | Q(**{f"{name}__isnull": True})


def _same(name: str, value: Any) -> Q:
    return Q(**{f"{name}__isnull": True}) if value is None else Q(**{name: value})


def _field(model: type[Model], column: str) -> "Field[Any, Any]":
    """Return the model field at the end of a path of names."""
    first, _, rest = column.partition("__")
    found = model._meta.get_field(first)
    if rest:
        assert isinstance(found.related_model, type)
        return _field(found.related_model, rest)
    assert isinstance(found, Field)
    return found
