"""Cancelling frees the time, within the clinic's rules."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.models import Appointment
from scheduling import availability, booking
from scheduling.access import Caller
from scheduling.booking import StatusRequest
from scheduling.booking.transitions import TRANSITIONS
from scheduling.errors import IllegalTransition, NotFound, RuleBroken, VersionConflict
from tests.factories import AppointmentFactory, ServiceFactory
from tests.scheduling.situations import SOFTWARE, book, hold, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)


def cancel(appointment, caller=SOFTWARE, **more):
    return booking.cancel(appointment.fhir_id, StatusRequest(**more), caller=caller, now=timezone.now())


@pytest.mark.parametrize("take", [book, hold])
def test_a_cancelled_visit_frees_its_time_and_keeps_the_reason(service, chen, ada, take):
    request = wish(service, chen, at=monday(10), patient=ada)
    cancelled = cancel(take(request), reason={"text": "feeling better"})
    assert (cancelled.status, cancelled.cancelation_reason) == ("cancelled", {"text": "feeling better"})
    assert availability.is_offered(service, request.offerings, request.start, now=timezone.now())
    assert book(request).status == "booked"


def test_the_patient_who_cancels_a_booking_declines_it(service, chen, ada):
    cancelled = cancel(book(wish(service, chen, at=monday(10), patient=ada)))
    statuses = {each["actor"]["reference"].partition("/")[0]: each["status"] for each in cancelled.participant}
    assert statuses == {"Practitioner": "accepted", "Patient": "declined"}


def test_a_patient_cancels_until_the_notice_and_the_clinic_after_it(chen, ada):
    service = ServiceFactory(cancellation_notice=timedelta(days=60))
    chen.services.add(service)
    appointment = book(wish(service, chen, at=monday(10), patient=ada))
    with pytest.raises(RuleBroken, match="1440 hours before"):
        cancel(appointment, Caller(user=ada.user))
    assert cancel(appointment).status == "cancelled"


def test_another_patients_visit_cannot_be_cancelled(service, chen, ada, bo):
    appointment = book(wish(service, chen, at=monday(10), patient=ada))
    with pytest.raises(NotFound):
        cancel(appointment, Caller(user=bo.user))


def test_a_version_that_is_no_longer_current_is_refused(service, chen, ada):
    appointment = book(wish(service, chen, at=monday(10), patient=ada))
    with pytest.raises(VersionConflict):
        cancel(appointment, version=appointment.version + 1)
    assert cancel(appointment, version=appointment.version).version == appointment.version + 1


@pytest.mark.parametrize("current", Appointment.Status.values)
@pytest.mark.parametrize("expected", Appointment.Status.values)
def test_only_the_transitions_of_the_state_machine_happen(current, expected):
    """Every pair of statuses; a refusal names both. Only $hold and $book take time."""
    appointment = AppointmentFactory(status=current)
    reachable = TRANSITIONS[current] - {"pending", "booked"}
    if expected in reachable:
        changed = booking.change_status(appointment.fhir_id, expected, caller=SOFTWARE, now=timezone.now())
        assert changed.status == expected
    else:
        with pytest.raises(IllegalTransition, match=rf"is {current} cannot become {expected}"):
            booking.change_status(appointment.fhir_id, expected, caller=SOFTWARE, now=timezone.now())
