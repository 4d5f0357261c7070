"""The hold of this browser, stored in its session."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest

from clinic.local_time import in_zone
from clinic.models import Appointment
from portal.appointments.visits import Visit
from scheduling import access
from scheduling.access import Caller

_KEY = "held"


@dataclass(frozen=True, slots=True)
class HeldTime:
    """A held time as the banner on other pages shows it."""

    appointment: Appointment
    start: datetime
    ends: datetime
    zone: ZoneInfo


def remember(session: SessionBase, visit: Visit) -> None:
    """Store the hold in the session, in place of the one before."""
    assert visit.hold_ends is not None
    session[_KEY] = {"id": visit.id, "until": visit.hold_ends.isoformat(), "zone": visit.zone.key}


def latest(session: SessionBase) -> str | None:
    """Return the id of the latest hold, even if it has ended: the next hold takes over what was typed for it."""
    kept = session.get(_KEY)
    return str(kept["id"]) if kept else None


def forget(session: SessionBase) -> None:
    session.pop(_KEY, None)


def standing(request: HttpRequest, caller: Caller, *, now: datetime) -> HeldTime | None:
    """Return the hold that waits to be confirmed, or None. One query, and only if the session has a hold."""
    kept = request.session.get(_KEY) if hasattr(request, "session") else None
    if not kept or datetime.fromisoformat(kept["until"]) <= now:
        return None
    rows = access.visible(Appointment, caller).filter(fhir_id=kept["id"], hold_expires_at__gt=now, deleted_at=None)
    appointment = rows.select_related("service").first()
    if appointment is None or appointment.start is None or appointment.hold_expires_at is None:
        return None
    zone = ZoneInfo(kept["zone"])
    return HeldTime(appointment, in_zone(appointment.start, zone), in_zone(appointment.hold_expires_at, zone), zone)
