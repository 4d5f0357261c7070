"""Calendar feeds: their visits and blocked times, and their secrets, stored as digests."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from clinic.fhir.schedules import ZONE_OF_HOURS
from clinic.models import Appointment, CalendarFeed, Slot
from portal.appointments.visits import as_theirs
from portal.common.schedules import SCHEDULE
from scheduling.access import Caller
from scheduling.notifications import CalendarBlock
from scheduling.visit_zone import zone_of_schedule

BACK = timedelta(days=30)
SHOWN = ("booked", "arrived", "checked-in", "fulfilled")


def make(caller: Caller, *, now: datetime) -> str:
    """Create a feed of the caller's visits, as practitioner or else as patient. Returns its secret, never stored."""
    secret = secrets.token_urlsafe(32)
    CalendarFeed.objects.create(
        practitioner=caller.practitioner,
        patient=None if caller.practitioner else caller.patient,
        secret_digest=_digest(secret),
        created=now,
    )
    return secret


def of(caller: Caller) -> QuerySet[CalendarFeed]:
    """Return the caller's feeds that are not revoked."""
    own = Q(pk__in=[])
    if caller.practitioner:
        own |= Q(practitioner=caller.practitioner)
    if caller.patient:
        own |= Q(patient=caller.patient)
    return CalendarFeed.objects.filter(own, revoked=None)


def find(secret: str) -> CalendarFeed | None:
    """Return the feed with this secret, if its owner's account is active."""
    works = Q(practitioner__user__is_active=True, practitioner__deleted_at=None)
    works |= Q(patient__user__is_active=True, patient__deleted_at=None)
    return (
        CalendarFeed.objects.filter(works, secret_digest=_digest(secret), revoked=None)
        .select_related("patient__user")
        .first()
    )


def revoke(feed: CalendarFeed, *, now: datetime) -> None:
    feed.revoked = now
    feed.save(update_fields=["revoked"])


def appointments_of(feed: CalendarFeed, *, now: datetime) -> list[Appointment]:
    """Return the feed's upcoming appointments and those of the last 30 days, earliest first.

    Visits of several patients are those of the feed's own.
    """
    rows = Appointment.objects.filter(status__in=SHOWN, deleted_at=None, end__gt=now - BACK)
    rows = rows.select_related("service", "site", "patient").order_by("start", "pk")
    if feed.patient is None:
        own = Slot.objects.filter(bookable__practitioner=feed.practitioner_id, deleted_at=None)
        return list(rows.filter(pk__in=own.values("appointment")))
    caller = Caller(user=feed.patient.user)
    own_or_theirs = rows.filter(Q(patient__in=caller.patients) | Q(pk__in=caller.visits_with_others))
    return [as_theirs(appointment, caller) for appointment in own_or_theirs]


def blocks_of(feed: CalendarFeed, *, now: datetime) -> list[CalendarBlock]:
    """Return a practitioner's upcoming blocked times and those of the last 30 days; a patient has none. One query."""
    if feed.practitioner_id is None:
        return []
    rows = Slot.objects.filter(
        bookable__practitioner=feed.practitioner_id,
        appointment=None,
        status=Slot.Status.BUSY_UNAVAILABLE,
        deleted_at=None,
        end__gt=now - BACK,
    ).select_related(*(f"schedule__{each}" for each in SCHEDULE))
    rows = rows.prefetch_related(*(f"schedule__{each}" for each in ZONE_OF_HOURS)).order_by("start", "pk")
    return [CalendarBlock(row.fhir_id, row.start, row.end, zone_of_schedule(row.schedule), row.comment) for row in rows]


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
