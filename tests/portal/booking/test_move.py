"""Moving a visit: it keeps its old time until the new one is booked."""

from datetime import date, timedelta

import pytest
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import Appointment, Communication
from portal.finding.times import read_menu, time_value
from scheduling.availability import offerings_of
from scheduling.notifications import links
from tests.factories import (
    EVERY_DAY,
    AppointmentFactory,
    PractitionerFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
)

pytestmark = pytest.mark.django_db

BORN = {"birth_date_day": "4", "birth_date_month": "7", "birth_date_year": "1990"}


@pytest.fixture
def address(visit):
    return f"/appointments/{visit.fhir_id}/move/"


def at(time, checkup, schedule):
    return time_value(time, offerings_of(checkup, [schedule.fhir_id]))


def when(visit):
    visit.refresh_from_db()
    return visit.status, visit.start


def test_it_shows_the_free_times_and_what_stays(as_ada, visit, address, ten):
    page = as_ada.get(address, {"date": f"{ten:%Y-%m-%d}"})
    assertContains(page, "stays yours until you have confirmed the new time")
    assertContains(page, f'action="{address}"')


def test_its_own_time_does_not_stand_in_the_way(as_ada, visit, address, ten, checkup, schedule):
    page = as_ada.get(address, {"date": f"{ten:%Y-%m-%d}"})
    assertContains(page, at(ten + timedelta(minutes=15), checkup, schedule))


def test_its_present_time_is_not_offered_as_a_new_one(as_ada, visit, address, ten, checkup, schedule, site):
    other = ScheduleFactory(actor=PractitionerFactory(family="Okafor"), services=[checkup], site=site)
    SlotFactory(schedule=other, start=ten + timedelta(minutes=30), end=ten.replace(hour=20))
    SlotFactory(schedule=schedule, start=ten + timedelta(minutes=30), end=ten.replace(hour=20))
    for busy in (schedule, other):
        SlotFactory(schedule=busy, start=ten.replace(hour=0), end=ten)
    page = as_ada.get(address, {"date": f"{ten:%Y-%m-%d}"})
    opened = page.context["free_days"].opened
    assert [(each.start, each.value) for each in opened.times] == [(ten, at(ten, checkup, other))]
    assert next(day.count for day in page.context["free_days"].days if day.date == opened.date) == 1
    assertNotContains(page, at(ten, checkup, schedule))
    other.active = False
    other.save()
    days = as_ada.get(address, {"date": f"{ten:%Y-%m-%d}"}).context["free_days"].days
    assert next(day.count for day in days if day.date == ten.date()) == 0


def test_a_visit_without_a_person_is_where_it_is_in_any_of_its_rooms(ada, ten, site):
    lab = ServiceFactory(name="Blood test", hours=EVERY_DAY, requires=["Location"])
    rooms = [ScheduleFactory(actor=RoomFactory(part_of=site), services=[lab], site=site) for _ in range(2)]
    end = ten + timedelta(minutes=30)
    visit = AppointmentFactory(patient=ada, service=lab, start=ten, end=end, schedules=[rooms[0]], site=site)
    times = read_menu(lab, moved=visit).times(ten, ten + timedelta(hours=1), now=ten - timedelta(days=1))
    assert [each.start for each in times] == [ten + timedelta(minutes=15), ten + timedelta(minutes=30)]


def test_returning_after_the_move_shows_that_it_is_done(as_ada, visit, address, ten, checkup, schedule):
    later = {"time": at(ten + timedelta(hours=2), checkup, schedule)}
    as_ada.post(address, {**later, "confirm": "on"})
    for answer in (
        as_ada.get(address, later, follow=True),
        as_ada.post(address, {**later, "confirm": "on"}, follow=True),
    ):
        assertRedirects(answer, f"/appointments/{visit.fhir_id}/")
        assertContains(answer, "Your visit is already at that time.")
    visit.refresh_from_db()
    assert visit.sequence == 1
    assert Communication.objects.filter(event="change", medium="email").count() == 1


def test_choosing_asks_once_more_and_changes_nothing(as_ada, visit, address, ten, checkup, schedule):
    page = as_ada.post(address, {"time": at(ten + timedelta(hours=2), checkup, schedule)}, follow=True)
    assertContains(page, "Nothing changes until you confirm.")
    assert when(visit) == ("booked", ten)


def test_confirming_moves_it(as_ada, visit, address, ten, checkup, schedule):
    later = ten + timedelta(hours=2)
    answer = as_ada.post(address, {"time": at(later, checkup, schedule), "confirm": "on"})
    assertRedirects(answer, f"/appointments/{visit.fhir_id}/")
    assert when(visit) == ("booked", later)
    assert [slot.start for slot in visit.slots.filter(deleted_at=None)] == [later]


def test_if_somebody_was_faster_the_old_time_stays(as_ada, visit, address, ten, checkup, schedule):
    later = ten + timedelta(hours=2)
    SlotFactory(schedule=schedule, start=later, end=later + timedelta(minutes=30))
    answer = as_ada.post(address, {"time": at(later, checkup, schedule), "confirm": "on"}, follow=True)
    assertContains(answer, "That time has just been taken. Your visit stays as it was.")
    assert when(visit) == ("booked", ten)


def test_too_late_it_cannot_be_moved(as_ada, visit, address, ten, checkup, schedule):
    checkup.cancellation_notice = timedelta(days=30)
    checkup.save()
    assertRedirects(as_ada.get(address), f"/appointments/{visit.fhir_id}/")
    as_ada.post(address, {"time": at(ten + timedelta(hours=2), checkup, schedule), "confirm": "on"})
    assert when(visit) == ("booked", ten)


def test_another_patients_visit_cannot_be_moved(client, bo, visit, address):
    client.force_login(bo.user)
    assert client.get(address).status_code == 404


class TestByLink:
    @pytest.fixture
    def link(self, visit, ada, settings):
        ada.birth_date = date(1990, 7, 4)
        ada.save()
        return links.manage_link(visit).removeprefix(settings.SITE_URL)

    def test_first_the_birth_date(self, client, link):
        assertContains(client.get(link), f'href="{link}move/"')
        assertContains(client.get(f"{link}move/"), "date of birth first, so that nobody else can move")
        assertContains(
            client.post(f"{link}move/", BORN | {"birth_date_year": "1991"}), "That date of birth does not match"
        )
        assertContains(client.post(f"{link}move/", BORN), "stays yours until you have confirmed the new time")

    def test_then_it_moves(self, client, link, visit, ten, checkup, schedule):
        client.post(link, BORN)
        assertNotContains(client.get(f"{link}move/"), "Ada")
        later = ten + timedelta(hours=2)
        assertRedirects(client.post(f"{link}move/", {"time": at(later, checkup, schedule), "confirm": "on"}), link)
        assert when(visit) == ("booked", later)


@pytest.mark.parametrize("way", ["signed in", "by the manage link"])
def test_it_keeps_its_own_length_and_its_own_extras(client, ada, visit, ten, checkup, schedule, site, settings, way):
    """The desk made it 45 minutes and gave it a room: both are offered, and both move."""
    ada.birth_date = date(1990, 7, 4)
    ada.save()
    address = f"/appointments/{visit.fhir_id}/move/"
    if way == "signed in":
        client.force_login(ada.user)
    else:
        link = links.manage_link(visit).removeprefix(settings.SITE_URL)
        client.post(link, BORN)
        address = f"{link}move/"
    room = ScheduleFactory(services=[checkup], actor=RoomFactory(), site=site)
    end = ten + timedelta(minutes=45)
    Appointment.objects.filter(pk=visit.pk).update(end=end)
    visit.slots.update(end=end)
    SlotFactory(schedule=room, start=ten, end=end, appointment=visit)
    for busy in (schedule, room):  # 11:00 to 11:45 fits and 11:15 does not
        SlotFactory(schedule=busy, start=ten.replace(hour=11, minute=45), end=ten.replace(hour=13))

    page = client.get(address, {"date": ten.date().isoformat()})
    times = {each.start: each for each in page.context["menu"].times(ten, ten + timedelta(hours=3), now=timezone.now())}
    assert [f"{each:%H:%M}" for each in times] == ["10:15", "10:30", "10:45", "11:00"]  # it is at 10:00 now
    eleven = times[ten.replace(hour=11)]
    assert eleven.end == ten.replace(hour=11, minute=45)
    assertContains(client.post(address, {"time": eleven.value}, follow=True), "11:45")
    client.post(address, {"time": eleven.value, "confirm": "on"})
    visit.refresh_from_db()
    assert (visit.start, visit.end) == (eleven.start, eleven.end)
    taken = visit.slots.filter(deleted_at=None, start=eleven.start, end=eleven.end)
    assert {each.schedule for each in taken} == {schedule, room}
