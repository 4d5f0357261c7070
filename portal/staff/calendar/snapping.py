"""Step in minutes for clicking and dragging on the grid of the calendar."""

from collections.abc import Sequence
from math import gcd

from django.db.models import Q

from clinic.models import HealthcareService, Schedule, SchedulingParameters

FINEST, COARSEST = 5, 15  # minutes


def snap_minutes(schedules: Sequence[Schedule]) -> int:
    """Return the step that fits the grids of all services of these schedules: 5, 10 or 15 minutes. One query.

    Visits start on the grid of their service; another step would lead to times that are not offered.
    """
    services = HealthcareService.objects.filter(schedules__in=schedules)
    here = Q(schedule__in=schedules) | Q(schedule=None, service__in=services)
    if any(schedule.offers_all_services for schedule in schedules):
        here |= Q(schedule=None, service__active=True)
    grids = SchedulingParameters.objects.filter(here, service__deleted_at=None, alignment_interval__isnull=False)
    step = 0
    for interval, offset in grids.values_list("alignment_interval", "alignment_offset").distinct():
        step = gcd(step, interval or 0, offset or 0)
    return max((minutes for minutes in (FINEST, 10, COARSEST) if step % minutes == 0), default=FINEST)
