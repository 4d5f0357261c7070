"""Faults that keep a service from being booked are described, and agree with the search for free times."""

from datetime import timedelta

import pytest

from clinic.models import HealthcareService
from scheduling.availability import (
    Fault,
    TimeQuery,
    arrangements_for,
    as_datetime,
    checklist,
    faults,
    find_times,
    ways_of,
)
from tests.factories import (
    MONDAY_9,
    NEW_YORK,
    DeviceFactory,
    LocationFactory,
    PractitionerFactory,
    QuestionnaireFactory,
    RoleFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
NOW = MONDAY_9 - timedelta(hours=1)
YEAR = timedelta(days=366)


def hours(opens, closes, days=("mon", "tue", "wed", "thu", "fri")):
    return [{"daysOfWeek": list(days), "availableStartTime": opens, "availableEndTime": closes}]


def whole_site(**more):
    return LocationFactory(
        **{"name": "Riverside", "line": "1 Main Street", "city": "New York", "phone": "+1 212 555 0100"} | more
    )


def given(actor=None, site=None, calendar=None, **service):
    """A service that Dr. Chen's schedule at a complete site gives."""
    row = ServiceFactory(name="Check-up", **service)
    person = actor or PractitionerFactory(given="Mei", family="Chen", user=UserFactory())
    ScheduleFactory(actor=person, services=[row], site=site or whole_site(), **calendar or {})
    return row


def with_leave(**extra):
    return RoleFactory(practitioner=PractitionerFactory(given="Mei", family="Chen"), extra=extra)


def two_kinds(**actors):
    """A service that needs a practitioner and a room."""
    service = ServiceFactory(name="Check-up", requires=["Practitioner", "Location"])
    site = whole_site()
    ScheduleFactory(services=[service], site=site)
    return service, site


def without_a_room():
    return two_kinds()[0]


def room_elsewhere():
    service, _ = two_kinds()
    elsewhere = whole_site(name="Downtown")
    ScheduleFactory(actor=RoomFactory(part_of=elsewhere), services=[service], site=elsewhere)
    return service


def room_at_other_hours():
    service, site = two_kinds()
    evening = {"availability": hours("18:00:00", "21:00:00")}
    ScheduleFactory(actor=RoomFactory(part_of=site), services=[service], site=site, parameters=evening)
    return service


def all_taken():
    service = given()
    schedule = service.schedules.get()
    SlotFactory(schedule=schedule, start=NOW, end=NOW + 2 * YEAR)
    return service


def no_zone_anywhere():
    return given(actor=PractitionerFactory(timezone=""), site=whole_site(timezone=""))


def no_site_and_no_zone():
    service = ServiceFactory()
    ScheduleFactory(actor=PractitionerFactory(timezone=""), services=[service])
    return service


BLOCKED = {
    "an inactive service": (lambda: given(active=False), Fault.SERVICE_INACTIVE, "service is inactive"),
    "no schedule": (ServiceFactory, Fault.NOT_OFFERED, "No schedule offers it"),
    "no days ahead": (lambda: given(booking_horizon_days=0), Fault.NO_DAYS_AHEAD, "0 days ahead"),
    "more notice than days ahead": (
        lambda: given(booking_horizon_days=2, minimum_notice=timedelta(days=3)),
        Fault.NOTICE_TOO_LONG,
        "notice",
    ),
    "open later than it can be booked": (
        lambda: given(booking_horizon_days=1, hours=hours("09:00:00", "17:00:00", ["fri"])),
        Fault.NOTHING_SO_SOON,
        "how far ahead",
    ),
    "no room's schedule": (without_a_room, Fault.MISSING_KIND, "also needs a room"),
    "a room at another site": (room_elsewhere, Fault.MISSING_AT_SITE, "Nothing can be booked at Riverside: a room"),
    "a room at other hours": (room_at_other_hours, Fault.NEVER_TOGETHER, "never free at the same time"),
    "everything taken": (all_taken, Fault.ALL_TAKEN, "Everything is taken"),
    "an inactive schedule": (
        lambda: given(calendar={"active": False}),
        Fault.SCHEDULE_INACTIVE,
        "Dr. Mei Chen, Riverside: The schedule is inactive",
    ),
    "a practitioner who has left": (
        lambda: given(actor=PractitionerFactory(active=False)),
        Fault.CLOSED,
        "The practitioner is inactive",
    ),
    "an inactive role": (lambda: given(actor=RoleFactory(active=False)), Fault.CLOSED, "role is inactive"),
    "a broken device": (
        lambda: given(actor=DeviceFactory(status="inactive")),
        Fault.CLOSED,
        "The device is not active",
    ),
    "a closed site": (lambda: given(site=whole_site(status="suspended")), Fault.CLOSED, "The site or the room"),
    "no zone anywhere": (no_zone_anywhere, Fault.NO_ZONE, "The time zone is not known"),
    "neither site nor zone": (no_site_and_no_zone, Fault.NO_ZONE, "It has no site, and so no time zone"),
    "no duration": (lambda: given(duration=None), Fault.NO_DURATION, "No length is set"),
    "no hours": (lambda: given(hours=None), Fault.NO_HOURS, "No hours are set"),
    "closed hours": (lambda: given(hours=[]), Fault.NO_HOURS, "No hours are set"),
    "always closed": (
        lambda: given(not_available=[{"description": "Works", "during": {"start": "2025"}}]),
        Fault.ALWAYS_CLOSED,
        "closed whenever it would be open",
    ),
    "a role that is over": (
        lambda: given(actor=with_leave(period={"end": "2025-12-31"})),
        Fault.ALWAYS_CLOSED,
        "role\u2019s period",
    ),
    "longer than every opening": (
        lambda: given(duration=90, hours=hours("09:00:00", "10:00:00")),
        Fault.TOO_LONG,
        "A visit takes 1 hour 30 minutes, including the time kept free around it, but the longest opening is 1 hour",
    ),
    "buffers longer than every opening": (
        lambda: given(buffer_after=45, hours=hours("09:00:00", "10:00:00")),
        Fault.TOO_LONG,
        "A visit takes 1 hour 15 minutes",
    ),
    "starts off the hours": (
        lambda: given(interval=60, hours=hours("09:15:00", "09:45:00")),
        Fault.OFF_GRID,
        "every 60 minutes, but never fits into the hours",
    ),
    "a planning horizon that is over": (
        lambda: given(calendar={"planning_end": NOW - timedelta(days=1)}),
        Fault.PLAN_OVER,
        "ended on January 4, 2026",
    ),
    "a planning horizon far ahead": (
        lambda: given(calendar={"planning_start": NOW + 2 * YEAR}),
        Fault.PLAN_FAR,
        "begins only on",
    ),
}


def first_found(service):
    query = TimeQuery(ways=ways_of(service, arrangements_for(service)), start=NOW, end=NOW + YEAR, limit=1)
    return next((as_datetime(each.start) for each in find_times(query, now=NOW)), None)


@pytest.mark.parametrize("case", BLOCKED)
def test_every_unbookable_service_has_a_reason(case):
    make, fault, text = BLOCKED[case]
    service = make()

    [verdict] = checklist([service], now=NOW)

    assert first_found(service) is None
    assert not verdict.can_be_booked
    [problem] = [each for each in verdict.problems if each.fault == fault and text in each.text]
    assert not problem.is_warning
    needs_a_new_row = (Fault.NOT_OFFERED, Fault.MISSING_AT_SITE)
    assert (problem.mend is None) == (fault in needs_a_new_row)


def test_a_service_without_problems_has_its_first_free_time():
    service = given()

    [verdict] = checklist([service], now=NOW)

    assert verdict.problems == ()
    assert verdict.first == first_found(service) == MONDAY_9
    assert verdict.first.tzinfo.key == NEW_YORK


def test_a_time_that_is_taken_is_not_the_first():
    service = given()
    SlotFactory(schedule=service.schedules.get(), start=MONDAY_9, end=MONDAY_9 + timedelta(days=60))

    [verdict] = checklist([service], now=NOW)

    assert verdict.first == first_found(service) > MONDAY_9 + timedelta(days=59)


DOUBTFUL = {
    "starts every hour for half an hour": (
        lambda: given(interval=60),
        Fault.WASTE,
        "Half of the time cannot be booked: a visit takes 30 minutes, but the next can start only 60 minutes after it"
        " starts. Let visits start every 30 minutes.",
    ),
    "starts every hour unless it is said": (lambda: given(interval=None), Fault.WASTE, "Half of the time"),
    "starts every half hour for twenty minutes": (
        lambda: given(interval=30, duration=20),
        Fault.WASTE,
        "33% of the time cannot be booked: a visit takes 20 minutes, but the next can start only 30 minutes after it"
        " starts. Let visits start every 10 minutes.",
    ),
    "no site": (lambda: ScheduleFactory().services.get(), Fault.NO_SITE, "It has no site"),
    "no address": (lambda: given(site=whole_site(line="")), Fault.NO_ADDRESS, "Riverside: Its address"),
    "no phone": (lambda: given(site=whole_site(phone="")), Fault.NO_PHONE, "Riverside: It has no phone number"),
    "a site without a zone": (
        lambda: given(site=whole_site(timezone="")),
        Fault.SITE_WITHOUT_ZONE,
        "Riverside: It has no time zone",
    ),
    "a video visit without a room": (lambda: given(telehealth=True), Fault.NO_ROOM_LINK, "there is no video room"),
    "questions that are a draft": (
        lambda: given(
            requires_questionnaires=True, questionnaires=[QuestionnaireFactory(title="Intake", status="draft")]
        ),
        Fault.QUESTIONS_NOT_ASKED,
        "\u201cIntake\u201d must be answered, but is not asked",
    ),
    "no questions": (lambda: given(requires_questionnaires=True), Fault.QUESTIONS_NOT_ASKED, "but it has none"),
    "nobody who accepts": (
        lambda: given(on_request=True, actor=PractitionerFactory()),
        Fault.NOBODY_ACCEPTS,
        "only administrators can accept",
    ),
}


@pytest.mark.parametrize("case", DOUBTFUL)
def test_a_doubtful_setting_is_a_warning(case):
    make, fault, text = DOUBTFUL[case]
    service = make()

    [verdict] = checklist([service], now=NOW)

    assert verdict.first == first_found(service)
    assert verdict.can_be_booked
    [problem] = verdict.problems
    assert (problem.fault, problem.is_warning) == (fault, True)
    assert text in problem.text
    assert problem.mend is not None


def test_hourly_visits_of_an_hour_and_windows_of_one_visit_waste_nothing():
    halves = [*hours("09:00:00", "09:30:00"), *hours("11:00:00", "11:30:00")]
    services = [given(interval=60, duration=50), given(interval=60, duration=60), given(interval=60, hours=halves)]

    assert [verdict.problems for verdict in checklist(services, now=NOW)] == [(), (), ()]


def test_one_schedule_that_cannot_give_it_is_a_warning_where_another_does():
    service = given()
    leaves = ScheduleFactory(
        actor=PractitionerFactory(given="Jo", family="Park"),
        services=[service],
        site=service.schedules.get().site,
        planning_end=NOW - timedelta(days=1),
    )
    gone = ScheduleFactory(services=[service], site=leaves.site, active=False)

    [verdict] = checklist([service], now=NOW)

    assert verdict.can_be_booked
    [problem] = verdict.worth_saying  # it leaves out the schedule that was closed on purpose
    assert problem.text.startswith("Dr. Jo Park, Riverside: Its planning horizon ended")
    assert (problem.is_warning, problem.mend) == (True, leaves)
    assert verdict.of(leaves.pk) == [problem]
    assert [each.fault for each in verdict.of(gone.pk)] == [Fault.SCHEDULE_INACTIVE]


def test_a_schedule_with_its_own_parameters_is_corrected_there():
    service = given(calendar={"parameters": {"alignment_interval": 60}})

    [verdict] = checklist([service], now=NOW)

    assert [(each.fault, each.mend) for each in verdict.problems] == [(Fault.WASTE, service.schedules.get())]


def test_hours_of_its_own_do_not_make_a_schedule_the_place_to_mend_the_starts():
    service = given(interval=60)
    own = {"availability": hours("10:00:00", "13:00:00")}
    ScheduleFactory(services=[service], site=service.schedules.get().site, parameters=own)

    [verdict] = checklist([service], now=NOW)

    assert [(each.fault, each.mend) for each in verdict.problems] == [(Fault.WASTE, service)]  # once for both


def test_the_first_time_is_by_the_clock_of_who_has_it():
    service = given(calendar={"planning_start": NOW + timedelta(days=3)})
    lakeside = whole_site(name="Lakeside", timezone="America/Chicago")
    ScheduleFactory(actor=PractitionerFactory(timezone="America/Chicago"), services=[service], site=lakeside)

    [verdict] = checklist([service], now=NOW)

    assert verdict.first == MONDAY_9 + timedelta(hours=1)
    assert verdict.zone.key == "America/Chicago"


def test_the_desk_of_a_site_accepts_requests():
    service = given(on_request=True, actor=PractitionerFactory())
    UserFactory(desk_locations=[service.schedules.get().site])

    assert checklist([service], now=NOW)[0].problems == ()


def test_many_services_ask_as_much_as_one(django_assert_num_queries):
    given(hours=None)
    given(duration=None)
    with django_assert_num_queries(9):
        assert len(checklist(HealthcareService.objects.all(), now=NOW)) == 2

    site = whole_site()
    for _ in range(3):
        service = given(site=site)
        ScheduleFactory(services=[service, given(interval=60), given(duration=None)], site=site)
    with django_assert_num_queries(9):
        assert len(checklist(HealthcareService.objects.all(), now=NOW)) == 11


def test_the_first_of_many_schedules_is_whichever_is_free_first():
    service, site = given(), whole_site()
    mornings = [service.schedules.get(), *(ScheduleFactory(services=[service], site=site) for _ in range(3))]
    for schedule, taken in zip(mornings, (4, 2, 3, 8), strict=True):
        end = MONDAY_9 + timedelta(hours=taken)
        SlotFactory(schedule=schedule, status="busy", start=MONDAY_9, end=end)

    [verdict] = checklist([service], now=NOW)

    assert verdict.first == MONDAY_9 + timedelta(hours=2)


def test_schedules_with_the_same_hours_are_examined_once(monkeypatch):
    examined = []
    whole = faults._wasted
    monkeypatch.setattr(faults, "_wasted", lambda diary, window: examined.append(diary) or whole(diary, window))
    service, site = given(interval=60), whole_site()
    for _ in range(5):
        ScheduleFactory(services=[service], site=site)

    [verdict] = checklist([service], now=NOW)

    assert len(examined) == 1
    [waste] = [each for each in verdict.problems if each.fault == Fault.WASTE]
    assert len(waste.schedules) == 6
