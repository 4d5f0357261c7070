"""Setting aside the rows that a background task fails on, so that one never stops the others.

Each failure is logged with the row's key and shown in Administration. The row is tried again after longer and longer,
and forgotten here once it goes well.
"""

import logging
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Model

from clinic.models import ParkedRow

logger = logging.getLogger(__name__)

FIRST_PAUSE = timedelta(minutes=1)  # then four times as long after each try, up to
LONGEST_PAUSE = timedelta(hours=6)
KEPT = timedelta(days=30)  # without another try, as when the row itself is gone

T = TypeVar("T", bound=Model)


class Parking:
    """The rows of one model that one task has failed on: one query."""

    def __init__(self, task: str, model: type[Model], *, now: datetime) -> None:
        self._task, self._model, self._now = task, model, now
        rows = ParkedRow.objects.filter(task=task, kind=model.__name__).exclude(key="")
        self._again = {model._meta.pk.to_python(key): again for key, again in rows.values_list("key", "again")}

    @property
    def waiting(self) -> list[Any]:
        """The primary keys of those that are left alone for now."""
        return [key for key, again in self._again.items() if again > self._now]

    def process_each(self, rows: Iterable[T], deal: Callable[[T], object], *, writes: bool = True) -> int:
        """Deal with each row, in a savepoint of its own where that `writes`, and park those that fail.

        Return how many went well.
        """
        went_well = []
        for row in list(rows):
            key = row.pk
            try:
                with transaction.atomic() if writes else nullcontext():
                    deal(row)
            except Exception as error:  # whatever is wrong with one row is no other row's business
                park(self._task, self._model.__name__, key, error, now=self._now)
                self._again[key] = self._now + FIRST_PAUSE
            else:
                went_well.append(key)
        self.forget(went_well)
        return len(went_well)

    def forget(self, keys: Iterable[Any]) -> None:
        """These went well."""
        if mended := [str(key) for key in keys if key in self._again]:
            ParkedRow.objects.filter(task=self._task, kind=self._model.__name__, key__in=mended).delete()


def park(task: str, kind: str, key: object, error: Exception, *, now: datetime) -> None:
    """Write down that the task failed on this row, and log it. The error's own text can quote the row: it is logged."""
    logger.error("%s: %s %s was set aside (%s)", task, kind, key, type(error).__name__, exc_info=error)
    said = type(error).__name__
    row, is_new = ParkedRow.objects.get_or_create(
        task=task,
        kind=kind,
        key=str(key),
        defaults={"error": said, "since": now, "tried": now, "again": now + FIRST_PAUSE},
    )
    if not is_new:
        row.again = now + min(FIRST_PAUSE * 4 ** min(row.attempts, 10), LONGEST_PAUSE)
        row.attempts, row.error, row.tried = row.attempts + 1, said, now
        row.save()
