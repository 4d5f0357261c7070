"""Changes of scheduling parameters: preview and save."""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.db.models import Model, QuerySet

from clinic.fhir.parameters import COLUMNS, unset
from clinic.local_time import in_zone
from clinic.models import (
    Appointment,
    AuditEvent,
    HealthcareService,
    Questionnaire,
    Schedule,
    SchedulingParameters,
    Slot,
)
from scheduling import access, availability, booking
from scheduling.access import Caller
from scheduling.availability import DAYS, HypotheticalService
from scheduling.core.hours import Window, whole_days
from scheduling.core.limits import Limits
from scheduling.opening.terms import Terms
from scheduling.versions import locked_at

M = TypeVar("M", bound=Model)
WEEK = 7


@dataclass(frozen=True, kw_only=True)
class Change:
    """New column values of the scheduling parameters, and of their Schedule or HealthcareService.

    `extra` is additional one-off time.
    """

    parameters: Mapping[str, Any] = field(default_factory=dict)
    resource: Mapping[str, Any] = field(default_factory=dict)
    questionnaires: list[Questionnaire] | None = None
    extra: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True)
class StrandedVisit:
    """A booked visit that would be outside the hours; its times are local to its schedule."""

    appointment: Appointment
    start: datetime
    end: datetime


@dataclass(frozen=True, kw_only=True)
class Preview:
    """The effect of a change on the `DAYS` days from `first`: the bookable times of each day, before and after.

    `later` is the number of visits booked after these days that the change affects too.
    """

    first: date
    days: dict[date, tuple[int, int]]
    stranded: list[StrandedVisit]
    later: int = 0

    @property
    def last(self) -> date:
        return self.first + timedelta(days=DAYS - 1)

    @property
    def weeks(self) -> list[tuple[date, date, int, int]]:
        """First day, last day, and times before and after, of each week."""
        return [
            (week[0][0], week[-1][0], sum(before for _, (before, _) in week), sum(after for _, (_, after) in week))
            for week in (list(self.days.items())[n : n + WEEK] for n in range(0, DAYS, WEEK))
        ]

    @property
    def changed(self) -> list[tuple[date, int, int]]:
        """The days that gain or lose times."""
        return [(day, before, after) for day, (before, after) in self.days.items() if before != after]


def preview(terms: Terms, change: Change, first: date, *, caller: Caller, now: datetime) -> Preview | None:
    """The effect of the change in the four weeks from `first`; None if the service cannot be booked at all.

    Writes nothing. Minimum notice and booking horizon are ignored unless they change, because hours may be set for days
    that cannot be booked yet.
    """
    if not terms.offerings:
        return None
    before = HypotheticalService(service=terms.service, offerings=terms.offerings)
    after = _hypothetical(terms, change)
    if not {"minimum_notice", "booking_horizon_days"} & change.resource.keys():
        at_any_time = {"minimum_notice": timedelta(0), "booking_horizon_days": None}
        before, after = (replace(each, service=_with(each.service, at_any_time)) for each in (before, after))
    return Preview(
        first=first,
        days=availability.compare(before, after, first, now=now),
        stranded=_stranded(before, after, first, caller, now),
        later=_later(after, first, caller) if "availability" in change.parameters else 0,
    )


def changes(terms: Terms, change: Change) -> bool:
    """True if the change has any effect."""
    row = terms.row or SchedulingParameters()
    return (
        bool(change.extra)
        or not changes_only_parameters(terms, change)
        or any(getattr(row, name) != value for name, value in change.parameters.items())
    )


def changes_only_parameters(terms: Terms, change: Change) -> bool:
    """True if the Schedule or HealthcareService row itself does not change."""
    same = all(getattr(terms.resource, name) == value for name, value in change.resource.items())
    return same and (
        change.questionnaires is None or set(change.questionnaires) == set(terms.service.questionnaires.all())
    )


def save(terms: Terms, change: Change, *, version: int, caller: Caller, now: datetime) -> None:
    """Save the change as the next version of the Schedule or HealthcareService. No visit is cancelled.

    Raises VersionConflict if somebody else saved since `version` was read.
    """
    access.may_set_hours(caller, terms.schedule)
    with booking.all_or_nothing():
        resource = locked_at(terms.resource, version)
        values = {**change.resource, "version": resource.version + 1, "last_updated": now}
        for name, value in values.items():
            setattr(resource, name, value)
        resource.save(
            update_fields=list(values)
        )  # first: the history stores the old parameters with the version before
        write_parameters(terms.service, terms.schedule, change.parameters)
        if change.questionnaires is not None and isinstance(resource, HealthcareService):
            resource.questionnaires.set(change.questionnaires)
        access.audit_event("set-hours", AuditEvent.Action.UPDATE, caller=caller, now=now).save()


def _hypothetical(terms: Terms, change: Change) -> HypotheticalService:
    """The offerings after the change."""
    row = _with(terms.row or SchedulingParameters(), change.parameters)
    general = terms.general if terms.schedule else row
    own = {**terms.own, terms.schedule.pk: row} if terms.schedule else terms.own
    schedule = _with(terms.schedule, change.resource) if terms.schedule else None
    offerings = []
    for offering in terms.offerings:
        rules = availability.hypothetical_rules(own.get(offering.schedule), general, offering.rules)
        if schedule is not None:
            limits = Limits(schedule.total_day_limit, schedule.total_week_limit)
            rules = replace(rules, schedule_limits=limits)
        offerings.append(offering._replace(rules=replace(rules, hours=rules.hours + change.extra)))
    service = terms.service if terms.schedule else _with(terms.service, change.resource)
    return HypotheticalService(service=service, offerings=tuple(offerings))


def _stranded(
    before: HypotheticalService, after: HypotheticalService, first: date, caller: Caller, now: datetime
) -> list[StrandedVisit]:
    start, end = _four_weeks(after, first)
    found = list(_booked(after, caller).filter(start__gte=max(start, now), start__lt=end))
    times = [(slot.schedule_id, (int(slot.start.timestamp()), int(slot.end.timestamp()))) for slot in found]
    verdicts = availability.stranded(before, after, times, first, now=now)
    offerings = {each.schedule: each for each in after.offerings}
    return [
        stranded_of(slot, offerings[slot.schedule_id].zone)
        for slot, is_stranded in zip(found, verdicts, strict=True)
        if is_stranded
    ]


def _later(after: HypotheticalService, first: date, caller: Caller) -> int:
    return _booked(after, caller).filter(start__gte=_four_weeks(after, first)[1]).count()


def _booked(hypothetical: HypotheticalService, caller: Caller) -> QuerySet[Slot]:
    return booked_slots(caller, hypothetical.service, [each.schedule for each in hypothetical.offerings])


def _four_weeks(hypothetical: HypotheticalService, first: date) -> tuple[datetime, datetime]:
    """Return the time from the start of `first` to the end of the last day, in all zones of the offerings."""
    spans = [whole_days(first, first + timedelta(days=DAYS - 1), each.zone) for each in hypothetical.offerings]
    return availability.as_datetime(min(start for start, _ in spans)), availability.as_datetime(
        max(end for _, end in spans)
    )


def booked_slots(caller: Caller, service: HealthcareService, schedules: list[int]) -> QuerySet[Slot]:
    """The Slots of booked visits on these schedules that the caller may see, in order of time."""
    return (
        access.visible(Slot, caller)
        .filter(schedule__in=schedules, status=Slot.Status.BUSY, deleted_at=None)
        .filter(appointment__service=service, appointment__status=Appointment.Status.BOOKED)
        .select_related("appointment__patient", "appointment__service")
        .order_by("start", "pk")
    )


def stranded_of(slot: Slot, zone: ZoneInfo) -> StrandedVisit:
    assert slot.appointment is not None  # booked_slots
    return StrandedVisit(slot.appointment, in_zone(slot.start, zone), in_zone(slot.end, zone))


def _with(row: M, values: Mapping[str, Any]) -> M:
    """A copy with other values, not saved."""
    other = copy(row)
    for name, value in values.items():
        setattr(other, name, value)
    return other


def write_parameters(service: HealthcareService, schedule: Schedule | None, values: Mapping[str, Any]) -> None:
    """Write columns of the parameters of a service on a schedule, or as a whole; a row without any values is deleted.

    It is part of a use case that writes the next version of the Schedule or HealthcareService before.
    """
    if not values:
        return
    row, _ = SchedulingParameters.objects.update_or_create(service=service, schedule=schedule, defaults=dict(values))
    if {each.name: getattr(row, each.name) for each in COLUMNS} == unset():
        row.delete()
