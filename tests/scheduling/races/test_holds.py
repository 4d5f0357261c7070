"""Concurrent operations on one hold end as if one had come after the other."""

from datetime import timedelta
from functools import partial

import pytest
from django.db import OperationalError
from django.utils import timezone

from clinic.models import Appointment, AuditEvent, ParkedRow, QuestionnaireResponse
from scheduling import booking
from scheduling.access import Caller
from scheduling.errors import HoldExpired, IllegalTransition, RuleBroken, TimeTaken
from tests.factories import PatientFactory, QuestionnaireResponseFactory
from tests.scheduling.races.arena import GUEST, do, kinds, later, overlaps, slow, standing, ultrasound
from tests.scheduling.situations import SOFTWARE, at_once, book, hold, monday, run_out, wish

pytestmark = pytest.mark.django_db(transaction=True)


def twice_at_once(act, service, schedule):
    held = hold(wish(service, schedule, at=monday(10)))
    with slow("clinic_appointment"):
        return kinds(at_once([do(act, held)] * 2))


@pytest.mark.parametrize(("act", "refusal"), [(booking.confirm, IllegalTransition), (booking.extend_hold, RuleBroken)])
def test_two_equal_requests_at_once_take_effect_once(service, chen, act, refusal):
    assert twice_at_once(act, service, chen) == {Appointment: 1, refusal: 1}


@pytest.mark.parametrize("act", [booking.confirm, booking.extend_hold])
def test_without_the_lock_of_the_row_it_is_done_twice(service, chen, without_row_locks, act):
    assert twice_at_once(act, service, chen) == {Appointment: 2}


@pytest.mark.parametrize("who", ["a guest", "a patient who signs in"])
def test_a_person_who_confirms_twice_at_once_still_sees_the_visit(service, chen, ada, who):
    """The second press finds the visit booked, and does not lose sight of it: the page leads to what was booked."""
    caller, patient = (GUEST, PatientFactory()) if who == "a guest" else (Caller(user=ada.user), ada)
    held = hold(wish(service, chen, at=monday(10), patient=patient), caller)
    with slow("clinic_appointment"):
        outcomes = at_once([do(booking.confirm, held, caller=caller)] * 2)
    assert kinds(outcomes) == {Appointment: 1, IllegalTransition: 1}


def swept_by_four(service, schedule):
    """The number of holds that four concurrent sweeps report as released; there are five."""
    for hour in range(9, 14):
        hold(wish(service, schedule, at=monday(hour)))
    an_hour_later = timezone.now() + timedelta(hours=1)
    with slow("clinic_appointment"):
        return sum(at_once([lambda: booking.release_expired_holds(now=an_hour_later)] * 4))


def test_an_expired_hold_is_released_by_one_of_four_sweeps(service, chen):
    assert swept_by_four(service, chen) == 5
    assert AuditEvent.objects.filter(subtype="expire").count() == 5


def test_without_the_lock_of_the_row_by_several(service, chen, without_row_locks):
    assert swept_by_four(service, chen) > 5


def left_and_come_back_to(service, schedule, settings):
    """The sweep finds a hold that was left, just as its holder confirms it after all."""
    held, now = hold(wish(service, schedule, at=monday(10))), timezone.now()
    booking.note_presence(held.fhir_id, here=False, caller=SOFTWARE, now=now)
    with slow("clinic_appointment"):
        [released, _] = at_once(
            [
                lambda: booking.release_expired_holds(now=now + settings.LEFT_HOLD_FOR),
                later(do(booking.confirm, held)),
            ]
        )
    held.refresh_from_db()
    return released, held.status, standing(held)


def test_a_hold_that_is_being_released_is_not_confirmed(service, chen, settings):
    assert left_and_come_back_to(service, chen, settings) == (1, "cancelled", [])


def test_without_the_lock_of_the_row_the_release_ends_in_a_deadlock(service, chen, settings, without_row_locks):
    assert left_and_come_back_to(service, chen, settings) == (0, "booked", [("busy", monday(10))])
    assert ParkedRow.objects.get().key == str(Appointment.objects.get().pk)


def test_one_that_is_being_confirmed_is_not_released(service, chen, settings):
    held, now = hold(wish(service, chen, at=monday(10))), timezone.now()
    booking.note_presence(held.fhir_id, here=False, caller=SOFTWARE, now=now)
    with slow("clinic_appointment"):
        [_, released] = at_once(
            [
                do(booking.confirm, held),
                later(lambda: booking.release_expired_holds(now=now + settings.LEFT_HOLD_FOR)),
            ]
        )
    held.refresh_from_db()
    assert (released, held.status, standing(held)) == (0, "booked", [("busy", monday(10))])


def extended_as_it_is_sold(at, service, schedules):
    """A hold that has just run out is extended, by a clock that is behind, while somebody books its time."""
    held = run_out(hold(wish(service, *schedules, at=at)))
    for slot in held.slots.order_by("-pk"):  # rewritten, so that PostgreSQL reads them in this order
        slot.last_updated = timezone.now()
        slot.save()
    just_before = held.hold_expires_at - timedelta(milliseconds=1)
    return at_once(
        [
            lambda: booking.extend_hold(held.fhir_id, caller=SOFTWARE, now=just_before),
            partial(book, wish(service, *schedules, at=at)),
        ]
    )


def test_at_the_instant_of_its_end_a_hold_is_extended_or_its_time_is_sold():
    service, schedules = ultrasound()
    for round_ in range(15):
        outcomes = kinds(extended_as_it_is_sold(monday(round_), service, schedules))
        assert outcomes in ({Appointment: 1, HoldExpired: 1}, {Appointment: 1, TimeTaken: 1})
    assert overlaps() == 0


def test_even_if_that_takes_long():
    service, schedules = ultrasound()
    with slow("clinic_slot", "INSERT OR UPDATE", each="ROW"):
        outcomes = kinds(extended_as_it_is_sold(monday(10), service, schedules))
    assert outcomes in ({Appointment: 1, HoldExpired: 1}, {Appointment: 1, TimeTaken: 1})


def test_without_owning_the_bookables_the_two_wait_for_each_other(without):
    without("holds.own_bookables")
    service, schedules = ultrasound()
    with slow("clinic_slot", "INSERT OR UPDATE", each="ROW"), pytest.raises(OperationalError, match="deadlock"):
        extended_as_it_is_sold(monday(10), service, schedules)


def replaced_by_two_pages(service, schedule):
    """Two pages of one browser change the same hold to different times. Returns how often it was released."""
    held = hold(wish(service, schedule, at=monday(10)), GUEST)
    QuestionnaireResponseFactory(appointment=held, patient=None)

    def instead(at):
        request = wish(service, schedule, at=at)
        return booking.hold(request, caller=GUEST, now=timezone.now(), instead_of=held.fhir_id)

    with slow("clinic_appointment"):
        made = at_once([partial(instead, monday(hour)) for hour in (11, 13)])
    return made, AuditEvent.objects.filter(appointment=held, subtype="cancel").count()


def test_a_hold_that_two_pages_replace_is_let_go_once_and_one_has_its_answers(service, chen):
    made, let_go = replaced_by_two_pages(service, chen)
    assert (kinds(made), let_go) == ({Appointment: 2}, 1)
    assert QuestionnaireResponse.objects.get().appointment in made


def test_without_the_lock_of_the_row_it_is_let_go_twice(service, chen, without_row_locks, without):
    without("holds.lock_holder", "visits.own_bookables")
    assert replaced_by_two_pages(service, chen)[1] == 2
