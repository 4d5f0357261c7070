"""Orders to the payment provider: written in the transaction of a change, carried out after it, at least once.

Each order has an idempotency key, so that the provider carries it out once. If a process dies after the claim, the
claim expires and the order is sent again with the same key.
"""

import logging
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_noop

from clinic import database
from clinic.models import Payment, PaymentOrder
from clinic.parking import Parking
from scheduling import notifications, payments
from scheduling.booking.dues import due_of
from scheduling.booking.idempotency import refusals
from scheduling.payments import CardCharge, Declined, ProviderUnavailable

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)  # longer than all the timeouts of one request together
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
AT_ONCE = 50

Kind, Status = PaymentOrder.Kind, PaymentOrder.Status


def order(
    payment: Payment,
    kind: PaymentOrder.Kind,
    *,
    now: datetime,
    wait: timedelta = timedelta(0),
    **columns: Any,
) -> PaymentOrder:
    """Write an order in the transaction of a use case. It is carried out once `wait` is over.

    `columns` are its `amount`, `appointment` and `reason`, as far as it has them.
    """
    return PaymentOrder.objects.create(payment=payment, kind=kind, created=now, due=now + wait, **columns)


def perform_orders(*, now: datetime, payment: Payment | None = None) -> int:
    """Carry out the orders that are due, of one payment or of all. Returns how many were sent."""
    aside = Parking("perform payment orders", PaymentOrder, now=now)
    for number in range(AT_ONCE):
        with transaction.atomic(durable=True):
            claimed = aside.claim(_due(payment, now), partial(_take, now=now))
        if claimed is None:
            return number
        aside.process_each([claimed], partial(_perform, now=now), writes=False)
    return AT_ONCE


def _due(payment: Payment | None, now: datetime) -> QuerySet[PaymentOrder]:
    """The orders that are due, of one payment or of all. Those of one payment are carried out in their order."""
    waiting = PaymentOrder.objects.filter(status=Status.WAITING)
    earlier = waiting.filter(payment=OuterRef("payment"), pk__lt=OuterRef("pk"))
    unclaimed = Q(claimed_until=None) | Q(claimed_until__lte=now)
    rows = waiting.filter(unclaimed, ~Exists(earlier), due__lte=now).order_by("due", "pk")
    return rows if payment is None else rows.filter(payment=payment)


def _take(order: PaymentOrder, now: datetime) -> None:
    order.claimed_until = now + LEASE
    order.attempts += 1
    order.save(update_fields=["claimed_until", "attempts"])


def _perform(claimed: PaymentOrder, now: datetime) -> None:
    try:
        intent = _send(claimed, claimed.payment)
    except Declined as refusal:
        _fail(claimed, str(refusal), now)
    except ProviderUnavailable as error:
        _try_later(claimed, str(error), now)
    except Exception as error:  # a bug in one order: the other orders go on
        if database.is_away(error):
            raise
        logger.exception("Payment order %s failed", claimed.pk)
        _try_later(claimed, type(error).__name__, now)
    else:
        _finish(claimed, intent, now)


def _send(claimed: PaymentOrder, payment: Payment) -> str:
    """Send the order to the provider. Returns the provider's id of a new payment, if it made one."""
    provider, key, again = payments.provider(), str(claimed.key), claimed.attempts > 1
    match claimed.kind:
        case Kind.CAPTURE:
            provider.capture(payment.intent, key=key)
        case Kind.RELEASE:
            provider.release(payment.intent, key=key)
        case Kind.REFUND:
            provider.refund(payment.intent, claimed.amount, payment.currency, key=key, again=again)
        case Kind.FORGET:
            provider.forget(payment.card, key=key)
        case Kind.FEE:
            charge = CardCharge(
                customer=payment.customer,
                card=payment.card,
                amount=claimed.amount,
                currency=payment.currency,
                label=str(payment.reference),
            )
            return provider.charge(charge, key=key, again=again)
    return ""


@refusals()
@transaction.atomic(durable=True)
def _finish(claimed: PaymentOrder, intent: str, now: datetime) -> None:
    """Record that an order is done, with what follows for its payment."""
    payment = _locked_payment(claimed)
    if not _close(claimed, Status.DONE, now):
        return
    if claimed.kind == Kind.CAPTURE:
        _finish_capture(payment, now)
    elif claimed.kind == Kind.FEE:
        payment.status = Payment.Status.CHARGED
        payment.intent = intent
        if claimed.appointment is not None:
            notifications.fee_charged(claimed.appointment, claimed.amount, payment.currency, now=now)
    elif claimed.kind == Kind.FORGET:
        payment.card = ""
    payment.last_updated = now
    payment.save(update_fields=["status", "intent", "card", "last_updated"])


def _finish_capture(payment: Payment, now: datetime) -> None:
    """Record that the money has come, unless all of it was given back meanwhile, with the receipt for what was paid
    after booking.
    """
    if payment.status == Payment.Status.AUTHORISED:
        payment.status = Payment.Status.PAID
    if payment.is_later:
        visit = payment.appointments.select_related("service", "patient").get()
        due = due_of(visit)
        notifications.paid_later(visit, payment.amount, payment.currency, rest=due.amount if due else 0, now=now)


@refusals()
@transaction.atomic(durable=True)
def _fail(claimed: PaymentOrder, error: str, now: datetime) -> None:
    """Record that the provider has refused an order for good. Without its money a payment has failed."""
    payment = _locked_payment(claimed)
    if not _close(claimed, Status.FAILED, now, error):
        return
    logger.warning("Payment order %s was refused", claimed.pk)
    if claimed.kind == Kind.CAPTURE:
        payment.status, payment.reason, payment.last_updated = Payment.Status.FAILED, error, now
        payment.save(update_fields=["status", "reason", "last_updated"])
        others = payment.orders.filter(status=Status.WAITING)
        others.update(status=Status.FAILED, error=gettext_noop("There was no money to refund."), done=now)


def _try_later(claimed: PaymentOrder, error: str, now: datetime) -> None:
    pause = min(FIRST_PAUSE * 2 ** min(claimed.attempts - 1, 10), LONGEST_PAUSE)
    _mine(claimed).update(due=now + pause, claimed_until=None, error=error)


def _locked_payment(claimed: PaymentOrder) -> Payment:
    return Payment.objects.select_for_update(no_key=True).get(pk=claimed.payment_id)


def _close(claimed: PaymentOrder, status: PaymentOrder.Status, now: datetime, error: str = "") -> bool:
    """Record the outcome. Returns False if the claim has expired and another process has the order."""
    return bool(_mine(claimed).update(status=status, error=error, done=now, claimed_until=None))


def _mine(claimed: PaymentOrder) -> QuerySet[PaymentOrder]:
    return PaymentOrder.objects.filter(pk=claimed.pk, status=Status.WAITING, claimed_until=claimed.claimed_until)
