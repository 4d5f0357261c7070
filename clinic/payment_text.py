"""Payments for visits in words, for patients and staff."""

from django.db.models import Sum
from django.utils.translation import gettext as _

from clinic import money
from clinic.models import Appointment, DeskPayment, Payment, PaymentItem

Status = Payment.Status
UNTOLD = (Status.CREATED, Status.PAYING, Status.EXPIRED, Status.RELEASED)


def payment_text(appointment: Appointment) -> str:
    """Return what was paid for a visit, such as `$40.00 paid, $20.00 given back`; empty if nothing was.

    Two queries for a visit that has a payment.
    """
    if not appointment.has_payment:
        return ""
    items = PaymentItem.objects.filter(appointment=appointment).exclude(payment__status__in=UNTOLD)
    words = [_item_text(item) for item in items.select_related("payment")]
    at_desk = DeskPayment.objects.filter(appointment=appointment).order_by().values_list("currency")
    for currency, taken in at_desk.annotate(Sum("amount")):
        if taken > 0:
            words.append(_("%(amount)s paid at the clinic") % {"amount": money.text(taken, currency)})
    return "; ".join(words)


def _item_text(item: PaymentItem) -> str:
    payment = item.payment
    amount, fee = money.text(item.amount, payment.currency), money.text(payment.fee, payment.currency)
    match payment.status:
        case Status.KEPT:
            return _("A card is kept. %(fee)s may be charged if the visit is missed.") % {"fee": fee}
        case Status.CHARGED:
            return _("A fee of %(fee)s was charged.") % {"fee": fee}
        case Status.WAIVED:
            return _("Waived by the clinic")
        case Status.FAILED:
            return _("The payment of %(amount)s failed.") % {"amount": amount}
    if payment.purpose == Payment.Purpose.FEE and not item.refunded:
        return _("Fee of %(amount)s paid") % {"amount": amount}
    if item.refunded:
        back = money.text(item.refunded, payment.currency)
        return _("%(amount)s paid, %(back)s refunded") % {"amount": amount, "back": back}
    if payment.purpose == Payment.Purpose.DEPOSIT:
        return _("Deposit of %(amount)s paid") % {"amount": amount}
    return _("%(amount)s paid") % {"amount": amount}
