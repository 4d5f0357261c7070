"""Earlier times of a visit, read from its past versions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from clinic import time_text
from clinic.models import Appointment, Location, PastVersion
from clinic.zones import zone_named
from scheduling.participants import names_of_kind


@dataclass(frozen=True, slots=True)
class RecordedMove:
    """A visit's time before and after a move, each in its site's zone, with the practitioner if that changed."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class _Version:
    written: datetime
    start: datetime | None
    site: int | None
    with_whom: str


def moves_of(appointment: Appointment, zone: ZoneInfo) -> dict[datetime, RecordedMove]:
    """Return the moves of an appointment by the time they were saved. `zone` is for versions without a site.

    At most two queries.
    """
    rows = PastVersion.objects.filter(resource_type=Appointment.RESOURCE_TYPE, row_id=appointment.pk)
    versions = [_read(past.row) for past in rows.order_by("version")]
    versions.append(
        _Version(appointment.last_updated, appointment.start, appointment.site_id, _people(appointment.participant))
    )
    moved = [(old, new) for old, new in pairwise(versions) if old.start and new.start and old.start != new.start]
    zones = _zones(version.site for pair in moved for version in pair)
    return {new.written: _move(old, new, zones, zone) for old, new in moved}


def _read(row: Mapping[str, Any]) -> _Version:
    start = datetime.fromisoformat(row["start"]) if row["start"] else None
    return _Version(datetime.fromisoformat(row["last_updated"]), start, row["site_id"], _people(row["participant"]))


def _people(participants: Iterable[Mapping[str, Any]]) -> str:
    return ", ".join(names_of_kind(participants, "Practitioner"))


def _zones(sites: Iterable[int | None]) -> dict[int, ZoneInfo]:
    site_ids = {site for site in sites if site is not None}
    rows = Location.objects.filter(pk__in=site_ids).exclude(timezone="") if site_ids else Location.objects.none()
    return {pk: zone_named(timezone) for pk, timezone in rows.values_list("pk", "timezone")}


def _move(old: _Version, new: _Version, zones: Mapping[int, ZoneInfo], zone: ZoneInfo) -> RecordedMove:
    names = (old.with_whom, new.with_whom) if old.with_whom != new.with_whom else ("", "")
    before, after = (
        _time(version, zones.get(version.site or 0, zone), name)
        for version, name in zip((old, new), names, strict=True)
    )
    return RecordedMove(before, after)


def _time(version: _Version, zone: ZoneInfo, name: str) -> str:
    assert version.start is not None  # moves_of leaves out versions without a start
    return ", ".join(filter(None, (time_text.day_and_time(version.start.astimezone(zone)), name)))
