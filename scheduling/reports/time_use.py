"""Counts of each day for the reports: how long each schedule was open, and how much of that visits took."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Q

from clinic.models import Schedule, Slot, TimeFigures
from scheduling.availability.free_times import open_spans
from scheduling.availability.offerings import all_offerings_of
from scheduling.core.hours import days_between, whole_days
from scheduling.core.intervals import Span, clip, merge, subtract

ZONES_APART = timedelta(hours=15)  # the furthest from UTC that a zone has been
ROWS_AT_ONCE = 2000
MINUTE = 60


def count_time(first: date, last: date, *, today: date) -> None:
    """Count the open and the used time of all schedules on these days, both included, by the days of their zones.

    The open time of a day that is over stays as it was counted: the hours of now may be other ones.
    """
    offerings = all_offerings_of(list(Schedule.objects.filter(deleted_at=None).values_list("pk", flat=True)))
    start = datetime.combine(first, time(), UTC) - ZONES_APART
    end = datetime.combine(last, time(), UTC) + ZONES_APART + timedelta(days=1)
    opened = open_spans(offerings, start, end)
    used, blocked = _taken({each.bookable for each in offerings}, start, end)
    rows = []
    for schedule, bookable, zone in {(each.schedule, each.bookable, each.zone) for each in offerings}:
        free, taken = subtract(opened[schedule], merge(blocked[bookable])), merge(used[schedule])
        for day in days_between(first, last):
            span = whole_days(day, day, zone)
            row = TimeFigures(day=day, schedule_id=schedule)
            row.open_minutes, row.used_minutes = _minutes(free, span), _minutes(taken, span)
            rows += [row] if row.open_minutes or row.used_minutes else []
    counted = TimeFigures.objects.filter(day__range=(first, last))
    counted.filter(day__gte=today).delete()
    counted.update(used_minutes=0)
    _write([row for row in rows if row.day < today], ["used_minutes"])
    _write([row for row in rows if row.day >= today], ["open_minutes", "used_minutes"])


def _taken(
    bookables: Collection[int], start: datetime, end: datetime
) -> tuple[defaultdict[int, list[Span]], defaultdict[int, list[Span]]]:
    """The time of bookables that visits take in [start, end), by schedule, and that is blocked, by bookable."""
    used: defaultdict[int, list[Span]] = defaultdict(list)
    blocked: defaultdict[int, list[Span]] = defaultdict(list)
    slots = Slot.objects.filter(
        Q(status=Slot.Status.BUSY, appointment__isnull=False)
        | Q(status=Slot.Status.BUSY_UNAVAILABLE, appointment__isnull=True),
        bookable__in=bookables,
        start__lt=end,
        end__gt=start,
        deleted_at=None,
    )
    for slot in slots.only("schedule", "bookable", "appointment", "start", "end").iterator():
        span = int(slot.start.timestamp()), int(slot.end.timestamp())
        if slot.appointment_id is None:
            blocked[slot.bookable_id].append(span)
        else:
            used[slot.schedule_id].append(span)
    return used, blocked


def _minutes(spans: Sequence[Span], day: Span) -> int:
    return sum(end - start for start, end in clip(spans, *day)) // MINUTE


def _write(rows: list[TimeFigures], columns: list[str]) -> None:
    TimeFigures.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["day", "schedule"],
        update_fields=columns,
        batch_size=ROWS_AT_ONCE,
    )
