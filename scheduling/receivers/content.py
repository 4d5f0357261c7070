"""The content of an event for receivers: references, times and the status, without names."""

import json
from datetime import UTC, datetime

from clinic.fhir.datatypes import Json, instant
from clinic.models import EventDelivery, VisitEvent
from scheduling.participants import PATIENT, PLACE, PRACTITIONER, references_of
from scheduling.plugins import VisitNews


def compose(delivery: EventDelivery) -> str:
    """Return the JSON of an event: https://www.standardwebhooks.com, with the visit as it is now."""
    event = delivery.event
    content: Json = {"type": delivery.type, "timestamp": instant(event.occurred if event else delivery.created)}
    content["data"] = {} if event is None else _visit(event)
    return json.dumps(content)


def news_of(delivery: EventDelivery) -> VisitNews:
    """Return the content for a plug-in."""
    assert delivery.event is not None  # only webhooks are tested
    content = json.loads(delivery.content)
    data = content["data"]
    return VisitNews(
        kind=delivery.event.kind,
        occurred=datetime.fromisoformat(content["timestamp"]),
        appointment=data["appointment"],
        version=data["version"],
        status=data["status"],
        start=_moment(data["start"]),
        end=_moment(data["end"]),
        service=data["service"] or "",
        patients=tuple(data["patients"]),
        practitioners=tuple(data["practitioners"]),
        locations=tuple(data["locations"]),
    )


def _visit(event: VisitEvent) -> Json:
    appointment = event.appointment
    participants = appointment.participant
    return {
        "appointment": appointment.reference,
        "version": event.version,
        "status": appointment.status,
        "start": _text(appointment.start),
        "end": _text(appointment.end),
        "service": appointment.service.reference if appointment.service else None,
        "patients": references_of(participants, PATIENT),
        "practitioners": references_of(participants, PRACTITIONER),
        "locations": references_of(participants, PLACE),
    }


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else instant(moment)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)
