"""Patients whom the clinic has barred from online booking: they are asked to call, and staff still book."""

import pytest
from django.utils import timezone

from clinic.models import Patient
from scheduling import booking
from scheduling.access import Caller
from scheduling.availability import offerings_of
from scheduling.booking import RescheduleRequest, StatusRequest, WaitlistRequest
from scheduling.errors import Forbidden, RuleBroken
from scheduling.interactions.details import change_details
from tests.factories import RelatedPersonFactory, UserFactory
from tests.scheduling.situations import SOFTWARE, book, hold, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def barred(ada):
    ada.barred_online, ada.barred_reason = True, "Missed five visits"
    ada.save()
    return ada


def test_they_are_asked_to_call_and_not_told_why(barred, service, chen, settings):
    settings.CLINIC_PHONE = "+12125550142"
    with pytest.raises(RuleBroken) as refused:
        book(wish(service, chen, at=monday(9), patient=barred), Caller(user=barred.user))
    text = str(refused.value)
    assert text == "Please call us on (212) 555-0142 to book this visit. We arrange it with you by phone."


def test_a_hold_made_before_the_bar_is_not_confirmed(ada, service, chen):
    held = hold(wish(service, chen, at=monday(9), patient=ada), Caller(user=ada.user))
    Patient.objects.filter(pk=ada.pk).update(barred_online=True)
    with pytest.raises(RuleBroken):
        booking.confirm(held.fhir_id, caller=Caller(user=ada.user), now=timezone.now())


def test_nor_does_a_carer_book_for_them(barred, service, chen):
    carer = RelatedPersonFactory(patient=barred, user=UserFactory()).user
    with pytest.raises(RuleBroken):
        book(wish(service, chen, at=monday(9), patient=barred), Caller(user=carer))


def test_they_do_not_join_the_waiting_list(barred, service):
    service.has_waitlist = True
    service.save()
    request = WaitlistRequest(service=service, patient=barred)
    with pytest.raises(RuleBroken):
        booking.join_waitlist(request, caller=Caller(user=barred.user), now=timezone.now())


def test_staff_and_software_of_the_clinic_still_book(barred, service, chen, boss):
    book(wish(service, chen, at=monday(9), patient=barred), boss)
    book(wish(service, chen, at=monday(10), patient=barred), SOFTWARE)


def test_a_visit_that_staff_booked_can_be_moved_and_cancelled_online(barred, service, chen, boss):
    visit = book(wish(service, chen, at=monday(9), patient=barred), boss)
    own, now = Caller(user=barred.user), timezone.now()
    offerings = offerings_of(service, [chen.fhir_id])
    moved = booking.reschedule(
        visit.fhir_id, RescheduleRequest(offerings=offerings, start=monday(11)), caller=own, now=now
    )
    assert moved.start == monday(11)
    booking.cancel(visit.fhir_id, StatusRequest(), caller=own, now=now)


@pytest.mark.parametrize("column", ["barred_online", "barred_reason", "vip"])
def test_patients_do_not_write_their_own_flags(ada, column):
    with pytest.raises(Forbidden):
        change_details(ada.fhir_id, {column: ""}, caller=Caller(user=ada.user), now=timezone.now())
