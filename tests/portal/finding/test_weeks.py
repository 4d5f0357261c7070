"""The times of a day under its headings."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from portal.finding.times import Choice
from portal.finding.weeks import OpenDay

NEW_YORK, LOS_ANGELES = ZoneInfo("America/New_York"), ZoneInfo("America/Los_Angeles")


def choice(hour, zone, with_whom):
    start = datetime(2026, 11, 30, hour, tzinfo=zone)
    return Choice(start, start + timedelta(minutes=30), zone, with_whom, str(zone), "")


def parts(day):
    return [(part, [[each.with_whom for each in group] for group in groups]) for part, groups in day.parts]


def test_each_part_of_the_day_stands_once_though_its_sites_lie_in_two_zones():
    """Noon in New York comes before the morning in Los Angeles."""
    times = sorted(
        [choice(10, NEW_YORK, "Chen"), choice(13, NEW_YORK, "Chen"), choice(11, LOS_ANGELES, "Nguyen")],
        key=lambda each: each.start,
    )
    day = OpenDay(times[0].start.date(), tuple(times))
    assert parts(day) == [("Morning", [["Chen"], ["Nguyen"]]), ("Afternoon", [["Chen"]])]


def test_in_a_crowd_the_times_of_a_site_stand_together():
    times = choice(9, NEW_YORK, "Okafor"), choice(10, NEW_YORK, "Chen")
    day = OpenDay(times[0].start.date(), times, is_crowded=True)
    assert parts(day) == [("Morning", [["Okafor", "Chen"]])]
    assert day.groups == 1
