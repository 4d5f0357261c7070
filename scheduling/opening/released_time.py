"""Kept time that is released: the waiting list and the subscribers learn of it, as of other time that comes free.

Nothing is written when kept time is released, since only the clock moves. So a worker compares what a schedule kept
when it last looked with what it keeps now.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from clinic.fhir.schedules import ZONE_OF_HOURS, zone_of_hours
from clinic.models import (
    Appointment,
    FreedTime,
    KeptTimeCheck,
    Schedule,
    ScheduleChange,
    Subscription,
)
from clinic.parking import Parking
from scheduling.availability import as_datetime, kept_times_of
from scheduling.core.intervals import Span, subtract
from scheduling.core.kept_time import KeptTime, next_release, still_kept
from scheduling.opening.kept import kept_by_schedule
from scheduling.visit_zone import zone_or_clinics

AHEAD = timedelta(days=92)  # how far released time is looked for

Kept = dict[int, list[dict[str, Any]]]  # the entries of the column `kept`, by the service's primary key


def note_released_time(*, now: datetime) -> None:
    """Note the time that is kept no longer, of each schedule once. A schedule that fails is set aside.

    Three statements at most while no time is released and none is kept anew.
    """
    kept, checks = kept_by_schedule(), _checks()
    due = [key for key in kept.keys() | checks.keys() if _is_due(kept.get(key, {}), checks.get(key, []), now)]
    if not due:
        return
    aside = Parking("note released time", Schedule, now=now)
    rows = Schedule.objects.filter(pk__in=due).exclude(pk__in=aside.waiting).order_by("pk")
    aside.process_each(
        rows.select_related("site").prefetch_related(*ZONE_OF_HOURS),
        lambda schedule: _compare(schedule, kept.get(schedule.pk, {}), now),
    )


def _checks() -> dict[int, list[KeptTimeCheck]]:
    found: dict[int, list[KeptTimeCheck]] = defaultdict(list)
    for check in KeptTimeCheck.objects.all():
        found[check.schedule_id].append(check)
    return found


def _is_due(kept: Kept, checks: Iterable[KeptTimeCheck], now: datetime) -> bool:
    """True if the schedule keeps other time than when it was checked, or some is released by now."""
    if any(check.next_release is not None and check.next_release <= now for check in checks):
        return True
    return kept != {check.service_id: check.kept for check in checks}


def _compare(schedule: Schedule, kept: Kept, now: datetime) -> None:
    """Note what the schedule keeps no longer, and what it keeps now for the next time."""
    zone = zone_or_clinics(zone_of_hours(schedule))
    checks = {each.service_id: each for each in KeptTimeCheck.objects.select_for_update().filter(schedule=schedule)}
    for service in sorted(kept.keys() | checks.keys()):
        check, entries = checks.get(service), kept.get(service, [])
        if check is not None:
            spans = _released(check, entries, zone, now)
            _tell_waiting_list(schedule, spans, now)
            if check.kept == entries:  # of another setting the database has told
                _tell_subscribers(schedule, spans)
        _remember(schedule, service, entries, zone, now)


def _released(check: KeptTimeCheck, entries: list[dict[str, Any]], zone: ZoneInfo, now: datetime) -> list[Span]:
    """The spans to come that were kept when the schedule was checked, and are not kept for the service now."""
    was, kept = kept_times_of(check.kept), kept_times_of(entries)
    start, end = _ahead(was, now)
    before = still_kept(was, zone, start, end, now=int(check.checked.timestamp()))
    return subtract(before, still_kept(kept, zone, start, end, now=int(now.timestamp())))


def _remember(schedule: Schedule, service: int, entries: list[dict[str, Any]], zone: ZoneInfo, now: datetime) -> None:
    if not entries:
        KeptTimeCheck.objects.filter(schedule=schedule, service=service).delete()
        return
    kept = kept_times_of(entries)
    moment = next_release(kept, zone, *_ahead(kept, now), now=int(now.timestamp()))
    values = {"kept": entries, "checked": now, "next_release": None if moment is None else as_datetime(moment)}
    KeptTimeCheck.objects.update_or_create(schedule=schedule, service_id=service, defaults=values)


def _ahead(kept: Iterable[KeptTime], now: datetime) -> Span:
    """The span in which released time is looked for: from `now` until `AHEAD` after the last time released by now."""
    longest = max((each.released_before for each in kept if each.released_before), default=timedelta(0))
    return int(now.timestamp()), int((now + AHEAD + longest).timestamp())


def _tell_waiting_list(schedule: Schedule, spans: Iterable[Span], now: datetime) -> None:
    if not Appointment.objects.filter(status=Appointment.Status.WAITLIST).exists():
        return
    FreedTime.objects.bulk_create(
        FreedTime(schedule=schedule, start=as_datetime(start), end=as_datetime(end), freed=now, due=now)
        for start, end in spans
    )


def _tell_subscribers(schedule: Schedule, spans: Iterable[Span]) -> None:
    if not Subscription.objects.filter(status=Subscription.Status.ACTIVE, deleted_at=None).exists():
        return
    ScheduleChange.objects.bulk_create(
        ScheduleChange(schedule=schedule.pk, start=as_datetime(start), end=as_datetime(end)) for start, end in spans
    )
