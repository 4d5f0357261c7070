"""The balance of a visit and of a patient: what was paid online and at the desk, and what is still to be paid."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.db.models import Exists, OuterRef, QuerySet, Sum

from clinic import money
from clinic.models import Appointment, DeskPayment, HealthcareService, Patient, Payment, PaymentItem, PaymentOrder
from scheduling.participants import patients_of

# The statuses of online payments whose money the clinic has, or had.
HAS_MONEY = (
    Payment.Status.PAID,
    Payment.Status.PARTLY_REFUNDED,
    Payment.Status.REFUNDED,
    Payment.Status.CHARGED,
)
# The statuses of visits that took place or will.
PAYABLE = (
    Appointment.Status.BOOKED,
    Appointment.Status.ARRIVED,
    Appointment.Status.CHECKED_IN,
    Appointment.Status.FULFILLED,
)


@dataclass(frozen=True, slots=True)
class Balance:
    """Price of a visit and payments for it, in minor units. `price` is None if it has none, or nothing is asked.

    `settled` is not asked for again, though the clinic does not have it here: what it has given back of what was paid
    online, and charges that the bank has refused and that staff have settled otherwise.
    """

    currency: str
    price: int | None
    online: int = 0
    at_desk: int = 0
    settled: int = 0
    is_waived: bool = False

    @property
    def paid(self) -> int:
        return self.online + self.at_desk

    @property
    def is_open(self) -> bool:
        return self.open > 0

    @property
    def open(self) -> int:
        """Amount still to be paid; 0 for a visit without a fixed price."""
        return max(0, (self.price or 0) - self.paid - self.settled)


@dataclass(frozen=True, slots=True)
class Account:
    """The money of a patient's visits in one currency, in its minor unit."""

    currency: str
    paid: int = 0
    refunded: int = 0
    at_desk: int = 0

    @property
    def balance(self) -> int:
        """Amount that the clinic has kept."""
        return self.paid + self.at_desk - self.refunded


def taken_at_desk(appointment: Appointment) -> int:
    """The sum of what was taken at the desk for a visit, without what was corrected."""
    return DeskPayment.objects.filter(appointment=appointment).aggregate(sum=Sum("amount"))["sum"] or 0


def balance_of(appointment: Appointment) -> Balance:
    """Return the balance of a visit. Two statements, none for a visit without a payment."""
    return balances_of([appointment])[appointment.pk]


def balances_of(appointments: Iterable[Appointment]) -> dict[int, Balance]:
    """Return the balance of each visit by its primary key. Two statements, none if no visit has a payment."""
    visits = list(appointments)
    currency = money.clinic_currency()
    balances = {visit.pk: Balance(currency, _price_of(visit)) for visit in visits}
    keys = [visit.pk for visit in visits if visit.has_payment]
    if not keys:
        return balances
    items = PaymentItem.objects.filter(appointment__in=keys).order_by().annotate(otherwise=settled_otherwise("payment"))
    columns = ("appointment", "payment__status", "amount", "refunded", "otherwise")
    for key, status, amount, refunded, otherwise in items.values_list(*columns):
        balance = balances[key]
        if status == Payment.Status.WAIVED:
            balances[key] = replace(balance, price=None, is_waived=True)
        elif status in (*HAS_MONEY, Payment.Status.AUTHORISED):
            online, settled = balance.online + amount - refunded, balance.settled + refunded
            balances[key] = replace(balance, online=online, settled=settled)
        elif otherwise:
            balances[key] = replace(balance, settled=balance.settled + amount)
    taken = DeskPayment.objects.filter(appointment__in=keys).order_by()
    for key, at_desk in taken.values_list("appointment").annotate(Sum("amount")):
        balances[key] = replace(balances[key], at_desk=at_desk)
    return balances


def settled_otherwise(payment: str) -> Exists:
    """The condition that staff have settled a payment otherwise whose charge the bank has refused.

    `payment` is the column with its primary key.
    """
    orders = PaymentOrder.objects.filter(kind=PaymentOrder.Kind.CAPTURE, status=PaymentOrder.Status.SETTLED)
    return Exists(orders.filter(payment=OuterRef(payment)))


def accounts_of(patient: Patient, visits: QuerySet[Appointment]) -> list[Account]:
    """Return the money of these visits of a patient, by currency. Two statements."""
    keys = visits.order_by().values("pk")
    items = PaymentItem.objects.filter(appointment__in=keys).order_by()
    online = Payment.objects.filter(patient=patient, status__in=HAS_MONEY, pk__in=items.values("payment")).order_by()
    accounts = {
        currency: Account(currency, paid, refunded)
        for currency, paid, refunded in online.values_list("currency").annotate(Sum("amount"), Sum("refunded"))
    }
    at_desk = DeskPayment.objects.filter(patient=patient, appointment__in=keys).order_by()
    for currency, taken in at_desk.values_list("currency").annotate(Sum("amount")):
        accounts[currency] = replace(accounts.get(currency, Account(currency)), at_desk=taken)
    return [accounts[currency] for currency in sorted(accounts)]


def _price_of(appointment: Appointment) -> int | None:
    service = appointment.service
    if service is None or service.pricing != HealthcareService.Pricing.FIXED or appointment.status not in PAYABLE:
        return None
    return (service.price or 0) * max(1, len(patients_of(appointment)))
