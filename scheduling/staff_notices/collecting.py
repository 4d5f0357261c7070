"""Notices written by a worker: what has happened to visits, requests, and messages that could not be sent."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from clinic.models import Appointment, AuditEvent, Communication, NoticeSettings, StaffNotice, VisitEvent
from clinic.parking import Parking
from scheduling import access, events, notifications
from scheduling.access import Action
from scheduling.staff_notices.emails import GATHERED_FOR
from scheduling.staff_notices.preferences import CONSUMER

Kind = StaffNotice.Kind
COLLECTING = "collect notices to staff"
KINDS = {
    VisitEvent.Kind.BOOKED: Kind.BOOKED,
    VisitEvent.Kind.MOVED: Kind.MOVED,
    VisitEvent.Kind.CANCELLED: Kind.CANCELLED,
}
LOOK_BACK = timedelta(hours=1)  # for requests and failed messages: a worker that stood still makes up for it
MOST = 200  # of each at once


@dataclass(frozen=True, slots=True)
class Happening:
    """A change of a visit, of which those who see it may want to be notified. `version` names it."""

    kind: StaffNotice.Kind
    visit: Appointment
    version: int
    occurred: datetime


def collect(*, now: datetime) -> int:
    """Write the notices of what has happened since the last time. Returns their number; a repeated call writes none.

    What a notice cannot be written of is set aside and tried again later; the others are written anyway.
    """
    settings = {row.user_id: row for row in NoticeSettings.objects.filter(user__is_active=True)}
    if not settings:
        return 0
    wanted = {kind for row in settings.values() for kind in (*row.email, *row.pages)}
    notices: list[StaffNotice] = []

    def write(happening: Happening | None) -> None:
        if happening is not None:
            rows = list(_notices(happening, settings, now))
            notices.extend(StaffNotice.objects.bulk_create(rows, ignore_conflicts=True))

    with transaction.atomic(durable=True):
        aside = Parking(COLLECTING, VisitEvent, now=now)
        aside.process_each(_events(aside), lambda event: write(_of_event(event)))
        if Kind.REQUEST in wanted:
            aside = Parking(COLLECTING, Appointment, now=now)
            aside.process_each(_requests(aside, now), lambda visit: write(_of_request(visit, now)))
        if Kind.FAILED in wanted:
            aside = Parking(COLLECTING, Communication, now=now)
            aside.process_each(_failures(aside, now), lambda message: write(_of_failure(message)))
    return len(notices)


def _events(aside: Parking) -> list[VisitEvent]:
    again = VisitEvent.objects.filter(pk__in=aside.due).select_related(*events.VISIT)
    return [*again, *events.collect(CONSUMER)]


def _requests(aside: Parking, now: datetime) -> QuerySet[Appointment]:
    """The requests that have come lately, for the open pages: their emails are written with the request."""
    rows = Appointment.objects.filter(
        status=Appointment.Status.PENDING,
        hold_expires_at=None,
        start__gt=now,
        created__gt=now - LOOK_BACK,
        deleted_at=None,
    )
    return rows.exclude(pk__in=aside.waiting).order_by("-created", "-pk")[:MOST]


def _failures(aside: Parking, now: datetime) -> QuerySet[Communication]:
    lately = notifications.failures(None, now=now).filter(last_updated__gt=now - LOOK_BACK)
    return lately.exclude(pk__in=aside.waiting).order_by("-pk")[:MOST]


def _of_event(event: VisitEvent) -> Happening | None:
    kind = KINDS.get(VisitEvent.Kind(event.kind))
    return None if kind is None else Happening(kind, event.appointment, event.version, event.occurred)


def _of_request(visit: Appointment, now: datetime) -> Happening:
    return Happening(Kind.REQUEST, visit, 0, visit.created or now)


def _of_failure(message: Communication) -> Happening:
    assert message.appointment is not None  # failures are about visits
    return Happening(Kind.FAILED, message.appointment, message.pk, message.last_updated)


def _notices(happening: Happening, settings: dict[int, NoticeSettings], now: datetime) -> Iterator[StaffNotice]:
    """The notices to those who want them, see the visit, and have not done it themselves."""
    kind, visit = happening.kind, happening.visit
    action = Action.RUN if kind in (Kind.REQUEST, Kind.FAILED) else Action.SEE
    people = access.staff_of_visit(visit, action).filter(pk__in=settings)
    for user in people.exclude(pk__in=_doers(happening)):
        row = settings[user.pk]
        by_email = kind in row.email and kind != Kind.REQUEST
        if by_email or kind in row.pages:
            yield StaffNotice(
                user=user,
                kind=kind,
                appointment=visit,
                version=happening.version,
                occurred=happening.occurred,
                due=happening.occurred + GATHERED_FOR if by_email else None,
                seen=None if kind in row.pages else now,
            )


def _doers(happening: Happening) -> Iterable[int]:
    """Primary keys of the accounts that have done it."""
    lines = AuditEvent.objects.filter(appointment=happening.visit, recorded=happening.occurred)
    return [key for key in lines.values_list("user", flat=True) if key is not None]
