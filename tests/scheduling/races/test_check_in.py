"""Two devices that check one patient in at once make one arrival."""

import pytest

from clinic.models import Appointment, AuditEvent, Encounter
from scheduling import booking
from scheduling.access import Caller
from tests.scheduling.races.arena import kinds, slow
from tests.scheduling.situations import at_once, book, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)


def checked_in_by_two(service, schedule):
    visit = book(wish(service, schedule, at=monday(10)))
    caller = Caller(visit=visit.fhir_id)
    with slow("clinic_appointment"):
        outcomes = at_once([lambda: booking.check_in(visit.fhir_id, caller=caller, now=monday(10)) for _ in range(2)])
    visit.refresh_from_db()
    arrivals = AuditEvent.objects.filter(subtype="check-in").count()
    return kinds(outcomes), visit.version, arrivals, Encounter.objects.count()


def test_both_are_told_that_they_are_checked_in_and_it_is_recorded_once(service, chen):
    assert checked_in_by_two(service, chen) == ({Appointment: 2}, 2, 1, 1)


def test_without_the_lock_of_the_row_it_is_recorded_twice(service, chen, without_row_locks):
    _outcomes, _version, arrivals, _encounters = checked_in_by_two(service, chen)
    assert arrivals == 2
