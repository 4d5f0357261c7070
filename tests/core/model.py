"""Reference model of the engine, computed minute by minute: slow, and too simple to be wrong.

It shares only the types of the arguments with the engine. A span is the set of its minutes, and a local time becomes an
instant by reading the clock at every minute. Instants are minutes since 1970-01-01T00:00Z; the engine's seconds are
converted on the way in and out.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import product
from zoneinfo import ZoneInfo

from scheduling.core.offers import Diary, Offer, Taken
from scheduling.core.recurrence import LAST

MINUTE = 60
DAY = 1440  # minutes
# A window ends less than two days after its day begins, a visit with buffers lasts less than one.
AROUND = 4 * DAY


def minutes_of(spans) -> set[int]:
    """The minutes in spans of seconds, which all lie on whole minutes."""
    return {minute for start, end in spans for minute in range(start // MINUTE, end // MINUTE)}


def spans_of(minutes: set[int]) -> list[tuple[int, int]]:
    """The shortest list of spans, in seconds, of just these minutes."""
    starts = sorted(minute for minute in minutes if minute - 1 not in minutes)
    ends = sorted(minute + 1 for minute in minutes if minute + 1 not in minutes)
    return [(start * MINUTE, end * MINUTE) for start, end in zip(starts, ends, strict=True)]


class Clock:
    """The local times of a zone at every minute of some days."""

    def __init__(self, zone: ZoneInfo, first_day: int, last_day: int) -> None:
        self.shows: dict[int, datetime] = {}
        self.first_time: dict[datetime, int] = {}
        for minute in range(first_day * DAY, (last_day + 1) * DAY):
            wall = datetime.fromtimestamp(minute * MINUTE, zone).replace(tzinfo=None, fold=0)
            self.shows[minute] = wall
            self.first_time.setdefault(wall, minute)
        self.days = {wall.date() for wall in self.first_time}
        self.first_day, self.last_day = min(self.days), max(self.days)  # shown in part
        self.start, self.end = first_day * DAY, (last_day + 1) * DAY

    def when(self, day: date, wall: time) -> int:
        """The first minute whose clock shows this time; if skipped, counted on from the last minute before the gap.

        For days between the first and the last one.
        """
        assert self.first_day < day < self.last_day
        target = local_time = datetime.combine(day, wall)
        while local_time not in self.first_time:
            local_time -= timedelta(minutes=1)
        return self.first_time[local_time] + (target - local_time) // timedelta(minutes=1)


@lru_cache(maxsize=256)
def _clock(zone: ZoneInfo, first_day: int, last_day: int) -> Clock:
    return Clock(zone, first_day, last_day)


def clock(zone: ZoneInfo, first: int, last: int) -> Clock:
    """The clock of `zone` from some days before the minute `first` to some days after `last`."""
    first_day, last_day = (first - AROUND) // DAY, (last + AROUND) // DAY
    return _clock(zone, first_day - first_day % 8, last_day + 7 - last_day % 8)  # rounded, to compute few


def recurs(recurrence, day: date) -> bool:
    """True if the day counts, found by listing the same weekdays of its month, or all weeks from the first on."""
    if recurrence.nth:
        alike = [each for each in (day + timedelta(weeks=n) for n in range(-5, 6)) if each.month == day.month]
        return any(day == alike[-1 if number == LAST else number - 1] for number in recurrence.nth)
    monday = date.fromisocalendar(*day.isocalendar()[:2], 1)
    return (monday - date(1, 1, 1)).days in range(7 * recurrence.week, 10**6, 7 * recurrence.interval)


def open_minutes(hours, zone: ZoneInfo, first: int, last: int) -> set[int]:
    """The minutes of [first, last) at which one of the windows is open."""
    local = clock(zone, first, last)
    days = sorted(local.days)[1:-2]  # the last days are shown in part, with the morning after
    minutes: set[int] = set()
    for day in days:
        for window in hours:
            begun = window.first is None or window.first <= day
            over = window.last is not None and window.last < day
            if day.weekday() in window.weekdays and begun and not over and recurs(window.recurrence, day):
                same_day = window.opens < window.closes
                opens = local.when(day, window.opens)
                closes = local.when(day if same_day else day + timedelta(days=1), window.closes)
                minutes.update(range(opens, closes))
    return {minute for minute in minutes if first <= minute < last}


def moment(local: Clock, wall: datetime) -> int:
    """The minute at which the clock shows this; of a day that it skips, the first one of the next.

    The first or the last minute of the clock stands for all times before or after.
    """
    if wall.date() <= local.first_day:
        return local.start
    if wall.date() >= local.last_day:
        return local.end
    if wall.date() in local.days:
        return local.when(wall.date(), wall.time())
    return local.when(wall.date() + timedelta(days=1), time())


def closed_minutes(closed_times, zone: ZoneInfo, first: int, last: int) -> set[int]:
    """The minutes of [first, last) in a closed time, of each year of the clock if it is yearly."""
    local = clock(zone, first, last)
    years = range(local.first_day.year - 1, local.last_day.year + 1)  # a closed time may reach into the next year
    minutes: set[int] = set()
    for closed in closed_times:
        for year in years if closed.is_yearly else [closed.start.year]:
            start, end = (
                wall.replace(year=year + wall.year - closed.start.year) for wall in (closed.start, closed.end)
            )
            if year >= closed.start.year:
                minutes.update(range(moment(local, start), moment(local, end)))
    return {minute for minute in minutes if first <= minute < last}


def on_grid(grid, minute: int, local: Clock) -> bool:
    wall = local.shows[minute]
    return (wall.hour * 60 + wall.minute - grid.offset) % grid.interval == 0


def seats(diary: Diary) -> list[set[int]]:
    """Return the minutes at which each seat is taken."""
    taken: list[set[int]] = [set() for _ in range(diary.rules.capacity)]
    for seat, minutes in enumerate(taken):
        for each in diary.taken:
            if diary.rules.capacity == 1 or each.seat is None or each.seat == seat:
                minutes |= minutes_of([(each.start, each.end)])
    return taken


class Page:
    """The minutes of one diary within [first, last): open, closed, planned and taken ones."""

    def __init__(self, diary: Diary, first: int, last: int) -> None:
        rules = diary.rules
        self.diary = diary
        self.duration = rules.duration // MINUTE
        self.before, self.after = rules.buffer_before // MINUTE, rules.buffer_after // MINUTE
        first, last = first - self.before, last + self.duration + self.after
        self.local = clock(rules.grid.zone, first, last)
        self.hours = open_minutes(rules.hours, rules.zone, first, last) | minutes_of(diary.extra)
        self.closed = minutes_of(rules.closures) | closed_minutes(rules.closed_times, rules.zone, first, last)
        self.planned = minutes_of([diary.planned]) if diary.planned else None
        self.seats = seats(diary)

    def visit(self, minute: int) -> set[int]:
        return set(range(minute - self.before, minute + self.duration + self.after))

    def why_not(self, minute: int) -> set[str]:
        visit = self.visit(minute)
        reasons = set()
        if not on_grid(self.diary.rules.grid, minute, self.local):
            reasons.add("off-grid")
        if self.planned is not None and not visit <= self.planned:
            reasons.add("outside-planning-horizon")
        if not visit <= self.hours:
            reasons.add("outside-hours")
        elif visit & self.closed:
            reasons.add("closed")
        if not self.free_seats(minute):
            reasons.add("taken")
        return reasons

    def free_seats(self, minute: int) -> list[int]:
        visit = self.visit(minute)
        return [seat for seat, taken in enumerate(self.seats) if not visit & taken]

    def offers(self, minute: int) -> bool:
        if not on_grid(self.diary.rules.grid, minute, self.local):
            return False  # `why_not` says so too, but this check is faster
        return not self.why_not(minute)


def offers(pools, start: int, end: int) -> list[Offer]:
    """The offers found by trying every minute of the window with every choice of one diary from each pool."""
    first, last = -(-start // MINUTE), end // MINUTE
    if first >= last:
        return []
    pages = [[Page(diary, first, last) for diary in pool] for pool in pools]
    found = []
    for minute in range(first, last):
        serving = [[page for page in pool if page.offers(minute)] for pool in pages]
        for duration in sorted({page.duration for pool in serving for page in pool}):
            choices = [[page.diary for page in pool if page.duration == duration] for pool in serving]
            together = next((each for each in product(*choices) if _nobody_twice(each)), None)
            if together and minute + duration <= last:
                found.append(
                    Offer(
                        minute * MINUTE,
                        (minute + duration) * MINUTE,
                        tuple(diary.schedule for diary in together),
                        tuple(tuple(diary.schedule for diary in pool) for pool in choices),
                    )
                )
    return found


def _nobody_twice(diaries: tuple[Diary, ...]) -> bool:
    return len({diary.bookable for diary in diaries}) == len(diaries)


def book(pools, offer: Offer) -> None:
    """Write the visit into the diaries, and into all others of the same bookables."""
    diaries = {diary.schedule: diary for pool in pools for diary in pool}
    for schedule in offer.schedules:
        diary = diaries[schedule]
        minute = offer.start // MINUTE
        page = Page(diary, minute, minute + 1)
        seat = page.free_seats(minute)[0] if diary.rules.capacity > 1 else None
        visit = page.visit(minute)
        row = Taken(min(visit) * MINUTE, (max(visit) + 1) * MINUTE, seat)
        for each in diaries.values():
            if each.bookable == diary.bookable:
                each.taken.append(row)


def seconds(text: str) -> int:
    """The instant that an ISO 8601 text names, UTC unless it says otherwise."""
    at = datetime.fromisoformat(text)
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())
