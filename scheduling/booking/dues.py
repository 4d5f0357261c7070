"""Dues: what patients still owe for booked visits, the rest of a price or a fee that their card has refused."""

from collections.abc import Iterable
from dataclasses import dataclass

from clinic import money
from clinic.models import Appointment, Payment, PaymentOrder
from scheduling import payments
from scheduling.booking.refused_orders import MISSED, refused_orders
from scheduling.participants import is_group
from scheduling.payments import PAYABLE, Balance


@dataclass(frozen=True, slots=True)
class Due:
    """An amount that a patient owes for a visit, in minor units, and the purpose of the Payment that pays it."""

    amount: int
    currency: str
    purpose: Payment.Purpose

    @property
    def text(self) -> str:
        return money.text(self.amount, self.currency)

    @property
    def is_fee(self) -> bool:
        return self.purpose == Payment.Purpose.FEE

    def covers(self, payment: Payment) -> bool:
        """True if all of a payment's amount is still due."""
        return (self.purpose, self.currency) == (payment.purpose, payment.currency) and self.amount >= payment.amount


def due_of(appointment: Appointment) -> Due | None:
    """Return what is due for a visit; None for nothing."""
    return dues_of([appointment]).get(appointment.pk)


def dues_of(appointments: Iterable[Appointment]) -> dict[int, Due]:
    """Return what is due for these visits, by primary key, without those for which nothing is.

    Visits are left out whose service asks for no payment and for which nothing was paid: what is taken for them may be
    recorded nowhere. So are visits of several patients, who each pay at the desk. Three statements at most; none if no
    visit has a payment.
    """
    asked = [each for each in appointments if not is_group(each) and _asks_for_payment(each)]
    missed = [each.pk for each in asked if each.has_payment and each.status in MISSED]
    dues: dict[int, Due] = {}
    if missed:
        refused = refused_orders().filter(kind=PaymentOrder.Kind.FEE, visit_key__in=missed).order_by("pk")
        for order in refused:
            dues[order.visit_key] = Due(order.amount, order.payment.currency, Payment.Purpose.FEE)
    payable = {each.pk: each for each in asked if each.status in PAYABLE}
    for key, balance in payments.balances_of(payable.values()).items():
        if amount := _open_amount(payable[key], balance):
            dues[key] = Due(amount, balance.currency, Payment.Purpose.BALANCE)
    return dues


def _asks_for_payment(appointment: Appointment) -> bool:
    return appointment.has_payment or bool(appointment.service and appointment.service.prepayment)


def _open_amount(appointment: Appointment, balance: Balance) -> int:
    """The rest of the price; of a visit without a fixed price, the rest of its deposit."""
    if balance.price is not None or balance.is_waived:
        return balance.open
    return max(0, payments.sum_of(appointment) - balance.paid - balance.settled)
