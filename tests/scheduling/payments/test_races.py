"""Everybody who settles a payment at one moment: the webhook, twice, the patient's page and the sweep."""

from functools import partial

import pytest
from django.utils import timezone

from clinic.models import AuditEvent, Communication, Payment, PaymentOrder
from scheduling import booking
from scheduling.booking import checkout
from scheduling.errors import SchedulingError, TimeTaken
from tests.scheduling.payments.conftest import begin, settle
from tests.scheduling.races.arena import kinds, later, slow
from tests.scheduling.situations import at_once, book, monday, run_out, wish

pytestmark = pytest.mark.django_db(transaction=True)


def everybody(payment):
    """The webhook, twice, the patient's page and the sweep, at one moment."""
    Payment.objects.update(checked=None)
    now = timezone.now()
    return at_once(
        [
            partial(booking.settle_session, payment.session, now=now),
            partial(booking.settle_session, payment.session, now=now),
            partial(booking.settle_payment, payment, now=now),
            partial(booking.settle_open_payments, now=now),
        ]
    )


def outcome(local, held):
    """The numbers of confirmations, messages and payments of the visit."""
    requests = [path for method, path in local.requests if path.endswith("/capture")]
    return (
        AuditEvent.objects.filter(appointment=held, subtype="confirm").count(),
        Communication.objects.filter(appointment=held, event="confirmation", medium="email").count(),
        PaymentOrder.objects.filter(kind="capture").count(),
        len(requests),
    )


def test_a_payment_is_settled_once_whoever_comes(local, held, patient_caller):
    payment = begin(held, patient_caller)
    local.pay(payment.session)
    with slow("clinic_appointment"):
        outcomes = everybody(payment)
    assert not [each for each in outcomes if isinstance(each, SchedulingError)]
    assert settle(payment) == "paid"
    assert outcome(local, held) == (1, 1, 1, 1)


def test_without_the_lock_it_is_settled_by_each(local, held, patient_caller, monkeypatch):
    """The control: each reads that the payment is open before one of them has written."""
    payment = begin(held, patient_caller)
    local.pay(payment.session)

    def unlocked(pk, result, now):
        open_payment = Payment.objects.get(pk=pk)
        assert open_payment.is_open
        checkout.order(open_payment, PaymentOrder.Kind.CAPTURE, now=now, amount=open_payment.amount)
        open_payment.status = Payment.Status.AUTHORISED
        open_payment.intent = result.intent
        open_payment.save()
        return open_payment

    monkeypatch.setattr(checkout, "_conclude", unlocked)
    with slow("clinic_payment"):
        everybody(payment)
    assert PaymentOrder.objects.filter(kind="capture").count() > 1


def test_a_late_payment_and_another_booking_of_the_time_at_once_have_one_winner(
    local,
    held,
    patient_caller,
    paid_service,
    chen,
    bo,
):
    payment = begin(held, patient_caller)
    local.pay(payment.session)
    run_out(held)
    with slow("clinic_slot", "UPDATE OR INSERT"):
        results = at_once(
            [
                partial(booking.settle_payment, payment, now=timezone.now()),
                later(partial(book, wish(paid_service, chen, at=monday(10), patient=bo))),
            ]
        )
    payment.refresh_from_db()
    held.refresh_from_db()
    is_paid = payment.status == "paid"
    assert is_paid == (held.status == "booked")
    assert payment.status in ("paid", "released")
    assert (kinds(results[1:]).keys() == {TimeTaken}) == is_paid
