"""Texts for times, days, durations and time zones in the active language.

The formats of language and country are in `clinic.formats`. Every time that people read must have its zone with it.
"""

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic import formats
from clinic.local_time import in_zone

NOON = time(12)
EVENING = time(17)
PARTS_OF_DAY = ("morning", "afternoon", "evening")
PARTIAL = re.compile(r"(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d))?)?")


def zone_name(zone: ZoneInfo) -> str:
    """Return the name of a zone, such as "New York time" for America/New_York."""
    if zone.key in ("UTC", "Etc/UTC"):
        return "UTC"
    return _("%(place)s time") % {"place": formats.city(zone.key)}


def clock(moment: datetime) -> str:
    """Return a time of day: 9:20 AM; with the zone (1:30 AM EDT) in the hour repeated when the clocks go back."""
    text = formats.clock(moment)
    return f"{text} {moment.tzname()}" if _is_repeated(moment) else text


def _is_repeated(moment: datetime) -> bool:
    """True if the local time is in the hour that is repeated when the clocks go back."""
    return moment.replace(fold=0).utcoffset() != moment.replace(fold=1).utcoffset()


def short_day(day: date) -> str:
    """Return a day: Tue, Nov 24."""
    return formats.day(day, "MMMEd")


def short_day_of_year(day: date) -> str:
    """Return a day with its year: Tue, Nov 24, 2026."""
    return formats.day(day, "yMMMEd")


def long_day(day: date) -> str:
    """Return a day in full: Tuesday, November 24."""
    return formats.day(day, "MMMMEEEEd")


def full_day(day: date) -> str:
    """Return a day in full with its year: Tuesday, November 24, 2026."""
    return formats.day(day, "full")


def plain_day(day: date) -> str:
    """Return a day without its weekday: November 24, 2026."""
    return formats.day(day, "long")


def moment(local: datetime) -> str:
    """Return a local date and time: November 24, 2026, 9:20 AM."""
    return formats.day_and_clock(plain_day(local), clock(local))


def exact_moment(local: datetime) -> str:
    """Return a local date and time with seconds: November 24, 2026, 9:20:05 AM."""
    return formats.day_and_clock(plain_day(local), formats.exact_clock(local))


def partial_day(fhir_date: str) -> str:
    """Return a FHIR date, which may be partial: March 27, 1985; other texts are returned unchanged."""
    parts = PARTIAL.fullmatch(fhir_date)
    if parts is None or not parts["month"]:
        return fhir_date
    day = date(int(parts["year"]), int(parts["month"]), int(parts["day"] or 1))
    return plain_day(day) if parts["day"] else month_and_year(day)


def month_and_year(day: date) -> str:
    """Return a month with its year: November 2026."""
    return formats.day(day, "yMMMM")


def short_month(day: date) -> str:
    """Return a short month: Nov."""
    return formats.day(day, "LLL")


def weekday(day: date) -> str:
    """Return a weekday: Tuesday."""
    return formats.day(day, "cccc")


def short_weekday(day: date) -> str:
    """Return a short weekday: Tue."""
    return formats.day(day, "ccc")


def days(first: date, last: date) -> str:
    """Return a range of days: Tue, Nov 24 – Mon, Nov 30; a single day if both are equal."""
    return short_day(first) if first == last else formats.days(first, last)


def day_and_time(moment: datetime) -> str:
    """Return a local day and time: Tue, Nov 24, 9:20 AM."""
    return formats.day_and_clock(short_day(moment), clock(moment))


def hours(start: datetime, end: datetime) -> str:
    """Return a range of local times: 9:20 – 9:50 AM; with the day of the end if it is another day."""
    if end.date() != start.date():
        return formats.between(clock(start), day_and_time(end))
    if _is_repeated(start) or _is_repeated(end):
        return formats.between(clock(start), clock(end))
    return formats.clocks(start, end)


def when(start: datetime, end: datetime, zone: ZoneInfo, *, year: bool = False) -> str:
    """Return a range of local times with day and zone: Tue, Nov 24, 9:20 – 9:50 AM (New York time).

    `year` adds the year.
    """
    day = short_day_of_year(start) if year else short_day(start)
    return _of_zone(formats.day_and_clock(day, hours(start, end)), zone)


def in_full(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    """Return a range of instants in a zone: Tuesday, November 24, 2026, 9:20 – 9:50 AM (New York time)."""
    local = in_zone(start, zone), in_zone(end, zone)
    return _of_zone(formats.day_and_clock(full_day(local[0]), hours(*local)), zone)


def in_short(start: datetime, zone: ZoneInfo) -> str:
    """Return an instant in a zone: Tue, Nov 24, 9:20 AM (New York time)."""
    return _of_zone(day_and_time(in_zone(start, zone)), zone)


def in_full_on_day(starts: Sequence[datetime], zone: ZoneInfo) -> str:
    """Return local times of one day: Tuesday, November 24, 2026, 9:20 AM and 11:00 AM (New York time)."""
    return _of_zone(formats.day_and_clock(full_day(starts[0]), formats.listed(map(clock, starts))), zone)


def in_short_on_day(starts: Sequence[datetime], zone: ZoneInfo) -> str:
    """Return local times of one day: Tue, Nov 24, 9:20 AM and 11:00 AM (New York time)."""
    return _of_zone(formats.day_and_clock(short_day(starts[0]), formats.listed(map(clock, starts))), zone)


def _of_zone(clock: str, zone: ZoneInfo) -> str:
    return _("%(time)s (%(zone)s)") % {"time": clock, "zone": zone_name(zone)}


def differ(moment: datetime, one: ZoneInfo, other: ZoneInfo) -> bool:
    """True if two zones have different local times at a moment."""
    return in_zone(moment, one).utcoffset() != in_zone(moment, other).utcoffset()


def part_code(moment: datetime) -> str:
    """Return the part of the day of a local time, one of PARTS_OF_DAY: the afternoon ends at five."""
    if moment.time() < NOON:
        return "morning"
    return "afternoon" if moment.time() < EVENING else "evening"


def part_of_day(moment: datetime) -> str:
    """Return Morning before noon, Afternoon before five, else Evening."""
    words = {"morning": _("Morning"), "afternoon": _("Afternoon"), "evening": _("Evening")}
    return words[part_code(moment)]


def length(duration: timedelta) -> str:
    """Return a duration in at most two units: 30 minutes; 1 hour 15 minutes; 2 days."""
    minutes = int(duration.total_seconds() // 60)
    if minutes > 24 * 60 and minutes % (24 * 60) == 0:
        days = minutes // (24 * 60)
        return ngettext("%(count)d day", "%(count)d days", days) % {"count": days}
    hour, minute = divmod(minutes, 60)
    parts = []
    if hour:
        parts.append(ngettext("%(count)d hour", "%(count)d hours", hour) % {"count": hour})
    if minute or not hour:
        parts.append(ngettext("%(count)d minute", "%(count)d minutes", minute) % {"count": minute})
    return " ".join(parts)


def free_times(count: int) -> str:
    """Return a number of free times as text for screen readers: 3 free times."""
    if count == 0:
        return _("no free times")
    return ngettext("%(count)d free time", "%(count)d free times", count) % {"count": count}
