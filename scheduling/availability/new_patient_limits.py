"""Limits on new patients: the sessions in which no further visit of a new patient may begin.

A patient who is not known yet, such as a guest before they say who they are, counts as new, and so does a hold without
a patient. What is offered to somebody unknown can therefore be booked by whoever they turn out to be.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime

from django.db.models import Q

from clinic.models import Appointment, HealthcareService, Patient
from scheduling.core.intervals import Span, intersect, merge
from scheduling.core.limits import full_sessions
from scheduling.core.offers import Diary, sessions
from scheduling.new_patients import counted_as_new, spans_as_new
from scheduling.participants import patients_of

TAKING_TIME = ("busy", "busy-tentative")


def fill_full_for_new(
    diaries: Sequence[tuple[HealthcareService, dict[int, Diary]]],
    window: Span,
    *,
    now: datetime,
    without: Appointment | None = None,
    series: Sequence[int] = (),
    patients: Sequence[Patient] | None = None,
) -> None:
    """Write the sessions in the window that are full for these patients into diaries by service and schedule.

    The patients are by default those of the visit `without`, which does not count. If all of them return, nothing is
    full. For a service without such limits there is no query; else one for each patient, and one for the visits.
    """
    for service, calendars in diaries:
        limited = [each for each in calendars.values() if each.rules.limits.new_in_session is not None]
        if not limited:
            continue
        if patients is None:
            patients = patients_of(without) if without is not None else ()
        as_new = spans_as_new(patients, service, window)
        if not as_new:
            continue
        spells = {each.schedule: sessions(each, *window) for each in limited}
        starts = _starts(service, spells, now=now, without=without)
        for diary in limited:
            most, schedule = diary.rules.limits.new_in_session, diary.schedule
            full = merge(full_sessions(most, spells[schedule], starts[schedule], series))
            diary.full_for_new += intersect(full, as_new)


def _starts(
    service: HealthcareService,
    spells: dict[int, list[Span]],
    *,
    now: datetime,
    without: Appointment | None,
) -> dict[int, list[int]]:
    """The starts of the visits of new patients in these spells of schedules, by their primary keys."""
    every = [span for each in spells.values() for span in each]
    starts: dict[int, list[int]] = defaultdict(list)
    if not every:
        return starts
    visits = Appointment.objects.filter(
        Q(slots__hold_expires_at=None) | Q(slots__hold_expires_at__gt=now),
        slots__schedule__in=spells,
        slots__status__in=TAKING_TIME,
        slots__deleted_at=None,
        slots__start__lt=datetime.fromtimestamp(max(end for _, end in every), UTC),
        slots__end__gt=datetime.fromtimestamp(min(start for start, _ in every), UTC),
        service=service,
    ).filter(counted_as_new(service))
    if without is not None:
        visits = visits.exclude(pk=without.pk)
    for schedule, _pk, start in visits.order_by().values_list("slots__schedule", "pk", "start").distinct():
        assert start is not None  # appointment_has_time
        starts[schedule].append(int(start.timestamp()))
    return starts
