"""Earlier times of a visit, read from its past versions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from clinic import time_text
from clinic.models import Appointment, HealthcareService, Location, PastVersion
from clinic.translations import text_of
from clinic.zones import zone_named
from scheduling.participants import names_of_kind


@dataclass(frozen=True, slots=True)
class RecordedMove:
    """A visit's time before and after a move, each in its site's zone, with the service and the practitioner if they
    changed.
    """

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class _Version:
    written: datetime
    start: datetime | None
    site: int | None
    service: int | None
    with_whom: str


def moves_of(appointment: Appointment, zone: ZoneInfo) -> dict[datetime, RecordedMove]:
    """Return the moves of an appointment by the time they were saved. `zone` is for versions without a site.

    At most three queries.
    """
    rows = PastVersion.objects.filter(resource_type=Appointment.RESOURCE_TYPE, row_id=appointment.pk)
    versions = [_read(past.row) for past in rows.order_by("version")]
    versions.append(
        _Version(
            appointment.last_updated,
            appointment.start,
            appointment.site_id,
            appointment.service_id,
            _people(appointment.participant),
        )
    )
    moved = [(old, new) for old, new in pairwise(versions) if old.start and new.start and _is_moved(old, new)]
    zones = _zones(version.site for pair in moved for version in pair)
    services = _services(version.service for old, new in moved if old.service != new.service for version in (old, new))
    return {new.written: _move(old, new, zones, services, zone) for old, new in moved}


def _is_moved(old: _Version, new: _Version) -> bool:
    return (old.start, old.service) != (new.start, new.service)


def _read(row: Mapping[str, Any]) -> _Version:
    start = datetime.fromisoformat(row["start"]) if row["start"] else None
    written = datetime.fromisoformat(row["last_updated"])
    return _Version(written, start, row["site_id"], row["service_id"], _people(row["participant"]))


def _people(participants: Iterable[Mapping[str, Any]]) -> str:
    return ", ".join(names_of_kind(participants, "Practitioner"))


def _zones(sites: Iterable[int | None]) -> dict[int, ZoneInfo]:
    site_ids = {site for site in sites if site is not None}
    rows = Location.objects.filter(pk__in=site_ids).exclude(timezone="") if site_ids else Location.objects.none()
    return {pk: zone_named(timezone) for pk, timezone in rows.values_list("pk", "timezone")}


def _services(keys: Iterable[int | None]) -> dict[int, str]:
    known = {key for key in keys if key is not None}
    rows = HealthcareService.objects.in_bulk(known) if known else {}
    return {pk: text_of(service, "name") for pk, service in rows.items()}


def _move(
    old: _Version, new: _Version, zones: Mapping[int, ZoneInfo], services: Mapping[int, str], zone: ZoneInfo
) -> RecordedMove:
    before, after = (
        ", ".join(
            filter(
                None,
                (
                    services.get(version.service or 0, "") if old.service != new.service else "",
                    _time(version, zones.get(version.site or 0, zone)),
                    version.with_whom if old.with_whom != new.with_whom else "",
                ),
            )
        )
        for version in (old, new)
    )
    return RecordedMove(before, after)


def _time(version: _Version, zone: ZoneInfo) -> str:
    assert version.start is not None  # moves_of leaves out versions without a start
    return time_text.day_and_time(version.start.astimezone(zone))
