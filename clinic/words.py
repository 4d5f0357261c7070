"""Times, lengths and zones as people say them. Every time shown names its zone.

The order of day and month is a matter of language: the formats are translated, the names in them are Django's.
"""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils import dateformat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

NOON = time(12)
EVENING = time(17)


def zone_name(zone: ZoneInfo) -> str:
    """`America/New_York` is "New York time"."""
    if zone.key in ("UTC", "Etc/UTC"):
        return "UTC"
    return _("%(place)s time") % {"place": zone.key.rpartition("/")[2].replace("_", " ")}


def clock(moment: datetime) -> str:
    """09:20; with its zone (01:30 EDT) in the hour that the clocks show twice."""
    shown = dateformat.format(moment, pgettext("date format", "H:i"))
    return f"{shown} {moment.tzname()}" if _is_shown_twice(moment) else shown


def _is_shown_twice(moment: datetime) -> bool:
    """Whether it lies in the night in which the clocks are put back, in the hour that comes again."""
    return moment.replace(fold=0).utcoffset() != moment.replace(fold=1).utcoffset()


def short_day(day: date) -> str:
    """Tue 24 Nov"""
    return dateformat.format(day, pgettext("date format", "D j M"))


def short_day_of_year(day: date) -> str:
    """Tue 24 Nov 2026"""
    return dateformat.format(day, pgettext("date format", "D j M Y"))


def long_day(day: date) -> str:
    """Tuesday 24 November"""
    return dateformat.format(day, pgettext("date format", "l j F"))


def full_day(day: date) -> str:
    """Tuesday 24 November 2026"""
    return dateformat.format(day, pgettext("date format", "l j F Y"))


def day_and_time(moment: datetime) -> str:
    """Tue 24 Nov, 09:20; local, as given."""
    return _("%(day)s, %(time)s") % {"day": short_day(moment), "time": clock(moment)}


def hours(start: datetime, end: datetime) -> str:
    """09:20 to 09:50, and the day where it ends on another."""
    last = clock(end) if end.date() == start.date() else day_and_time(end)
    return _("%(start)s to %(end)s") % {"start": clock(start), "end": last}


def when(start: datetime, end: datetime, zone: ZoneInfo, *, year: bool = False) -> str:
    """Tue 24 Nov, 09:20 to 09:50 (New York time); with the year where it may be another."""
    day = short_day_of_year(start) if year else short_day(start)
    return _("%(day)s, %(hours)s (%(zone)s)") % {"day": day, "hours": hours(start, end), "zone": zone_name(zone)}


def in_full(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    """Tuesday 24 November 2026, 09:20 to 09:50 (New York time); of instants, by the zone's clock."""
    local = start.astimezone(zone), end.astimezone(zone)
    day = full_day(local[0])
    return _("%(day)s, %(hours)s (%(zone)s)") % {"day": day, "hours": hours(*local), "zone": zone_name(zone)}


def in_short(start: datetime, zone: ZoneInfo) -> str:
    """Tue 24 Nov, 09:20 (New York time); of an instant, by the zone's clock."""
    local = start.astimezone(zone)
    parts = {"day": short_day(local), "time": clock(local), "zone": zone_name(zone)}
    return _("%(day)s, %(time)s (%(zone)s)") % parts


def differ(moment: datetime, one: ZoneInfo, other: ZoneInfo) -> bool:
    """Whether the clocks of two zones show different times then."""
    return moment.astimezone(one).utcoffset() != moment.astimezone(other).utcoffset()


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
