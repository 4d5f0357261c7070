"""Time that a calendar keeps for a service, as it is stored: an availableTime, and when it is released."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from clinic.models import WEEKDAYS, HealthcareService, SchedulingParameters
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
    """Return the other services for which the schedule keeps time, each with its entries. One statement."""
    rows = SchedulingParameters.objects.filter(schedule=terms.schedule, service__active=True, service__deleted_at=None)
    rows = rows.exclude(kept=[]).exclude(service=terms.service).select_related("service")
    return [(row.service, row.kept) for row in rows]
