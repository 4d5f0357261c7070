"""Parking of rows that a background task fails on, so that one row never stops the task for the others.

Each failure is logged with the row's key and shown in the administration. The row is tried again after growing pauses;
its ParkedRow is deleted when an attempt succeeds.
"""

import logging
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Model, QuerySet

from clinic import database
from clinic.models import ParkedRow

logger = logging.getLogger(__name__)

FIRST_PAUSE = timedelta(minutes=1)  # four times as long after each further failure
LONGEST_PAUSE = timedelta(hours=6)
KEPT = timedelta(days=30)  # since the next attempt was due, as when the row itself has been deleted

T = TypeVar("T", bound=Model)


class Parking:
    """The parked rows of one task and one model, read with one query."""

    def __init__(self, task: str, model: type[Model], *, now: datetime) -> None:
        self._task, self._model, self._now = task, model, now
        rows = ParkedRow.objects.filter(task=task, kind=model.__name__).exclude(key="")
        self._again = {model._meta.pk.to_python(key): again for key, again in rows.values_list("key", "again")}

    @property
    def waiting(self) -> list[Any]:
        """The primary keys of the rows whose next attempt is not due yet."""
        return [key for key, again in self._again.items() if again > self._now]

    @property
    def due(self) -> list[Any]:
        """The primary keys of the parked rows whose next attempt is due."""
        return [key for key, again in self._again.items() if again <= self._now]

    def process_each(self, rows: Iterable[T], process: Callable[[T], object], *, writes: bool = True) -> int:
        """Call `process` with each row, in a savepoint of its own if it `writes`, and park the rows that fail.

        Return the number of successes.
        """
        succeeded = []
        for row in rows:
            key = row.pk
            try:
                with transaction.atomic() if writes else nullcontext():
                    process(row)
            except Exception as error:  # any failure of one row must not stop the others
                park(self._task, self._model.__name__, key, error, now=self._now)
                self._again[key] = self._now + FIRST_PAUSE
            else:
                succeeded.append(key)
        self.forget(succeeded)
        return len(succeeded)

    def process_together(self, rows: "QuerySet[T]", process: "Callable[[QuerySet[T]], object]") -> None:
        """Call `process` with all rows at once; if that fails, with each row alone, and park the rows that fail."""
        keys = list(rows.values_list("pk", flat=True)) if self._again else []
        try:
            with transaction.atomic():
                process(rows)
        except Exception:  # perhaps of one row
            self.process_each(rows, lambda row: process(rows.filter(pk=row.pk)))
        else:
            self.forget(keys)

    def claim(self, rows: "QuerySet[T]", take: Callable[[T], object]) -> T | None:
        """Lock the first of the rows that is neither parked nor locked by others, and call `take` to mark it.

        A row that cannot be marked is parked, and the next one is claimed. Call it in a transaction.
        """
        while True:
            unlocked = rows.exclude(pk__in=self.waiting).select_for_update(skip_locked=True, no_key=True, of=("self",))
            row: T | None = unlocked.first()
            if row is None or self.process_each([row], take):
                return row

    def forget(self, keys: Iterable[Any]) -> None:
        """Delete the ParkedRows of rows that succeeded."""
        if parked := [str(key) for key in keys if key in self._again]:
            ParkedRow.objects.filter(task=self._task, kind=self._model.__name__, key__in=parked).delete()


def park(task: str, kind: str, key: object, error: Exception, *, now: datetime) -> None:
    """Store that the task failed on this row, and log it.

    Only the class of the error is stored, since its text can quote the row. While PostgreSQL is away no row is to
    blame: the error is raised again.
    """
    if database.is_away(error):
        raise error
    error_name = type(error).__name__
    logger.error("%s: %s %s was set aside (%s)", task, kind, key, error_name, exc_info=error)
    row, is_new = ParkedRow.objects.get_or_create(
        task=task,
        kind=kind,
        key=str(key),
        defaults={"error": error_name, "since": now, "tried": now, "again": now + FIRST_PAUSE},
    )
    if not is_new:
        row.again = now + min(FIRST_PAUSE * 4 ** min(row.attempts, 10), LONGEST_PAUSE)
        row.attempts, row.error, row.tried = row.attempts + 1, error_name, now
        row.save()
