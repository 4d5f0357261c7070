"""Figures of the outbox: the messages of each medium that are due and not sent, and those that failed."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Count, Min

from clinic.models import Communication

DAY = timedelta(days=1)


class OutboxFigures(NamedTuple):
    """A medium, how many of its messages are due, how long the oldest has been, and how many failed in the last day."""

    medium: str
    due: int
    oldest: timedelta
    failed: int

    @property
    def minutes(self) -> int:
        return self.oldest // timedelta(minutes=1)


def outbox_figures(*, now: datetime) -> Iterator[OutboxFigures]:
    """Yield the figures of each medium that has messages due or failed."""
    messages = Communication.objects.filter(deleted_at=None, due__lte=now).order_by().values_list("medium")
    unsent = messages.filter(status__in=["preparation", "in-progress"]).annotate(number=Count("pk"), first=Min("due"))
    due = {medium: (number, now - first) for medium, number, first in unsent}
    lost = messages.filter(status="not-done", attempts__gt=0, due__gte=now - DAY).annotate(number=Count("pk"))
    failed = dict(lost)
    for medium in sorted({*due, *failed}):
        yield OutboxFigures(medium, *due.get(medium, (0, timedelta(0))), failed.get(medium, 0))
