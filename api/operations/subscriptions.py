"""`Subscription/$status` and `$events`, of subscriptions to topics.

http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/backport-subscription-status and
http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/backport-subscription-events
"""

from typing import Any

from django.db.models import Q
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from api.authentication import caller_of
from api.fhir_view import FHIRView
from api.headers import base_of
from api.operations.parameters import read_inputs, whole_number
from api.reading import visible
from clinic.fhir.datatypes import Json
from clinic.fhir.issues import InvalidElement
from clinic.fhir.topics import read_content
from clinic.models import Notification, Subscription
from scheduling import access, subscriptions
from scheduling.errors import NotFound

MOST_EVENTS = 1000
LAST = 2**31 - 1
SINCE, UNTIL, CONTENT = "eventsSinceNumber", "eventsUntilNumber", "content"


class Status(FHIRView):
    """The status of one subscription, or of all that the caller may see: those with an `id` and a `status` if named."""

    http_method_names = ["get", "post", "head"]

    def get(self, request: Request, fhir_id: str = "") -> Response:
        caller, base = caller_of(request), base_of(request)
        access.require(caller, Subscription.RESOURCE_TYPE, "r")
        inputs = read_inputs(request)
        inputs.only(set() if fhir_id else {"id", "status"})
        ids, statuses = inputs.every("id", str), inputs.every("status", _status)
        inputs.finish()
        rows = access.visible(Subscription, caller, "r").filter(deleted_at=None).order_by("pk")
        if fhir_id:
            found = [_named(fhir_id, request)]
        else:
            wanted = (Q(fhir_id__in=ids) if ids else Q()) & (Q(status__in=statuses) if statuses else Q())
            found = list(rows.filter(wanted))
        return Response(_searchset([subscriptions.status_of(each, "query-status", base=base) for each in found]))

    post = get


class Events(FHIRView):
    """The events of a subscription between two numbers, both included, as far as the caller may see them now."""

    http_method_names = ["get", "post", "head"]

    def get(self, request: Request, fhir_id: str) -> Response:
        caller, now = caller_of(request), timezone.now()
        subscription = _named(fhir_id, request)
        inputs = read_inputs(request)
        inputs.only({SINCE, UNTIL, CONTENT})
        since = inputs.one(SINCE, whole_number(SINCE, 0, LAST)) or 0
        until = inputs.one(UNTIL, whole_number(UNTIL, 0, LAST))
        content = inputs.one(CONTENT, read_content) or subscriptions.content_of(subscription)
        inputs.finish()
        numbers = Q(number__gte=since, number__lte=LAST if until is None else until)
        told = Notification.objects.filter(numbers, subscription=subscription).select_related("event")
        events = subscriptions.events_for(told.order_by("number")[:MOST_EVENTS], content, caller)
        disclosed = [row for event in events for row in event.disclosed]
        access.record_disclosure(disclosed, "events", caller=caller, now=now, query=f"{subscription.reference}/$events")
        bundle = subscriptions.notification_bundle(
            subscription, "query-event", events, content=content, base=base_of(request), now=now
        )
        return Response(bundle)

    post = get


def _named(fhir_id: str, request: Request) -> Subscription:
    """Return the subscription with this id. Raises NotFound."""
    row = visible(Subscription.RESOURCE_TYPE, fhir_id, caller_of(request))
    if not isinstance(row, Subscription) or row.deleted_at is not None:
        raise NotFound(f"There is no Subscription/{fhir_id}.")
    return row


def _status(value: Any) -> str:
    if value not in Subscription.Status.values:
        raise InvalidElement(f"{str(value)[:64]!r} is not one of {', '.join(Subscription.Status.values)}.")
    return str(value)


def _searchset(statuses: list[Json]) -> Json:
    bundle: Json = {"resourceType": "Bundle", "type": "searchset", "total": len(statuses)}
    entries = [
        {"fullUrl": f"urn:uuid:{each['id']}", "resource": each, "search": {"mode": "match"}} for each in statuses
    ]
    return {**bundle, "entry": entries} if entries else bundle
