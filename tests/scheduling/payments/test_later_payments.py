"""Payment after booking: what is due, what pays it, and that nobody pays twice, whatever happens at once or dies."""

from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.models import Appointment, AuditEvent, Communication, HealthcareService, Payment, PaymentOrder
from scheduling import access, booking, payments
from scheduling.access import Caller
from scheduling.booking import DeskPaymentRequest, StatusRequest
from scheduling.errors import NotFound, RuleBroken, SchedulingError
from tests.factories import AppointmentFactory
from tests.payments import pay
from tests.scheduling.payments.conftest import PRICE, open_page, settle, sweep
from tests.scheduling.payments.test_kills import SETTLING, captured, die
from tests.scheduling.races.arena import slow
from tests.scheduling.situations import at_once, book, hold, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)
DEPOSIT = 1000
Status = Payment.Status


@pytest.fixture
def booked(local, paid_service, chen, ada):
    """A visit of Ada's that the clinic booked without payment."""
    return book(wish(paid_service, chen, at=monday(10), patient=ada))


@pytest.fixture
def deposited(booked, paid_service):
    """The visit, whose deposit is paid."""
    HealthcareService.objects.filter(pk=paid_service.pk).update(prepayment="deposit", deposit=DEPOSIT)
    pay(booked, purpose="deposit", amount=DEPOSIT)
    return again(booked)


@pytest.fixture
def missed(booked, paid_service):
    """The visit, missed, whose fee the bank has refused."""
    HealthcareService.objects.filter(pk=paid_service.pk).update(prepayment="card", missed_fee=2500)
    card = pay(booked, purpose="card", status="kept", amount=0, fee=2500, card="pm_1", customer="cus_1")
    Appointment.objects.filter(pk=booked.pk).update(status="noshow")
    refuse(card, "fee", amount=2500, appointment=booked)
    return again(booked)


def again(visit):
    return Appointment.objects.select_related("service", "patient").get(pk=visit.pk)


def refuse(payment, kind, **columns):
    """Record that the provider has refused an order."""
    now = timezone.now()
    more = {"status": "failed", "error": "card_declined", "created": now, "due": now, "done": now}
    return PaymentOrder.objects.create(payment=payment, kind=kind, **more, **columns)


def due(visit):
    found = booking.due_of(again(visit))
    return (found.purpose, found.amount) if found else None


def begin(visit, caller):
    payment = booking.start_later_payment(visit.fhir_id, caller=caller, now=timezone.now())
    open_page(payment)
    payment.refresh_from_db()
    return payment


def pay_all(local, visit, caller):
    payment = begin(visit, caller)
    local.pay(payment.session)
    return payment, settle(payment)


def to_do(boss):
    seen = access.visits_with_payments(boss).values("pk")
    return list(booking.refused_orders().filter(visit_key__in=seen).values_list("kind", flat=True))


def refunds(local):
    return sorted(each["amount"] for each in local.objects.values() if each["object"] == "refund")


def test_the_price_of_a_visit_booked_without_payment_is_due_and_paid_once(local, booked, patient_caller):
    assert due(booked) == ("balance", PRICE)
    payment, status = pay_all(local, booked, patient_caller)
    assert (status, due(booked)) == (Status.PAID, None)
    assert [each["amount_received"] for each in captured(local)] == [PRICE]
    assert payment.agreed is not None
    assert "all of it back" in payment.terms
    lines = AuditEvent.objects.filter(appointment=booked, subtype__in=("pay", "paid"))
    assert list(lines.order_by("pk").values_list("subtype", flat=True)) == ["pay", "paid"]
    with pytest.raises(RuleBroken, match="nothing to pay"):
        begin(booked, patient_caller)


def receipts(visit):
    return list(Communication.objects.filter(appointment=visit, event="receipt", medium="email"))


def test_the_patient_gets_one_receipt_once_the_money_has_come(local, deposited, patient_caller):
    payment = begin(deposited, patient_caller)
    local.pay(payment.session)
    booking.checkout._conclude(payment.pk, payments.provider().read_checkout(payment.session), timezone.now())
    assert receipts(deposited) == [], "the bank can still refuse it"
    sweep()
    [receipt] = receipts(deposited)
    assert (receipt.patient, receipt.before) == (
        deposited.patient,
        {"amount": PRICE - DEPOSIT, "currency": "USD", "rest": 0},
    )
    settle(payment)
    sweep()
    assert receipts(deposited) == [receipt]
    media = Communication.objects.filter(appointment=deposited, event="receipt").values_list("medium", flat=True)
    assert set(media) == {"email", "in-app"}


def test_the_receipt_says_what_is_still_due(local, booked, patient_caller, boss):
    take(booked, 1500, boss)
    assert receipts(booked) == [], "the desk gives its own"
    payment = begin(booked, patient_caller)
    HealthcareService.objects.filter(pk=booked.service_id).update(price=PRICE + 500)
    local.pay(payment.session)
    settle(payment)
    [receipt] = receipts(booked)
    assert (receipt.before["amount"], receipt.before["rest"]) == (PRICE - 1500, 500)


def test_who_cancels_after_paying_still_gets_the_receipt(local, booked, patient_caller, boss):
    pay_all(local, booked, patient_caller)
    booking.cancel(booked.fhir_id, StatusRequest(), caller=boss, now=timezone.now())
    assert [receipt.status for receipt in receipts(booked)] == ["preparation"]


def test_money_that_is_let_go_or_paid_before_booking_gives_no_receipt(
    local, booked, paid_service, chen, ada, patient_caller, boss
):
    payment = begin(booked, patient_caller)
    local.pay(payment.session)
    take(booked, PRICE, boss)
    assert settle(payment) == Status.RELEASED
    held = hold(wish(paid_service, chen, at=monday(14), patient=ada), patient_caller)
    before_booking = booking.start_payment(held.fhir_id, caller=patient_caller, now=timezone.now())
    open_page(before_booking)
    before_booking.refresh_from_db()
    local.pay(before_booking.session)
    assert settle(before_booking) == Status.PAID
    sweep()
    assert not Communication.objects.filter(event="receipt").exists()


def test_the_rest_after_a_deposit_is_due_and_both_go_back_when_the_clinic_cancels(
    local, deposited, patient_caller, boss
):
    assert due(deposited) == ("balance", PRICE - DEPOSIT)
    Payment.objects.update(intent=local.record_payment(DEPOSIT, "usd")["id"])
    pay_all(local, deposited, patient_caller)
    assert booking.cancellation_cost(again(deposited), now=timezone.now()).back == PRICE
    booking.cancel(deposited.fhir_id, StatusRequest(), caller=boss, now=timezone.now())
    sweep(timezone.now() + timedelta(minutes=1))
    assert refunds(local) == [DEPOSIT, PRICE - DEPOSIT]
    told = Communication.objects.filter(appointment=deposited, event="refund", medium="email")
    assert len(told) == 1, "one message for both"
    assert due(deposited) is None


def test_staff_give_back_over_both_payments_and_are_not_owed_it_again(local, deposited, patient_caller, boss):
    Payment.objects.update(intent=local.record_payment(DEPOSIT, "usd")["id"])
    pay_all(local, deposited, patient_caller)
    assert booking.payment_options(again(deposited)).refundable == PRICE
    booking.refund(deposited.fhir_id, PRICE - 500, "We were late", caller=boss, now=timezone.now())
    sweep()
    assert refunds(local) == [DEPOSIT - 500, PRICE - DEPOSIT]
    assert due(deposited) is None
    with pytest.raises(RuleBroken, match="cannot refund more"):
        booking.refund(deposited.fhir_id, 501, "Too much", caller=boss, now=timezone.now())


def test_a_charge_that_the_bank_refuses_is_due_and_on_the_to_do_list_until_it_is_paid(
    local, booked, patient_caller, boss
):
    failed = pay(booked, status="failed")
    refuse(failed, "capture", amount=PRICE)
    assert due(booked) == ("balance", PRICE)
    assert to_do(boss) == ["capture"]
    payment = begin(booked, patient_caller)
    assert to_do(boss) == ["capture"], "as long as it is not paid"
    local.pay(payment.session)
    settle(payment)
    assert (due(booked), to_do(boss)) == (None, [])


def test_a_refused_charge_that_staff_have_settled_otherwise_is_not_due(booked, boss):
    failed = pay(booked, status="failed")
    refuse(failed, "capture", amount=PRICE)
    booking.settle(booked.fhir_id, "Paid in cash", caller=boss, now=timezone.now())
    assert due(booked) is None
    assert not booking.is_due(again(booked))
    assert to_do(boss) == []


def test_a_later_charge_that_the_bank_refuses_is_due_again_whatever_was_paid_before(
    local, deposited, patient_caller, boss
):
    payment = begin(deposited, patient_caller)
    local.pay(payment.session)
    result = payments.provider().read_checkout(payment.session)
    booking.checkout._conclude(payment.pk, result, timezone.now())
    local.objects[result.intent]["status"] = "canceled"  # by the bank, before it is taken
    sweep()
    payment.refresh_from_db()
    assert payment.status == Status.FAILED
    assert receipts(deposited) == []
    assert due(deposited) == ("balance", PRICE - DEPOSIT)
    assert to_do(boss) == ["capture"]


def test_a_refused_fee_is_paid_by_the_patient_and_the_card_is_forgotten(local, missed, patient_caller, boss):
    Payment.objects.update(card=local._new_card("cus_1"))
    assert due(missed) == ("fee", 2500)
    assert to_do(boss) == ["fee"]
    payment, status = pay_all(local, missed, patient_caller)
    assert (status, payment.terms) == (Status.PAID, "")
    assert (due(missed), to_do(boss)) == (None, [])
    assert [receipt.before["amount"] for receipt in receipts(missed)] == [2500]
    sweep()
    card = Payment.objects.get(purpose="card")
    assert (card.status, card.card) == (Status.RELEASED, "")
    with pytest.raises(RuleBroken):
        booking.charge_fee(missed.fhir_id, "Again", caller=boss, now=timezone.now())


def test_a_fee_that_staff_charge_meanwhile_is_not_paid_twice(local, missed, patient_caller, boss):
    payment = begin(missed, patient_caller)
    booking.charge_fee(missed.fhir_id, "Another try", caller=boss, now=timezone.now())
    local.pay(payment.session)
    assert settle(payment) == Status.RELEASED
    assert captured(local) == []


def test_what_is_taken_at_the_desk_meanwhile_is_not_taken_online(local, booked, patient_caller, boss):
    payment = begin(booked, patient_caller)
    local.pay(payment.session)
    take(booked, PRICE, boss)
    assert settle(payment) == Status.RELEASED
    sweep()
    assert captured(local) == []
    assert due(booked) is None


def take(visit, amount, boss):
    taken = DeskPaymentRequest(amount=amount, method="cash", key=uuid4())
    return booking.take_at_desk(visit.fhir_id, taken, caller=boss, now=timezone.now())


def test_after_a_part_at_the_desk_the_rest_is_paid_on_another_page(local, booked, patient_caller, boss):
    first = begin(booked, patient_caller)
    assert begin(booked, patient_caller) == first, "the same page"
    take(booked, 1500, boss)
    second = begin(booked, patient_caller)
    assert second.amount == PRICE - 1500
    sweep(timezone.now() + timedelta(seconds=1))
    first.refresh_from_db()
    assert first.status == Status.EXPIRED
    assert local.objects[first.session]["status"] == "expired", "nobody can pay there any more"


def test_the_page_is_closed_when_the_visit_is_cancelled_or_nobody_pays(local, booked, patient_caller, boss):
    payment = begin(booked, patient_caller)
    sweep(timezone.now() + timedelta(minutes=59))
    assert Payment.objects.get().status == Status.PAYING
    booking.cancel(booked.fhir_id, StatusRequest(), caller=boss, now=timezone.now())
    sweep()
    payment.refresh_from_db()
    assert payment.status == Status.EXPIRED


def test_money_that_comes_after_the_visit_was_cancelled_is_let_go(local, booked, patient_caller, boss):
    payment = begin(booked, patient_caller)
    local.pay(payment.session)
    booking.cancel(booked.fhir_id, StatusRequest(), caller=boss, now=timezone.now())
    assert settle(payment) == Status.RELEASED
    sweep()
    assert captured(local) == []


def test_what_was_begun_and_not_paid_changes_nothing_about_the_visit(local, booked, patient_caller):
    before = again(booked)
    begin(booked, patient_caller)
    after = again(booked)
    assert (after.has_payment, after.version) == (False, before.version)
    assert not booking.is_paid_online(after)
    assert booking.payment_options(after).is_due


def test_two_browsers_that_pay_at_once_pay_once(local, booked, patient_caller):
    first = begin(booked, patient_caller)
    Payment.objects.update(expires_at=timezone.now())  # so that the second browser gets a page of its own
    second = begin(booked, patient_caller)
    assert first.session != second.session
    local.pay(first.session)
    local.pay(second.session)
    now = timezone.now()
    with slow("clinic_payment"):
        results = at_once(
            [
                partial(booking.settle_payment, Payment.objects.get(pk=first.pk), now=now),
                partial(booking.settle_session, second.session, now=now),
                partial(booking.settle_session, first.session, now=now),
            ]
        )
    assert not [each for each in results if isinstance(each, SchedulingError)]
    sweep(timezone.now() + timedelta(minutes=5))
    assert sorted(Payment.objects.values_list("status", flat=True)) == ["paid", "released"]
    assert [each["amount_received"] for each in captured(local)] == [PRICE]


def test_the_desk_and_the_patient_who_pay_at_once_pay_once(local, booked, patient_caller, boss):
    payment = begin(booked, patient_caller)
    local.pay(payment.session)
    with slow("clinic_payment"):
        at_once(
            [
                partial(booking.settle_payment, Payment.objects.get(pk=payment.pk), now=timezone.now()),
                partial(take, booked, PRICE, boss),
            ]
        )
    settle(payment)
    payment.refresh_from_db()
    assert payment.status in (Status.PAID, Status.RELEASED)
    assert bool(captured(local)) is (payment.status == Status.PAID)


@pytest.mark.parametrize("step", SETTLING)
def test_a_process_that_dies_at_any_step_takes_the_money_once(local, booked, patient_caller, step):
    payment = begin(booked, patient_caller)
    local.pay(payment.session)
    die(local, payment, step)
    sweep(timezone.now() + timedelta(minutes=5))
    payment.refresh_from_db()
    assert payment.status == Status.PAID
    assert len(captured(local)) == 1
    assert len(receipts(booked)) == 1
    assert due(booked) is None


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"prepayment": ""}, None),  # the desk may take it without a record here
        ({"pricing": "range", "price_to": 9000, "prepayment": "deposit", "deposit": DEPOSIT}, ("balance", DEPOSIT)),
        ({"pricing": "covered", "price": None, "prepayment": "card", "missed_fee": 2500}, None),
    ],
)
def test_what_is_due_by_the_service(booked, columns, expected):
    HealthcareService.objects.filter(pk=booked.service_id).update(**columns)
    assert due(booked) == expected


def test_what_is_waived_is_not_due(booked, boss):
    booking.waive(booked.fhir_id, "A gift", caller=boss, now=timezone.now())
    assert due(booked) is None


@pytest.mark.parametrize(("status", "is_due"), [("fulfilled", True), ("cancelled", False), ("noshow", False)])
def test_what_is_due_by_the_status_of_the_visit(booked, status, is_due):
    Appointment.objects.filter(pk=booked.pk).update(status=status)
    assert (due(booked) is not None) is is_due


def test_others_cannot_pay_and_learn_nothing(booked, bo):
    with pytest.raises(NotFound):
        booking.start_later_payment(booked.fhir_id, caller=Caller(user=bo.user), now=timezone.now())


def test_without_a_provider_nothing_can_be_paid(booked, patient_caller, settings):
    settings.PAYMENT_PROVIDER = ""
    with pytest.raises(RuleBroken, match="cannot pay online"):
        booking.start_later_payment(booked.fhir_id, caller=patient_caller, now=timezone.now())


def test_a_list_of_visits_takes_three_statements_at_most(deposited, missed, ada, paid_service):
    more = [AppointmentFactory(patient=ada, service=paid_service, status="fulfilled") for _ in range(3)]
    for visit in more:
        pay(visit, amount=DEPOSIT)
    visits = [*Appointment.objects.select_related("service", "patient").order_by("pk")]
    with CaptureQueriesContext(
        connection,
    ) as statements:
        dues = booking.dues_of(visits)
    assert len(dues) == len(visits)
    assert len(statements) <= 3
