"""Access by a browser's secret, by a manage link, and by a profession, and its limits."""

from dataclasses import replace

import pytest
from django.utils import timezone

from clinic.models import Appointment, Patient
from scheduling import access, booking
from scheduling.access import Caller
from scheduling.booking import RescheduleRequest
from scheduling.errors import Forbidden, NotFound, RuleBroken
from tests.factories import (
    LocationFactory,
    PatientFactory,
    PractitionerFactory,
    RelatedPersonFactory,
    ScheduleFactory,
    UserFactory,
)
from tests.scheduling.situations import book, hold, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)
GUEST = Caller(guest="a-secret-of-this-browser")


@pytest.fixture
def visit(service, chen, ada):
    return book(wish(service, chen, at=monday(10), patient=ada))


@pytest.fixture
def link(visit):
    return Caller(visit=visit.fhir_id)


def act(name, appointment, *given, caller, **more):
    return getattr(booking, name)(appointment.fhir_id, *given, caller=caller, now=timezone.now(), **more)


def doctor_who_is(patient):
    """A caller who works here, on a calendar of their own, and is a patient here too."""
    doctor = PractitionerFactory(user=patient.user)
    ScheduleFactory(actor=doctor, site=LocationFactory())
    return Caller(user=patient.user)


# A manage link


def test_a_link_shows_one_visit(visit, link, service, chen, ada):
    book(wish(service, chen, at=monday(13), patient=ada))
    assert list(access.visible(Appointment, link)) == [visit]
    assert not access.visible(Patient, link).exists()


@pytest.mark.parametrize("take", [hold, book])
def test_a_link_makes_no_other_visit(link, service, chen, ada, take):
    with pytest.raises(Forbidden):
        take(wish(service, chen, at=monday(13), patient=ada), link)


def test_a_link_touches_no_other_visit(link, service, chen, ada):
    other = book(wish(service, chen, at=monday(13), patient=ada))
    for name in ("cancel", "confirm", "confirm_attendance", "extend_hold"):
        with pytest.raises(NotFound):
            act(name, other, caller=link)


def test_a_link_names_nobody_else_and_records_no_step(visit, link, service, chen):
    with pytest.raises(RuleBroken):
        act("change_status", visit, "arrived", caller=link)
    with pytest.raises(RuleBroken):
        act("correct_status", visit, "booked", caller=link)
    held = hold(wish(service, chen, at=monday(13)), GUEST)
    with pytest.raises(Forbidden):
        act("name_patient", held, PatientFactory(), caller=Caller(visit=held.fhir_id))


def test_a_link_moves_its_visit_and_overrides_no_rule(visit, link, service, chen):
    request = RescheduleRequest(offerings=wish(service, chen, at=monday(13)).offerings, start=monday(13))
    with pytest.raises(Forbidden):
        act("reschedule", visit, replace(request, override="because"), caller=link)
    assert act("reschedule", visit, request, caller=link).start == monday(13)


# A guest


def test_a_guest_sees_no_other_visit_of_the_record_that_is_theirs(service, chen):
    eve = PatientFactory()
    book(wish(service, chen, at=monday(9), patient=eve))
    held = hold(wish(service, chen, at=monday(10)), GUEST)
    act("name_patient", held, eve, caller=GUEST)
    assert [each.pk for each in access.visible(Appointment, GUEST)] == [held.pk]


def test_a_guest_books_nothing_for_somebody_who_has_an_account_by_now(service, chen):
    eve = PatientFactory()
    held = hold(wish(service, chen, at=monday(10)), GUEST)
    act("name_patient", held, eve, caller=GUEST)
    eve.user = UserFactory()
    eve.save()
    with pytest.raises(Forbidden):
        act("confirm", held, caller=GUEST)


def test_a_guest_records_no_step(service, chen):
    held = hold(wish(service, chen, at=monday(10)), GUEST)
    act("name_patient", held, PatientFactory(), caller=GUEST)
    booked = act("confirm", held, caller=GUEST)
    with pytest.raises(RuleBroken, match="Only clinic staff"):
        act("change_status", booked, "arrived", caller=GUEST)


# A carer


def test_a_former_carer_cannot_book_their_hold(service, chen, ada):
    related = RelatedPersonFactory(user=ada.user)
    held = hold(wish(service, chen, at=monday(10)), Caller(user=ada.user, guest=GUEST.guest))
    act("name_patient", held, related.patient, caller=Caller(user=ada.user, guest=GUEST.guest))
    related.delete()
    with pytest.raises(NotFound):
        act("confirm", held, caller=Caller(user=ada.user, guest=GUEST.guest))


# Staff


def test_staff_are_bound_by_the_rules_as_patients_of_other_calendars(visit, ada):
    caller = doctor_who_is(ada)
    with pytest.raises(RuleBroken, match="Only clinic staff"):
        act("change_status", visit, "arrived", caller=caller)
    with pytest.raises(RuleBroken, match="Only clinic staff"):
        act("correct_status", visit, "booked", caller=caller)
    assert visit not in access.staff_appointments(caller)
    assert visit in access.visible(Appointment, caller)


def test_staff_name_only_their_own_patients_on_other_calendars(service, chen, ada, bo):
    caller = doctor_who_is(ada)
    held = hold(wish(service, chen, at=monday(10)), caller)
    with pytest.raises(Forbidden):
        act("name_patient", held, bo, caller=caller)
    assert act("name_patient", held, ada, caller=caller).patient == ada


def test_a_practitioner_overrides_no_other_practitioners_rules():
    site = LocationFactory()
    mine, theirs, room = (PractitionerFactory(user=UserFactory()), PractitionerFactory(), LocationFactory())
    bookables = {actor: ScheduleFactory(actor=actor, site=site).bookable_id for actor in (mine, theirs, room)}
    caller = Caller(user=mine.user)

    def may(*actors):
        return access.may_override(caller, bookables=[bookables[each] for each in actors], sites=[site.pk])

    assert may(mine, room)
    assert not may(mine, theirs)
    assert not may(room)


def test_the_desk_of_one_site_overrides_no_rules_of_another(service, chen, ada):
    desk = Caller(user=UserFactory(desk_locations=[LocationFactory()]))
    with pytest.raises(Forbidden):
        book(replace(wish(service, chen, at=monday(3), patient=ada), override="because"), desk)
    assert not access.manages(desk, bookables=[], sites=[])
