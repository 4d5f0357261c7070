"""Holds take time for some minutes; an expired hold does not."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.models import Appointment, Slot
from scheduling import availability, booking, tasks
from scheduling.access import Caller
from scheduling.errors import HoldExpired, IllegalTransition, NotFound, RuleBroken, TimeTaken, TooManyHolds
from tests.factories import AppointmentFactory
from tests.scheduling.situations import SOFTWARE, book, hold, monday, run_out, wish

pytestmark = pytest.mark.django_db(transaction=True)


def confirm(appointment, caller=SOFTWARE):
    return booking.confirm(appointment.fhir_id, caller=caller, now=timezone.now())


def let_expire(service, chen, **who):
    """A hold that has just run out."""
    return run_out(hold(wish(service, chen, at=monday(10), **who)))


def test_a_hold_is_pending_and_its_slot_tentative_until_it_expires(service, chen, ada):
    before = timezone.now()
    held = hold(wish(service, chen, at=monday(10), patient=ada))
    slot = Slot.objects.get(appointment=held)
    assert (held.status, slot.status) == ("pending", "busy-tentative")
    assert slot.hold_expires_at == held.hold_expires_at
    assert timedelta(minutes=10) <= held.hold_expires_at - before < timedelta(minutes=11)


def test_a_held_time_is_neither_found_nor_booked(service, chen, ada, bo):
    request = wish(service, chen, at=monday(10), patient=ada)
    hold(request)
    assert not availability.is_offered(service, request.offerings, request.start, now=timezone.now())
    with pytest.raises(TimeTaken):
        book(wish(service, chen, at=monday(10), patient=bo))


def test_a_confirmed_hold_is_a_booking_for_good(service, chen, ada):
    held = hold(wish(service, chen, at=monday(10), patient=ada))
    booked = confirm(held)
    slot = Slot.objects.get(appointment=booked)
    assert (booked.status, booked.hold_expires_at, slot.status, slot.hold_expires_at) == ("booked", None, "busy", None)


def test_confirming_what_is_booked_names_both_states(service, chen, ada):
    booked = book(wish(service, chen, at=monday(10), patient=ada))
    with pytest.raises(IllegalTransition, match=r"booked.*booked"):
        confirm(booked)


def test_a_hold_proposed_by_other_software_is_booked_as_it_is(ada):
    assert confirm(AppointmentFactory(status="proposed", patient=ada)).status == "booked"


def test_a_hold_proposed_without_a_time_is_not_booked(ada):
    proposed = AppointmentFactory(status="proposed", patient=ada, start=None, end=None)
    with pytest.raises(RuleBroken, match="no time yet"):
        confirm(proposed)


def test_a_hold_is_not_confirmed_once_its_schedule_or_service_is_closed(service, chen, ada):
    held = hold(wish(service, chen, at=monday(10), patient=ada))
    for closed, reason in ((chen, "Schedule is inactive"), (service, "HealthcareService is inactive")):
        closed.active = False
        closed.save()
        with pytest.raises(RuleBroken, match=reason):
            confirm(held)


def test_an_expired_hold_is_bookable_at_once_with_no_worker(service, chen, ada, bo):
    let_expire(service, chen, patient=ada)
    request = wish(service, chen, at=monday(10), patient=bo)
    assert availability.is_offered(service, request.offerings, request.start, now=timezone.now())
    assert book(request).status == "booked"


def test_a_late_confirmation_is_refused_even_if_the_time_is_free(service, chen, ada):
    held = let_expire(service, chen, patient=ada)
    with pytest.raises(HoldExpired):
        confirm(held)
    tasks.release_expired_holds()
    with pytest.raises(HoldExpired):
        confirm(held)


def test_the_worker_cancels_expired_holds_and_says_why(service, chen, ada):
    held = let_expire(service, chen, patient=ada)
    alive = hold(wish(service, chen, at=monday(11)))
    assert booking.release_expired_holds(now=timezone.now()) == 1
    held.refresh_from_db()
    alive.refresh_from_db()
    assert (held.status, held.cancelation_reason["text"]) == ("cancelled", "hold expired")
    assert not held.slots.filter(deleted_at=None).exists()
    assert alive.status == "pending"


def test_changing_ones_mind_takes_the_new_time_and_frees_the_old(service, chen, ada):
    caller = Caller(user=ada.user)
    first = hold(wish(service, chen, at=monday(10), patient=ada), caller)
    second = booking.hold(
        wish(service, chen, at=monday(10, 15), patient=ada),
        caller=caller,
        now=timezone.now(),
        instead_of=first.fhir_id,
    )
    first.refresh_from_db()
    assert (first.status, second.status) == ("cancelled", "pending")


def test_changing_to_a_time_that_is_gone_keeps_the_old_hold(service, chen, ada, bo):
    caller = Caller(user=ada.user)
    first = hold(wish(service, chen, at=monday(10), patient=ada), caller)
    book(wish(service, chen, at=monday(11), patient=bo))
    with pytest.raises(TimeTaken):
        booking.hold(
            wish(service, chen, at=monday(11), patient=ada),
            caller=caller,
            now=timezone.now(),
            instead_of=first.fhir_id,
        )
    first.refresh_from_db()
    assert first.status == "pending"
    assert confirm(first, caller).status == "booked"


def test_a_patient_holds_two_times_at_most(service, chen, ada):
    caller = Caller(user=ada.user)
    for hour in (9, 11):
        hold(wish(service, chen, at=monday(hour), patient=ada), caller)
    with pytest.raises(TooManyHolds, match="as many times as you can"):
        hold(wish(service, chen, at=monday(13), patient=ada), caller)


def test_another_patients_hold_cannot_be_confirmed(service, chen, ada, bo):
    held = hold(wish(service, chen, at=monday(10), patient=ada))
    with pytest.raises(NotFound):
        confirm(held, Caller(user=bo.user))
    assert Appointment.objects.get().status == "pending"


def test_a_hold_that_was_left_is_let_go_a_little_later(service, chen, ada, settings):
    held, now = hold(wish(service, chen, at=monday(10), patient=ada)), timezone.now()
    booking.note_presence(held.fhir_id, here=False, caller=SOFTWARE, now=now)
    assert booking.release_expired_holds(now=now + settings.LEFT_HOLD_FOR / 2) == 0
    assert booking.release_expired_holds(now=now + settings.LEFT_HOLD_FOR) == 1
    assert Appointment.objects.get(pk=held.pk).status == "cancelled"


def test_a_patient_who_returns_still_has_the_hold(service, chen, ada, settings):
    held, now = hold(wish(service, chen, at=monday(10), patient=ada)), timezone.now()
    booking.note_presence(held.fhir_id, here=False, caller=SOFTWARE, now=now)
    booking.note_presence(held.fhir_id, here=True, caller=SOFTWARE, now=now)
    assert booking.release_expired_holds(now=now + settings.LEFT_HOLD_FOR) == 0
    assert confirm(held).status == "booked"
