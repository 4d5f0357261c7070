"""The price of a visit: the same words on the card, each step and the receipt, in the email and the calendar."""

from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains

from clinic.models import Communication
from scheduling.notifications import letters
from tests.factories import NEW_YORK, ServiceFactory
from tests.portal.booking.steps import hold, page_of, prove, say_who, visit_page

pytestmark = pytest.mark.django_db
PRICE = "$40.00 – $99.50"


@pytest.fixture
def priced(checkup, schedule):
    checkup.pricing, checkup.price, checkup.price_to = "range", 4000, 9950
    checkup.save()
    return checkup


def letter():
    message = Communication.objects.get(event="confirmation", medium="email")
    return letters.compose(message, ZoneInfo(NEW_YORK), now=timezone.now()).text


def test_everybody_reads_the_same_price_from_the_card_to_the_email(client, priced, there, button_value, rana):
    ServiceFactory()  # with one service alone, the list is left out
    assertContains(client.get("/"), PRICE)
    assertContains(client.get(f"/book/{priced.fhir_id}/"), PRICE)
    assertContains(client.get(there, {"time": button_value}), PRICE)
    held = hold(client, priced, button_value)
    assertContains(client.get(page_of(held, "about")), PRICE)
    say_who(client, held)
    assertContains(client.get(page_of(held, "proof")), PRICE)
    prove(client, held)
    assertContains(client.get(page_of(held, "confirm")), PRICE)
    client.post(page_of(held, "confirm"))
    assertContains(client.get(page_of(held, "booked")), PRICE)
    assertContains(client.get(visit_page(held)), PRICE)
    assert f"Precio: {PRICE}" in letter()  # Eve reads Spanish
    client.force_login(rana)
    assertContains(client.get(f"/staff/visits/{held.fhir_id}/"), PRICE)
    assertContains(client.get(f"/staff/appointments/{held.fhir_id}/"), PRICE)


def test_an_email_that_does_not_name_the_visit_does_not_tell_its_price_either(client, priced, button_value):
    priced.named_in_email = False
    priced.save()
    held = hold(client, priced, button_value)
    say_who(client, held)
    prove(client, held)
    client.post(page_of(held, "confirm"))
    assert PRICE not in letter()


def test_without_a_price_nothing_is_said(client, checkup, schedule):
    assertNotContains(client.get(f"/book/{checkup.fhir_id}/"), "#price")
