"""A month of free times, as a calendar sheet."""

from calendar import monthrange
from datetime import date, datetime

from clinic import formats
from portal.finding.times import DAY, Menu
from portal.finding.weeks import (
    DayCount,
    FreeDays,
    count_days,
    find_days,
    first_few,
    horizon,
    last_day,
    next_after,
    open_day,
    outside_of,
    today_of,
    within,
)


class Month(FreeDays):
    """The days of a month from today on."""

    @property
    def rows(self) -> list[list[DayCount | None]]:
        """The days in weeks, which start on the country's first weekday; None fills up the first and last week."""
        before = (self.first.weekday() - formats.first_weekday()) % 7
        cells: list[DayCount | None] = [None] * before + list(self.days)
        cells += [None] * (-len(cells) % 7)
        return [cells[at : at + 7] for at in range(0, len(cells), 7)]

    @property
    def weekdays(self) -> list[date]:
        """Seven days, for the headings of the columns."""
        monday = date(2026, 1, 5)
        return [monday + (formats.first_weekday() + n) * DAY for n in range(7)]


def read_month(menu: Menu, month: date, day: date | None, *, now: datetime) -> Month:
    """Return the month of a day, from today on. For the current month, one search for free times.

    At the end of the month the search reaches a week ahead, so that it finds the next times.
    """
    today = today_of(menu, now)
    month = day if day and (day.year, day.month) != (month.year, month.month) else month
    length = monthrange(month.year, month.month)[1]
    outside = outside_of(menu, day, 1, today) or outside_of(menu, month.replace(day=1), length, today)
    first = within(menu, month, today)
    begins = first.replace(day=1)
    ends = first.replace(day=monthrange(first.year, first.month)[1])
    first = max(begins, today)
    found = find_days(menu, first, max((ends - first).days + 1, 7), now=now)
    first_available = first_few(menu, found, first, today, now=now)
    found = {day: times for day, times in found.items() if day <= ends}
    following = ends + DAY
    return Month(
        days=count_days(menu, found, today),
        opened=open_day(menu, found, day, now=now),
        previous=(begins - DAY).replace(day=1) if begins > today else None,
        following=following if following <= last_day(menu, today) else None,
        first_available=first_available,
        next_free=None if any(found.values()) else next_after(menu, following, first_available, now=now),
        until=horizon(menu, now),
        outside=outside,
    )
