"""The gaps of the calendars of a day or week, and who on the waiting list a gap suits, as staff see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from clinic.models import HealthcareService, Schedule
from clinic.translations import actor_name
from portal.appointments import waiting
from portal.staff.calendar.local_times import DAY, midnight
from portal.staff.calendar.selection import Selection
from portal.staff.waitlist.waits import REASONS, QueueRow, calls_of
from scheduling import availability, waitlist
from scheduling.access import Caller
from scheduling.waitlist import Candidate, Gap


@dataclass(frozen=True, slots=True)
class GapRow:
    """A gap of a calendar, in local time."""

    schedule: Schedule
    start: datetime
    end: datetime

    @property
    def name(self) -> str:
        return actor_name(self.schedule.bookable.actor)

    @property
    def gap(self) -> Gap:
        return Gap(self.schedule.bookable_id, self.start, self.end)


@dataclass(frozen=True, slots=True)
class CandidateRow:
    """Somebody who waits, with the time of the gap that they would take or the reason why they take none."""

    candidate: Candidate
    row: QueueRow
    zone: ZoneInfo

    @property
    def suits(self) -> bool:
        return self.candidate.fit is not None

    @property
    def reason(self) -> Any:
        return "" if self.candidate.reason is None else REASONS[self.candidate.reason]

    @property
    def start(self) -> datetime:
        return self.candidate.start.astimezone(self.zone)


@dataclass(frozen=True, slots=True)
class GapQueue:
    """The people who wait for a service, in order; nobody if no visit of it has a time in the gap."""

    service: HealthcareService
    rows: Sequence[CandidateRow]

    @property
    def order(self) -> Any:
        return HealthcareService.WaitlistOrder(self.service.waitlist_order).label

    @property
    def suited(self) -> list[CandidateRow]:
        return [row for row in self.rows if row.suits]

    @property
    def others(self) -> list[CandidateRow]:
        return [row for row in self.rows if not row.suits]


def read_gaps(selection: Selection, first: date, days: int, *, now: datetime) -> list[tuple[date, list[GapRow]]]:
    """Return the gaps of the selected calendars on each of the days, in order of time. A constant number of queries."""
    zone = selection.zone
    start, end = midnight(first, zone), midnight(first + days * DAY, zone)
    schedules = {each.pk: each for each in selection.shown}
    found = availability.gaps_of(availability.all_offerings_of(list(schedules)), start, end, now=now)
    rows = [
        GapRow(schedules[pk], _local(begins, zone), _local(ends, zone))
        for pk, spans in found.items()
        for begins, ends in spans
    ]
    rows.sort(key=lambda row: (row.start, row.name))
    every = [first + n * DAY for n in range(days)]
    return [(day, [row for row in rows if row.start.date() == day]) for day in every]


def read_candidates(caller: Caller, gap: Gap, zone: ZoneInfo, *, now: datetime) -> list[GapQueue]:
    """Return those who wait, by service, with who of them the gap suits."""
    found = waitlist.candidates(caller, gap, now=now)
    entries = [candidate.entry for of_service in found.values() for candidate in of_service]
    shown = {each.entry.pk: each for each in waiting.read_entries(entries, now=now)}
    calls = calls_of(entries, caller)
    return [
        GapQueue(
            service,
            [
                CandidateRow(each, QueueRow(each.place, shown[each.entry.pk], calls[each.entry.pk]), zone)
                for each in of_service
            ],
        )
        for service, of_service in found.items()
    ]


def _local(seconds: int, zone: ZoneInfo) -> datetime:
    return availability.as_datetime(seconds).astimezone(zone)
