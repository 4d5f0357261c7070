"""Setting up the clinic: who may, what is written, and what is refused."""

from datetime import time, timedelta

import pytest

from clinic.models import AuditEvent, Device, HealthcareService, Location, Practitioner, Schedule, SchedulingParameters
from scheduling import setup
from scheduling.access import Caller
from scheduling.availability import checklist
from scheduling.errors import Forbidden, RuleBroken, VersionConflict
from scheduling.opening import OpenSpan
from scheduling.setup import TEMPLATES
from tests.factories import (
    MONDAY_9,
    LocationFactory,
    PractitionerFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db(transaction=True)
NOW = MONDAY_9 - timedelta(hours=1)
NINE_TO_FIVE = (OpenSpan(time(9), time(17)),)
WEEK = (NINE_TO_FIVE,) * 5 + ((), ())
SATURDAY = ((),) * 5 + ((OpenSpan(time(10), time(12)),), ())
ADDRESS = {"line": "1 Main Street", "city": "New York", "phone": "+1 212 555 0100", "timezone": "America/New_York"}


@pytest.fixture
def manager(alex):
    return Caller(user=alex)


def whole_clinic(manager, kind="gp", rooms=()):
    """A clinic that is entered from nothing: a site, a person, rooms, and the visits of a kind of clinic."""
    site = setup.save_place(Location(), {"name": "Riverside", **ADDRESS}, version=1, caller=manager, now=NOW)
    person = setup.save_person(
        Practitioner(), {"given": "Mei", "family": "Chen"}, [site], version=1, caller=manager, now=NOW
    )
    for name in rooms:
        setup.save_place(Location(), {"name": name, "part_of": site}, version=1, caller=manager, now=NOW)
    services = setup.add_services(TEMPLATES[kind], WEEK, caller=manager, now=NOW)
    return site, person, services


@pytest.mark.parametrize("kind", TEMPLATES)
@pytest.mark.parametrize("rooms", [(), ("Room 1",)])
def test_every_template_can_be_booked_at_once_with_nothing_to_mend(manager, kind, rooms):
    _site, _person, services = whole_clinic(manager, kind, rooms)

    verdicts = checklist(services, now=NOW)

    assert [verdict.first for verdict in verdicts] == [MONDAY_9] * len(TEMPLATES[kind])
    found = {problem.fault for verdict in verdicts for problem in verdict.problems}
    assert found <= {"no-room-link"}  # of visits by video


def test_a_room_is_required_only_if_there_is_one(manager):
    [service, *_others] = whole_clinic(manager, "dentist")[2]
    assert service.requires == ["Practitioner"]
    HealthcareService.objects.update(name="Old")

    setup.save_place(
        Location(), {"name": "Room 1", "part_of": Location.objects.get()}, version=1, caller=manager, now=NOW
    )
    [service, *_others] = setup.add_services(TEMPLATES["dentist"], WEEK, caller=manager, now=NOW)

    assert service.requires == ["Practitioner", "Location"]


def test_each_row_is_written_down_with_who_entered_it(manager):
    whole_clinic(manager, rooms=["Room 1"])

    lines = AuditEvent.objects.filter(user=manager.user, subtype="create", recorded=NOW)
    written = [line.target.partition("/")[0] for line in lines]
    counts = {kind: written.count(kind) for kind in set(written)}
    assert counts == {"Location": 2, "Practitioner": 1, "Schedule": 2, "HealthcareService": len(TEMPLATES["gp"])}


def test_a_person_who_leaves_a_site_keeps_the_calendar_for_later(manager):
    site, person, _services = whole_clinic(manager)
    lakeside = LocationFactory(name="Lakeside")
    first = Schedule.objects.get()

    person = setup.save_person(person, {}, [lakeside], version=1, caller=manager, now=NOW)
    first.refresh_from_db()
    assert (first.active, first.version) == (False, 2)
    second = Schedule.objects.exclude(pk=first.pk).get()
    assert (second.site, second.active, second.bookable) == (lakeside, True, first.bookable)

    setup.save_person(person, {}, [site, lakeside], version=2, caller=manager, now=NOW)
    first.refresh_from_db()
    assert (first.active, Schedule.objects.count()) == (True, 2)


def test_a_change_on_a_version_that_somebody_has_replaced_is_refused(manager):
    site = setup.save_place(Location(), {"name": "Riverside", **ADDRESS}, version=1, caller=manager, now=NOW)
    setup.save_place(site, {"name": "Lakeside"}, version=1, caller=manager, now=NOW)

    with pytest.raises(VersionConflict):
        setup.save_place(site, {"name": "Hillside"}, version=1, caller=manager, now=NOW)

    assert Location.objects.get().name == "Lakeside"


def test_the_same_template_twice_adds_nothing(manager):
    whole_clinic(manager)

    with pytest.raises(RuleBroken, match="Consultation"):
        setup.add_services(TEMPLATES["gp"], WEEK, caller=manager, now=NOW)

    assert HealthcareService.objects.count() == len(TEMPLATES["gp"])


def test_one_week_for_all_visits_of_a_calendar_and_back_to_those_of_each(manager):
    _site, _person, services = whole_clinic(manager)
    schedule = Schedule.objects.get()

    setup.set_week(schedule, SATURDAY, version=1, caller=manager, now=NOW)
    saturday = MONDAY_9 + timedelta(days=5, hours=1)
    assert {verdict.first for verdict in checklist(services, now=NOW)} == {saturday}

    setup.set_week(schedule, None, version=2, caller=manager, now=NOW)
    assert {verdict.first for verdict in checklist(services, now=NOW)} == {MONDAY_9}
    assert not SchedulingParameters.objects.filter(schedule=schedule).exists()


def test_the_week_of_a_calendar_with_visits_is_set_where_their_fate_is_shown(manager):
    whole_clinic(manager)
    schedule = Schedule.objects.get()
    SlotFactory(schedule=schedule, start=MONDAY_9, end=MONDAY_9 + timedelta(minutes=15))

    with pytest.raises(RuleBroken, match="Visits are booked"):
        setup.set_week(schedule, SATURDAY, version=1, caller=manager, now=NOW)

    assert not SchedulingParameters.objects.filter(schedule=schedule).exists()
    schedule.refresh_from_db()
    assert schedule.version == 1


def test_a_device_gets_a_calendar_at_the_site_of_its_room(manager):
    site = LocationFactory()
    room = LocationFactory(part_of=site)

    setup.save_place(Device(), {"name": "Scanner", "location": room}, version=1, caller=manager, now=NOW)

    assert Schedule.objects.get().site == site


@pytest.mark.parametrize("who", ["front desk", "practitioner"])
def test_nobody_but_a_manager_sets_anything_up(rana, who):
    caller = Caller(user=rana if who == "front desk" else PractitionerFactory(user=UserFactory()).user)
    service, site, person = ServiceFactory(), LocationFactory(), PractitionerFactory()
    schedule = ScheduleFactory()
    attempts = (
        lambda: setup.save_place(site, {}, version=1, caller=caller, now=NOW),
        lambda: setup.save_person(person, {}, [], version=1, caller=caller, now=NOW),
        lambda: setup.add_services(TEMPLATES["gp"], WEEK, caller=caller, now=NOW),
        lambda: setup.save_service(service, {}, {}, version=1, caller=caller, now=NOW),
        lambda: setup.save_calendar(schedule, {}, [], version=1, caller=caller, now=NOW),
        lambda: setup.set_week(schedule, WEEK, version=1, caller=caller, now=NOW),
    )
    for attempt in attempts:
        with pytest.raises(Forbidden):
            attempt()
    assert not AuditEvent.objects.filter(recorded=NOW).exists()


def test_an_app_of_a_manager_sets_nothing_up(alex):
    app = Caller(user=alex, client="app", scopes=("user/*.cruds",))
    with pytest.raises(Forbidden):
        setup.save_place(Location(), {"name": "Riverside"}, version=1, caller=app, now=NOW)


def test_the_clinic_is_empty_until_something_is_entered(manager):
    assert setup.is_empty()
    whole_clinic(manager)
    assert not setup.is_empty()
    assert setup.progress() == setup.SetupProgress(
        sites=1, people=1, rooms=0, services=len(TEMPLATES["gp"]), calendars=1
    )
