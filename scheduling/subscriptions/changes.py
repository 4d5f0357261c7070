"""From what has changed to what each subscriber is told: the days of a schedule, each once."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q

from clinic.fhir.resources import RESOURCES, rows_of
from clinic.fhir.subscriptions import read_criteria
from clinic.models import Notification, Schedule, ScheduleChange, Subscription
from scheduling.subscriptions.matching import ORGANIZATIONS, concerns
from scheduling.subscriptions.zones import zones_of

BATCH = 1000
AHEAD = timedelta(days=365)  # of schedules that plan without end
INSTANT = timedelta(microseconds=1)

Days: TypeAlias = tuple[date, date]  # first and last, both included
Wanted: TypeAlias = tuple[int, int | None, date | None, date | None]  # subscription, schedule, days


def active(now: datetime) -> Q:
    """The subscriptions that are served."""
    return Q(status=Subscription.Status.ACTIVE, deleted_at=None) & (Q(end=None) | Q(end__gt=now))


@transaction.atomic(durable=True)
def collect(*, now: datetime) -> int:
    """Plan what the changes so far ask for, and how many notifications that is. Two at once share the work."""
    changes = list(ScheduleChange.objects.select_for_update(skip_locked=True).order_by("pk")[:BATCH])
    if not changes:
        return 0
    ScheduleChange.objects.filter(pk__in=[each.pk for each in changes]).delete()
    subscriptions = list(Subscription.objects.filter(active(now)))
    if not subscriptions:
        return 0
    planned = _planned(subscriptions, _days_by_schedule(changes, now))
    waiting = _waiting(subscriptions)
    new = [
        Notification(
            subscription_id=subscription, schedule_id=schedule, first_day=first, last_day=last, created=now, due=now
        )
        for subscription, schedule, first, last in dict.fromkeys(planned)
        if (subscription, schedule, first, last) not in waiting
    ]
    return len(Notification.objects.bulk_create(new))


def _days_by_schedule(changes: Sequence[ScheduleChange], now: datetime) -> dict[Schedule, list[Days]]:
    """The days that are no longer as they were, for each schedule that a change is about. Days past tell nobody."""
    bookables, schedules, services = (_grouped(changes, column) for column in ("bookable", "schedule", "service"))
    found: dict[Schedule, list[Days]] = {}
    about = _schedules(bookables, schedules, services)
    zones = zones_of(about)
    for schedule in about:
        offered = services if schedule.offers_all_services else [each.pk for each in schedule.services.all()]
        own = [
            *bookables.get(schedule.bookable_id, ()),
            *schedules.get(schedule.pk, ()),
            *(each for service in offered for each in services.get(service, ())),
        ]
        if days := _days(schedule, own, zones[schedule.pk], now):
            found[schedule] = days
    return found


def _grouped(changes: Iterable[ScheduleChange], column: str) -> dict[int, list[ScheduleChange]]:
    """The changes that name something in this column, by what they name."""
    found: dict[int, list[ScheduleChange]] = defaultdict(list)
    for each in changes:
        if (named := getattr(each, column)) is not None:
            found[named].append(each)
    return found


def _schedules(bookables: Iterable[int], schedules: Iterable[int], services: Iterable[int]) -> list[Schedule]:
    """Those that a change is about. A patient's own is nobody's business."""
    about = Q(bookable__in=list(bookables)) | Q(pk__in=list(schedules))
    if services := list(services):
        offered = Schedule.services.through.objects.filter(healthcareservice__in=services)
        about |= Q(offers_all_services=True) | Q(pk__in=offered.values("schedule"))
    rows = rows_of(RESOURCES["Schedule"]).filter(about, bookable__patient=None)
    return list(rows.select_related(*RESOURCES["Schedule"].related, *ORGANIZATIONS))


def _days(schedule: Schedule, changes: Iterable[ScheduleChange], zone: ZoneInfo, now: datetime) -> list[Days]:
    """The local days, without those that lie within others of them."""
    today = now.astimezone(zone).date()
    spans = {_span(schedule, each, today, zone) for each in changes}
    ahead = [(max(first, today), last) for first, last in spans if last >= today]
    return sorted(each for each in ahead if not any(_is_within(each, other) for other in ahead))


def _span(schedule: Schedule, change: ScheduleChange, today: date, zone: ZoneInfo) -> Days:
    if change.start and change.end:
        return change.start.astimezone(zone).date(), (change.end - INSTANT).astimezone(zone).date()
    if schedule.planning_end:
        return today, max(today, (schedule.planning_end - INSTANT).astimezone(zone).date())
    return today, today + AHEAD


def _is_within(days: Days, other: Days) -> bool:
    return days != other and other[0] <= days[0] and days[1] <= other[1]


def _planned(subscriptions: Iterable[Subscription], changed: dict[Schedule, list[Days]]) -> Iterator[Wanted]:
    for subscription in subscriptions:
        criteria = read_criteria(subscription.criteria)
        for schedule, spans in changed.items():
            if concerns(criteria, schedule):
                yield from ((subscription.pk, schedule.pk, first, last) for first, last in spans)


def _waiting(subscriptions: Iterable[Subscription]) -> set[Wanted]:
    """What they are going to be told anyway."""
    rows = Notification.objects.filter(
        subscription__in=[each.pk for each in subscriptions],
        status=Notification.Status.WAITING,
    )
    return set(rows.values_list("subscription_id", "schedule_id", "first_day", "last_day"))
