"""The queue and the lateness of a day, as the board and the patients' pages show them.

An arrived patient has a place in the queue of the practitioner. Once staff have said that the practitioner runs late,
each visit of the rest of the day begins later, as far as the time between visits does not make up for it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import ceil
from typing import NamedTuple
from zoneinfo import ZoneInfo

from clinic.local_time import in_zone
from clinic.models import Appointment, Delay, Slot
from scheduling.core.hours import whole_days
from scheduling.core.lateness import lateness_of

Status = Appointment.Status
OF_THE_DAY = (Status.BOOKED, Status.ARRIVED, Status.CHECKED_IN, Status.FULFILLED)
AHEAD = (Status.BOOKED, Status.ARRIVED)  # visits that can still begin late
ON_TIME = timedelta(0)
ABOUT = 5 * 60  # seconds: lateness is said in steps of them, and less is not worth saying


@dataclass(frozen=True, slots=True)
class Wait:
    """The place of an arrived patient in the queue, 1 if they are next, and how much later the visit begins."""

    place: int | None = None
    late: timedelta = ON_TIME

    @property
    def ahead(self) -> int:
        """The number of those who have arrived and are before the patient."""
        return (self.place or 1) - 1


NO_WAIT = Wait()


class TakenSlot(NamedTuple):
    """The time that a visit of the day takes of one bookable."""

    appointment: int
    bookable: int
    start: datetime
    end: datetime
    status: str


def waits_of(
    appointments: Iterable[Appointment], zone: ZoneInfo, delays: Mapping[int, Delay], *, now: datetime
) -> dict[int, Wait]:
    """Return the waits of these visits of today, by primary key, by the `delays_on` the day. One statement if somebody
    has arrived or runs late.

    The queue is in the order in which the visits should begin, not of arrival.
    """
    visits = [each for each in appointments if each.status in AHEAD]
    waiting = visits if delays else [each for each in visits if each.status == Status.ARRIVED]
    if not waiting:
        return {}
    slots = _slots_with(waiting, zone, now)
    late = {pk: max(lates) for pk, lates in _lateness(slots, delays).items()}
    places = _places(slots)
    waits = {each.pk: Wait(places.get(each.pk), late.get(each.pk, ON_TIME)) for each in waiting}
    return {pk: wait for pk, wait in waits.items() if wait != NO_WAIT}


def wait_of(appointment: Appointment, zone: ZoneInfo, *, now: datetime) -> Wait:
    """Return the wait of one visit. No statement for a visit of another day."""
    start, today = appointment.start, in_zone(now, zone).date()
    if start is None or in_zone(start, zone).date() != today or appointment.status not in AHEAD:
        return NO_WAIT
    return waits_of([appointment], zone, delays_on(today), now=now).get(appointment.pk, NO_WAIT)


def late_visits(delay: Delay, zone: ZoneInfo) -> dict[int, timedelta]:
    """Return how much later the visits of the day begin by this delay, by primary key: those still ahead that do."""
    slots = slots_of_day([delay.bookable_id], *bounds_of(delay.day, zone))
    late = {pk: max(lates) for pk, lates in _lateness(slots, {delay.bookable_id: delay}).items()}
    ahead = {slot.appointment for slot in slots if slot.status in AHEAD}
    return {pk: length for pk, length in late.items() if pk in ahead and length}


def delays_on(day: date, bookables: Collection[int] | None = None) -> dict[int, Delay]:
    """Return the delays that count on a day, by the primary keys of their bookables: all, or those of some."""
    rows = Delay.objects.filter(day=day, ended=None).select_related("bookable__practitioner")
    if bookables is not None:
        rows = rows.filter(bookable__in=bookables)
    return {delay.bookable_id: delay for delay in rows}


def bounds_of(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the first moment of a day in the zone, and that of the next day."""
    start, end = (datetime.fromtimestamp(second, UTC) for second in whole_days(day, day, zone))
    return start, end


def slots_of_day(bookables: Collection[int], start: datetime, end: datetime) -> list[TakenSlot]:
    """Return the time that visits of the day take of these bookables, in order."""
    rows = _TAKEN.filter(
        bookable__in=bookables, start__gte=start, start__lt=end, appointment__status__in=OF_THE_DAY
    ).order_by("start", "end")
    columns = rows.values_list("appointment", "bookable", "start", "end", "appointment__status")
    return [TakenSlot(*row) for row in columns]


_TAKEN = Slot.objects.filter(status=Slot.Status.BUSY, appointment__isnull=False, deleted_at=None)


def _slots_with(visits: Iterable[Appointment], zone: ZoneInfo, now: datetime) -> list[TakenSlot]:
    """The time of the day of everybody who comes to the practitioners of these visits."""
    of_practitioners = _TAKEN.filter(bookable__practitioner__isnull=False)
    own = of_practitioners.filter(appointment__in=[visit.pk for visit in visits]).order_by().values("bookable")
    return slots_of_day(own, *bounds_of(in_zone(now, zone).date(), zone))  # type: ignore[arg-type]  # a subquery


def _places(slots: Sequence[TakenSlot]) -> dict[int, int]:
    """The places of those who have arrived. The visits of a group begin together and have one place."""
    starts = defaultdict(set)
    arrived = [slot for slot in slots if slot.status == Status.ARRIVED]
    for slot in arrived:
        starts[slot.bookable].add(slot.start)
    places: dict[int, int] = {}
    for slot in arrived:
        place = 1 + sum(start < slot.start for start in starts[slot.bookable])
        places[slot.appointment] = max(place, places.get(slot.appointment, 1))
    return places


def _lateness(slots: Iterable[TakenSlot], delays: Mapping[int, Delay]) -> dict[int, list[timedelta]]:
    """The delays of each visit, one for each bookable that it takes and that runs late."""
    by_bookable = defaultdict(list)
    for slot in slots:
        if slot.bookable in delays:
            by_bookable[slot.bookable].append(slot)
    found = defaultdict(list)
    for bookable, taken in by_bookable.items():
        delay = delays[bookable]
        spans = sorted({(int(slot.start.timestamp()), int(slot.end.timestamp())) for slot in taken})
        lates = lateness_of(spans, late=delay.minutes * 60, since=int(delay.since.timestamp()))
        by_start = dict(zip((start for start, _end in spans), lates, strict=True))
        for slot in taken:
            found[slot.appointment].append(_about(by_start[int(slot.start.timestamp())]))
    return found


def _about(seconds: int) -> timedelta:
    """The lateness as people say it: 20 minutes for 17, none for 4."""
    return timedelta(seconds=ceil(seconds / ABOUT) * ABOUT) if seconds >= ABOUT else ON_TIME
