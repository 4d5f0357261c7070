"""A process that dies at any step of a payment: the sweep goes on, and nobody has paid and lost the time."""

import subprocess
import sys
import textwrap
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from clinic.models import Appointment, Communication, Payment
from tests.scheduling.payments.conftest import begin, sweep
from tests.scheduling.situations import book, monday, run_out, wish

pytestmark = pytest.mark.django_db(transaction=True)

# The steps of opening the page, and those of settling the payment. The process dies just before or just after each.
OPENING = ("before open_checkout", "after open_checkout")
SETTLING = ("before read_checkout", "after read_checkout", "before capture", "after capture")
DYING = """
    import os, signal, sys
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django
    django.setup()
    from django.conf import settings
    from django.db import connections
    database, base, payment, step = sys.argv[1:]
    connections.databases["default"]["NAME"] = database
    settings.PAYMENT_PROVIDER, settings.STRIPE_API_BASE = "local", base
    from demo.stripe_server import SECRET_KEY, WEBHOOK_SECRET
    settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = SECRET_KEY, WEBHOOK_SECRET
    from django.utils import timezone
    from clinic.models import Payment
    from scheduling import booking
    from scheduling.payments.stripe_provider import StripeProvider

    when, name = step.split()
    request = getattr(StripeProvider, name)

    def dying(self, *arguments, **named):
        if when == "after":
            request(self, *arguments, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(StripeProvider, name, dying)
    begun = Payment.objects.get(pk=int(payment))
    if name == "open_checkout":
        booking.open_checkout(begun, success_url="http://testserver/paid/",
                              cancel_url="http://testserver/pay/", language="en",
                              now=timezone.now())
    booking.settle_payment(begun, now=timezone.now())
"""


def die(local, payment, step):
    arguments = [connection.settings_dict["NAME"], local.base, str(payment.pk), step]
    process = subprocess.run([sys.executable, "-c", textwrap.dedent(DYING), *arguments], check=False)
    assert process.returncode == -9


def captured(local):
    return [each for each in local.objects.values() if each["object"] == "payment_intent" and each["amount_received"]]


@pytest.mark.parametrize("step", OPENING)
def test_opening_the_page_again_leads_to_one_page(local, held, patient_caller, step, monkeypatch):
    from scheduling import booking

    payment = booking.start_payment(held.fhir_id, caller=patient_caller, now=timezone.now())
    die(local, payment, step)
    payment.refresh_from_db()
    assert payment.status == "created"
    again = begin(held, patient_caller)
    assert again == payment
    pages = [each for each in local.objects.values() if each["object"] == "checkout.session"]
    assert [each["id"] for each in pages] == [again.session]


@pytest.mark.parametrize("step", SETTLING)
def test_the_sweep_books_and_takes_the_money_once(local, held, patient_caller, step):
    payment = begin(held, patient_caller)
    local.pay(payment.session)
    die(local, payment, step)
    sweep(timezone.now() + timedelta(minutes=5))  # when the claim of the dead process has expired
    payment.refresh_from_db()
    held.refresh_from_db()
    assert (payment.status, held.status) == ("paid", "booked")
    assert len(captured(local)) == 1
    assert Communication.objects.filter(appointment=held, event="confirmation", medium="email").count() == 1


@pytest.mark.parametrize("step", ["before read_checkout", "after read_checkout"])
def test_the_sweep_lets_go_of_the_money_if_the_time_was_lost_meanwhile(
    local, held, patient_caller, step, paid_service, chen, bo
):
    payment = begin(held, patient_caller)
    local.pay(payment.session)
    die(local, payment, step)
    run_out(held)
    taken = book(wish(paid_service, chen, at=monday(10), patient=bo))
    sweep(timezone.now() + timedelta(minutes=5))
    payment.refresh_from_db()
    assert payment.status == "released"
    assert captured(local) == []
    assert set(Appointment.objects.filter(start=held.start, status="booked")) == {taken}


def test_a_page_that_was_never_seen_ends_with_the_hold(local, held, patient_caller):
    from scheduling import booking

    payment = booking.start_payment(held.fhir_id, caller=patient_caller, now=timezone.now())
    die(local, payment, "after open_checkout")
    Payment.objects.update(expires_at=timezone.now())
    sweep()
    payment.refresh_from_db()
    assert payment.status == "expired"
