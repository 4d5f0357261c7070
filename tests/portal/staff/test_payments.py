"""The payment of a visit on the staff's pages: read, refunded, waived, charged, by whom it may be."""

import pytest
from pytest_django.asserts import assertContains, assertNotContains

from clinic.models import Appointment, Payment, PaymentOrder
from tests.payments import pay

pytestmark = pytest.mark.django_db


def page_of(visit, page=""):
    return f"/staff/appointments/{visit.fhir_id}/{page}"


def test_the_desk_reads_and_gives_back(as_rana, visit):
    payment = pay(visit)
    page = as_rana.get(page_of(visit))
    for words in ("The whole price", "Paid", "$40.00", "You pay $40.00 now.", "Refund, waive or charge"):
        assertContains(page, words)
    page = as_rana.post(page_of(visit, "payment/"), {"action": "refund", "amount": "41", "reason": "Late"})
    assertContains(page, "Enter an amount up to $40.00.")
    assertContains(page, "Late")
    page = as_rana.post(
        page_of(visit, "payment/"), {"action": "refund", "amount": "12.50", "reason": "Late"}, follow=True
    )
    assertContains(page, "on its way back")
    payment.refresh_from_db()
    assert payment.refunded == 1250
    assertContains(as_rana.get(page_of(visit)), "Money refunded")
    assertContains(as_rana.get(page_of(visit, "payment/")), "$27.50 at most.")


def test_the_fee_for_a_missed_visit_is_charged_by_a_click(as_rana, visit):
    pay(visit, status="kept", purpose="card", amount=0, fee=2500, card="pm_1", customer="cus_1")
    assertNotContains(as_rana.get(page_of(visit, "payment/")), "Charge the card")
    Appointment.objects.filter(pk=visit.pk).update(status="noshow")
    assertContains(as_rana.get(page_of(visit, "payment/")), "Charge the fee of $25.00")
    as_rana.post(page_of(visit, "payment/"), {"action": "fee", "reason": "Did not come"})
    assert PaymentOrder.objects.get().kind == "fee"


def test_a_visit_that_was_booked_without_payment_says_what_is_due(as_rana, visit, checkup):
    checkup.pricing, checkup.price, checkup.prepayment = "fixed", 4000, "whole"
    checkup.save()
    assertContains(as_rana.get(page_of(visit)), "$40.00 is due")
    as_rana.post(page_of(visit, "payment/"), {"action": "waive", "reason": ""})
    assert not Payment.objects.exists()
    as_rana.post(page_of(visit, "payment/"), {"action": "waive", "reason": "A colleague"})
    assertNotContains(as_rana.get(page_of(visit)), "is due")


def test_cancelling_at_the_patients_wish_can_be_said_only_for_a_paid_visit(as_rana, visit):
    assertNotContains(as_rana.get(page_of(visit, "cancel/")), "give back only")
    pay(visit)
    assertContains(as_rana.get(page_of(visit, "cancel/")), "give back what the terms say")
    as_rana.post(page_of(visit, "cancel/"), {"reason": "Called", "by_patient": "on"})
    assert Payment.objects.get().refunded == 4000, "more than a day before, the terms give all of it back"


def test_practitioners_read_it_and_decide_nothing(as_chen, visit):
    pay(visit)
    assertContains(as_chen.get(page_of(visit)), "$40.00")
    assertNotContains(as_chen.get(page_of(visit)), "Refund, waive or charge")
    assert as_chen.get(page_of(visit, "payment/")).status_code == 403


def test_a_visit_without_payment_has_no_such_page(as_rana, visit):
    assertNotContains(as_rana.get(page_of(visit)), "payment-heading")
    assert as_rana.get(page_of(visit, "payment/")).url.startswith(page_of(visit))
