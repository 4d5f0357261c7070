"""Notifications planned from changes: the affected days of each schedule, without repetition."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q

from clinic.fhir.resources import RESOURCES, rows_of
from clinic.fhir.subscriptions import SubscriptionCriteria, criteria_of
from clinic.fhir.topics import SLOT_CHANGED
from clinic.local_time import in_zone, later
from clinic.models import Notification, Schedule, ScheduleChange, Subscription
from clinic.parking import Parking
from scheduling.subscriptions.criteria_matching import ORGANIZATIONS, matches
from scheduling.subscriptions.subscribers import active, fail, number_events, visible_keys
from scheduling.subscriptions.zones import zones_of

logger = logging.getLogger(__name__)

BATCH = 1000
AHEAD = timedelta(days=365)  # for schedules without an end of planning
INSTANT = timedelta(microseconds=1)

Days: TypeAlias = tuple[date, date]  # first and last, both included
PlannedNotification: TypeAlias = tuple[int, int, date, date]  # subscription, schedule, days


@transaction.atomic(durable=True)
def collect(*, now: datetime) -> int:
    """Plan the notifications for the changes so far. Returns their number. Concurrent calls share the work.

    If the changes of a schedule fail, they are set aside with it; if the criteria of a subscription cannot be read, it
    gets the status error. The others are notified anyway.
    """
    aside = Parking("collect changes of free time", Schedule, now=now)
    due = ScheduleChange.objects.filter(Q(schedule=None) | ~Q(schedule__in=aside.waiting))
    changes = list(due.select_for_update(skip_locked=True).order_by("pk")[:BATCH])
    if not changes:
        return 0
    ScheduleChange.objects.filter(pk__in=[each.pk for each in changes]).delete()
    subscriptions = _readable(Subscription.objects.filter(active(now), topic__in=("", SLOT_CHANGED)), now)
    if not subscriptions:
        return 0
    planned = _visible(_planned(subscriptions, changes, aside, now), subscriptions, now)
    waiting = _waiting(subscription for subscription, _ in subscriptions)
    new = [
        Notification(
            subscription_id=subscription, schedule_id=schedule, first_day=first, last_day=last, created=now, due=now
        )
        for subscription, schedule, first, last in planned
        if (subscription, schedule, first, last) not in waiting
    ]
    to_topics = {subscription.pk for subscription, _ in subscriptions if subscription.topic}
    number_events(each for each in new if each.subscription_id in to_topics)
    return len(Notification.objects.bulk_create(new))


def _readable(subscriptions: Iterable[Subscription], now: datetime) -> list[tuple[Subscription, SubscriptionCriteria]]:
    """The subscriptions with readable criteria; the others get an error that their clients see."""
    found = []
    for subscription in subscriptions:
        try:
            found.append((subscription, criteria_of(subscription)))
        except Exception as error:  # written under older rules, or by hand
            logger.error("Subscription %s: its criteria cannot be read (%s)", subscription.pk, type(error).__name__)
            fail(subscription, "Its criteria cannot be read any more: send them again.", now)
    return found


def _planned(
    subscriptions: Sequence[tuple[Subscription, SubscriptionCriteria]],
    changes: Sequence[ScheduleChange],
    aside: Parking,
    now: datetime,
) -> list[PlannedNotification]:
    """The notifications for the schedules that the changes affect."""
    index = _ChangeIndex(changes)
    schedules = index.schedules()
    zones = _zones(schedules)
    planned: dict[PlannedNotification, None] = {}

    def plan(schedule: Schedule) -> None:
        zone = zones.get(schedule.pk) or zones_of([schedule])[schedule.pk]
        spans = _days(schedule, index.changes_of(schedule), zone, now)
        of_it = [
            (subscription.pk, schedule.pk, first, last)
            for subscription, criteria in subscriptions
            if spans and matches(criteria, schedule)
            for first, last in spans
        ]
        planned.update(dict.fromkeys(of_it))

    aside.process_each(schedules, plan, writes=False)
    _keep_aside(index, [each for each in schedules if each.pk in aside.waiting])
    return list(planned)


def _visible(
    planned: Sequence[PlannedNotification],
    subscriptions: Iterable[tuple[Subscription, SubscriptionCriteria]],
    now: datetime,
) -> list[PlannedNotification]:
    """The planned notifications without those to a topic of schedules that the subscriber may not see."""
    schedules: dict[int, set[int]] = defaultdict(set)
    for key, schedule, *_ in planned:
        schedules[key].add(schedule)
    seen = {
        subscription.pk: visible_keys(subscription, Schedule, schedules[subscription.pk], now)
        for subscription, _ in subscriptions
        if subscription.topic
    }
    return [each for each in planned if each[0] not in seen or each[1] in seen[each[0]]]


def _zones(schedules: Sequence[Schedule]) -> dict[int, ZoneInfo]:
    """The zones of all schedules in one statement; empty if it fails, so that each schedule is then tried alone."""
    try:
        with transaction.atomic():
            return zones_of(schedules)
    except Exception:
        return {}


def _keep_aside(index: "_ChangeIndex", schedules: Sequence[Schedule]) -> None:
    """Store the changes of schedules that were set aside, for a later attempt."""
    if not schedules:
        return
    spans = {(each.pk, change.start, change.end) for each in schedules for change in index.changes_of(each)}
    rows = ScheduleChange.objects.filter(schedule__in=[each.pk for each in schedules])
    new = spans - set(rows.values_list("schedule", "start", "end"))
    ScheduleChange.objects.bulk_create(
        ScheduleChange(schedule=schedule, start=start, end=end) for schedule, start, end in new
    )


class _ChangeIndex:
    """Changes by the bookable, schedule or service that they name."""

    def __init__(self, changes: Sequence[ScheduleChange]) -> None:
        self._bookables, self._schedules, self._services = (
            _grouped(changes, column) for column in ("bookable", "schedule", "service")
        )

    def schedules(self) -> list[Schedule]:
        return _schedules(self._bookables, self._schedules, self._services)

    def changes_of(self, schedule: Schedule) -> list[ScheduleChange]:
        services = self._services
        service_keys = services if schedule.offers_all_services else [each.pk for each in schedule.services.all()]
        return [
            *self._bookables.get(schedule.bookable_id, ()),
            *self._schedules.get(schedule.pk, ()),
            *(change for service in service_keys for change in services.get(service, ())),
        ]


def _grouped(changes: Iterable[ScheduleChange], column: str) -> dict[int, list[ScheduleChange]]:
    """The changes with a value in this column, by that value."""
    found: dict[int, list[ScheduleChange]] = defaultdict(list)
    for change in changes:
        if (named := getattr(change, column)) is not None:
            found[named].append(change)
    return found


def _schedules(bookables: Iterable[int], schedules: Iterable[int], services: Iterable[int]) -> list[Schedule]:
    """The schedules that the changes affect. Patients' own schedules are left out."""
    about = Q(bookable__in=list(bookables)) | Q(pk__in=list(schedules))
    if services := list(services):
        offers = Schedule.services.through.objects.filter(healthcareservice__in=services)
        about |= Q(offers_all_services=True) | Q(pk__in=offers.values("schedule"))
    rows = rows_of(RESOURCES["Schedule"]).filter(about, bookable__patient=None)
    return list(rows.select_related(*RESOURCES["Schedule"].related, *ORGANIZATIONS))


def _days(schedule: Schedule, changes: Iterable[ScheduleChange], zone: ZoneInfo, now: datetime) -> list[Days]:
    """The affected local days, without spans that lie within others."""
    today = now.astimezone(zone).date()
    spans = {_span(schedule, each, today, zone) for each in changes}
    ahead = [(max(first, today), last) for first, last in spans if last >= today]
    return sorted(each for each in ahead if not any(_is_within(each, other) for other in ahead))


def _span(schedule: Schedule, change: ScheduleChange, today: date, zone: ZoneInfo) -> Days:
    if change.start and change.end:
        return in_zone(change.start, zone).date(), in_zone(later(change.end, -INSTANT), zone).date()
    if schedule.planning_end:
        return today, max(today, in_zone(later(schedule.planning_end, -INSTANT), zone).date())
    return today, today + AHEAD


def _is_within(days: Days, other: Days) -> bool:
    return days != other and other[0] <= days[0] and days[1] <= other[1]


def _waiting(subscriptions: Iterable[Subscription]) -> set[tuple[int, int | None, date | None, date | None]]:
    """The notifications that are already waiting."""
    rows = Notification.objects.filter(
        subscription__in=[each.pk for each in subscriptions],
        status=Notification.Status.WAITING,
    )
    return set(rows.values_list("subscription_id", "schedule_id", "first_day", "last_day"))
