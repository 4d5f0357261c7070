"""Previews of changed rules: the same search with rules that are not saved."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from clinic.models import HealthcareService
from scheduling.availability.free_times import TimeQuery, as_datetime, diaries_of, find_times
from scheduling.availability.offerings import Offering
from scheduling.availability.ways import ways_of
from scheduling.core import offers as core
from scheduling.core.hours import whole_days
from scheduling.core.intervals import Span
from scheduling.core.offers import Diary, Reason, Rules

DAYS = 28
NOT_OPEN = frozenset({Reason.OUTSIDE_HOURS, Reason.CLOSED, Reason.AWAY})


@dataclass(frozen=True, kw_only=True)
class HypotheticalService:
    """A service and its offerings under rules that may not be saved."""

    service: HealthcareService
    offerings: tuple[Offering, ...]


def compare(
    before: HypotheticalService, after: HypotheticalService, first: date, *, now: datetime
) -> dict[date, tuple[int, int]]:
    """The number of bookable times on each of `DAYS` days from `first`, before and after.

    A time counts once for each schedule that could serve it, on the day in that schedule's zone. Two statements,
    regardless of the number of schedules.
    """
    counts = [_count(each, first, now) for each in (before, after)]
    days = (first + timedelta(days=n) for n in range(DAYS))
    return {day: (counts[0][day], counts[1][day]) for day in days}


def stranded(
    before: HypotheticalService,
    after: HypotheticalService,
    visits: Sequence[tuple[int, Span]],
    first: date,
    *,
    now: datetime,
) -> list[bool]:
    """Return, for each visit (its schedule and time), True if it was within open hours before, and is not after.

    Only hours and closures count, for the visit's own length: grid and buffers are ignored.
    """
    start, end = _around(after.offerings, first)
    diaries = diaries_of(after.service, after.offerings, start, end, now=now, without=None)
    rules = [{each.schedule: each.rules for each in hypothetical.offerings} for hypothetical in (before, after)]
    verdicts = []
    for schedule, span in visits:
        open_before, open_after = (
            schedule in known and _is_open(replace(diaries[schedule], rules=known[schedule]), span) for known in rules
        )
        verdicts.append(open_before and not open_after)
    return verdicts


def was_open(offering: Offering, rules: Rules, span: Span) -> bool:
    """True if the span lies within the hours of these rules on the schedule, and not in a closure. One-off extra time
    does not count.
    """
    return _is_open(Diary(offering.schedule, offering.bookable, rules, offering.planned), span)


def _is_open(diary: Diary, span: Span) -> bool:
    start, end = span
    visit = replace(diary.rules, duration=end - start, buffer_before=0, buffer_after=0)
    return not NOT_OPEN & set(core.why_not(replace(diary, rules=visit), start))


def _count(hypothetical: HypotheticalService, first: date, now: datetime) -> Counter[date]:
    start, end = _around(hypothetical.offerings, first)
    query = TimeQuery(
        ways=ways_of(hypothetical.service, [(hypothetical.offerings,)] if hypothetical.offerings else []),
        start=as_datetime(start),
        end=as_datetime(end),
    )
    return Counter(
        as_datetime(time.start).astimezone(offering.zone).date()
        for time in find_times(query, now=now)
        for offering in time.choices[0]
    )


def _around(offerings: Iterable[Offering], first: date) -> Span:
    """The span of the days in all zones, plus one night: a window that opens on the last day may close on the next."""
    spans = [whole_days(first, first + timedelta(days=DAYS), each.zone) for each in offerings]
    return min((start for start, _ in spans), default=0), max((end for _, end in spans), default=0)
