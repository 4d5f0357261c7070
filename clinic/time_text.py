"""Times, lengths and zones as people say them. Every time shown names its zone.

How dates and clocks are written is a matter of language and country: `clinic.formats`.
"""

import re
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic import formats
from clinic.local_time import in_zone

NOON = time(12)
EVENING = time(17)
PARTIAL = re.compile(r"(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d))?)?")


def zone_name(zone: ZoneInfo) -> str:
    """`America/New_York` is "New York time"."""
    if zone.key in ("UTC", "Etc/UTC"):
        return "UTC"
    return _("%(place)s time") % {"place": formats.city(zone.key)}


def clock(moment: datetime) -> str:
    """9:20 AM; with its zone (1:30 AM EDT) in the hour that the clocks show twice."""
    shown = formats.clock(moment)
    return f"{shown} {moment.tzname()}" if _is_shown_twice(moment) else shown


def _is_shown_twice(moment: datetime) -> bool:
    """True if it lies in the night in which the clocks are put back, in the hour that comes again."""
    return moment.replace(fold=0).utcoffset() != moment.replace(fold=1).utcoffset()


def short_day(day: date) -> str:
    """Tue, Nov 24"""
    return formats.day(day, "MMMEd")


def short_day_of_year(day: date) -> str:
    """Tue, Nov 24, 2026"""
    return formats.day(day, "yMMMEd")


def long_day(day: date) -> str:
    """Tuesday, November 24"""
    return formats.day(day, "MMMMEEEEd")


def full_day(day: date) -> str:
    """Tuesday, November 24, 2026"""
    return formats.day(day, "full")


def plain_day(day: date) -> str:
    """November 24, 2026"""
    return formats.day(day, "long")


def moment(local: datetime) -> str:
    """November 24, 2026, 9:20 AM; local, as given."""
    return formats.day_and_clock(plain_day(local), clock(local))


def exact_moment(local: datetime) -> str:
    """November 24, 2026, 9:20:05 AM; local, as given."""
    return formats.day_and_clock(plain_day(local), formats.exact_clock(local))


def partial_day(written: str) -> str:
    """March 27, 1985, or as much of it as a FHIR date says; as written where it says something else."""
    parts = PARTIAL.fullmatch(written)
    if parts is None or not parts["month"]:
        return written
    day = date(int(parts["year"]), int(parts["month"]), int(parts["day"] or 1))
    return plain_day(day) if parts["day"] else month_and_year(day)


def month_and_year(day: date) -> str:
    """November 2026"""
    return formats.day(day, "yMMMM")


def short_month(day: date) -> str:
    """Nov"""
    return formats.day(day, "LLL")


def weekday(day: date) -> str:
    """Tuesday"""
    return formats.day(day, "cccc")


def short_weekday(day: date) -> str:
    """Tue"""
    return formats.day(day, "ccc")


def days(first: date, last: date) -> str:
    """Tue, Nov 24 – Mon, Nov 30"""
    return short_day(first) if first == last else formats.days(first, last)


def day_and_time(moment: datetime) -> str:
    """Tue, Nov 24, 9:20 AM; local, as given."""
    return formats.day_and_clock(short_day(moment), clock(moment))


def hours(start: datetime, end: datetime) -> str:
    """9:20 – 9:50 AM, and the day where it ends on another."""
    if end.date() != start.date():
        return formats.between(clock(start), day_and_time(end))
    if _is_shown_twice(start) or _is_shown_twice(end):
        return formats.between(clock(start), clock(end))
    return formats.clocks(start, end)


def when(start: datetime, end: datetime, zone: ZoneInfo, *, year: bool = False) -> str:
    """Tue, Nov 24, 9:20 – 9:50 AM (New York time); with the year where it may be another."""
    day = short_day_of_year(start) if year else short_day(start)
    return _of_zone(formats.day_and_clock(day, hours(start, end)), zone)


def in_full(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    """Tuesday, November 24, 2026, 9:20 – 9:50 AM (New York time); of instants, by the zone's clock."""
    local = in_zone(start, zone), in_zone(end, zone)
    return _of_zone(formats.day_and_clock(full_day(local[0]), hours(*local)), zone)


def in_short(start: datetime, zone: ZoneInfo) -> str:
    """Tue, Nov 24, 9:20 AM (New York time); of an instant, by the zone's clock."""
    return _of_zone(day_and_time(in_zone(start, zone)), zone)


def _of_zone(clock: str, zone: ZoneInfo) -> str:
    return _("%(time)s (%(zone)s)") % {"time": clock, "zone": zone_name(zone)}


def differ(moment: datetime, one: ZoneInfo, other: ZoneInfo) -> bool:
    """True if the clocks of two zones show different times then."""
    return in_zone(moment, one).utcoffset() != in_zone(moment, other).utcoffset()


def part_of_day(moment: datetime) -> str:
    """Morning until noon, afternoon until five."""
    if moment.time() < NOON:
        return _("Morning")
    return _("Afternoon") if moment.time() < EVENING else _("Evening")


def length(duration: timedelta) -> str:
    """30 minutes; 1 hour 15 minutes; 2 days: the largest whole units, at most two."""
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
    """How many, in words for the ear."""
    if count == 0:
        return _("no free times")
    return ngettext("%(count)d free time", "%(count)d free times", count) % {"count": count}
