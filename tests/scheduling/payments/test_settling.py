"""A payment and the time of its visit: booked with the money, or neither."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.models import Appointment, Communication, Payment, PaymentOrder, Slot
from scheduling import booking
from scheduling.booking import ConfirmRequest
from scheduling.errors import HoldExpired, PaymentRequired, RuleBroken
from tests.scheduling.payments.conftest import PRICE, begin, settle, sweep
from tests.scheduling.situations import book, hold, monday, run_out, wish

pytestmark = pytest.mark.django_db(transaction=True)
Status = Payment.Status


def the_intent(local):
    [intent] = [each for each in local.objects.values() if each["object"] == "payment_intent"]
    return intent


def events(visit):
    return list(Communication.objects.filter(appointment=visit, medium="email").values_list("event", flat=True))


def test_a_payment_books_the_visit_and_then_takes_the_money(local, held, patient_caller):
    payment = begin(held, patient_caller)
    assert (payment.status, payment.amount, payment.currency) == (Status.PAYING, PRICE, "USD")
    assert local.objects[payment.session]["amount_total"] == PRICE

    local.pay(payment.session)
    assert settle(payment) == Status.PAID

    held.refresh_from_db()
    assert held.status == "booked"
    assert the_intent(local)["status"] == "succeeded"
    assert events(held).count("confirmation") == 1


def test_the_time_is_held_while_its_patient_pays_once(held, patient_caller, settings):
    before = held.hold_expires_at
    payment = begin(held, patient_caller)
    held.refresh_from_db()
    assert held.hold_expires_at == payment.expires_at > before
    assert held.hold_expires_at - timezone.now() <= settings.PAYING_FOR
    assert set(Slot.objects.filter(appointment=held).values_list("hold_expires_at", flat=True)) == {payment.expires_at}
    assert begin(held, patient_caller) == payment
    Payment.objects.update(status=Status.EXPIRED)
    again = begin(held, patient_caller)
    assert again != payment
    assert again.expires_at == payment.expires_at


def test_the_terms_are_kept_as_they_were_agreed_to(held, patient_caller, paid_service):
    paid_service.payment_terms = "Bring your receipt."
    paid_service.save()
    payment = begin(held, patient_caller)
    assert payment.terms == (
        "You pay $40.00 now.\nIf you cancel before the visit begins, you get all of it back.\n"
        "After that, or if you do not come, you get nothing back.\nIf the clinic cancels, you get all of it back.\n"
        "Bring your receipt."
    )
    assert payment.agreed is not None


def test_nobody_pays_for_what_they_could_not_book(held, patient_caller, paid_service):
    paid_service.requires_coverage = True
    paid_service.save()
    with pytest.raises(RuleBroken, match="coverage"):
        begin(held, patient_caller)
    assert not Payment.objects.exists()
    held.refresh_from_db()
    assert held.status == "pending"


def test_patients_cannot_confirm_or_book_without_paying(held, patient_caller, paid_service, chen, ada):
    with pytest.raises(PaymentRequired, match=f"/appointments/{held.fhir_id}/pay/"):
        booking.confirm(held.fhir_id, caller=patient_caller, now=timezone.now())
    with pytest.raises(PaymentRequired, match=f"/book/{paid_service.fhir_id}/"):
        book(wish(paid_service, chen, at=monday(12), patient=ada), patient_caller)
    visit = book(wish(paid_service, chen, at=monday(12), patient=ada))  # software of the clinic
    assert booking.is_due(visit)


def test_a_page_that_nobody_has_paid_on_is_closed_when_the_hold_ends(local, held, patient_caller):
    payment = begin(held, patient_caller)
    assert settle(payment) == Status.PAYING
    run_out(held)
    Payment.objects.update(expires_at=timezone.now())
    booking.release_expired_holds(now=timezone.now())
    held.refresh_from_db()
    assert held.status == "pending"  # the payment is settled first
    sweep()
    payment.refresh_from_db()
    assert payment.status == Status.EXPIRED
    assert local.objects[payment.session]["status"] == "expired"
    booking.release_expired_holds(now=timezone.now())
    held.refresh_from_db()
    assert held.status == "cancelled"


def test_a_hold_is_not_released_because_its_patient_is_on_the_page_of_the_provider(held, patient_caller, settings):
    begin(held, patient_caller)
    now = timezone.now()
    booking.note_presence(held.fhir_id, here=False, caller=patient_caller, now=now)
    booking.release_expired_holds(now=now + settings.LEFT_HOLD_FOR + timedelta(minutes=1))
    held.refresh_from_db()
    assert held.status == "pending"


def test_a_payment_after_the_hold_ran_out_has_the_time_if_it_is_still_free(local, held, patient_caller):
    payment = begin(held, patient_caller)
    run_out(held)
    Payment.objects.update(expires_at=timezone.now())
    local.pay(payment.session)
    assert settle(payment) == Status.PAID
    held.refresh_from_db()
    assert held.status == "booked"
    assert held.hold_expires_at is None


def test_a_payment_after_the_time_was_taken_is_let_go_and_the_patient_is_told(
    local, held, patient_caller, paid_service, chen, bo
):
    payment = begin(held, patient_caller)
    run_out(held)
    taken = book(wish(paid_service, chen, at=monday(10), patient=bo))
    local.pay(payment.session)
    assert settle(payment) == Status.RELEASED
    held.refresh_from_db()
    assert (held.status, taken.status) == ("cancelled", "booked")
    assert the_intent(local)["status"] == "canceled"
    assert events(held) == ["time-lost"]
    assert Communication.objects.filter(appointment=held, event="time-lost").first().before["amount"] == PRICE


def test_without_the_second_look_at_the_time_it_would_be_paid_and_lost(
    local, held, patient_caller, paid_service, chen, bo, monkeypatch
):
    """The control of the test above: the constraint of the database is what notices it."""
    from scheduling.booking import checkout

    payment = begin(held, patient_caller)
    run_out(held)
    book(wish(paid_service, chen, at=monday(10), patient=bo))
    local.pay(payment.session)
    monkeypatch.setattr(checkout, "_book", lambda visits, now: True)
    assert settle(payment) == Status.PAID
    held.refresh_from_db()
    assert held.status == "pending"


def test_a_time_that_was_let_go_while_paying_is_not_charged(local, held, patient_caller):
    payment = begin(held, patient_caller)
    booking.cancel(held.fhir_id, caller=patient_caller, now=timezone.now())
    local.pay(payment.session)
    assert settle(payment) == Status.RELEASED
    assert the_intent(local)["status"] == "canceled"


def test_a_visit_that_the_desk_has_booked_meanwhile_is_paid(local, held, patient_caller, boss):
    payment = begin(held, patient_caller)
    booking.confirm(held.fhir_id, ConfirmRequest(), caller=boss, now=timezone.now())
    local.pay(payment.session)
    assert settle(payment) == Status.PAID


def test_a_payment_for_a_time_that_has_passed_is_let_go(local, held, patient_caller):
    payment = begin(held, patient_caller)
    run_out(held)
    local.pay(payment.session)
    booking.settle_payment(payment, now=held.start)
    payment.refresh_from_db()
    assert payment.status == Status.RELEASED


def test_a_declined_card_leaves_the_page_open(local, held, patient_caller):
    payment = begin(held, patient_caller)
    assert not local.pay(payment.session, "declined")
    assert settle(payment) == Status.PAYING
    local.pay(payment.session)
    assert settle(payment) == Status.PAID


def test_a_card_is_kept_for_the_fee(local, held, patient_caller, paid_service):
    paid_service.prepayment, paid_service.missed_fee = "card", 2500
    paid_service.save()
    payment = begin(held, patient_caller)
    assert (payment.amount, payment.fee) == (0, 2500)
    assert local.objects[payment.session]["mode"] == "setup"
    assert "the clinic may charge $25.00" in payment.terms
    local.pay(payment.session)
    assert settle(payment) == Status.KEPT
    payment.refresh_from_db()
    assert payment.card.startswith("pm_")
    held.refresh_from_db()
    assert held.status == "booked"


def test_a_reserved_amount_that_cannot_be_taken_is_a_failed_payment(local, held, patient_caller):
    payment = begin(held, patient_caller)
    local.pay(payment.session)
    the_intent(local)["status"] = "canceled"  # by the bank, between booking and taking it
    booking.checkout._conclude(payment.pk, done(local, payment), timezone.now())
    sweep()
    payment.refresh_from_db()
    assert payment.status == Status.FAILED
    held.refresh_from_db()
    assert booking.is_due(held)


def done(local, payment):
    from scheduling.payments import CheckoutResult, CheckoutState

    return CheckoutResult(state=CheckoutState.DONE, intent=the_intent(local)["id"])


def test_while_the_provider_is_down_nothing_is_lost(local, held, patient_caller):
    payment = begin(held, patient_caller)
    local.pay(payment.session)
    local.is_down = True
    sweep()
    payment.refresh_from_db()
    assert payment.status == Status.PAYING
    local.is_down = False
    now = timezone.now() + timedelta(minutes=2)  # the sweep tries again after a pause
    sweep(now)
    payment.refresh_from_db()
    assert payment.status == Status.PAID


def test_a_hold_without_payment_is_released_as_before(service, chen, ada, patient_caller):
    held = run_out(hold(wish(service, chen, at=monday(10), patient=ada), patient_caller))
    assert booking.release_expired_holds(now=timezone.now()) == 1
    with pytest.raises(HoldExpired):
        booking.confirm(held.fhir_id, caller=patient_caller, now=timezone.now())
    assert not PaymentOrder.objects.exists()
    assert not Appointment.objects.filter(has_payment=True).exists()
