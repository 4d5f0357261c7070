"""Refunds, waivers and fees: what becomes of a payment when its visit is cancelled, and what staff decide about it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from clinic import money
from clinic.models import Appointment, Payment, PaymentItem, PaymentOrder
from clinic.parking import Parking
from scheduling import access, notifications, payments
from scheduling.access import Caller
from scheduling.booking.idempotency import refusals
from scheduling.booking.payment_orders import order
from scheduling.booking.refused_orders import MISSED, UNPAID, refused_orders
from scheduling.booking.transitions import audit, locked, save
from scheduling.errors import Forbidden, RuleBroken
from scheduling.notifications import UNDO_WINDOW
from scheduling.payments import is_late

Kind, Status = PaymentOrder.Kind, Payment.Status
CARDS_KEPT_FOR = timedelta(days=30)  # after the visit, to charge the fee
BATCH = 100


@dataclass(frozen=True, kw_only=True)
class PaymentOptions:
    """Decisions that staff can make about a payment: amounts in minor units, 0 for a decision that is not possible.

    It `is_refused` if the provider has refused something that nothing has settled.
    """

    refundable: int = 0
    fee: int = 0
    due: int = 0
    can_waive: bool = False
    is_refused: bool = False
    currency: str = ""

    @property
    def is_due(self) -> bool:
        return self.due > 0

    @property
    def due_text(self) -> str:
        return money.text(self.due, self.currency)


def refund_ended(
    appointment: Appointment, *, by_clinic: bool, now: datetime, undoable: bool = False, tell: bool = True
) -> None:
    """Give back what the terms say for a locked visit that has just been cancelled, and tell the patient.

    A card is forgotten, unless the patient has cancelled so late that the fee may be charged. What is `undoable` waits
    for the undo window.
    """
    wait = UNDO_WINDOW if undoable else timedelta(0)
    start, service = appointment.start, appointment.service
    given_back: dict[str, int] = {}
    for payment in _locked_payments(appointment):
        item = payment.items.get(appointment=appointment)
        if payment.has_money:
            part = payments.refund_of(service, item.amount, start, now=now, by_clinic=by_clinic)
            back = max(0, part - item.refunded)
            _give_back(item, back, now=now, wait=wait)
            given_back[payment.currency] = given_back.get(payment.currency, 0) + back
        elif payment.status == Status.KEPT:
            is_due = service is not None and start is not None and is_late(service, start, now=now)
            if (by_clinic or not is_due) and not _has_others(payment, appointment):
                _forget(payment, now=now, appointment=appointment, wait=wait)
    for currency, amount in given_back.items():
        if amount and tell:
            notifications.refunded(appointment, amount, currency, now=now, undoable=undoable)


def undo_refund(appointment: Appointment, *, now: datetime) -> None:
    """Withdraw the orders that a cancellation has written for a visit and that were not sent yet."""
    for payment in _locked_payments(appointment):
        waiting = payment.orders.filter(appointment=appointment, status=PaymentOrder.Status.WAITING, attempts=0)
        for undone in waiting.select_for_update(skip_locked=True).filter(kind__in=(Kind.REFUND, Kind.FORGET)):
            if undone.kind == Kind.FORGET:
                payment.status = Status.KEPT
            else:
                item = payment.items.get(appointment=appointment)
                item.refunded -= undone.amount
                item.save(update_fields=["refunded"])
                payment.refunded -= undone.amount
                payment.status = Status.PARTLY_REFUNDED if payment.refunded else Status.PAID
            payment.last_updated = now
            payment.save()
            undone.delete()


@refusals()
@transaction.atomic(durable=True)
def refund(appointment_id: str, amount: int, reason: str, *, caller: Caller, now: datetime) -> None:
    """Give back an amount of what was paid for a visit, the latest payment first. Raises Forbidden, RuleBroken."""
    appointment = handled_visit(appointment_id, caller)
    _locked_payments(appointment)
    items = _refundable_items(appointment)
    if not 0 < amount <= _left(items):
        raise RuleBroken(_("You cannot refund more than was paid and is not refunded yet."))
    left = amount
    for item in items:
        part = min(left, item.amount - item.refunded)
        _give_back(item, part, now=now, reason=reason)
        left -= part
    notifications.refunded(appointment, amount, items[0].payment.currency, now=now)
    audit("refund", appointment, caller=caller, now=now, reason=reason)


@refusals()
@transaction.atomic(durable=True)
def waive(appointment_id: str, reason: str, *, caller: Caller, now: datetime) -> None:
    """Ask no payment for a booked visit that needs one, or no fee for a missed one: the card is forgotten.

    Raises Forbidden, RuleBroken.
    """
    appointment = handled_visit(appointment_id, caller)
    kept = next((each for each in _locked_payments(appointment) if each.status == Status.KEPT), None)
    if kept is not None:
        kept.reason = reason
        _forget(kept, now=now, appointment=appointment, status=Status.WAIVED)
    elif is_due(appointment):
        _write_waiver(appointment, reason, now)
    else:
        raise RuleBroken(_("There is nothing to waive."))
    audit("waive", appointment, caller=caller, now=now, reason=reason)


@refusals()
@transaction.atomic(durable=True)
def charge_fee(appointment_id: str, reason: str, *, caller: Caller, now: datetime) -> None:
    """Charge the agreed fee for a missed visit to the card that was kept, once. Raises Forbidden, RuleBroken."""
    appointment = handled_visit(appointment_id, caller)
    if appointment.status not in MISSED:
        raise RuleBroken(_("A fee is for a visit that was missed, or cancelled too late."))
    for payment in _locked_payments(appointment):
        if payment.status not in (Status.KEPT, Status.CHARGED):
            continue
        if _is_charged(payment, appointment):
            raise RuleBroken(_("The fee for this visit has been charged already."))
        order(payment, Kind.FEE, now=now, amount=payment.fee, appointment=appointment, reason=reason)
        audit("fee", appointment, caller=caller, now=now, reason=reason)
        return
    raise RuleBroken(_("No card was kept for this visit."))


@refusals()
@transaction.atomic(durable=True)
def settle(appointment_id: str, reason: str, *, caller: Caller, now: datetime) -> None:
    """Record that what the provider has refused for a visit is settled otherwise, such as in cash.

    Raises Forbidden, and RuleBroken if nothing was refused or somebody else has settled it.
    """
    appointment = handled_visit(appointment_id, caller)
    refused = refused_orders().filter(visit_key=appointment.pk).order_by().values("pk")
    settled = PaymentOrder.objects.filter(pk__in=refused, status=PaymentOrder.Status.FAILED)
    if not settled.update(status=PaymentOrder.Status.SETTLED, reason=reason, done=now):
        raise RuleBroken(_("There is nothing to settle."))
    audit("settle", appointment, caller=caller, now=now, reason=reason)


def is_due(appointment: Appointment) -> bool:
    """True if the service asks for payment before booking, and the visit was booked without one, and nothing, or too
    little, was taken at the desk.
    """
    service = appointment.service
    if service is None or not service.prepayment or appointment.status in ("pending", "cancelled", "entered-in-error"):
        return False
    settled = ~Q(status__in=UNPAID) | Q(payments.settled_otherwise("pk"))
    if Payment.objects.filter(settled, appointments=appointment).exists():
        return False
    return not appointment.has_payment or payments.taken_at_desk(appointment) < max(1, payments.sum_of(appointment))


def is_paid_online(appointment: Appointment) -> bool:
    """True if the visit is paid online, or a card is kept: what is given back follows its terms."""
    paid = Payment.objects.filter(appointments=appointment).exclude(status__in=UNPAID)
    return appointment.has_payment and paid.exists()


@dataclass(frozen=True)
class CancellationCost:
    """Cost of a cancellation by the patient now: the amount paid, the part refunded, or the fee that may be charged."""

    paid: int
    back: int
    fee: int
    currency: str


def cancellation_cost(appointment: Appointment, *, now: datetime) -> CancellationCost | None:
    """Return the cost of a cancellation by the patient now; None for a visit without a payment."""
    if not appointment.has_payment:
        return None
    service, start = appointment.service, appointment.start
    items = _items_of(appointment)
    paid = [item for item in items if item.payment.has_money]
    kept = [item.payment for item in items if item.payment.status == Status.KEPT]
    if not (paid or kept):
        return None
    back = sum(
        max(0, payments.refund_of(service, item.amount, start, now=now, by_clinic=False) - item.refunded)
        for item in paid
    )
    is_late_now = service is not None and start is not None and is_late(service, start, now=now)
    fee = kept[0].fee if kept and is_late_now else 0
    return CancellationCost(sum(item.amount for item in paid), back, fee, items[0].payment.currency)


@refusals()
@transaction.atomic(durable=True)
def forget_cards(*, now: datetime) -> int:
    """Order the provider to forget the cards of visits that ended long ago. Returns how many."""
    lately = Appointment.objects.filter(end__gt=now - CARDS_KEPT_FOR)
    kept = Payment.objects.filter(status__in=(Status.KEPT, Status.CHARGED)).exclude(orders__kind=Kind.FORGET)
    aside = Parking("forget cards", Payment, now=now)
    over = kept.exclude(appointments__in=lately).exclude(pk__in=aside.waiting).order_by("pk")[:BATCH]
    cards = over.select_for_update(skip_locked=True, no_key=True, of=("self",))
    return aside.process_each(cards, lambda payment: forget_card(payment, now))


def forget_card(payment: Payment, now: datetime) -> None:
    """Order the provider to forget the card of a locked payment."""
    order(payment, Kind.FORGET, now=now)
    if payment.status == Status.KEPT:
        payment.status = Status.RELEASED
    payment.last_updated = now
    payment.save(update_fields=["status", "last_updated"])


def forget_card_of(appointment: Appointment, *, now: datetime) -> None:
    """Order the provider to forget the card that was kept for a locked visit, unless other visits need it."""
    for payment in _locked_payments(appointment):
        if payment.status == Status.KEPT and not _has_others(payment, appointment):
            _forget(payment, now=now, appointment=appointment)


def payment_options(appointment: Appointment) -> PaymentOptions:
    """Return the decisions that staff can make about a payment. No query for a visit that has none and needs none."""
    service = appointment.service
    if not appointment.has_payment and (service is None or not service.prepayment):
        return PaymentOptions()
    is_refused = appointment.has_payment and refused_orders().filter(visit_key=appointment.pk).exists()
    return replace(_options(appointment), is_refused=is_refused)


def _options(appointment: Appointment) -> PaymentOptions:
    """Return the decisions about what is due, paid, or may be charged."""
    service = appointment.service
    if is_due(appointment):
        assert service is not None  # is_due
        amount = payments.sum_of(appointment) or service.missed_fee or 0
        amount = max(0, amount - payments.taken_at_desk(appointment))
        return PaymentOptions(due=amount, can_waive=True, currency=money.clinic_currency())
    refundable = _refundable_items(appointment)
    options = PaymentOptions(refundable=_left(refundable))
    if refundable:
        options = replace(options, currency=refundable[0].payment.currency)
    for item in _items_of(appointment):
        payment = item.payment
        if payment.status in (Status.KEPT, Status.CHARGED):
            is_charged = _is_charged(payment, appointment)
            fee = payment.fee if appointment.status in MISSED and not is_charged else 0
            can_waive = payment.status == Status.KEPT and not is_charged
            return replace(options, fee=fee, can_waive=can_waive, currency=payment.currency)
    return options


def _items_of(appointment: Appointment) -> list[PaymentItem]:
    """The shares of payments for a visit, the latest first."""
    items = PaymentItem.objects.filter(appointment=appointment).select_related("payment")
    return list(items.order_by("-payment__created", "-pk"))


def _refundable_items(appointment: Appointment) -> list[PaymentItem]:
    """The shares of which money can be given back, the latest first, in the currency of the latest."""
    items = [item for item in _items_of(appointment) if item.payment.has_money and item.refunded < item.amount]
    return [item for item in items if item.payment.currency == items[0].payment.currency]


def _left(items: Iterable[PaymentItem]) -> int:
    """The sum that is not given back yet."""
    return sum(item.amount - item.refunded for item in items)


def _is_charged(payment: Payment, appointment: Appointment) -> bool:
    """True if the fee for a visit was charged to the card that is kept, or its patient has paid it."""
    charged = payment.orders.filter(kind=Kind.FEE, appointment=appointment).exclude(status=PaymentOrder.Status.FAILED)
    fees = Payment.objects.filter(purpose=Payment.Purpose.FEE, appointments=appointment)
    return charged.exists() or fees.exclude(status__in=UNPAID).exists()


def handled_visit(appointment_id: str, caller: Caller) -> Appointment:
    """The locked visit, whose payments the caller handles. Raises NotFound, Forbidden."""
    rows = access.visits_with_payments(caller).filter(fhir_id=appointment_id, deleted_at=None)
    rows = rows.select_for_update(no_key=True, of=("self",)).select_related("service", "patient")
    appointment = None if caller.client else rows.first()
    if appointment is None:
        locked(appointment_id, caller)  # it says if there is none
        raise Forbidden(_("Only the front desk and administrators decide about payments."))
    return appointment


def _locked_payments(appointment: Appointment) -> Iterable[Payment]:
    """The payments of a locked visit, locked too, in the order of their keys."""
    rows = Payment.objects.filter(items__appointment=appointment).order_by("pk")
    return list(rows.select_for_update(no_key=True, of=("self",)))


def _give_back(
    item: PaymentItem,
    amount: int,
    *,
    now: datetime,
    reason: str = "",
    wait: timedelta = timedelta(0),
) -> None:
    """Write the order of a refund."""
    if not amount:
        return
    payment = item.payment
    item.refunded += amount
    item.save(update_fields=["refunded"])
    payment.refunded += amount
    payment.status = Status.REFUNDED if payment.refunded == payment.amount else Status.PARTLY_REFUNDED
    payment.last_updated = now
    payment.save(update_fields=["refunded", "status", "last_updated"])
    order(payment, Kind.REFUND, now=now, amount=amount, appointment=item.appointment, reason=reason, wait=wait)


def _forget(
    payment: Payment,
    *,
    now: datetime,
    appointment: Appointment,
    status: Payment.Status = Status.RELEASED,
    wait: timedelta = timedelta(0),
) -> None:
    payment.status, payment.last_updated = status, now
    payment.save(update_fields=["status", "reason", "last_updated"])
    order(payment, Kind.FORGET, now=now, appointment=appointment, wait=wait)


def _has_others(payment: Payment, appointment: Appointment) -> bool:
    """True if the payment is for other visits too that have not been cancelled."""
    others = payment.appointments.exclude(pk=appointment.pk)
    return others.exclude(status__in=("cancelled", "entered-in-error")).exists()


def _write_waiver(appointment: Appointment, reason: str, now: datetime) -> None:
    service, patient = appointment.service, appointment.patient
    if patient is None:
        raise RuleBroken(_("This visit has no patient yet."))
    assert service is not None  # is_due
    amount = payments.sum_of(appointment)
    payment = Payment.objects.create(
        patient=patient,
        purpose=service.prepayment,
        status=Status.WAIVED,
        amount=amount,
        fee=payments.fee_of([appointment]),
        currency=money.clinic_currency(),
        reason=reason,
        created=now,
        last_updated=now,
    )
    PaymentItem.objects.create(payment=payment, appointment=appointment, amount=amount)
    appointment.has_payment = True
    save(appointment, now)
