"""Helpers that read waiting and sent messages."""

from datetime import datetime, timedelta

from django.utils import timezone

from clinic.models import Communication
from scheduling import notifications
from tests.factories import CommunicationFactory

SECOND = timedelta(seconds=1)


def reminder(visit, **fields):
    return CommunicationFactory(appointment=visit, event="reminder", occasion=f"{visit.sequence}-7200", **fields)


def deliver(now: datetime | None = None) -> None:
    now = now or timezone.now()
    batch = notifications.Batch(now=now)
    while batch.deliver_next(now=now):
        pass


def seen(message: Communication) -> tuple[str, str]:
    message.refresh_from_db()
    return message.status, message.status_reason


def ids_of(**conditions):
    return list(Communication.objects.filter(**conditions).values_list("fhir_id", flat=True))
