"""Checks of the rows: the bookings do not contradict each other, and the sites have zones that are known."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from clinic.doctor.check import Check, Findings
from clinic.models import Appointment, Location, Slot
from clinic.models.appointment import OCCUPYING

NAMED = 5  # rows of one finding that are named

# No pair is ever returned: the constraint slot_never_sold_twice sees to it.
_SOLD_TWICE = """
    SELECT a.fhir_id FROM clinic_slot a JOIN clinic_slot b
    ON a.id < b.id AND a.bookable_id = b.bookable_id
    AND tstzrange(a.start, a."end") && tstzrange(b.start, b."end")
    AND tstzrange(a.blocks_from, a.hold_expires_at) && tstzrange(b.blocks_from, b.hold_expires_at)
    AND int4range(coalesce(a.seat, 0), a.seat + 1) && int4range(coalesce(b.seat, 0), b.seat + 1)
    WHERE a.status = ANY(%(sold)s) AND a.deleted_at IS NULL AND NOT a.lies_under
    AND b.status = ANY(%(sold)s) AND b.deleted_at IS NULL AND NOT b.lies_under
"""


def _zones(now: datetime) -> Findings:
    """Look for zones that the package tzdata does not know, or of which PostgreSQL knows something else."""
    known = {settings.CLINIC_TIME_ZONE or "UTC"}
    for site in Location.objects.filter(deleted_at=None).exclude(timezone=""):
        try:
            known.add(ZoneInfo(site.timezone).key)
        except (ZoneInfoNotFoundError, ValueError):
            yield _("%(site)s has the time zone %(zone)s, which the package tzdata does not know.") % {
                "site": site.reference,
                "zone": site.timezone,
            }
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_timezone_names WHERE name = ANY(%s)", [sorted(known)])
        shared = {name for (name,) in cursor.fetchall()}
    for zone in sorted(known - shared):
        yield _(
            "PostgreSQL does not know the time zone %(zone)s, so reports fail: update the tzdata of its machine."
        ) % {"zone": zone}
    for zone, day in _other_clocks(sorted(shared), now):
        yield _(
            "PostgreSQL and the package tzdata differ about the clocks of %(zone)s on %(day)s: update both."
            " Until then, reports count visits around midnight to another day."
        ) % {"zone": zone, "day": f"{day:%Y-%m-%d}"}


def _other_clocks(zones: list[str], now: datetime) -> Iterator[tuple[str, datetime]]:
    """Yield the zones in which PostgreSQL's clocks differ from ours in the next two years, and when they first do."""
    moments = [now + timedelta(days=days) for days in range(0, 730, 5)]
    for zone in zones:
        with connection.cursor() as cursor:
            cursor.execute("SELECT moment AT TIME ZONE %s FROM unnest(%s::timestamptz[]) moment", [zone, moments])
            pairs = zip(clocks(zone, moments), (clock for (clock,) in cursor.fetchall()), strict=True)
            differing = [moment for moment, (ours, theirs) in zip(moments, pairs, strict=True) if ours != theirs]
        if differing:
            yield zone, differing[0]


def clocks(zone: str, moments: Sequence[datetime]) -> list[datetime]:
    """Return the local times of the moments in a zone, by the package tzdata."""
    return [moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for moment in moments]


def _bookings(now: datetime) -> Findings:
    """Look for visits and Slots that contradict each other."""
    slots = Slot.objects.filter(status__in=OCCUPYING, deleted_at=None)
    with connection.cursor() as cursor:
        cursor.execute(_SOLD_TWICE, {"sold": list(OCCUPYING)})
        yield from _named(
            _("Slots that overlap another Slot of the same calendar"), [row[0] for row in cursor.fetchall()]
        )
    ended = Q(appointment__status__in=["cancelled", "entered-in-error"]) | Q(appointment__deleted_at__isnull=False)
    yield from _named(_("Slots that keep the time of a cancelled or deleted visit"), _ids(slots.filter(ended)))
    promised = Appointment.objects.filter(status__in=["booked", "arrived", "checked-in"], deleted_at=None)
    kept = slots.filter(appointment=OuterRef("pk"), start__lt=OuterRef("end"), end__gt=OuterRef("start"))
    yield from _named(
        _("Upcoming visits that take no time of a calendar"), _ids(promised.filter(~Exists(kept), end__gt=now))
    )


def _ids(rows: QuerySet[Any]) -> list[str]:
    return list(rows.order_by("pk").values_list("fhir_id", flat=True))


def _named(problem: str, ids: list[str]) -> Findings:
    if ids:
        more = ", …" if len(ids) > NAMED else ""
        yield f"{problem}: {len(ids)} ({', '.join(ids[:NAMED])}{more})."


CHECKS = (
    Check(gettext_noop("time zones"), _zones),
    Check(gettext_noop("bookings"), _bookings, is_long=True),
)
