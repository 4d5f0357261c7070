"""Messages about visits that begin later than planned: the lateness and the delay that each states."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, QuerySet
from django.utils.translation import gettext_noop

from clinic.models import Communication, Delay, Event
from scheduling.notifications.undo_window import WAITING

Status = Communication.Status


def said_of(delay: Delay, late: timedelta) -> dict[str, Any]:
    """Return the delay and lateness that a message states, as they are stored with it."""
    return {"delay": delay.pk, "revision": delay.revision, "late": int(late.total_seconds())}


def lateness_in(said: dict[str, Any] | None) -> timedelta:
    """Return how late a visit is by a message."""
    return timedelta(seconds=(said or {}).get("late", 0))


def is_latest(message: Communication) -> bool:
    """True if the message states the latest entry about its delay."""
    said = message.before or {}
    return Delay.objects.filter(pk=said.get("delay", 0), revision=said.get("revision", 0)).exists()


def told_lateness(delay: Delay, visits: Collection[int]) -> dict[int, timedelta]:
    """Return how late these visits (primary keys) are by the last message to their patients, by primary key."""
    sent = _about(delay, visits).filter(status__in=(Status.IN_PROGRESS, Status.COMPLETED)).order_by("pk")
    return {pk: lateness_in(said) for pk, said in sent.values_list("appointment", "before") if pk is not None}


def withdraw_delay(delay: Delay, visits: Collection[int], *, now: datetime) -> bool:
    """Withdraw the messages about these visits that state the latest delay. False if one of them was sent."""
    said = _about(delay, visits).filter(before__revision=delay.revision).select_for_update()
    if any(message.status not in (*WAITING, Status.NOT_DONE) for message in said):
        return False
    _about(delay, visits).filter(before__revision=delay.revision, status__in=WAITING).update(
        status=Status.NOT_DONE,
        status_reason=gettext_noop("It was withdrawn."),
        last_updated=now,
        version=F("version") + 1,
    )
    return True


def _about(delay: Delay, visits: Collection[int]) -> QuerySet[Communication]:
    return Communication.objects.filter(appointment__in=visits, event=Event.DELAY, before__delay=delay.pk)
