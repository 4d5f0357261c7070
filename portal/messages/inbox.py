"""The messages of a signed-in user on the pages."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from clinic.country import clinic_zone
from clinic.models import Communication, Medium
from portal.common.callers import caller_of
from scheduling.access import Caller
from scheduling.visit_zone import zones_of


@dataclass(frozen=True, slots=True)
class InboxMessage:
    """A message as its reader sees it."""

    message: Communication
    zone: ZoneInfo  # of the visit that the message is about

    @property
    def is_new(self) -> bool:
        return self.message.read is None

    @property
    def sent(self) -> datetime:
        assert self.message.sent is not None  # messages_of: completed
        return self.message.sent.astimezone(self.zone)


def entries_of(messages: Iterable[Communication]) -> list[InboxMessage]:
    """Return the messages as their reader sees them. One query at most."""
    messages = list(messages)
    zones = zones_of(each.appointment for each in messages if each.appointment is not None)
    return [InboxMessage(each, zones[each.appointment.pk] if each.appointment else clinic_zone()) for each in messages]


def messages_of(caller: Caller) -> QuerySet[Communication]:
    """Return the messages for the caller and the patients they care for, latest first.

    Of patients who share only their visits, those about visits.
    """
    shared = Q(patient__in=caller.confided) | Q(patient__in=caller.patients, appointment__isnull=False)
    rows = Communication.objects.filter(
        shared, medium=Medium.IN_APP, status=Communication.Status.COMPLETED, deleted_at=None
    )
    return rows.order_by("-sent", "-pk")


def mark_read(caller: Caller, message_id: str | None, *, now: datetime) -> None:
    """Mark one message, or all of them, as read."""
    new = messages_of(caller).filter(read=None)
    if message_id is not None:
        new = new.filter(fhir_id=message_id)
    Communication.objects.filter(pk__in=new.order_by().values("pk")).update(read=now)


def unread(request: HttpRequest) -> dict[str, Any]:
    """Add `unread_messages`, the number in the header. It is counted only if a template uses it."""

    def count() -> int:
        caller = caller_of(request)
        return messages_of(caller).filter(read=None).count() if caller.patients else 0

    return {"unread_messages": SimpleLazyObject(count)}
