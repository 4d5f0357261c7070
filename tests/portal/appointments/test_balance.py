"""The page that pays what is due for a booked visit: from each place that says it, to the provider and back."""

import json
from datetime import date, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import Appointment, HealthcareService, Payment
from portal.appointments import manage_links
from tests.factories import AppointmentFactory
from tests.payment_provider import running
from tests.payments import pay

pytestmark = pytest.mark.django_db(transaction=True)
BIRTHDAY = {"birth_date_day": "4", "birth_date_month": "7", "birth_date_year": "1990"}


@pytest.fixture
def local(settings):
    with running(settings) as provider:
        yield provider


@pytest.fixture
def visit(ada, site, checkup, schedule, local, ten):
    """Ada's visit, of whose price a deposit is paid."""
    columns = {"pricing": "fixed", "price": 4000, "prepayment": "deposit", "deposit": 1000}
    HealthcareService.objects.filter(pk=checkup.pk).update(**columns)
    end = ten + timedelta(minutes=30)
    made = AppointmentFactory(patient=ada, service=checkup, site=site, start=ten, end=end, schedules=[schedule])
    pay(made, purpose="deposit", amount=1000)
    return made


def page_of(visit):
    return f"/appointments/{visit.fhir_id}/balance/"


def go_to_provider(client, page, posted=None):
    """Continue to the provider's page. Returns the payment."""
    answer = client.post(page, posted or {"agree": "on"})
    payment = Payment.objects.filter(purpose__in=Payment.LATER).get()
    assertRedirects(answer, payment.url, fetch_redirect_response=False)
    return payment


def tell(local):
    body = json.dumps(local.events[-1]).encode()
    signature = local.signature(body)
    answer = Client().post(
        "/payments/stripe/", body, content_type="application/json", headers={"Stripe-Signature": signature}
    )
    assert answer.status_code == 204


def test_the_way_from_the_visit_to_the_provider_and_back(as_ada, local, visit):
    assertContains(as_ada.get("/appointments/"), "Still to be paid: $30.00")
    page = as_ada.get(f"/appointments/{visit.fhir_id}/")
    assertContains(page, "Still to be paid: $30.00")
    assertContains(page, page_of(visit))
    page = as_ada.get(page_of(visit))
    for words in ("You pay $30.00 now.", "all of it back", "I agree"):
        assertContains(page, words)
    assert "form-action 'self' http://127.0.0.1:" in page["Content-Security-Policy"]

    payment = go_to_provider(as_ada, page_of(visit))
    assert visit.fhir_id not in json.dumps(local.objects[payment.session]), (
        "the provider learns no address of the visit"
    )
    local.pay(payment.session)
    back = f"/payments/{payment.reference}/"
    assert local.objects[payment.session]["success_url"].endswith(back)
    assertRedirects(as_ada.get(back), f"{page_of(visit)}?paid")
    page = as_ada.get(f"{page_of(visit)}?paid")
    assertContains(page, "Waiting for your payment")
    assert page["Refresh"] == "4"
    tell(local)
    page = as_ada.get(f"{page_of(visit)}?paid")
    assertContains(page, "Thank you, it is paid")
    assertContains(page, "$30.00 paid")
    assertNotContains(as_ada.get(f"/appointments/{visit.fhir_id}/"), "Still to be paid")
    assertNotContains(as_ada.get("/appointments/"), "Still to be paid")


def test_a_webhook_that_is_lost_is_made_up_for_by_hand(as_ada, local, visit):
    payment = go_to_provider(as_ada, page_of(visit))
    local.pay(payment.session)
    as_ada.get(f"{page_of(visit)}?paid")
    payment.refresh_from_db()
    assert payment.status == "paying", "a GET changes nothing"
    assertContains(as_ada.post(page_of(visit), {"look": "1"}, follow=True), "Thank you, it is paid")


def test_who_has_paid_and_presses_again_pays_once(as_ada, local, visit):
    payment = go_to_provider(as_ada, page_of(visit))
    local.pay(payment.session)  # and nobody has told us
    assertContains(as_ada.post(page_of(visit), {"agree": "on"}, follow=True), "Thank you, it is paid")
    assert Payment.objects.filter(purpose="balance").count() == 1


def test_who_comes_back_without_paying_can_try_again(as_ada, visit):
    payment = go_to_provider(as_ada, page_of(visit))
    page = as_ada.get(f"/payments/{payment.reference}/?cancelled", follow=True)
    assertContains(page, "You have not paid.")
    assert go_to_provider(as_ada, page_of(visit)) == payment


def test_without_agreeing_nothing_is_begun(as_ada, visit):
    answer = as_ada.post(page_of(visit), follow=True)
    assertContains(answer, "Tick the box if you agree.")
    assert not Payment.objects.filter(purpose="balance").exists()


def test_while_the_provider_is_down_the_page_says_so_and_can_be_sent_again(as_ada, local, visit):
    local.is_down = True
    answer = as_ada.post(page_of(visit), {"agree": "on"}, follow=True)
    assertContains(answer, "The payment page cannot be opened at the moment.")
    local.is_down = False
    go_to_provider(as_ada, page_of(visit))


def test_a_refused_payment_is_said_and_can_be_paid_again(as_ada, visit):
    pay(visit, purpose="balance", status="failed", amount=3000)
    page = as_ada.get(page_of(visit))
    assertContains(page, "Your bank has refused the payment.")
    assertContains(page, "Continue to payment")


def test_what_was_paid_at_the_desk_meanwhile_is_said(as_ada, visit):
    pay(visit, purpose="balance", status="released", amount=3000)
    pay(visit, amount=3000)
    assertContains(as_ada.get(f"{page_of(visit)}?paid"), "Nothing was charged to your card.")


def test_a_past_visit_is_paid_without_terms_of_cancelling(as_ada, local, visit):
    start = timezone.now() - timedelta(days=3)
    Appointment.objects.filter(pk=visit.pk).update(status="fulfilled", start=start, end=start + timedelta(minutes=30))
    page = as_ada.get(page_of(visit))
    assertNotContains(page, "I agree")
    payment = go_to_provider(as_ada, page_of(visit), {"go": "on"})
    assert payment.terms == ""


def test_by_the_manage_link_the_amount_is_said_after_the_birth_date(client, ada, local, visit):
    ada.birth_date = date(1990, 7, 4)
    ada.save()
    token = manage_links.token_of(visit)
    manage, balance = f"/v/{token}/", f"/v/{token}/balance/"
    assertNotContains(client.get(manage), "$30.00")
    page = client.get(balance)
    assertContains(page, "nobody else can see what is to be paid")
    assertNotContains(page, "$30.00")
    assertContains(client.post(balance, BIRTHDAY), "You pay $30.00 now.")
    assertContains(client.get(manage), "Still to be paid: $30.00")
    payment = go_to_provider(client, balance)
    assert token not in json.dumps(local.objects[payment.session]), "the provider learns no secret"
    local.pay(payment.session)
    tell(local)
    assertContains(client.get(f"/payments/{payment.reference}/", follow=True), "Thank you, it is paid")


def test_another_browser_that_comes_back_learns_nothing(client, as_ada, visit):
    payment = go_to_provider(as_ada, page_of(visit))
    page = Client().get(f"/payments/{payment.reference}/")
    assertContains(page, "This browser no longer knows")


def test_without_a_provider_the_pages_say_to_pay_at_the_clinic(as_ada, visit, settings):
    settings.PAYMENT_PROVIDER = ""
    page = as_ada.get(f"/appointments/{visit.fhir_id}/")
    assertContains(page, "You can pay at the clinic.")
    assertNotContains(page, "Pay now")
    assertContains(as_ada.get(page_of(visit)), "You cannot pay online at the moment.")
    assertContains(as_ada.post(page_of(visit), {"agree": "on"}), "You cannot pay online at the moment.")


def test_staff_see_what_was_paid(client, ada, rana, local, visit):
    client.force_login(ada.user)
    payment = go_to_provider(client, page_of(visit))
    client.force_login(rana)
    staff_page = f"/staff/appointments/{visit.fhir_id}/"
    assertContains(client.get(staff_page), "Still to be paid")
    local.pay(payment.session)
    tell(local)
    page = client.get(staff_page)
    assertNotContains(page, "Still to be paid")
    assertContains(page, "What was still to be paid")
    assertContains(page, "Paid online")
