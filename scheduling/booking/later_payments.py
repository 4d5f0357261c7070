"""Payment after booking: patients pay online what is still due for a visit.

The amount is only reserved when the patient pays, and taken if it is still due under the lock of the visit; else it is
let go. So nothing is paid twice, whoever pays at once: another browser, or somebody at the desk.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from clinic.models import Appointment, Payment, PaymentItem, PaymentOrder
from scheduling import payments
from scheduling.access import Caller
from scheduling.booking.dues import Due, due_of
from scheduling.booking.idempotency import refusals
from scheduling.booking.payment_orders import order
from scheduling.booking.refunds import forget_card_of
from scheduling.booking.transitions import audit, locked, save
from scheduling.errors import RuleBroken
from scheduling.payments import Terms

OPEN_FOR = timedelta(hours=1)  # the provider's page


def start_later_payment(appointment_id: str, *, caller: Caller, now: datetime) -> Payment:
    """Begin to pay what is due for a visit. A payment that is begun already for that amount is returned again.

    The caller has agreed to the terms, which are kept. Raises NotFound, Forbidden, RuleBroken if nothing is due.
    """
    with refusals(), transaction.atomic(durable=True):
        visit = locked(appointment_id, caller)
        due = due_of(visit)
        if due is None or visit.patient is None:
            raise RuleBroken(_("There is nothing to pay for this visit."))
        if not payments.is_set_up():
            raise RuleBroken(_("You cannot pay online at the moment. Please call the clinic."))
        return _begun(visit, due, now) or _begin(visit, due, caller, now)


def later_payment_of(appointment: Appointment) -> Payment | None:
    """The latest payment after booking for a visit."""
    return Payment.objects.filter(appointments=appointment, purpose__in=Payment.LATER).first()


def later_terms(visit: Appointment, due: Due, *, now: datetime) -> Terms | None:
    """The terms for paying what is due now; None once the visit has begun, or was missed."""
    if due.is_fee or visit.start is None or visit.start <= now:
        return None
    return payments.balance_terms(visit, due.amount, due.currency)


def is_still_due(payment: Payment) -> bool:
    """True if all of a payment after booking is still due for its visit."""
    visit = payment.appointments.select_related("service", "patient").get()
    due = due_of(visit)
    return due is not None and due.covers(payment)


def conclude_later(payment: Payment, visit: Appointment, *, caller: Caller, now: datetime) -> None:
    """Take what a patient has paid for a locked visit if it is still due, else let go of it."""
    due = due_of(visit)
    if due is None or not due.covers(payment):
        payment.status = Payment.Status.RELEASED
        order(payment, PaymentOrder.Kind.RELEASE, now=now)
        return
    payment.status = Payment.Status.AUTHORISED
    order(payment, PaymentOrder.Kind.CAPTURE, now=now, amount=payment.amount)
    if not visit.has_payment:
        visit.has_payment = True
        save(visit, now)
    if due.is_fee:
        forget_card_of(visit, now=now)
    audit("paid", visit, caller=caller, now=now)


def _begun(visit: Appointment, due: Due, now: datetime) -> Payment | None:
    """The open payment of what is due. Those of other amounts end, and the sweep closes their pages."""
    begun = Payment.objects.filter(appointments=visit, purpose__in=Payment.LATER, expires_at__gt=now)
    begun = begun.filter(status__in=(Payment.Status.CREATED, Payment.Status.PAYING))
    same = {"purpose": due.purpose, "amount": due.amount, "currency": due.currency}
    begun.exclude(**same).update(expires_at=now)
    return begun.filter(**same).first()


def _begin(visit: Appointment, due: Due, caller: Caller, now: datetime) -> Payment:
    assert visit.patient is not None  # start_later_payment
    terms = later_terms(visit, due, now=now)
    payment = Payment.objects.create(
        patient=visit.patient,
        purpose=due.purpose,
        amount=due.amount,
        currency=due.currency,
        terms=terms.text if terms else "",
        agreed=now if terms else None,
        created=now,
        last_updated=now,
        expires_at=now + OPEN_FOR,
    )
    PaymentItem.objects.create(payment=payment, appointment=visit, amount=due.amount)
    audit("pay", visit, caller=caller, now=now)
    return payment
