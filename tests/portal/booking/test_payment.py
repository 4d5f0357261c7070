"""Paying on the pages: the terms, the provider's page, the wait, the receipt, and every way on when it goes wrong."""

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import Payment
from scheduling import booking
from tests.payment_provider import running
from tests.portal.booking.steps import hold, page_of, prove, say_who, visit_page
from tests.scheduling.situations import book, run_out, wish

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def local(settings):
    with running(settings) as provider:
        yield provider


@pytest.fixture
def paid_checkup(checkup, schedule):
    checkup.pricing, checkup.price, checkup.prepayment = "fixed", 4000, "whole"
    checkup.late_refund = 50
    checkup.save()
    return checkup


@pytest.fixture
def ready(as_ada, paid_checkup, button_value, local):
    """Ada's hold, which waits for nothing but the payment."""
    return hold(as_ada, paid_checkup, button_value)


def go_to_provider(client, held):
    """Agree and go on. Returns the payment, and the address of the provider's page."""
    answer = client.post(page_of(held, "pay"), {"agree": "on"})
    assert answer.status_code == 302, answer.content
    return Payment.objects.get(), answer.url


def tell(client, local, event=None):
    """Send the provider's latest event to the webhook, as the provider does."""
    body = json.dumps(event or local.events[-1]).encode()
    signature = local.signature(body)
    return client.post(
        "/payments/stripe/", body, content_type="application/json", headers={"Stripe-Signature": signature}
    )


def test_the_way_from_the_check_to_the_receipt(as_ada, local, ready):
    page = as_ada.get(page_of(ready, "confirm"))
    assertContains(page, "Step 2 of 3")
    assertNotContains(page, "Confirm ")
    as_ada.post(page_of(ready, "confirm"), {"comment": "My knee"})
    page = as_ada.get(page_of(ready, "pay"))
    for words in ("You pay $40.00 now.", "24 hours before the visit", "50% of it", "I agree", "Step 3 of 3"):
        assertContains(page, words)
    assert "form-action 'self' http://127.0.0.1:" in page["Content-Security-Policy"]

    payment, address = go_to_provider(as_ada, ready)
    assert address == f"{local.base}/pay/{payment.session}"
    local.pay(payment.session)
    assert tell(Client(), local).status_code == 204

    assertRedirects(as_ada.get(page_of(ready, "payment")), page_of(ready, "booked"))
    page = as_ada.get(page_of(ready, "booked"))
    assertContains(page, "Your visit is booked")
    assertContains(page, "$40.00 paid")
    assertContains(as_ada.get(visit_page(ready)), "$40.00 paid")
    ready.refresh_from_db()
    assert ready.comment == "My knee"


def test_a_guest_pays_too(client, paid_checkup, button_value, local):
    held = hold(client, paid_checkup, button_value)
    say_who(client, held)
    prove(client, held)
    client.post(page_of(held, "confirm"))
    payment, _ = go_to_provider(client, held)
    local.pay(payment.session)
    tell(Client(), local)
    assertRedirects(client.get(page_of(held, "payment")), page_of(held, "booked"))


def test_without_agreeing_nothing_is_paid(as_ada, ready):
    page = as_ada.post(page_of(ready, "pay"))
    assertContains(page, "Tick the box if you agree.")
    assert not Payment.objects.exists()


def test_the_confirmation_page_books_nothing_by_itself(as_ada, ready):
    assertRedirects(as_ada.post(page_of(ready, "confirm")), page_of(ready, "pay"))
    ready.refresh_from_db()
    assert ready.status == "pending"


def test_the_page_waits_and_asks_by_itself_and_by_hand(as_ada, local, ready):
    payment, _ = go_to_provider(as_ada, ready)
    page = as_ada.get(page_of(ready, "payment"))
    assertContains(page, "Waiting for your payment")
    assert page["Refresh"] == "4"
    local.pay(payment.session)  # and the webhook is lost
    page = as_ada.get(page_of(ready, "payment"))
    assertContains(page, "Waiting for your payment")
    ready.refresh_from_db()
    assert ready.status == "pending", "a GET changes nothing"
    answer = Client.post(as_ada, page_of(ready, "payment"), follow=True)
    assertContains(answer, "Your visit is booked")


def test_whoever_comes_back_without_paying_can_pay_or_leave(as_ada, ready):
    _, address = go_to_provider(as_ada, ready)
    page = as_ada.get(f"{page_of(ready, 'pay')}?cancelled")
    assertContains(page, "You have not paid.")
    _, again = go_to_provider(as_ada, ready)
    assert again == address
    as_ada.post(page_of(ready, "pay"), {"let-go": "leave"})
    ready.refresh_from_db()
    assert ready.status == "cancelled"


def test_a_payment_that_comes_too_late_says_so_with_other_times(as_ada, local, ready, paid_checkup, schedule, elena):
    payment, _ = go_to_provider(as_ada, ready)
    run_out(ready)
    Payment.objects.update(expires_at=timezone.now())
    assertRedirects(as_ada.get(page_of(ready, "pay")), page_of(ready, "payment"))
    book(wish(paid_checkup, schedule, at=ready.start, patient=elena))
    local.pay(payment.session)
    tell(Client(), local)
    page = as_ada.get(page_of(ready, "payment"))
    assertContains(page, "Nothing is charged.", status_code=409)
    assertContains(page, "The nearest free times", status_code=409)


def test_a_hold_that_ends_without_payment_shows_other_times(as_ada, ready):
    payment, _ = go_to_provider(as_ada, ready)
    run_out(ready)
    Payment.objects.update(expires_at=timezone.now())
    booking.settle_open_payments(now=timezone.now())
    payment.refresh_from_db()
    assert payment.status == "expired"
    page = as_ada.get(page_of(ready, "payment"), follow=True)
    assertContains(page, "the hold has ended", status_code=409)


def test_while_the_provider_is_down_the_time_stays_held(as_ada, local, ready):
    local.is_down = True
    page = as_ada.post(page_of(ready, "pay"), {"agree": "on"})
    assertContains(page, "The payment page cannot be opened at the moment.")
    local.is_down = False
    go_to_provider(as_ada, ready)


def test_without_a_provider_the_page_says_to_call(as_ada, ready, settings):
    settings.PAYMENT_PROVIDER = ""
    assertContains(as_ada.get(page_of(ready, "pay")), "cannot be paid for online at the moment")
    assert Client().post("/payments/stripe/").status_code == 404


def test_a_webhook_without_the_signature_of_the_provider_is_refused(as_ada, local, ready):
    payment, _ = go_to_provider(as_ada, ready)
    local.pay(payment.session)
    local.webhook_secret = "whsec_of_somebody_else"
    assert tell(Client(), local).status_code == 400
    payment.refresh_from_db()
    assert payment.status == "paying"


def test_webhooks_of_other_things_and_repeated_ones_change_nothing(as_ada, local, ready):
    payment, _ = go_to_provider(as_ada, ready)
    local.pay(payment.session)
    event = local.events[-1]
    assert tell(Client(), local, {**event, "type": "invoice.paid"}).status_code == 204
    payment.refresh_from_db()
    assert payment.status == "paying"
    for _ in range(2):
        assert tell(Client(), local, event).status_code == 204
    payment.refresh_from_db()
    assert payment.status == "paid"
    local.is_down = True
    assert tell(Client(), local, event).status_code == 204


def test_patients_read_what_they_get_back(as_ada, local, ready):
    payment, _ = go_to_provider(as_ada, ready)
    local.pay(payment.session)
    tell(Client(), local)
    assertContains(as_ada.get(f"{visit_page(ready)}cancel/"), "You get $40.00 back.")
    as_ada.post(f"{visit_page(ready)}cancel/", {"reason": ""})
    assertContains(as_ada.get(visit_page(ready)), "$40.00 paid, $40.00 refunded")


def test_nothing_is_asked_for_a_visit_without_prepayment(as_ada, checkup, schedule, button_value):
    held = hold(as_ada, checkup, button_value)
    assertRedirects(as_ada.get(page_of(held, "pay")), page_of(held, "confirm"))
    as_ada.post(page_of(held, "confirm"))
    held.refresh_from_db()
    assert held.status == "booked"
    assert held.start - timezone.now() > timedelta(days=1)
