"""Numbers of visits and shares of taken time by day: for a month, and for a week by person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Count, Max, Min, QuerySet
from django.db.models.functions import TruncDate

from clinic.models import OCCUPYING, Schedule, Slot
from portal.staff.calendar.days import opening_of
from portal.staff.calendar.entries import span_of, standing
from portal.staff.calendar.local_times import DAY, midnight
from portal.staff.calendar.selection import Selection
from scheduling import access
from scheduling.access import Caller
from scheduling.core.intervals import Span, intersect

# The seats of a group count as one. Time beyond midnight counts on its own day.
_TAKEN = """
    SELECT bookable_id, day::date,
        sum(extract(epoch FROM least("end", (day::timestamp + interval '1 day') AT TIME ZONE %(zone)s)
            - greatest(start, day::timestamp AT TIME ZONE %(zone)s)))::bigint
    FROM (
        SELECT DISTINCT bookable_id, start, "end" FROM clinic_slot
        WHERE bookable_id = ANY(%(bookables)s) AND "end" > %(start)s AND start < %(end)s
            AND status = ANY(%(occupying)s) AND deleted_at IS NULL
            AND (hold_expires_at IS NULL OR hold_expires_at > %(now)s)
    ) taken
    CROSS JOIN LATERAL generate_series(
        (start AT TIME ZONE %(zone)s)::date::timestamp,
        (("end" - interval '1 microsecond') AT TIME ZONE %(zone)s)::date::timestamp,
        interval '1 day'
    ) day
    GROUP BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Tally:
    """One day of one or several calendars: visits, opening, and `share`, the percentage of open time that is taken."""

    date: date
    visits: int
    is_open: bool
    share: int
    is_today: bool
    first: datetime | None = None
    last: datetime | None = None


class _Figures(NamedTuple):
    """The visits of one day in one zone, and the open and the taken seconds."""

    date: date
    visits: int
    open: int
    taken: int
    is_today: bool


@dataclass(frozen=True, slots=True)
class PersonsWeek:
    """The tallies of one calendar in a week."""

    schedule: Schedule
    name: str
    days: list[Tally]

    @property
    def visits(self) -> int:
        return sum(day.visits for day in self.days)


def read_tallies(caller: Caller, selection: Selection, first: date, days: int, *, now: datetime) -> list[Tally]:
    """Return the tallies of `days` days from `first` on, of all calendars together. Four queries for each zone."""
    by_zone = [_read_tallies(caller, part, first, days, now=now) for part in selection.by_zone]
    return [_tally_of(same_day) for same_day in zip(*by_zone, strict=True)]


def _tally_of(days: Sequence[_Figures]) -> Tally:
    visits, open_, taken = (sum(figures) for figures in zip(*(day[1:4] for day in days), strict=True))
    return _tally(days[0].date, visits, open_, taken, is_today=any(day.is_today for day in days))


def _read_tallies(caller: Caller, selection: Selection, first: date, days: int, *, now: datetime) -> list[_Figures]:
    zone, dates = selection.zone, [first + n * DAY for n in range(days)]
    start, end = _bounds(dates, zone)
    visits = {
        row["day"]: row["visits"]
        for row in _visits(caller, selection, start, end, now).annotate(visits=Count("appointment", distinct=True))
    }
    taken = _taken(selection, start, end, now)
    opening = opening_of(selection, start, end)
    today = now.astimezone(zone).date()
    return [
        _Figures(
            day,
            visits.get(day, 0),
            sum(_open_on(opening, day, zone).values()),
            sum(taken.get((each.bookable_id, day), 0) for each in selection.shown),
            day == today,
        )
        for day in dates
    ]


def read_week_by_person(
    caller: Caller, selection: Selection, monday: date, days: int, *, now: datetime
) -> list[PersonsWeek]:
    """Return the week of each calendar, by the days of its site. Four queries for each zone."""
    weeks = {
        week.schedule.pk: week
        for part in selection.by_zone
        for week in _read_week_by_person(caller, part, monday, days, now=now)
    }
    return [weeks[each.pk] for each in selection.shown]


def _read_week_by_person(
    caller: Caller, selection: Selection, monday: date, days: int, *, now: datetime
) -> list[PersonsWeek]:
    zone, dates = selection.zone, [monday + n * DAY for n in range(days)]
    start, end = _bounds(dates, zone)
    counted = (
        _visits(caller, selection, start, end, now)
        .values("bookable", "day")
        .annotate(visits=Count("appointment", distinct=True), first=Min("start"), last=Max("end"))
    )
    visits = {(row["bookable"], row["day"]): row for row in counted}
    taken = _taken(selection, start, end, now)
    opening = opening_of(selection, start, end)
    today = now.astimezone(zone).date()

    def tally(schedule: Schedule, day: date) -> Tally:
        key = schedule.bookable_id, day
        row = visits.get(key, {})
        open_ = _open_on({schedule.pk: opening[schedule.pk]}, day, zone)
        first, last = row.get("first"), row.get("last")
        return _tally(
            day,
            row.get("visits", 0),
            sum(open_.values()),
            taken.get(key, 0),
            is_today=day == today,
            first=first.astimezone(zone) if first else None,
            last=last.astimezone(zone) if last else None,
        )

    return [PersonsWeek(each, selection.name_of(each), [tally(each, day) for day in dates]) for each in selection.shown]


def _bounds(dates: Sequence[date], zone: ZoneInfo) -> tuple[datetime, datetime]:
    return midnight(dates[0], zone), midnight(dates[-1] + DAY, zone)


def _tally(
    day: date,
    visits: int,
    open_: int,
    taken: int,
    *,
    is_today: bool,
    first: datetime | None = None,
    last: datetime | None = None,
) -> Tally:
    share = round(100 * min(taken / open_, 1)) if open_ else 0
    return Tally(day, visits, bool(open_), share, is_today, first, last)


def _visits(caller: Caller, selection: Selection, start: datetime, end: datetime, now: datetime) -> QuerySet[Any, Any]:
    """Return the Slots of visits, grouped by the day on which they begin."""
    rows = access.visible(Slot, caller).filter(
        standing(now),
        bookable__in=selection.bookables,
        appointment__isnull=False,
        status__in=[Slot.Status.BUSY, Slot.Status.BUSY_TENTATIVE],
        deleted_at=None,
        start__lt=end,
        end__gt=start,
    )
    return rows.order_by().annotate(day=TruncDate("start", tzinfo=selection.zone)).values("day")


def _taken(selection: Selection, start: datetime, end: datetime, now: datetime) -> dict[tuple[int, date], int]:
    """Return the taken seconds of each bookable on each day, including what the caller may not see."""
    with connection.cursor() as cursor:
        cursor.execute(
            _TAKEN,
            {
                "zone": selection.zone.key,
                "bookables": selection.bookables,
                "start": start,
                "end": end,
                "occupying": list(OCCUPYING),
                "now": now,
            },
        )
        return {(bookable, day): seconds for bookable, day, seconds in cursor.fetchall()}


def _open_on(opening: Mapping[int, list[Span]], day: date, zone: ZoneInfo) -> dict[int, int]:
    within = [span_of(midnight(day, zone), midnight(day + DAY, zone))]
    return {pk: sum(end - start for start, end in intersect(spans, within)) for pk, spans in opening.items()}
