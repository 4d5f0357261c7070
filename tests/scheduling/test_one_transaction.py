"""A use case is one transaction: a refusal registers nobody, and a hold is released together with its refusal."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.models import Appointment, IdempotencyKey, Patient
from scheduling import booking
from scheduling.access import Caller
from scheduling.booking import BookingRequest, ConfirmRequest, Once
from scheduling.errors import HoldExpired, RuleBroken, TimeTaken, VersionConflict
from tests.factories import AppointmentFactory, PatientFactory, SlotFactory
from tests.row_digests import stored
from tests.scheduling.situations import SOFTWARE, hold, monday, run_out, wish

pytestmark = pytest.mark.django_db(transaction=True)
OTHER = Caller(client="other", scopes=("system/*.cruds",))
ONCE = Once(owner="client:software", key="one", fingerprint="f", answer=lambda appointment: appointment.fhir_id)


def nora():
    return PatientFactory(given="Nora", family="Newman")


def new_patient(request: BookingRequest) -> BookingRequest:
    return BookingRequest(
        service=request.service, offerings=request.offerings, start=request.start, register=nora, comment="Ring twice"
    )


def transactions(captured):
    return [each["sql"] for each in captured if each["sql"] in ("COMMIT", "ROLLBACK")]


def confirm(held, caller=SOFTWARE, once=None, **confirmation):
    return booking.confirm(held.fhir_id, ConfirmRequest(**confirmation), caller=caller, now=timezone.now(), once=once)


@pytest.mark.parametrize("use_case", [booking.book, booking.hold])
def test_a_new_patient_is_registered_with_the_visit(service, chen, use_case):
    with CaptureQueriesContext(
        connection,
    ) as captured:
        visit = use_case(new_patient(wish(service, chen, at=monday(10))), caller=SOFTWARE, now=timezone.now())
    assert transactions(captured) == ["COMMIT"]
    assert (visit.patient, Patient.objects.get()) == (Patient.objects.get(family="Newman"), visit.patient)
    assert visit.participant[-1]["actor"] == {"reference": visit.patient.reference, "display": "Nora Newman"}


@pytest.mark.parametrize("use_case", [booking.book, booking.hold])
def test_a_refusal_registers_nobody(service, chen, use_case):
    SlotFactory(schedule=chen, start=monday(10), end=monday(11))
    request = new_patient(wish(service, chen, at=monday(10)))
    before = stored()
    with pytest.raises(TimeTaken):
        use_case(request, caller=SOFTWARE, now=timezone.now())
    assert stored() == before
    with pytest.raises(TimeTaken):
        use_case(request, caller=SOFTWARE, now=timezone.now(), once=ONCE)
    assert (Patient.objects.count(), IdempotencyKey.objects.count()) == (0, 1)


def test_sent_participants_get_the_new_patient_in_their_status(service, chen):
    sent = ({"actor": {"reference": chen.actor.reference}, "status": "tentative"},)
    request = BookingRequest(
        service=service,
        offerings=wish(service, chen, at=monday(10)).offerings,
        start=monday(10),
        participants=sent,
        register=nora,
    )
    held = booking.hold(request, caller=SOFTWARE, now=timezone.now())
    assert [(each["actor"]["reference"], each["status"]) for each in held.participant] == [
        (chen.actor.reference, "tentative"),
        (held.patient.reference, "tentative"),
    ]


def test_a_hold_is_confirmed_for_a_new_patient_or_stays_as_it_is(service, chen):
    held = hold(wish(service, chen, at=monday(10)))
    before = stored()
    with pytest.raises(VersionConflict):
        confirm(held, register=nora, version=("7",))
    assert stored() == before
    assert confirm(held, register=nora).patient == Patient.objects.get(family="Newman")


@pytest.mark.parametrize("once", [None, ONCE])
def test_a_hold_that_cannot_be_booked_is_released_with_the_refusal(service, chen, ada, once):
    AppointmentFactory(patient=ada, start=monday(10), end=monday(11))
    held = hold(wish(service, chen, at=monday(10)))
    with CaptureQueriesContext(connection) as captured, pytest.raises(RuleBroken) as refusal:
        confirm(held, patient=ada, release=True, once=once)
    assert transactions(captured) == ["COMMIT"]
    held.refresh_from_db()
    assert (held.status, held.cancelation_reason) == ("cancelled", {"text": str(refusal.value)})
    assert not held.slots.filter(deleted_at=None).exists()
    if once:
        with pytest.raises(RuleBroken, match=str(refusal.value)):
            booking.recall(once)


def test_a_hold_stays_unless_its_release_is_asked_for(service, chen, ada):
    AppointmentFactory(patient=ada, start=monday(10), end=monday(11))
    held = hold(wish(service, chen, at=monday(10)))
    before = stored()
    with pytest.raises(RuleBroken):
        confirm(held, patient=ada)
    with pytest.raises(TimeTaken):
        confirm(held, OTHER, patient=ada, release=True)
    with pytest.raises(VersionConflict):
        confirm(held, patient=ada, release=True, version=("7",))
    assert stored() == before, "nor is the hold of somebody else released, nor one that has changed"


def test_an_expired_hold_is_cancelled_as_such_with_its_refusal(service, chen, ada):
    expired = run_out(hold(wish(service, chen, at=monday(10))))
    with pytest.raises(HoldExpired):
        confirm(expired, patient=ada, release=True)
    assert Appointment.objects.get(pk=expired.pk).cancelation_reason == booking.HOLD_EXPIRED


def test_a_hold_is_refused_for_a_reason_of_the_caller(service, chen):
    held = hold(wish(service, chen, at=monday(10)))
    with CaptureQueriesContext(connection) as captured, pytest.raises(RuleBroken, match="One patient, please"):
        booking.refuse(held.fhir_id, RuleBroken("One patient, please."), caller=SOFTWARE, now=timezone.now())
    assert transactions(captured) == ["COMMIT"]
    assert Appointment.objects.get().cancelation_reason == {"text": "One patient, please."}
