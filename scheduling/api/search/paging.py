"""Pages that stay as they are while rows come and go: each starts after the last row of the one before it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.core import signing
from django.db.models import DateField, DateTimeField, F, Field, Model, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from scheduling.errors import Invalid

LAST: dict[type[Any], date] = {DateTimeField: datetime(9999, 12, 31, tzinfo=UTC), DateField: date(9999, 12, 31)}


@dataclass(frozen=True)
class Key:
    """A column to sort by. Rows without a value come last, or first where it is descending."""

    column: str
    descending: bool = False

    def beyond(self, value: Any) -> Q:
        return Q(**{f"{self.column}__{'lt' if self.descending else 'gt'}": value})


class Order:
    """An order in which no two rows are equal, and a cursor for each place in it.

    Cursors are signed: what comes back is what was given, and for the same order.
    """

    def __init__(self, model: type[Model], keys: Sequence[Key]) -> None:
        self._salt = f"fhir.page {model._meta.label} {keys}"
        self._fields = [_field(model, key.column) for key in keys]
        self._keys = [Key(f"sort_{n}", key.descending) for n, key in enumerate(keys)]
        self._columns = [key.column for key in keys]

    def sort(self, rows: "QuerySet[Any]") -> "QuerySet[Any]":
        expressions = zip(self._keys, self._columns, self._fields, strict=True)
        rows = rows.annotate(**{key.column: _never_null(column, field) for key, column, field in expressions})
        return rows.order_by(*(f"{'-' if key.descending else ''}{key.column}" for key in self._keys), "pk")

    def after(self, cursor: str) -> Q:
        """The rows beyond the place. Raises Invalid for a cursor that is none of ours."""
        try:
            *written, pk = signing.loads(cursor, salt=self._salt)
        except signing.BadSignature as error:
            raise Invalid(f"{cursor!r} is not the cursor of a page of this search.") from error
        values = [field.to_python(value) for field, value in zip(self._fields, written, strict=True)]
        condition = Q(pk__gt=pk)
        for key, value in reversed(list(zip(self._keys, values, strict=True))):
            condition = key.beyond(value) | (Q(**{key.column: value}) & condition)
        return condition

    def cursor(self, row: Any) -> str:
        place = [*(str(getattr(row, key.column)) for key in self._keys), row.pk]
        return signing.dumps(place, salt=self._salt)


def _field(model: type[Model], column: str) -> "Field[Any, Any]":
    field = model._meta.get_field(column)
    assert isinstance(field, Field)
    return field


def _never_null(column: str, field: "Field[Any, Any]") -> Any:
    return Coalesce(F(column), Value(LAST[type(field)], output_field=type(field)())) if field.null else F(column)
