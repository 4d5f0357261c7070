"""Delivery reports of providers."""

from datetime import datetime

from django.db.models import F, Q, QuerySet

from clinic.models import Communication
from scheduling.notifications.failure_text import MAIL_REFUSED

Status = Communication.Status
NEXT = F("version") + 1
HANDED_OVER = (Status.IN_PROGRESS, Status.COMPLETED)


def arrived(*, message: str = "", provider_id: str = "", now: datetime) -> bool:
    """Record that a message, named by our id or the provider's, was delivered. False if there is no such message."""
    messages = _named(message, provider_id)
    arrived = messages.filter(status__in=HANDED_OVER).update(received=now, last_updated=now, version=NEXT)
    return bool(arrived) or messages.exists()


def bounced(why: str, *, message: str = "", provider_id: str = "", now: datetime) -> bool:
    """Record that a message could not be delivered and why, in a sentence for staff. False if there is no such
    message.
    """
    messages = _named(message, provider_id)
    waiting = messages.filter(status__in=HANDED_OVER, received=None)
    failed = waiting.update(status=Status.NOT_DONE, status_reason=why, last_updated=now, version=NEXT)
    return bool(failed) or messages.exists()


def follow(event: object, now: datetime) -> None:
    """Record a tracking event of Anymail: https://anymail.dev/en/stable/sending/tracking/"""
    kind = str(getattr(event, "event_type", ""))
    names = {
        "message": str((getattr(event, "metadata", None) or {}).get("message", "")),
        "provider_id": str(getattr(event, "message_id", None) or ""),
    }
    if kind == "delivered":
        arrived(**names, now=now)
    elif kind in ("bounced", "rejected", "failed"):
        reason = getattr(event, "reject_reason", None) or kind
        bounced(MAIL_REFUSED % {"reason": reason}, **names, now=now)


def _named(message: str, provider_id: str) -> QuerySet[Communication]:
    named = Q(pk__in=())
    if message:
        named |= Q(fhir_id=message) | Q(part_of__fhir_id=message)
    if provider_id:
        named |= Q(provider_id=provider_id)
    return Communication.objects.filter(named)
