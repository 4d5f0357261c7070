"""Booking limits: the days, weeks and sessions in which no further visit may begin, by the visits that there are.

Those on new patients in a session are in new_patient_limits.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from clinic.country import clinic_zone
from clinic.models import Appointment, HealthcareService
from scheduling.availability.offerings import Offering
from scheduling.core.hours import DAY
from scheduling.core.limits import Limits, full_days, full_sessions, full_weeks
from scheduling.core.offers import Diary, sessions

UTC = ZoneInfo("UTC")
# Whole local weeks around a window, in any zone.
AROUND = 8 * DAY
# Every visit counts that takes or took its time; cancelled ones and holds that have expired do not.
COUNTED = ("pending", "booked", "arrived", "checked-in", "fulfilled", "noshow")
_VISITS = f"""
    SELECT slot.schedule_id, visit.service_id, floor(extract(epoch FROM visit.start))::bigint
    FROM clinic_slot slot JOIN clinic_appointment visit ON visit.id = slot.appointment_id
    WHERE slot.schedule_id = ANY(%(schedules)s)
        AND slot.start < to_timestamp(%(end)s) AND slot."end" > to_timestamp(%(start)s)
        AND slot.status IN ('busy', 'busy-tentative') AND slot.deleted_at IS NULL
        AND (slot.hold_expires_at IS NULL OR slot.hold_expires_at > %(now)s) AND visit.id <> %(without)s
    GROUP BY slot.schedule_id, visit.id
    UNION ALL
    SELECT NULL, service_id, floor(extract(epoch FROM start))::bigint
    FROM clinic_appointment
    WHERE service_id = ANY(%(services)s)
        AND start < to_timestamp(%(end)s) AND start >= to_timestamp(%(start)s)
        AND status IN {COUNTED} AND deleted_at IS NULL
        AND (hold_expires_at IS NULL OR hold_expires_at > %(now)s) AND id <> %(without)s
"""


def limits_of(service: HealthcareService) -> Limits:
    """The limits of a service on all its schedules together."""
    return Limits(service.total_day_limit, service.total_week_limit)


def are_limited(offerings: Iterable[Offering]) -> bool:
    """True if the visits on one of these schedules are counted."""
    return any(any(each.rules.limits + each.rules.schedule_limits) for each in offerings)


def fill_limits(
    diaries: Sequence[tuple[HealthcareService, dict[int, Diary]]],
    start: int,
    end: int,
    *,
    now: datetime,
    without: Appointment | None = None,
    series: Sequence[int] = (),
) -> None:
    """Write the days, weeks and sessions in [start, end) that are full into diaries by service and schedule.

    One query if there are limits, else none. The visit `without` does not count. The visits of a `series`, given by
    their starts, count for one another.
    """
    limited = [each for _, calendars in diaries for each in calendars.values() if _is_limited(each)]
    services = [service for service, _ in diaries if any(limits_of(service))]
    if not limited and not services:
        return
    on_schedule: dict[int, list[int]] = defaultdict(list)
    of_service: dict[int, list[int]] = defaultdict(list)
    on_schedule_of_service: dict[tuple[int, int], list[int]] = defaultdict(list)
    values: dict[str, Any] = {
        "schedules": list({each.schedule for each in limited}),
        "services": [service.pk for service in services],
        "start": start - AROUND,
        "end": end + AROUND,
        "now": now,
        "without": without.pk if without else 0,
    }
    zone = clinic_zone() if services else UTC
    with connection.cursor() as cursor:
        cursor.execute(_VISITS, values)
        for schedule, service, at in cursor.fetchall():
            if schedule is None:
                of_service[service].append(at)
            else:
                on_schedule[schedule].append(at)
                on_schedule_of_service[schedule, service].append(at)
    for service, calendars in diaries:
        for diary in calendars.values():
            rules, key = diary.rules, diary.schedule
            own = on_schedule_of_service[key, service.pk]
            if rules.limits.session is not None:
                diary.full_sessions += full_sessions(rules.limits.session, sessions(diary, start, end), own, series)
            for limits, starts, local in (
                (rules.limits, own, rules.zone),
                (rules.schedule_limits, on_schedule[key], rules.zone),
                (limits_of(service), of_service[service.pk], zone),
            ):
                diary.full_days += full_days(limits, starts, local, series)
                diary.full_weeks += full_weeks(limits, starts, local, series)


def _is_limited(diary: Diary) -> bool:
    """True if all visits of the service or of the schedule are counted, and not only those of new patients."""
    return any(diary.rules.limits._replace(new_in_session=None) + diary.rules.schedule_limits)
