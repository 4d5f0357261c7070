"""Calendar files as ical.js reads them, which Thunderbird and many web calendars do; Outlook needs the same rules."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar

from bootstrap import node_path
from clinic.models import Appointment
from scheduling import notifications

HALF_AN_HOUR = timedelta(minutes=30)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ZONES = [
    "America/New_York",
    "America/Santiago",
    "America/Phoenix",
    "America/Nuuk",
    "Europe/Dublin",
    "Europe/Madrid",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Asia/Jerusalem",
    "Asia/Kolkata",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Pacific/Apia",
]
ONE_RULE_EACH = {"America/New_York", "Europe/Madrid", "Australia/Lord_Howe", "Pacific/Chatham"}
ONE_OFFSET = {"America/Phoenix", "Asia/Kolkata", "Pacific/Apia"}


def starts(zone: ZoneInfo) -> list[datetime]:
    """Ten in the morning each fifth day of two years, and each half hour of the days in which clocks change."""
    first = datetime(2026, 3, 1, 10, tzinfo=zone)
    days = [first + timedelta(days=day) for day in range(730)]
    changes = [day for day, later in pairwise(days) if day.utcoffset() != later.utcoffset()]
    halves = [each.astimezone(UTC) + n * HALF_AN_HOUR for each in changes for n in range(50)]
    return [*(day.astimezone(UTC) for day in days[::5]), *halves]


def file_of(zone: ZoneInfo, moments: list[datetime]) -> str:
    visits = [
        Appointment(pk=n, fhir_id=f"visit-{n}", status="booked", start=start, end=start + HALF_AN_HOUR)
        for n, start in enumerate(moments)
    ]
    return notifications.calendar_of(visits, now=NOW, zones=dict.fromkeys(range(len(visits)), zone)).decode()


def read(files: list[str]) -> list[list[list[str]]]:
    program = node_path()
    assert program, "ical.js needs Node: python3 bootstrap.py setup"
    script = Path(__file__).parent / "ical.mjs"
    ended = subprocess.run([program, script], input=json.dumps(files), capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    found: list[list[list[str]]] = json.loads(ended.stdout)
    return found


def written(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"


def test_it_reads_the_instants_of_each_zone_around_each_change():
    moments = {name: starts(ZoneInfo(name)) for name in ZONES}
    for (name, own), found in zip(
        moments.items(), read([file_of(ZoneInfo(name), own) for name, own in moments.items()]), strict=True
    ):
        wrong = [
            (written(start), got)
            for start, got in zip(own, found, strict=True)
            if got != [written(start), written(start + HALF_AN_HOUR)]
        ]
        assert not wrong[:3], name


def test_it_reads_ten_in_new_york_in_march_as_two_in_greenwich():
    ten = datetime(2027, 3, 24, 10, tzinfo=ZoneInfo("America/New_York"))
    assert read([file_of(ten.tzinfo, [ten])]) == [[["2027-03-24T14:00:00.000Z", "2027-03-24T14:30:00.000Z"]]]


@pytest.mark.parametrize("name", ZONES)
def test_a_zone_is_written_by_rules_and_for_no_more_than_the_events_need(name):
    zone = ZoneInfo(name)
    [component] = Calendar.from_ical(file_of(zone, [datetime(2026, 7, 1, tzinfo=UTC)])).walk("VTIMEZONE")
    parts = component.subcomponents
    assert component["TZID"] == name
    assert not [part for part in parts if "RDATE" in part]
    if name in ONE_RULE_EACH:
        assert sorted(part.name for part in parts) == ["DAYLIGHT", "STANDARD"]
        assert all(part["RRULE"]["FREQ"] == ["YEARLY"] for part in parts)
    if name in ONE_OFFSET:
        assert [part.name for part in parts] == ["STANDARD"]
        assert "RRULE" not in parts[0]
    assert len(parts) <= 7
