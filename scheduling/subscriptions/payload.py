"""Payload of a notification: the Schedule and the days that changed, without any data about visits.

http://fhir.org/guides/argonaut-scheduling/StructureDefinition/argo-sched-notif
"""

from datetime import date
from zoneinfo import ZoneInfo

from clinic.fhir.datatypes import Json, reference
from clinic.fhir.resources import RESOURCES, rows_of
from clinic.models import Notification, Schedule
from scheduling.core.hours import local_time, whole_days
from scheduling.subscriptions.zones import zones_of

PROFILE = "http://fhir.org/guides/argonaut-scheduling/StructureDefinition/argo-sched-notif"


def payload_of(notification: Notification) -> Json | None:
    """The payload; None for a heartbeat."""
    if notification.schedule_id is None or notification.first_day is None or notification.last_day is None:
        return None
    schedule: Schedule = rows_of(RESOURCES["Schedule"]).get(pk=notification.schedule_id)
    actor = schedule.actor
    return {
        "resourceType": "Schedule",
        "id": schedule.fhir_id,
        "meta": {"profile": [PROFILE]},
        "actor": [reference(actor, str(actor))],
        "planningHorizon": _horizon(notification.first_day, notification.last_day, zones_of([schedule])[schedule.pk]),
    }


def _horizon(first: date, last: date, zone: ZoneInfo) -> Json:
    """Return the time from midnight of the first day to midnight after the last, in the schedule's zone."""
    start, end = (local_time(each, zone).isoformat() for each in whole_days(first, last, zone))
    return {"start": start, "end": end}
