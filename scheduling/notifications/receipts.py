"""What the providers say later: that a message has arrived, or that it has not."""

from datetime import datetime

from django.db.models import F, Q, QuerySet

from clinic.models import Communication

Status = Communication.Status
NEXT = F("version") + 1
HANDED_OVER = (Status.IN_PROGRESS, Status.COMPLETED)


def arrived(*, message: str = "", provider_id: str = "", now: datetime) -> bool:
    """A message, named by our id or the provider's, has reached its address. False where there is no such message."""
    told = _named(message, provider_id)
    arrived = told.filter(status__in=HANDED_OVER).update(received=now, last_updated=now, version=NEXT)
    return bool(arrived) or told.exists()


def bounced(why: str, *, message: str = "", provider_id: str = "", now: datetime) -> bool:
    """A message will not reach its address, and why, in a sentence for staff. False where there is no such message."""
    told = _named(message, provider_id)
    waiting = told.filter(status__in=HANDED_OVER, received=None)
    failed = waiting.update(status=Status.NOT_DONE, status_reason=why, last_updated=now, version=NEXT)
    return bool(failed) or told.exists()


def follow(event: object, now: datetime) -> None:
    """Note what an event of Anymail tells: https://anymail.dev/en/stable/sending/tracking/"""
    kind = str(getattr(event, "event_type", ""))
    names = {
        "message": str((getattr(event, "metadata", None) or {}).get("message", "")),
        "provider_id": str(getattr(event, "message_id", None) or ""),
    }
    if kind == "delivered":
        arrived(**names, now=now)
    elif kind in ("bounced", "rejected", "failed"):
        reason = getattr(event, "reject_reason", None) or kind
        bounced(f"The mail server would not take it ({reason}).", **names, now=now)


def _named(message: str, provider_id: str) -> QuerySet[Communication]:
    named = Q(pk__in=())
    if message:
        named |= Q(fhir_id=message)
    if provider_id:
        named |= Q(provider_id=provider_id)
    return Communication.objects.filter(named)
