"""Search for free times: pools, arrangements, windows, and the number of statements."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from clinic.models import HealthcareService, Slot
from scheduling import availability
from scheduling.availability import Reason, TimeQuery, as_datetime
from scheduling.availability.offerings import arrangements_of
from scheduling.errors import Invalid
from tests.factories import (
    DeviceFactory,
    LocationFactory,
    PractitionerFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
)
from tests.scheduling.situations import book, hold, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)


def find(service, *pools, start=None, end=None, limit=None):
    """The times found on the Monday of the week after next, unless another window is given."""
    arrangement = tuple(tuple(availability.offerings_of(service, [each.fhir_id for each in pool])) for pool in pools)
    query = TimeQuery(
        ways=availability.ways_of(service, [arrangement]),
        start=start or monday(0),
        end=end or monday(0, days=1),
        limit=limit,
    )
    return availability.find_times(query, now=timezone.now())


def starts(times):
    return [as_datetime(time.start) for time in times]


def test_the_day_of_a_schedule(service, chen):
    times = starts(find(service, [chen]))
    assert (times[0], times[-1], len(times)) == (monday(9), monday(16, 30), 31)


def test_taken_time_is_not_found_and_cancelled_time_is(service, chen):
    SlotFactory(schedule=chen, start=monday(9), end=monday(16))
    SlotFactory(schedule=chen, start=monday(16), end=monday(17), status="entered-in-error")
    SlotFactory(schedule=chen, start=monday(16), end=monday(17), deleted_at=timezone.now())
    assert starts(find(service, [chen])) == [monday(16), monday(16, 15), monday(16, 30)]


def test_all_of_several_schedules_must_be_free(service, chen):
    room = ScheduleFactory(services=[service], actor=RoomFactory())
    SlotFactory(schedule=chen, start=monday(9), end=monday(12))
    SlotFactory(schedule=room, start=monday(13), end=monday(17))
    assert starts(find(service, [chen], [room])) == [monday(12), monday(12, 15), monday(12, 30)]


def test_any_of_a_pool_says_for_each_time_who_can_serve(service, chen):
    other = ScheduleFactory(services=[service])
    SlotFactory(schedule=chen, start=monday(9), end=monday(16))
    found = find(service, [chen, other])
    assert [each.fhir_id for each in found[0].choices[0]] == [other.fhir_id]
    assert [each.fhir_id for each in found[-1].choices[0]] == [chen.fhir_id, other.fhir_id]


def test_two_of_three_are_two_different_people(service):
    pool = ScheduleFactory.create_batch(3, services=[service])
    SlotFactory(schedule=pool[0], start=monday(9), end=monday(17))
    chosen = find(service, pool, pool)[0].offerings
    assert {each.fhir_id for each in chosen} == {pool[1].fhir_id, pool[2].fhir_id}
    SlotFactory(schedule=pool[1], start=monday(9), end=monday(17))
    assert find(service, pool, pool) == []


def test_the_first_few_of_a_pool_are_the_first_of_all(service):
    pool = ScheduleFactory.create_batch(5, services=[service])
    for schedule in pool:
        SlotFactory(schedule=schedule, start=monday(9), end=monday(9, days=2))
    window = {"start": monday(0, days=-1), "end": monday(0, days=10)}
    everything = starts(find(service, pool, **window))
    assert starts(find(service, pool, **window, limit=7)) == everything[:7]
    assert everything[0] == monday(9, days=2)


def test_one_off_free_time_is_found_where_nobody_has_hours(chen):
    service = ServiceFactory(hours=None)
    chen.services.add(service)
    other = ScheduleFactory(services=[service])
    SlotFactory(schedule=chen, status="free", start=monday(9), end=monday(10))
    SlotFactory(schedule=chen, status="free", start=monday(10), end=monday(10, 30))
    window = {"start": monday(0, days=-6), "end": monday(0, days=6)}
    assert len(find(service, [chen], **window)) == 5
    assert len(find(service, [chen, other], **window, limit=3)) == 3


def test_free_time_of_another_service_type_is_not_ours(chen):
    services = [ServiceFactory(hours=None, code=code) for code in ("vaccine", "surgery")]
    chen.services.add(*services)
    SlotFactory(schedule=chen, status="free", start=monday(9), end=monday(10), service_type=services[0].type)
    assert [len(find(service, [chen])) for service in services] == [3, 0]


def test_closures_planning_horizon_and_overrides(chen):
    service = ServiceFactory(not_available=[{"during": {"start": monday(9).date().isoformat()}}])
    chen.services.add(service)
    assert find(service, [chen]) == []
    assert find(service, [chen], start=monday(0, days=-3), end=monday(0)) != []
    other = ServiceFactory()
    chen.services.add(other)
    chen.scheduling_parameters.create(
        service=other,
        availability=[{"daysOfWeek": ["mon"], "availableStartTime": "18:00", "availableEndTime": "19:00"}],
    )
    assert starts(find(other, [chen])) == [monday(18), monday(18, 15), monday(18, 30)]
    chen.planning_end = monday(18, 45)
    chen.save()
    assert starts(find(other, [chen])) == [monday(18), monday(18, 15)]


def test_explain_names_what_keeps_each_schedule(service, chen):
    room = ScheduleFactory(services=[service], actor=RoomFactory())
    book(wish(service, room, at=monday(10)))
    offerings = availability.offerings_of(service, [chen.fhir_id, room.fhir_id])
    why = availability.explain(service, offerings, monday(10), now=timezone.now())
    assert why == {offerings[0]: [], offerings[1]: [Reason.TAKEN]}
    why = availability.explain(service, offerings, monday(20, 1), now=timezone.now())
    assert why[offerings[0]] == [Reason.OFF_GRID, Reason.OUTSIDE_HOURS]


def test_every_way_to_have_a_service_stays_within_one_site(chen):
    service = ServiceFactory(requires=list(HealthcareService.ActorType.values))
    ways = []
    for name in ("East", "West"):
        site = LocationFactory(name=name)
        ways.append(
            [
                ScheduleFactory(services=[service], site=site, actor=actor)
                for actor in (PractitionerFactory(), RoomFactory(part_of=site), DeviceFactory(location=site))
            ]
        )
    found = availability.arrangements_for(service)
    assert [[[each.schedule for each in pool] for pool in way] for way in found] == [
        [[schedule.pk] for schedule in way] for way in ways
    ]
    east = availability.arrangements_for(service, site=ways[0][0].site_id)
    assert east == found[:1]
    doctor = availability.arrangements_for(service, practitioner=ways[1][0].bookable.practitioner_id)
    assert doctor == found[1:]


@pytest.mark.parametrize("requires", [[], ["Practitioner", "Location"]])
def test_a_search_for_one_practitioner_reads_no_other(chen, requires):
    service = ServiceFactory(requires=requires)
    _other, room = (ScheduleFactory(services=[service], actor=each) for each in (PractitionerFactory(), RoomFactory()))
    chen.services.add(service)
    found = arrangements_of([service], practitioners=[chen.bookable.practitioner_id])[service]
    pools = [[chen.pk], [room.pk]] if requires else [[chen.pk]]
    assert [[[each.schedule for each in pool] for pool in way] for way in found] == [pools]


def test_every_problem_of_the_schedules_is_reported(service):
    closed = ScheduleFactory(services=[service], active=False)
    other = ScheduleFactory(services=[])
    with pytest.raises(Invalid) as refusal:
        availability.offerings_of(service, [closed.fhir_id, other.fhir_id, "nobody"])
    assert [(issue.expression, issue.text) for issue in refusal.value.issues] == [
        (closed.reference, "Schedule is inactive"),
        (other.reference, "Schedule is not schedulable for requested service type"),
        ("Schedule/nobody", "Loading schedule failed"),
    ]


def test_a_hold_counts_until_the_instant_it_expires(service, chen):
    held = hold(wish(service, chen, at=monday(10)))
    offerings = availability.offerings_of(service, [chen.fhir_id])
    just_before = held.hold_expires_at - timedelta(microseconds=1)
    assert not availability.is_offered(service, offerings, monday(10), now=just_before)
    assert availability.is_offered(service, offerings, monday(10), now=held.hold_expires_at)


@pytest.mark.parametrize("schedules", [1, 20])
def test_one_query_for_the_schedules_and_one_for_the_slots(service, schedules, django_assert_num_queries):
    pool = ScheduleFactory.create_batch(schedules, services=[service])
    for schedule in pool:
        SlotFactory(schedule=schedule, start=monday(9), end=monday(11))
    with django_assert_num_queries(2):
        assert find(service, pool, start=monday(0, days=-10), end=monday(0, days=10))
    with django_assert_num_queries(2):
        assert find(service, pool, start=monday(0), end=monday(0, days=10), limit=20)
    assert Slot.objects.filter(status="free").count() == 0


def test_the_slots_of_searches_are_planned_once_for_a_connection(service, chen):
    for days in range(15):
        assert find(service, [chen], start=monday(0, days=-days), end=monday(0, days=1))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE '%lies_under%'"
        )
        plans = cursor.fetchall()
    assert any(generic for generic, _ in plans)
    assert all(custom <= 5 for _, custom in plans), "PostgreSQL tries five plans for the values first"


def test_both_lists_are_of_one_search(service, chen, django_assert_num_queries):
    """The lists of times and of choices have the same starts, and read each window with one statement."""
    longer = ServiceFactory(name="Long visit", duration=60, interval=60)
    okafor = ScheduleFactory(services=[service, longer])
    SlotFactory(schedule=chen, start=monday(9), end=monday(12))
    ways = [
        *availability.ways_of(service, availability.arrangements_for(service)),
        *availability.ways_of(longer, availability.arrangements_for(longer)),
    ]
    query = TimeQuery(ways=ways, start=monday(0), end=monday(0, days=1))
    with django_assert_num_queries(2):
        times = availability.find_times(query, now=timezone.now())
        choices = list(availability.openings(query, now=timezone.now()))
    assert starts(times) == sorted(starts(times))
    assert sorted(starts(times)) == sorted(
        {(each.service, each.start): as_datetime(each.start) for each in choices}.values()
    )
    by_schedule = {(each.service.name, each.offerings[0].schedule) for each in choices}
    assert by_schedule == {("Check-up", chen.pk), ("Check-up", okafor.pk), ("Long visit", okafor.pk)}
    assert min(each.start for each in choices if each.offerings[0].schedule == chen.pk) == monday(12).timestamp()


def test_the_windows_of_a_search_change_nothing_but_the_number_of_statements(service, chen, django_assert_num_queries):
    whole = TimeQuery(
        ways=availability.ways_of(service, availability.arrangements_for(service)),
        start=monday(0),
        end=monday(0, days=3),
    )
    by_day = replace(whole, windows=availability.by_day)
    with django_assert_num_queries(1):
        times = availability.find_times(whole, now=timezone.now())
    with django_assert_num_queries(3):
        assert availability.find_times(by_day, now=timezone.now()) == times
    assert starts(availability.openings(by_day, now=timezone.now())) == starts(times)
