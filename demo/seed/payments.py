"""The payments of the demo's visits: here and at the local payment provider, and at the desk."""

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from django.conf import settings

from clinic.models import Appointment, DeskPayment, HealthcareService, Payment, PaymentItem, User
from demo.seed.people import FRONT_DESK
from demo.stripe_server import PAYMENTS_FILE, SECRET_KEY, WEBHOOK_SECRET, LocalProvider
from scheduling import booking, payments
from scheduling.access import Caller
from scheduling.booking import DeskPaymentRequest

CURRENCY = "USD"
AT_DESK = 3  # visits
UNPAID = (Appointment.Status.CANCELLED, Appointment.Status.PENDING)


def is_paid(service: HealthcareService, status: str) -> bool:
    """True if a visit of the service has a payment."""
    return bool(service.prepayment) and status not in UNPAID


def pay(visits: Sequence[Appointment], *, now: datetime) -> None:
    """Write the payments of those visits that have one, each made when its visit was booked."""
    local = LocalProvider(secret_key=SECRET_KEY, webhook_secret=WEBHOOK_SECRET, file=settings.DATA_DIR / PAYMENTS_FILE)
    made = [(visit, _payment(visit, local, now)) for visit in visits if visit.has_payment]
    Payment.objects.bulk_create(payment for _, payment in made)
    PaymentItem.objects.bulk_create(
        PaymentItem(payment=payment, appointment=visit, amount=payment.amount) for visit, payment in made
    )
    local.keep()


def pay_at_desk(*, now: datetime) -> None:
    """Record what the patients of the last visits with a fixed price have paid: one in cash, the others by card."""
    desk = Caller(user=User.objects.get(email=FRONT_DESK[0]))
    past = Appointment.objects.filter(
        site__fhir_id=FRONT_DESK[1], status=Appointment.Status.FULFILLED, service__pricing="fixed", has_payment=False
    ).select_related("service")
    for number, visit in enumerate(past.order_by("-start", "pk")[:AT_DESK]):
        method = DeskPayment.Method.CARD if number else DeskPayment.Method.CASH
        amount = payments.balance_of(visit).open
        request = DeskPaymentRequest(amount=amount, method=method, receipt=f"A-{number + 1}", key=uuid4())
        booking.take_at_desk(visit.fhir_id, request, caller=desk, now=now)


def _payment(visit: Appointment, local: LocalProvider, now: datetime) -> Payment:
    service, patient = visit.service, visit.patient
    assert service is not None
    assert patient is not None
    amount = payments.sum_of(visit)
    is_card = service.prepayment == HealthcareService.Prepayment.CARD
    paid = local.record_payment(amount, CURRENCY.lower(), keeps_card=is_card)
    return Payment(
        patient=patient,
        purpose=service.prepayment,
        status=Payment.Status.KEPT if is_card else Payment.Status.PAID,
        amount=amount,
        fee=payments.fee_of([visit]),
        currency=CURRENCY,
        terms=payments.terms_of([visit], CURRENCY).text,
        agreed=visit.created,
        intent="" if is_card else paid["id"],
        customer=paid["customer"],
        card=paid["payment_method"] if is_card else "",
        created=visit.created,
        last_updated=now,
    )
