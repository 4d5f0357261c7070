"""Time that is kept for a service, as it is stored: an availableTime, and when it is released."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet

from clinic.models import WEEKDAYS, HealthcareService, Schedule, SchedulingParameters
from scheduling.opening.terms import Terms
from scheduling.opening.weekly_versions import OpenSpan, Version, write

Json = dict[str, Any]
MINUTE = timedelta(minutes=1)


def kept_entry(days: Sequence[str], span: OpenSpan, released_before: timedelta | None) -> Json:
    """Return an entry of the column `kept`."""
    [available] = write([Version(None, tuple((span,) if day in days else () for day in WEEKDAYS))])
    released = {} if released_before is None else {"releasedBefore": released_before // MINUTE}
    return {"availableTime": available, **released}


def kept_for_others(terms: Terms) -> list[tuple[HealthcareService, list[Json]]]:
    """Return the other services for which the schedule keeps time, each with its entries. One statement.

    Those of a service as a whole are kept on every schedule that offers it.
    """
    schedule = terms.schedule
    if schedule is None:
        return []
    general = Q(schedule=None)
    if not schedule.offers_all_services:
        general &= Q(service__in=schedule.services.all())
    rows = parameters_that_keep_time().filter(Q(schedule=schedule) | general)
    return [(row.service, row.kept) for row in rows.exclude(service=terms.service).select_related("service")]


def kept_by_schedule() -> dict[int, dict[int, list[Json]]]:
    """Return what each schedule keeps for each service, by their primary keys. One statement, and one more if a service
    as a whole keeps time.
    """
    schedules = Schedule.objects.filter(active=True, deleted_at=None)
    found: dict[int, dict[int, list[Json]]] = defaultdict(lambda: defaultdict(list))
    of_services: dict[int, list[Json]] = {}
    rows = parameters_that_keep_time().filter(Q(schedule=None) | Q(schedule__in=schedules))
    for row in rows.only("schedule", "service", "kept"):
        if row.schedule_id is None:
            of_services[row.service_id] = row.kept
        else:
            found[row.schedule_id][row.service_id] += row.kept
    if of_services:
        offers = Q(offers_all_services=True) | Q(services__in=of_services)
        offering = schedules.filter(offers).order_by().values_list("pk", "offers_all_services", "services")
        pairs = {
            (schedule, service)
            for schedule, offers_all, offered in offering
            for service in (of_services if offers_all else [offered])
        }
        for schedule, service in pairs:
            found[schedule][service] += of_services[service]
    return found


def parameters_that_keep_time() -> QuerySet[SchedulingParameters]:
    """The parameters of services that can be booked with kept time, of one schedule or of all."""
    return SchedulingParameters.objects.filter(service__active=True, service__deleted_at=None).exclude(kept=[])
