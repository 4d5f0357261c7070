"""Times as messages write them: in the language of the moment, dates in full, each with the zone of its clock."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils import dateformat
from django.utils.translation import gettext as _
from django.utils.translation import pgettext


def when(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    """Tuesday 24 November 2026, 09:20 to 09:50 (New York time)"""
    day = dateformat.format(start.astimezone(zone), pgettext("date format", "l j F Y"))
    return _("%(day)s, %(hours)s (%(zone)s)") % {"day": day, "hours": hours(start, end, zone), "zone": name(zone)}


def short(start: datetime, zone: ZoneInfo) -> str:
    """Tue 24 Nov, 09:20 (New York time)"""
    local = start.astimezone(zone)
    day = dateformat.format(local, pgettext("date format", "D j M"))
    return _("%(day)s, %(time)s (%(zone)s)") % {"day": day, "time": _clock(local), "zone": name(zone)}


def hours(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    """09:20 to 09:50"""
    return _("%(start)s to %(end)s") % {"start": _clock(start.astimezone(zone)), "end": _clock(end.astimezone(zone))}


def name(zone: ZoneInfo) -> str:
    """`America/New_York` is "New York time"."""
    if zone.key in ("UTC", "Etc/UTC"):
        return "UTC"
    return _("%(place)s time") % {"place": zone.key.rpartition("/")[2].replace("_", " ")}


def differ(moment: datetime, one: ZoneInfo, other: ZoneInfo) -> bool:
    """Whether the clocks of two zones show different times then."""
    return moment.astimezone(one).utcoffset() != moment.astimezone(other).utcoffset()


def _clock(moment: datetime) -> str:
    return dateformat.format(moment, pgettext("date format", "H:i"))
