"""Payment orders that the provider has refused for good: staff repeat, waive or settle them."""

from typing import Any

from django.db.models import BigIntegerField, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from clinic.models import Appointment, Payment, PaymentItem, PaymentOrder

Kind, Status = PaymentOrder.Kind, PaymentOrder.Status
# The statuses of payments by which nothing is paid, or not yet.
UNPAID = (
    Payment.Status.CREATED,
    Payment.Status.PAYING,
    Payment.Status.FAILED,
    Payment.Status.EXPIRED,
    Payment.Status.RELEASED,
)
MISSED = (Appointment.Status.NOSHOW, Appointment.Status.CANCELLED)
NOT_TO_COME = (Appointment.Status.CANCELLED, Appointment.Status.ENTERED_IN_ERROR)


def refused_orders() -> QuerySet[Any]:
    """The refused orders about money that nothing has settled since, each with the primary keys of its visit
    (`visit_key`) and of the visit's site (`visit_site`).

    A refused charge is settled when its visit is cancelled or paid later, and a refused fee when it is paid.
    """
    first = PaymentItem.objects.filter(payment=OuterRef("payment")).order_by("pk").values("appointment")[:1]
    visits = Appointment.objects.filter(pk=OuterRef("visit_key"))
    again = PaymentOrder.objects.filter(
        payment=OuterRef("payment"), kind=OuterRef("kind"), appointment=OuterRef("appointment"), pk__gt=OuterRef("pk")
    ).exclude(status=Status.FAILED)
    later = PaymentItem.objects.filter(appointment=OuterRef("visit_key"), payment__gt=OuterRef("payment"))
    paid = later.exclude(payment__status__in=UNPAID)
    unpaid = Exists(visits.exclude(status__in=NOT_TO_COME)) & ~Exists(paid)
    given_back = Q(kind=Kind.REFUND) & ~Q(payment__status=Payment.Status.FAILED)  # without money there is no refund
    rows = PaymentOrder.objects.filter(status=Status.FAILED).exclude(payment__status=Payment.Status.WAIVED)
    rows = rows.annotate(visit_key=Coalesce(F("appointment"), Subquery(first), output_field=BigIntegerField()))
    rows = rows.annotate(visit_site=Subquery(visits.values("site")))
    fee = Q(kind=Kind.FEE) & ~Exists(paid.filter(payment__purpose=Payment.Purpose.FEE))
    capture = Q(kind=Kind.CAPTURE) & ~Q(payment__purpose=Payment.Purpose.FEE) & unpaid  # that fee is there already
    open_orders = given_back | fee | capture
    return rows.filter(open_orders, ~Exists(again)).select_related("payment")
