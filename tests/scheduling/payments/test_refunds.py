"""Refunds of cancelled visits, and decisions of staff: refund, waive, charge the fee."""

from datetime import timedelta

import psycopg
import pytest
from django.db import OperationalError
from django.utils import timezone

from clinic.models import Appointment, AuditEvent, Communication, Payment, PaymentOrder
from scheduling import booking
from scheduling.booking import StatusRequest, payment_orders
from scheduling.errors import Forbidden, RuleBroken
from tests.scheduling.payments.conftest import PRICE, begin, settle, sweep
from tests.scheduling.situations import book, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)
Status = Payment.Status


@pytest.fixture
def paid(local, held, patient_caller):
    """A visit that its patient has paid for."""
    payment = begin(held, patient_caller)
    local.pay(payment.session)
    assert settle(payment) == Status.PAID
    held.refresh_from_db()
    return held


@pytest.fixture
def kept(local, held, patient_caller, paid_service):
    """A visit for which a card is kept."""
    paid_service.prepayment, paid_service.missed_fee = "card", 2500
    paid_service.save()
    payment = begin(held, patient_caller)
    local.pay(payment.session)
    assert settle(payment) == Status.KEPT
    held.refresh_from_db()
    return held


def payment_of(visit):
    return booking.latest_payment_of(visit)


def refunds(local):
    return [each["amount"] for each in local.objects.values() if each["object"] == "refund"]


def message_events(visit):
    messages = Communication.objects.filter(appointment=visit, medium="email").exclude(event="reminder")
    return list(messages.order_by("pk").values_list("event", flat=True))


def cancel(visit, caller, **request):
    now = timezone.now()
    booking.cancel(visit.fhir_id, StatusRequest(**request), caller=caller, now=now)
    sweep(now + timedelta(seconds=20))  # after the undo window


@pytest.mark.parametrize(
    ("columns", "by_patient", "back"),
    [
        ({}, True, PRICE),
        ({"refund_notice": timedelta(days=60)}, True, 0),
        ({"refund_notice": timedelta(days=60), "late_refund": 25}, True, 1000),
        ({"refund_notice": timedelta(days=60)}, False, PRICE),  # the clinic cancels
    ],
)
def test_a_cancellation_gives_back_what_the_terms_say(
    local, paid, patient_caller, boss, paid_service, columns, by_patient, back
):
    type(paid_service).objects.filter(pk=paid_service.pk).update(**columns)
    cancel(paid, patient_caller if by_patient else boss)
    assert refunds(local) == ([back] if back else [])
    payment = payment_of(paid)
    assert payment.refunded == back
    assert payment.status == {PRICE: Status.REFUNDED, 0: Status.PAID}.get(back, Status.PARTLY_REFUNDED)
    assert message_events(paid).count("refund") == bool(back)


def test_staff_who_cancel_at_the_patients_wish_give_back_no_more_than_the_patient_would_get(
    local, paid, boss, paid_service
):
    type(paid_service).objects.filter(pk=paid_service.pk).update(refund_notice=timedelta(days=60), late_refund=50)
    cancel(paid, boss, by_patient=True)
    assert refunds(local) == [PRICE // 2]


def test_a_cancellation_that_is_undone_in_time_gives_nothing_back(local, paid, boss):
    now = timezone.now()
    booking.cancel(paid.fhir_id, caller=boss, now=now)
    booking.perform_orders(now=now)  # within the undo window
    booking.restore(paid.fhir_id, caller=boss, now=now)
    booking.perform_orders(now=now + timedelta(minutes=1))
    assert refunds(local) == []
    payment = payment_of(paid)
    assert (payment.status, payment.refunded) == (Status.PAID, 0)
    told = Communication.objects.filter(appointment=paid, event="refund").values_list("status", flat=True)
    assert set(told) == {"not-done"}, "nobody is told of money that does not come"


def test_a_move_keeps_the_payment(paid, chen, patient_caller, paid_service, local):
    request = wish(paid_service, chen, at=monday(14))
    moved = booking.RescheduleRequest(offerings=request.offerings, start=request.start)
    booking.reschedule(paid.fhir_id, moved, caller=patient_caller, now=timezone.now())
    assert payment_of(paid).status == Status.PAID
    assert refunds(local) == []


def test_staff_give_parts_back_with_a_reason_and_never_more_than_was_paid(local, paid, boss):
    for amount in (1000, 2500):
        booking.refund(paid.fhir_id, amount, "We were late", caller=boss, now=timezone.now())
    with pytest.raises(RuleBroken, match="You cannot refund more"):
        booking.refund(paid.fhir_id, 501, "Too much", caller=boss, now=timezone.now())
    sweep()
    assert refunds(local) == [1000, 2500]
    assert payment_of(paid).status == Status.PARTLY_REFUNDED
    booking.refund(paid.fhir_id, 500, "All of it", caller=boss, now=timezone.now())
    assert payment_of(paid).status == Status.REFUNDED
    reasons = AuditEvent.objects.filter(subtype="refund").order_by("pk").values_list("reason", flat=True)
    assert list(reasons) == ["We were late", "We were late", "All of it"]
    assert message_events(paid).count("refund") == 3


def test_a_refund_whose_answer_was_lost_is_not_made_twice(local, paid, boss):
    booking.refund(paid.fhir_id, 1000, "Once", caller=boss, now=timezone.now())
    local.breaks_after = "/refunds"
    booking.perform_orders(now=timezone.now())
    assert PaymentOrder.objects.get(kind="refund").status == "waiting"
    local.breaks_after = ""
    local.answers.clear()  # as after a day, when the provider has forgotten the idempotency key
    booking.perform_orders(now=timezone.now() + timedelta(hours=2))
    assert refunds(local) == [1000]
    assert PaymentOrder.objects.get(kind="refund").status == "done"


def test_the_fee_is_charged_by_a_click_after_a_no_show_and_once(local, kept, boss):
    with pytest.raises(RuleBroken, match="missed, or cancelled too late"):
        booking.charge_fee(kept.fhir_id, "Too early", caller=boss, now=timezone.now())
    Appointment.objects.filter(pk=kept.pk).update(status="noshow")
    booking.charge_fee(kept.fhir_id, "Did not come", caller=boss, now=timezone.now())
    with pytest.raises(RuleBroken, match="charged already"):
        booking.charge_fee(kept.fhir_id, "Again", caller=boss, now=timezone.now())
    sweep()
    [charge] = [each for each in local.objects.values() if each["object"] == "payment_intent"]
    assert (charge["amount"], charge["status"]) == (2500, "succeeded")
    assert payment_of(kept).status == Status.CHARGED
    assert message_events(kept).count("fee") == 1


def test_a_declined_fee_is_told_to_staff_and_can_be_charged_again(local, kept, boss):
    Appointment.objects.filter(pk=kept.pk).update(status="noshow")
    card = local.objects[payment_of(kept).card]
    card["declines"] = True
    booking.charge_fee(kept.fhir_id, "Did not come", caller=boss, now=timezone.now())
    sweep()
    order = PaymentOrder.objects.get(kind="fee")
    assert (order.status, order.error) == ("failed", "Your card was declined.")
    assert message_events(kept).count("fee") == 0
    card["declines"] = False
    booking.charge_fee(kept.fhir_id, "Once more", caller=boss, now=timezone.now())
    sweep()
    assert payment_of(kept).status == Status.CHARGED


@pytest.mark.parametrize(("notice", "is_kept"), [(timedelta(0), False), (timedelta(days=60), True)])
def test_a_card_is_forgotten_unless_the_patient_cancels_late(local, kept, boss, paid_service, notice, is_kept):
    card = payment_of(kept).card
    type(paid_service).objects.filter(pk=paid_service.pk).update(refund_notice=notice)
    cancel(kept, boss, by_patient=True)
    assert payment_of(kept).status == (Status.KEPT if is_kept else Status.RELEASED)
    assert (local.objects[card]["customer"] is not None) == is_kept


def test_a_fee_is_waived_with_a_reason_and_the_card_forgotten(local, kept, boss):
    card = payment_of(kept).card
    booking.waive(kept.fhir_id, "Was in hospital", caller=boss, now=timezone.now())
    sweep()
    payment = payment_of(kept)
    assert (payment.status, payment.reason) == (Status.WAIVED, "Was in hospital")
    assert local.objects[card]["customer"] is None
    assert AuditEvent.objects.get(subtype="waive").reason == "Was in hospital"


def test_a_card_is_forgotten_a_month_after_the_visit(local, kept):
    card = payment_of(kept).card
    month = timedelta(days=30)
    assert booking.forget_cards(now=kept.end + month - timedelta(minutes=1)) == 0
    assert booking.forget_cards(now=kept.end + month) == 1
    assert booking.forget_cards(now=kept.end + month) == 0
    sweep(kept.end + month)
    assert local.objects[card]["customer"] is None
    payment = payment_of(kept)
    assert (payment.status, payment.card) == (Status.RELEASED, "")


def test_what_a_cancellation_costs_is_known_before(kept, paid_service):
    now = timezone.now()
    assert booking.cancellation_cost(kept, now=now).fee == 0
    type(paid_service).objects.filter(pk=paid_service.pk).update(refund_notice=timedelta(days=60))
    assert booking.cancellation_cost(Appointment.objects.get(pk=kept.pk), now=now).fee == 2500


def test_a_payment_that_is_due_is_waived(local, paid_service, chen, ada, boss):
    visit = book(wish(paid_service, chen, at=monday(15), patient=ada))
    options = booking.payment_options(visit)
    assert (options.due, options.can_waive) == (PRICE, True)
    booking.waive(visit.fhir_id, "A colleague", caller=boss, now=timezone.now())
    visit.refresh_from_db()
    assert not booking.is_due(visit)
    assert payment_of(visit).status == Status.WAIVED
    with pytest.raises(RuleBroken, match="nothing to waive"):
        booking.waive(visit.fhir_id, "Again", caller=boss, now=timezone.now())


def test_patients_and_practitioners_decide_nothing_about_payments(paid, patient_caller):
    acts = (
        lambda caller: booking.refund(paid.fhir_id, 100, "Mine", caller=caller, now=timezone.now()),
        lambda caller: booking.waive(paid.fhir_id, "Mine", caller=caller, now=timezone.now()),
        lambda caller: booking.charge_fee(paid.fhir_id, "Mine", caller=caller, now=timezone.now()),
    )
    for act in acts:
        with pytest.raises(Forbidden):
            act(patient_caller)
    assert not PaymentOrder.objects.exclude(kind="capture").exists()


def test_an_order_waits_without_an_error_while_postgresql_is_away(local, paid, boss, monkeypatch):
    booking.cancel(paid.fhir_id, caller=boss, now=timezone.now())
    send = payment_orders._send

    def lose(*given):
        raise OperationalError("lost") from psycopg.OperationalError("lost")

    monkeypatch.setattr(payment_orders, "_send", lose)
    now = timezone.now() + timedelta(minutes=1)
    with pytest.raises(OperationalError, match="lost"):
        booking.perform_orders(now=now)
    assert not PaymentOrder.objects.exclude(error="").exists()
    monkeypatch.setattr(payment_orders, "_send", send)
    booking.perform_orders(now=now + payment_orders.LEASE)
    assert refunds(local) == [PRICE]
