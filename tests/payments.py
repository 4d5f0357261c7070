"""Payments of visits, as rows."""

from typing import Any

from django.utils import timezone

from clinic.models import Appointment, Payment, PaymentItem


def pay(visit: Appointment, **columns: Any) -> Payment:
    """Make a payment of $40.00 for a visit, which is paid unless `columns` say otherwise."""
    now = timezone.now()
    defaults = {"status": "paid", "purpose": "whole", "amount": 4000, "currency": "USD", "terms": "You pay $40.00 now."}
    payment = Payment.objects.create(
        patient=visit.patient, created=now, last_updated=now, intent="pi_1", **{**defaults, **columns}
    )
    PaymentItem.objects.create(payment=payment, appointment=visit, amount=payment.amount)
    Appointment.objects.filter(pk=visit.pk).update(has_payment=True)
    return payment
