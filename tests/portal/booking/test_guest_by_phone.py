"""Booking without an account and without an email address: the code and all messages go to a mobile phone."""

import re
from datetime import date, time

import pytest
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import Communication, Patient
from scheduling import notifications
from tests.factories import PatientFactory, UserFactory
from tests.portal.booking.steps import code, page_of, prove, say_who

pytestmark = pytest.mark.django_db

NUMBER = "+12125550199"


@pytest.fixture(autouse=True)
def texts(settings):
    """The clinic sends texts, which are only recorded."""
    settings.SMS_ENABLED, settings.SMS_URL, settings.QUIET_HOURS = True, "", None
    settings.ACCOUNT_RATE_LIMITS = {"send_code": "2/h/key"}


@pytest.fixture
def by_phone(client, held):
    def say(**other):
        return say_who(client, held, **{"email": "", **other})

    return say


def deliver():
    now = timezone.now()
    batch = notifications.Batch(now=now)
    while batch.deliver_next(now=now):
        pass


def test_the_code_the_confirmation_and_the_link_go_by_text(client, held, by_phone):
    assertRedirects(by_phone(), page_of(held, "proof"))
    proof = Communication.objects.get()
    assert (proof.medium, proof.address, proof.language) == ("sms", NUMBER, "es")
    assertContains(
        client.get(page_of(held, "proof")), "We have sent a six-digit code to <strong>(212) 555-0199</strong>."
    )
    assertRedirects(prove(client, held), page_of(held, "confirm"))
    assertContains(client.get(page_of(held, "confirm")), "(212) 555-0199")
    assertRedirects(client.post(page_of(held, "confirm")), page_of(held, "booked"))
    assertContains(client.get(page_of(held, "booked")), "We are sending a text message to (212) 555-0199")
    held.refresh_from_db()
    assert (held.status, held.patient.email, held.patient.phone, held.patient.user) == ("booked", "", NUMBER, None)
    confirmation = Communication.objects.get(event="confirmation")
    assert (confirmation.medium, confirmation.address) == ("sms", NUMBER)
    deliver()
    confirmation.refresh_from_db()
    assert re.search(r"/v/\S+/$", confirmation.body)


def test_a_code_comes_by_night_too(client, held, by_phone, settings):
    settings.QUIET_HOURS = time(0), time(23, 59, 59)
    by_phone()
    deliver()
    assert Communication.objects.get().status == "completed"


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ({"phone": ""}, "Enter your email address or, below, the number of your mobile phone."),
        ({"phone": "call me"}, "This is not a phone number."),
    ],
)
def test_one_of_both_is_needed(by_phone, typed, text):
    page = by_phone(**typed)
    assertContains(page, text)
    assertContains(page, 'value="Stone"')
    assert not Communication.objects.exists()


def test_a_clinic_without_texts_needs_the_address(client, held, by_phone, settings):
    settings.SMS_ENABLED = False
    assertContains(by_phone(), "Enter your email address.")
    assertNotContains(client.get(page_of(held, "about")), "mobile")


def test_an_address_comes_before_the_number(by_phone):
    by_phone(email="eve@example.com")
    assert Communication.objects.get().address == "eve@example.com"


def test_a_number_proven_in_one_notation_is_proven_in_all(client, held, by_phone):
    by_phone(phone="212-555-0199")
    prove(client, held)
    assertRedirects(by_phone(phone="+1 (212) 555 0199"), page_of(held, "confirm"))
    assertRedirects(by_phone(phone="212-555-0123"), page_of(held, "proof"))


def test_codes_to_one_number_are_limited_in_all_notations(client, held, by_phone):
    for number in ("212-555-0199", "+1 212 555 0123", "(212) 555-0199", "212-555-0123", "+12125550199"):
        page = by_phone(phone=number)
    assertContains(client.get(page.url), "We have sent too many codes there.")
    assert sorted(Communication.objects.values_list("address", flat=True)) == ["+12125550123"] * 2 + [NUMBER] * 2


EARLIER = {"given": "Eve", "family": "Stone", "birth_date": date(1985, 3, 27)}


@pytest.mark.parametrize(
    ("earlier", "is_same"),
    [
        ({"phone": "(212) 555-0199"}, True),
        ({"phone": "(212) 555-0123"}, False),
        ({"phone": "(212) 555-0199", "given": "Eva"}, False),
        ({"phone": "(212) 555-0199", "birth_date": date(1985, 3, 28)}, False),
        ({"email": "eve@example.com"}, False),
    ],
)
def test_the_record_under_a_proven_number_is_found_again(client, held, by_phone, earlier, is_same):
    patient = PatientFactory(**{**EARLIER, **earlier})
    by_phone()
    prove(client, held)
    held.refresh_from_db()
    assert (held.patient == patient) == is_same


def test_a_record_of_an_account_is_never_found(client, held, by_phone):
    PatientFactory(**EARLIER, phone=NUMBER, user=UserFactory())
    by_phone()
    prove(client, held)
    held.refresh_from_db()
    assert held.patient.user is None
    assert Patient.objects.count() == 2


def test_a_code_for_the_address_proves_no_number(client, held, by_phone):
    by_phone(email="eve@example.com")
    mailed = code()
    by_phone()
    if mailed != code():
        assertContains(prove(client, held, mailed), "That code is wrong.")


def test_the_code_is_kept_nowhere_once_the_service_has_it(client, held, by_phone, settings, monkeypatch):
    settings.SMS_URL = "https://user:password@texts.example/"
    monkeypatch.setattr("scheduling.notifications.sms.send", lambda message, text: f"sent {text}"[:5])
    by_phone()
    deliver()
    message = Communication.objects.get()
    assert (message.status, message.subject, message.body) == ("completed", "", "")
