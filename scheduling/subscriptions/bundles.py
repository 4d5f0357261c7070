"""Bundles of Subscriptions to topics: notifications, and the answers to $status and $events.

http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-subscription-notification-r4
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import TypeVar
from uuid import uuid4

from django.conf import settings
from django.db.models import QuerySet

from clinic.fhir.datatypes import Json, instant
from clinic.fhir.resources import RESOURCES, rows_of, to_fhir
from clinic.fhir.topics import BACKPORT, Content, read_channel
from clinic.models import Appointment, Encounter, Notification, Resource, Schedule, Subscription, VisitEvent
from scheduling import access
from scheduling.access import Caller
from scheduling.subscriptions.payload import payload_of

R = TypeVar("R", bound=Resource)

PROFILE = f"{BACKPORT}/backport-subscription-notification-r4"
STATUS_PROFILE = f"{BACKPORT}/backport-subscription-status-r4"


@dataclass(frozen=True)
class TopicEvent:
    """An event as the subscriber may see it: its focus, and the resources beside it.

    `resources` are those of a full payload, by reference; `disclosed` are the rows that they tell of.
    """

    number: int
    occurred: datetime
    focus: str
    is_new: bool = False
    others: tuple[str, ...] = ()
    resources: dict[str, Json] = field(default_factory=dict)
    disclosed: tuple[Resource, ...] = ()


def server_base() -> str:
    """The address of the API as subscribers know it, outside of a request."""
    return f"{settings.SITE_URL}/{settings.FHIR_BASE_PATH}"


def content_of(subscription: Subscription) -> Content:
    """The content that the subscription asks for."""
    return read_channel(subscription.extra).content


def events_for(notifications: Iterable[Notification], content: Content, caller: Caller) -> list[TopicEvent]:
    """The events of these notifications whose focus the caller may see now. A few statements for any number."""
    planned = list(notifications)
    visits = [each.event.appointment_id for each in planned if each.event is not None]
    appointments = _visible(Appointment, visits, content, caller)
    encounters: dict[int, list[Encounter]] = defaultdict(list)
    for encounter in _rows(Encounter, caller, content).filter(appointment__in=appointments, deleted_at=None):
        encounters[encounter.appointment_id or 0].append(encounter)
    schedules = _visible(Schedule, [each.schedule_id for each in planned if each.schedule_id], content, caller)
    found = []
    for notification in planned:
        event = notification.event
        if event is not None and (visit := appointments.get(event.appointment_id)):
            rows = (visit, *encounters[visit.pk])
            found.append(_of_visit(notification, event, rows, _payload_rows(rows, content, caller)))
        elif schedule := schedules.get(notification.schedule_id or 0):
            found.append(_of_schedule(notification, schedule, content))
    return found


def notification_bundle(
    subscription: Subscription,
    kind: str,
    events: Sequence[TopicEvent] = (),
    *,
    content: Content,
    base: str,
    now: datetime,
) -> Json:
    """A notification of this kind, such as event-notification, as a history Bundle."""
    status = status_of(subscription, kind, events, content=content, base=base)
    first = {
        "fullUrl": f"urn:uuid:{status['id']}",
        "resource": status,
        "request": {"method": "GET", "url": f"{subscription.reference}/$status"},
        "response": {"status": _status(HTTPStatus.OK)},
    }
    return {
        "resourceType": "Bundle",
        "id": str(uuid4()),
        "meta": {"profile": [PROFILE]},
        "type": "history",
        "timestamp": instant(now),
        "entry": [first, *(entry for event in events for entry in _entries(event, content, base))],
    }


def status_of(
    subscription: Subscription,
    kind: str,
    events: Sequence[TopicEvent] = (),
    *,
    content: Content = Content.EMPTY,
    base: str,
) -> Json:
    """The status of a subscription, as Parameters."""
    return {
        "resourceType": "Parameters",
        "id": str(uuid4()),
        "meta": {"profile": [STATUS_PROFILE]},
        "parameter": [
            {"name": "subscription", "valueReference": {"reference": f"{base}{subscription.reference}"}},
            *([{"name": "topic", "valueCanonical": subscription.criteria}] if subscription.topic else ()),
            {"name": "status", "valueCode": subscription.status},
            {"name": "type", "valueCode": kind},
            {"name": "events-since-subscription-start", "valueString": str(subscription.events)},
            *({"name": "notification-event", "part": _parts(event, content, base)} for event in events),
            *([{"name": "error", "valueCodeableConcept": {"text": subscription.error}}] if subscription.error else ()),
        ],
    }


def _visible(model: type[R], keys: Iterable[int], content: Content, caller: Caller) -> dict[int, R]:
    if not (wanted := set(keys)):
        return {}
    return {row.pk: row for row in _rows(model, caller, content).filter(pk__in=wanted)}


def _rows(model: type[R], caller: Caller, content: Content) -> QuerySet[R]:
    """The rows that the caller may see, with what their resources need if these are sent."""
    is_full = content is Content.FULL_RESOURCE
    rows: QuerySet[R] = rows_of(RESOURCES[model.RESOURCE_TYPE]) if is_full else model._default_manager.all()
    return rows.filter(pk__in=access.visible(model, caller).values("pk")).order_by("pk")


def _payload_rows(rows: Iterable[Resource], content: Content, caller: Caller) -> list[Resource]:
    """Return the rows that a payload includes, as the caller may see them: none unless the content is full."""
    if content is not Content.FULL_RESOURCE:
        return []
    return [access.redacted(row, caller) for row in rows if row.deleted_at is None]


def _of_visit(
    notification: Notification, event: VisitEvent, rows: Sequence[Resource], payload: Sequence[Resource]
) -> TopicEvent:
    focus, *others = (row.reference for row in rows)
    return TopicEvent(
        notification.number or 0,
        event.occurred,
        focus,
        is_new=event.version == 1,
        others=tuple(others),
        resources={row.reference: to_fhir(row) for row in payload},
        disclosed=tuple(payload),
    )


def _of_schedule(notification: Notification, schedule: Schedule, content: Content) -> TopicEvent:
    resource = payload_of(notification) if content is Content.FULL_RESOURCE else None
    return TopicEvent(
        notification.number or 0,
        notification.created,
        schedule.reference,
        resources={schedule.reference: resource} if resource else {},
    )


def _parts(event: TopicEvent, content: Content, base: str) -> list[Json]:
    parts: list[Json] = [
        {"name": "event-number", "valueString": str(event.number)},
        {"name": "timestamp", "valueInstant": instant(event.occurred)},
    ]
    if content is Content.EMPTY:
        return parts
    named = [("focus", event.focus), *(("additional-context", each) for each in event.others)]
    return [*parts, *({"name": name, "valueReference": {"reference": f"{base}{to}"}} for name, to in named)]


def _entries(event: TopicEvent, content: Content, base: str) -> Iterable[Json]:
    """The entries of the resources of an event; none in an empty notification."""
    if content is Content.EMPTY:
        return
    for reference in (event.focus, *event.others):
        created = event.is_new and reference == event.focus
        kind = reference.partition("/")[0]
        resource = {"resource": event.resources[reference]} if reference in event.resources else {}
        yield {
            "fullUrl": f"{base}{reference}",
            **resource,
            "request": {"method": "POST", "url": kind} if created else {"method": "PUT", "url": reference},
            "response": {"status": _status(HTTPStatus.CREATED if created else HTTPStatus.OK)},
        }


def _status(status: HTTPStatus) -> str:
    return f"{status.value} {status.phrase}"
