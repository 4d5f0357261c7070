"""The payment of a visit on the staff's pages: read, refunded, waived, charged, by whom it may be."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains

from clinic.models import Appointment, DeskPayment, Payment, PaymentOrder, StaffRole
from tests.factories import AppointmentFactory, LocationFactory, UserFactory
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


def test_a_cancelled_visit_without_payment_has_no_such_page(as_rana, visit):
    Appointment.objects.update(status="cancelled")
    assertNotContains(as_rana.get(page_of(visit)), "payment-heading")
    assert as_rana.get(page_of(visit, "payment/")).url.startswith(page_of(visit))


@pytest.fixture
def priced(visit, checkup):
    """Ada's visit, for which she pays forty dollars."""
    checkup.pricing, checkup.price = "fixed", 4000
    checkup.save()
    return visit


def take(client, visit, amount="40.00", method="cash", receipt="A-17", key=None):
    fields = {"amount": amount, "method": method, "receipt": receipt, "key": key or uuid4()}
    return client.post(page_of(visit, "payment/"), {"action": "take", **fields}, follow=True)


def test_cash_is_recorded_once_and_read_everywhere(as_rana, client, rana, priced, ada):
    page = as_rana.get(page_of(priced, "payment/"))
    assertContains(page, 'value="40.00"')
    assertContains(as_rana.get(page_of(priced)), "Still to be paid")
    key = uuid4()
    for _twice in range(2):
        assertContains(take(as_rana, priced, key=key), "The payment is recorded.")
    taken = DeskPayment.objects.get()
    assert (taken.amount, taken.method, taken.taken_by, taken.site) == (4000, "cash", rana, priced.site)
    page = as_rana.get(page_of(priced))
    for words in ("$40.00", "Cash", "receipt A-17", rana.display_name, "Payment taken at the desk"):
        assertContains(page, words)
    assertNotContains(page, "Still to be paid")
    record = as_rana.get(f"/staff/patients/{ada.fhir_id}/")
    for words in ("Paid at the desk", "receipt A-17", "Kept by the clinic"):
        assertContains(record, words)
    client.force_login(ada.user)
    assertContains(client.get(f"/appointments/{priced.fhir_id}/"), "$40.00 paid at the clinic")


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"amount": ""}, "Enter an amount."),
        ({"amount": "-5"}, "Enter an amount such as 20.00."),
        ({"amount": "0.001"}, "Enter an amount such as 20.00."),
        ({"method": ""}, "Choose how it was paid."),
    ],
)
def test_what_is_wrong_is_said_and_the_receipt_stays(as_rana, priced, fields, error):
    page = take(as_rana, priced, **fields)
    assertContains(page, error)
    assertContains(page, "A-17")
    assert not DeskPayment.objects.exists()


def test_a_wrong_entry_is_corrected_once_by_a_counter_entry_with_the_reason(as_rana, priced):
    take(as_rana, priced, amount="400")
    wrong = DeskPayment.objects.get()
    correction = {"action": "correct", "payment": wrong.pk, "reason": ""}
    assertContains(as_rana.post(page_of(priced, "payment/"), correction), "Enter the reason.")
    correction["reason"] = "One nought too many"
    done = as_rana.post(page_of(priced, "payment/"), correction, follow=True)
    assertContains(done, "Corrected by a counter entry.")
    assertContains(as_rana.get(page_of(priced)), "Counter entry: One nought too many")
    assertContains(as_rana.get(page_of(priced)), "Still to be paid")
    assert [each.amount for each in DeskPayment.objects.all()] == [40000, -40000]
    as_rana.post(page_of(priced, "payment/"), correction)
    assert DeskPayment.objects.count() == 2
    with pytest.raises(IntegrityError), transaction.atomic():
        DeskPayment.objects.create(
            **{name: getattr(wrong, name) for name in ("appointment", "patient", "method", "currency", "taken")},
            amount=-40000,
            corrects=wrong,
            reason="Again",
            key=uuid4(),
        )


def test_what_is_due_before_a_visit_can_be_paid_at_the_desk(as_rana, priced, checkup):
    checkup.prepayment = "whole"
    checkup.save()
    take(as_rana, priced, amount="10")
    assertContains(as_rana.get(page_of(priced)), "$30.00 is due")
    take(as_rana, priced, amount="30")
    assertNotContains(as_rana.get(page_of(priced)), "is due")


def test_cancelling_a_visit_that_was_paid_at_the_desk_gives_nothing_back_by_itself(as_rana, priced):
    assertNotContains(as_rana.get(page_of(priced, "cancel/")), "Give it back yourself")
    take(as_rana, priced)
    page = as_rana.get(page_of(priced, "cancel/"))
    assertContains(page, "$40.00 was paid at the desk. Give it back yourself")
    assertNotContains(page, "give back what the terms say")
    as_rana.post(page_of(priced, "cancel/"), {"reason": "Called"})
    assert [each.amount for each in DeskPayment.objects.all()] == [4000]
    assertContains(as_rana.get(page_of(priced, "payment/")), "Correct an entry")


def test_who_does_not_handle_payments_records_none(as_chen, priced):
    assert take(as_chen, priced).status_code == 403
    assert as_chen.get("/staff/payments/").status_code == 403
    assertNotContains(as_chen.get(page_of(priced)), "Paid at the desk")


def test_the_day_of_each_site_is_counted_by_who_handles_its_payments(as_rana, client, priced, site):
    take(as_rana, priced, amount="40", receipt="A-17")
    take(as_rana, priced, amount="12.50", method="card", receipt="")
    other = AppointmentFactory(patient__family="Stranger", site=LocationFactory(name="Park"), status="fulfilled")
    DeskPayment.objects.create(
        appointment=other, patient=other.patient, site=other.site, method="cash", amount=900, currency="USD",
        taken=timezone.now(), key=uuid4(),
    )  # fmt: skip
    page = as_rana.get("/staff/payments/")
    for words in (site.name, "$40.00", "$12.50", "$52.50", "receipt A-17"):
        assertContains(page, words)
    assertNotContains(page, "Stranger")
    assert as_rana.get(f"/staff/payments/?site={other.site.fhir_id}").status_code == 404
    yesterday = timezone.now().date() - timedelta(days=2)
    assertContains(as_rana.get(f"/staff/payments/?date={yesterday}"), "Nothing was paid at the desk on this day")
    billing = UserFactory()
    StaffRole.objects.create(user=billing, role="billing")
    client.force_login(billing)
    everywhere = client.get("/staff/payments/")
    for words in ("Park", "$9.00", site.name, "$52.50"):
        assertContains(everywhere, words)
    assertNotContains(client.get(f"/staff/payments/?site={site.fhir_id}"), "Park</h2>")
    assertContains(take(client, priced, amount="1"), "The payment is recorded.")


def test_billing_refunds_without_running_the_calendar(client, visit):
    payment = pay(visit)
    billing = UserFactory()
    StaffRole.objects.create(user=billing, role="billing", site=visit.site)
    client.force_login(billing)
    sent = {"action": "refund", "amount": "40", "reason": "Late"}
    assertContains(client.post(page_of(visit, "payment/"), sent, follow=True), "on its way back")
    payment.refresh_from_db()
    assert payment.refunded == 4000


def test_a_longer_day_costs_no_further_statement(as_rana, priced):
    def statements():
        with CaptureQueriesContext(connection) as queries:
            as_rana.get("/staff/payments/")
        return len(queries)

    take(as_rana, priced)
    as_rana.get("/staff/payments/")
    few = statements()
    for _more in range(5):
        take(as_rana, priced)
    assert statements() == few
