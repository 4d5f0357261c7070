"""Counts of each day for the reports, computed from the rows of visits, taken time and messages.

A day is the local day of the site, or of the clinic for visits without one. The worker counts today and every day of
which a visit has changed since; a day that is over keeps the open time that it had.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import connection, transaction

from clinic.country import clinic_zone
from clinic.local_time import in_zone
from clinic.models import CountedDay, TimeFigures
from clinic.parking import Parking
from scheduling.cancellations import was_booked, was_late
from scheduling.core.hours import days_between
from scheduling.reports.time_use import ZONES_APART, count_time

FIGURES_LOCK = 9  # the first key of two; see the other advisory locks in scheduling.booking
DAYS_AT_ONCE = 31
OVERLAP = timedelta(minutes=15)  # a transaction that was open while the days were counted last

_ZONE = "coalesce(nullif(site.timezone, ''), %(zone)s)"
_DAY = f"(visit.start AT TIME ZONE {_ZONE})::date"
_CHANGED = f"""
    SELECT DISTINCT {_DAY} FROM clinic_appointment visit LEFT JOIN clinic_location site ON site.id = visit.site_id
    WHERE visit.last_updated >= %(since)s AND visit.start < %(until)s
"""
# A visit that moved has Slots of its former times: the last one counts.
_VISITS = f"""
    INSERT INTO clinic_visitfigures
        (day, site_id, service_id, practitioner_id, visits, done, missed, cancelled, late, confirmed, ahead,
         ahead_minutes, freed, filled)
    WITH freed AS (
        SELECT freed.appointment_id, bool_or(coalesce(offer.outcome = 'taken', false)) AS is_filled
        FROM clinic_freedtime freed LEFT JOIN clinic_waitlistoffer offer ON offer.freed_id = freed.id
        WHERE freed.was_booked GROUP BY 1
    )
    SELECT {_DAY}, visit.site_id, visit.service_id, taken.practitioner_id,
        count(*) FILTER (WHERE visit.status <> 'cancelled'),
        count(*) FILTER (WHERE visit.status = 'fulfilled'),
        count(*) FILTER (WHERE visit.status = 'noshow'),
        count(*) FILTER (WHERE visit.status = 'cancelled'),
        count(*) FILTER (WHERE {was_late("visit")}),
        count(*) FILTER (WHERE visit.status <> 'cancelled' AND visit.attendance_confirmed IS NOT NULL),
        count(*) FILTER (WHERE visit.status <> 'cancelled' AND visit.created <= visit.start),
        coalesce(sum(extract(epoch FROM visit.start - visit.created) / 60)
            FILTER (WHERE visit.status <> 'cancelled' AND visit.created <= visit.start), 0)::bigint,
        count(freed.appointment_id),
        count(*) FILTER (WHERE freed.is_filled)
    FROM clinic_appointment visit
    LEFT JOIN clinic_location site ON site.id = visit.site_id
    LEFT JOIN freed ON freed.appointment_id = visit.id
    LEFT JOIN LATERAL (
        SELECT bookable.practitioner_id FROM clinic_slot slot JOIN clinic_bookable bookable
            ON bookable.id = slot.bookable_id
        WHERE slot.appointment_id = visit.id AND bookable.practitioner_id IS NOT NULL
        ORDER BY slot.deleted_at DESC NULLS FIRST, slot.id DESC LIMIT 1
    ) taken ON true
    WHERE visit.start >= %(start)s AND visit.start < %(end)s AND {_DAY} BETWEEN %(first)s AND %(last)s
        AND visit.deleted_at IS NULL
        AND visit.status IN ('booked', 'arrived', 'checked-in', 'fulfilled', 'noshow', 'cancelled')
        AND (visit.status <> 'cancelled' OR {was_booked("visit")})
    GROUP BY 1, 2, 3, 4
"""
_MESSAGES = f"""
    INSERT INTO clinic_messagefigures (day, site_id, medium, event, sent, failed)
    SELECT (message.at AT TIME ZONE {_ZONE})::date, visit.site_id, message.medium, message.event,
        count(*) FILTER (WHERE message.was_sent), count(*) FILTER (WHERE NOT message.was_sent)
    FROM (
        SELECT sent AS at, true AS was_sent, appointment_id, medium, event FROM clinic_communication
        WHERE sent >= %(start)s AND sent < %(end)s AND status = 'completed'
        UNION ALL
        SELECT due, false, appointment_id, medium, event FROM clinic_communication
        WHERE due >= %(start)s AND due < %(end)s AND status = 'not-done' AND attempts > 0
    ) message
    LEFT JOIN clinic_appointment visit ON visit.id = message.appointment_id
    LEFT JOIN clinic_location site ON site.id = visit.site_id
    WHERE (message.at AT TIME ZONE {_ZONE})::date BETWEEN %(first)s AND %(last)s
    GROUP BY 1, 2, 3, 4
"""


def count_days(*, now: datetime) -> int:
    """Count the days whose figures are missing or no longer true, up to today. Returns their number.

    A stretch of days is one transaction, and the last day comes last: a run that was cut off is made up for by the
    next. It stops where another worker is at it.
    """
    today = in_zone(now, clinic_zone()).date()
    aside = Parking("count days", CountedDay, now=now)
    days = sorted((_days_to_count(today) | set(aside.due)) - set(aside.waiting))
    for first, last in _together(days):
        with transaction.atomic():
            if not _lock():
                break
            _count_stretch(first, last, aside, now, today=today)
    return len(days)


def _count_stretch(first: date, last: date, aside: Parking, now: datetime, *, today: date) -> None:
    """Count a stretch of days at once; if that fails, each day alone, and park the days that fail."""
    days = days_between(first, last)
    try:
        with transaction.atomic():
            _count(first, last, now, today=today)
    except Exception:  # perhaps of one day
        counted_days = [CountedDay(day=day) for day in days]
        aside.process_each(counted_days, lambda counted: _count(counted.day, counted.day, now, today=today))
    else:
        aside.forget(days)


def count_again(first: date, last: date, *, now: datetime, open_time: bool = False) -> None:
    """Count these days again, both included. With `open_time` that of days that are over is computed again too, from
    the hours of now.
    """
    today = in_zone(now, clinic_zone()).date()
    for begin, end in _together(days_between(first, min(last, today))):
        with transaction.atomic():
            _lock(waits=True)
            if open_time:
                TimeFigures.objects.filter(day__range=(begin, end)).delete()
            _count(begin, end, now, today=today)


def _lock(*, waits: bool = False) -> bool:
    with connection.cursor() as cursor:
        if waits:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [FIGURES_LOCK])
            return True
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, 0)", [FIGURES_LOCK])
        return bool(cursor.fetchone()[0])


def _days_to_count(today: date) -> set[date]:
    """The last day that was counted and all after it, and the days of visits that have changed since."""
    latest = CountedDay.objects.order_by("-day").first()
    since = datetime(1900, 1, 1, tzinfo=UTC) if latest is None else latest.computed - OVERLAP
    until = datetime.combine(today, time(), UTC) + ZONES_APART + timedelta(days=1)
    with connection.cursor() as cursor:
        cursor.execute(_CHANGED, {"zone": clinic_zone().key, "since": since, "until": until})
        changed = {day for (day,) in cursor.fetchall() if day <= today}
    first = min(changed, default=today) if latest is None else latest.day
    return changed | set(days_between(first, today))


def _together(days: Iterable[date]) -> Iterator[tuple[date, date]]:
    """The first and the last day of each stretch of days that follow one another, at most DAYS_AT_ONCE of them."""
    stretch: list[date] = []
    for day in days:
        if stretch and (day - stretch[-1] > timedelta(days=1) or len(stretch) == DAYS_AT_ONCE):
            yield stretch[0], stretch[-1]
            stretch = []
        stretch.append(day)
    if stretch:
        yield stretch[0], stretch[-1]


def _count(first: date, last: date, now: datetime, *, today: date) -> None:
    values: dict[str, Any] = {
        "zone": clinic_zone().key,
        "first": first,
        "last": last,
        "start": datetime.combine(first, time(), UTC) - ZONES_APART,
        "end": datetime.combine(last, time(), UTC) + ZONES_APART + timedelta(days=1),
    }
    with connection.cursor() as cursor:
        for table, figures in (("clinic_visitfigures", _VISITS), ("clinic_messagefigures", _MESSAGES)):
            cursor.execute(f"DELETE FROM {table} WHERE day BETWEEN %(first)s AND %(last)s", values)
            cursor.execute(figures, values)
    count_time(first, last, today=today)
    CountedDay.objects.bulk_create(
        [CountedDay(day=day, computed=now) for day in days_between(first, last)],
        update_conflicts=True,
        unique_fields=["day"],
        update_fields=["computed"],
    )
