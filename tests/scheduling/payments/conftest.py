import pytest
from django.utils import timezone

from clinic.models import Payment
from scheduling import booking
from scheduling.access import Caller
from tests.payment_provider import running
from tests.scheduling.situations import hold, monday, wish

PRICE = 4000


@pytest.fixture
def local(settings):
    """The payment provider: its page is paid on by `local.pay`."""
    with running(settings) as provider:
        yield provider


@pytest.fixture
def paid_service(service):
    """The service, whose whole price is paid before it is booked."""
    service.pricing, service.price, service.prepayment = "fixed", PRICE, "whole"
    service.save()
    return service


@pytest.fixture
def patient_caller(ada):
    return Caller(user=ada.user)


@pytest.fixture
def held(paid_service, chen, ada, patient_caller, local):
    return hold(wish(paid_service, chen, at=monday(10), patient=ada), patient_caller)


def begin(held, caller):
    """Begin to pay, and open the provider's page. Returns the payment."""
    payment = booking.start_payment(held.fhir_id, caller=caller, now=timezone.now())
    open_page(payment)
    payment.refresh_from_db()
    return payment


def open_page(payment):
    return booking.open_checkout(
        payment,
        success_url="http://testserver/paid/",
        cancel_url="http://testserver/pay/",
        language="en",
        now=timezone.now(),
    )


def settle(payment):
    settled = booking.settle_payment(Payment.objects.get(pk=payment.pk), now=timezone.now())
    return Payment.Status(settled.status)


def sweep(now=None):
    now = now or timezone.now()
    Payment.objects.update(checked=None)
    booking.settle_open_payments(now=now)
    booking.perform_orders(now=now)
