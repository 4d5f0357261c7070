"""Absences of a whole site: it is closed, its visits are affected, and other sites and later days are offered."""

from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from clinic.models import Absence, Appointment, Rebooking, Slot, StaffRole
from scheduling import absences, booking, opening, tasks
from scheduling.absences import candidates, tending
from scheduling.access import Caller
from scheduling.booking import AbsenceRequest
from scheduling.errors import Forbidden, RuleBroken, SchedulingError
from tests.factories import AppointmentFactory, LocationFactory, PatientFactory, ScheduleFactory, UserFactory
from tests.scheduling.absences.acts import choose, held, send, state
from tests.scheduling.situations import book, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def park(db):
    """Another site of the clinic."""
    return LocationFactory()


@pytest.fixture
def elsewhere(service, park):
    """The calendar of somebody who gives the same visits at the other site."""
    return ScheduleFactory(services=[service], site=park)


@pytest.fixture
def dark(site, desk):
    """A function that records that the site is without power, by default all Monday."""

    def record(caller=desk, **more):
        values = {"start": monday(0), "end": monday(0, days=1), "reason": "No power", "notice": "No power.", **more}
        return booking.record_absence(AbsenceRequest(site=site.pk, **values), caller=caller, now=timezone.now())

    return record


def site_of(appointment):
    return Slot.objects.get(appointment=appointment, status="busy-tentative").schedule.site_id


def test_nothing_is_booked_there_and_people_can_still_work_elsewhere(service, chen, park, visit, dark):
    other = ScheduleFactory(actor=chen.bookable.actor, services=[service], site=park)
    dark()
    with pytest.raises(SchedulingError):
        book(wish(service, chen, at=monday(14), patient=PatientFactory()))
    book(wish(service, other, at=monday(14), patient=PatientFactory()))
    book(wish(service, chen, at=monday(9, days=1), patient=PatientFactory()))
    visit.refresh_from_db()
    assert visit.status == "booked"


def test_all_visits_of_the_site_in_that_time_are_affected(service, chen, brook, elsewhere, visit, dark, desk):
    second = book(wish(service, brook, at=monday(10), patient=PatientFactory()))
    book(wish(service, elsewhere, at=monday(10), patient=PatientFactory()))
    book(wish(service, brook, at=monday(10, days=1), patient=PatientFactory()))
    absence = dark()
    assert set(booking.affected_visits(absence, now=timezone.now())) == {visit, second}
    listed = absences.absence_visits(absence, caller=desk, now=timezone.now())
    assert {each.appointment for each in listed} == {visit, second}
    todo = absences.visits_to_rebook(Appointment.objects.all(), now=timezone.now())
    assert dict(todo.values_list("pk", "absence")) == {visit.pk: absence.pk, second.pk: absence.pk}


def test_another_site_and_later_days_are_offered_and_can_be_booked(chen, elsewhere, visit, dark, desk):
    send(dark(), desk)
    assert state(visit) == ("offered", "")
    times = {site_of(hold): hold for hold in held(visit)}
    assert set(times) == {chen.site_id, elsewhere.site_id}
    moved = choose(visit, times[elsewhere.site_id])
    assert (moved.status, moved.site_id, state(visit)) == ("booked", elsewhere.site_id, ("moved", ""))


def test_the_desk_of_the_site_and_managers_say_it_and_others_do_not(dark, chen, park):
    manager, practitioner = UserFactory(), UserFactory()
    StaffRole.objects.create(user=manager, role="manager")
    chen.bookable.practitioner.user = practitioner
    chen.bookable.practitioner.save()
    for user in (practitioner, UserFactory(desk_locations=[park]), UserFactory()):
        with pytest.raises(Forbidden):
            dark(caller=Caller(user=user))
    absence = dark(caller=Caller(user=manager))
    now = timezone.now()
    assert list(absences.absences_of(Caller(user=practitioner), now=now)) == [absence]
    with pytest.raises(Forbidden):
        booking.end_absence(absence.pk, 1, caller=Caller(user=practitioner), now=now)


def test_a_change_and_an_early_end_open_the_site_again(service, chen, visit, dark, desk, site):
    absence, now = dark(), timezone.now()
    afternoon = AbsenceRequest(site=site.pk, start=monday(12), end=monday(0, days=1), reason="No power", version=1)
    booking.change_absence(absence.pk, afternoon, caller=desk, now=now)
    assert not booking.affected_visits(Absence.objects.get(), now=now).exists()
    book(wish(service, chen, at=monday(11), patient=PatientFactory()))
    with pytest.raises(SchedulingError):
        book(wish(service, chen, at=monday(14), patient=PatientFactory()))
    booking.end_absence(absence.pk, 2, caller=desk, now=now)
    book(wish(service, chen, at=monday(14), patient=PatientFactory()))


def test_its_closure_is_ended_with_the_absence_alone(dark, boss):
    absence = dark()
    [closure] = opening.closures_in_force(now=timezone.now())
    assert (closure.location, closure.reason) == (absence.site, "No power")
    with pytest.raises(RuleBroken):
        opening.remove_closure(closure, caller=boss, now=timezone.now())


VISITS, PEOPLE = 200, 13


@pytest.fixture
def many(service, site, chen, elsewhere):
    """Two hundred visits of one day at the site, and as many people at the other site who can give them."""
    here = [chen, *(ScheduleFactory(services=[service], site=site) for _ in range(PEOPLE - 1))]
    for _ in range(PEOPLE - 1):
        ScheduleFactory(services=[service], site=elsewhere.site)
    starts = [monday(9) + n * timedelta(minutes=30) for n in range(16)]
    places = [(schedule, start) for start in starts for schedule in here][:VISITS]
    return [
        AppointmentFactory(
            service=service,
            patient=PatientFactory(email=f"patient{number}@example.com"),
            site=site,
            schedules=[schedule],
            start=start,
            end=start + timedelta(minutes=30),
        )
        for number, (schedule, start) in enumerate(places)
    ]


def test_two_hundred_visits_in_one_go_with_progress_and_after_a_crash(many, dark, desk, monkeypatch):
    absence, now = dark(), timezone.now()
    booking.offer_times(absence.pk, 1, caller=desk, now=now)
    monkeypatch.setattr(tasks, "VISITS_AT_ONCE", 50)
    monkeypatch.setattr(candidates, "AHEAD", timedelta(days=4))
    statements: list[int] = []

    def count(execute, *arguments):
        statements[-1] += 1
        return execute(*arguments)

    def batch(later=timedelta(0)):
        monkeypatch.setattr(tasks.timezone, "now", lambda: now + later)
        statements.append(0)
        with connection.execute_wrapper(count):
            tasks.tend_absences()
        progress = absences.progress_of(absences.absence_visits(absence, caller=desk, now=now))
        return progress.looked_for, progress.visits

    assert batch() == (50, VISITS)
    search, visits_searched = tending.candidates, []

    def find_or_die(visit, **more):
        visits_searched.append(visit)
        if len(visits_searched) == 20:
            raise SystemExit  # the worker is killed
        return search(visit, **more)

    monkeypatch.setattr(tending, "candidates", find_or_die)
    with pytest.raises(SystemExit):
        batch()
    monkeypatch.setattr(tending, "candidates", search)
    assert batch() == (119, VISITS)
    batch()
    assert batch(tending.LEASE) == (VISITS, VISITS), "that of the killed worker too"
    assert max(statements) < 1.3 * statements[0], "as many for each batch, though there is less and less free time"

    holds = Appointment.objects.filter(suggested_for__in=[visit.pk for visit in many], status="pending")
    assert holds.count() > 2 * VISITS
    taken = Slot.objects.filter(appointment__in=holds, status="busy-tentative").values_list("bookable", "start")
    assert max(Counter(taken).values()) == 1, "nobody is promised a time that another is promised too"
    assert Rebooking.objects.filter(state="ready").count() == VISITS
