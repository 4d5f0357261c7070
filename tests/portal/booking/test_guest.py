"""Booking without an account: the guest's details, and the proof of their email address."""

import re
from datetime import date, timedelta

import pytest
from django.utils import timezone
from pytest_django.asserts import assertContains, assertRedirects

from clinic.models import Communication, Patient
from tests.factories import PatientFactory, UserFactory
from tests.portal.booking.steps import code, page_of, prove, say_who
from tests.portal.eve import GUEST, KNOWN, SIGN_UP

pytestmark = pytest.mark.django_db


def sent_earlier(client, **ago):
    """Move the sending of the code into the past."""
    session = client.session
    sent = timezone.now() - timedelta(**ago)
    session["guest-code"] = {**session["guest-code"], "sent": sent.isoformat()}
    session.save()


def test_a_guest_books_with_a_proven_address(client, held):
    assertRedirects(say_who(client, held), page_of(held, "proof"))
    assertRedirects(prove(client, held), page_of(held, "confirm"))
    assertRedirects(client.post(page_of(held, "confirm")), page_of(held, "booked"))
    held.refresh_from_db()
    assert (held.status, held.patient.user, held.patient.email) == ("booked", None, "eve@example.com")
    assert (held.patient.given, held.patient.birth_date) == ("Eve", date(1985, 3, 27))
    assert (held.patient.phone, held.patient.language) == ("+12125550199", "es")


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"given": ""}, "Enter your given names."),
        ({"birth_date_month": ""}, "Enter all three numbers of the date."),
        ({"email": "", "phone": ""}, "Enter your email address or, below, the number of your mobile phone."),
        ({"email": "eve"}, "Enter an email address such as name@example.com."),
        ({"phone": "call me"}, "This is not a phone number. Enter one such as"),
    ],
)
def test_errors_are_shown_and_typed_text_stays(client, held, wrong, text):
    page = say_who(client, held, **wrong)
    assertContains(page, text)
    assertContains(page, 'value="Stone"')
    assert not Communication.objects.exists()


def test_the_code_goes_to_the_address_in_the_guests_language_and_is_kept_as_a_digest(client, held):
    say_who(client, held)
    message = Communication.objects.get(event="proof")
    assert (message.address, message.language) == ("eve@example.com", "es")
    assert code() not in str(dict(client.session))


def test_returning_to_a_confirmed_code_goes_on(client, held):
    """The code has been used: asking for it again would only be answered with an error."""
    say_who(client, held)
    right = code()
    prove(client, held)
    assertRedirects(client.get(page_of(held, "proof")), page_of(held, "confirm"))
    assertRedirects(prove(client, held, right), page_of(held, "confirm"))
    assertRedirects(client.post(page_of(held, "proof"), {"again": "1"}), page_of(held, "confirm"))
    assert Communication.objects.filter(event="proof").count() == 1


def test_no_patient_is_named_before_the_proof(client, held):
    say_who(client, held)
    assertRedirects(client.get(page_of(held, "confirm")), page_of(held, "about"))
    assert client.post(page_of(held, "confirm")).status_code == 302
    held.refresh_from_db()
    assert (held.status, held.patient) == ("pending", None)
    assert not Patient.objects.exists()


def test_a_code_may_be_typed_with_a_space(client, held):
    say_who(client, held)
    assertRedirects(prove(client, held, f" {code()[:3]} {code()[3:]} "), page_of(held, "confirm"))


@pytest.mark.parametrize("typed", ["12345", "abcdef", "1234567"])
def test_an_incomplete_code_is_not_counted(client, held, typed):
    say_who(client, held)
    assertContains(prove(client, held, typed), "The code has six digits.")
    assert client.session["guest-code"]["attempts"] == 0


def another_than(code):
    return f"{(int(code) + 1) % 10**6:06}"


def test_a_wrong_code_can_be_tried_five_times(client, held):
    say_who(client, held)
    for _ in range(5):
        assertContains(prove(client, held, another_than(code())), "That code is wrong.")
    assertContains(prove(client, held), "Too many wrong codes.")
    sent_earlier(client, seconds=31)
    client.post(page_of(held, "proof"), {"again": "1"})
    assertRedirects(prove(client, held), page_of(held, "confirm"))


def test_a_code_is_good_for_fifteen_minutes(client, held):
    say_who(client, held)
    sent_earlier(client, minutes=16)
    assertContains(prove(client, held), "That code has expired.")


def test_another_code_can_be_had_after_half_a_minute_and_ends_the_first(client, held):
    say_who(client, held)
    first = code()
    again = client.post(page_of(held, "proof"), {"again": "1"}, follow=True)
    assertContains(again, "You can ask for another one in 30 seconds.")
    assert Communication.objects.count() == 1
    sent_earlier(client, seconds=31)
    client.post(page_of(held, "proof"), {"again": "1"})
    assert Communication.objects.count() == 2
    if first != code():
        assertContains(prove(client, held, first), "That code is wrong.")


def test_codes_to_one_address_are_limited(client, held, settings):
    settings.ACCOUNT_RATE_LIMITS = {"send_code": "2/h/key"}
    for _ in range(3):
        page = client.post(page_of(held, "about"), GUEST, follow=True)
        sent_earlier(client, seconds=31)
    assertContains(page, "We have sent too many codes there.")
    assert Communication.objects.count() == 2


def test_the_address_can_be_changed_and_the_old_code_proves_nothing(client, held):
    say_who(client, held)
    old = code()
    assertContains(client.get(page_of(held, "about")), 'value="eve@example.com"')
    say_who(client, held, email="eve@elsewhere.example")
    assertContains(client.get(page_of(held, "proof")), "eve@elsewhere.example")
    if old != code():
        assertContains(prove(client, held, old), "That code is wrong.")
    prove(client, held)
    assert Patient.objects.get().email == "eve@elsewhere.example"


def test_a_proven_address_need_not_be_proven_twice(client, held):
    say_who(client, held)
    prove(client, held)
    assertRedirects(say_who(client, held, given="Eva"), page_of(held, "confirm"))
    held.refresh_from_db()
    assert held.patient.given == "Eva"


def test_a_returning_guest_keeps_one_record(client, held):
    before = PatientFactory(**KNOWN)
    say_who(client, held)
    prove(client, held)
    held.refresh_from_db()
    assert held.patient == before


@pytest.mark.parametrize("why", ["too many holds", "too old"])
def test_a_guest_who_is_refused_is_not_registered_and_what_was_typed_stays(client, held, settings, why):
    say_who(client, held)
    if why == "too many holds":
        settings.HOLDS_PER_PERSON = 0
    else:
        held.service.maximum_age = 17
        held.service.save()
    assertRedirects(prove(client, held), page_of(held, "about"), fetch_redirect_response=False)
    assert not Patient.objects.exists()
    page = client.get(page_of(held, "about"))
    assertContains(page, "already holding as many times" if why == "too many holds" else "years old")
    assertContains(page, 'value="Stone"')


@pytest.mark.parametrize(
    "other",
    [{"given": "Adam"}, {"family": "Wood"}, {"birth_date": date(1985, 3, 28)}, {"email": "adam@example.com"}],
)
def test_another_person_is_another_record(client, held, other):
    somebody = PatientFactory(**{**KNOWN, **other})
    say_who(client, held)
    prove(client, held)
    held.refresh_from_db()
    assert held.patient != somebody


def test_an_accounts_record_is_never_a_guests_and_nothing_tells_that_there_is_one(client, held):
    account = PatientFactory(**KNOWN, user=UserFactory(email="eve@example.com"))
    assertRedirects(say_who(client, held), page_of(held, "proof"))  # as for every caller
    assertRedirects(prove(client, held), page_of(held, "confirm"))
    held.refresh_from_db()
    assert held.patient != account
    assert held.patient.user is None


def test_signing_in_instead_leads_back_to_the_hold(client, held, ada):
    page = client.get(page_of(held, "about"))
    assertContains(page, f"/accounts/login/?next={page_of(held, 'about')}")
    answer = client.post(
        "/accounts/login/",
        {"login": ada.user.email, "password": "secret-password", "next": page_of(held, "about")},
    )
    assertRedirects(answer, page_of(held, "about"))


def test_an_account_made_on_the_way_leads_back_to_the_hold(client, held):
    answer = client.post("/accounts/signup/", {**SIGN_UP, "next": page_of(held, "about")})
    assertRedirects(answer, page_of(held, "about"))
    eve = Patient.objects.get()
    assertRedirects(client.post(page_of(held, "about"), {"who": eve.fhir_id}), page_of(held, "confirm"))


NO_DATE = {"birth_date_day": "", "birth_date_month": "", "birth_date_year": ""}
MARCH = {"birth_date_month": "3", "birth_date_year": "1985"}


@pytest.mark.parametrize(
    ("typed", "name", "born", "text"),
    [
        ({"family": "", "one_name": "on"}, "Eve", "1985-03-27", "March 27, 1985"),
        ({"given": "", "one_name": "on"}, "Stone", "1985-03-27", "March 27, 1985"),
        ({**NO_DATE, "birth_date_year": "1985", "birth_unknown": "on"}, "Eve Stone", "1985", "born 1985"),
        ({**NO_DATE, **MARCH, "birth_unknown": "on"}, "Eve Stone", "1985-03", "born March 1985"),
        ({**NO_DATE, "birth_unknown": "on"}, "Eve Stone", "", "Eve Stone"),
    ],
)
def test_a_guest_says_as_much_of_name_and_birth_date_as_there_is(client, held, typed, name, born, text):
    assertRedirects(say_who(client, held, **typed), page_of(held, "proof"))
    prove(client, held)
    held.refresh_from_db()
    assert (str(held.patient), held.patient.born) == (name, born)
    assert held.patient.extra == ({} if len(born) in (0, 10) else {"birthDate": born})
    assertContains(client.get(page_of(held, "confirm")), text)
    back = client.get(page_of(held, "about"))
    for box in ("one_name", "birth_unknown"):
        assertContains(back, f'name="{box}"')
        ticked = re.search(rf'<input type="checkbox" name="{box}"[^>]* checked', back.content.decode())
        assert bool(ticked) == (box in typed)


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ({"family": ""}, "Enter your family name."),
        ({"given": "", "family": "", "one_name": "on"}, "Enter your given names."),
        ({**NO_DATE}, "Enter your date of birth."),
        ({**NO_DATE, "birth_date_year": "1985"}, "Enter the whole date of birth, or tick"),
        ({**NO_DATE, **MARCH, "birth_date_day": "31", "birth_date_month": "2"}, "in numbers, such as 3 27 1985."),
        ({**NO_DATE, "birth_date_year": "2999", "birth_unknown": "on"}, "The date of birth must be in the past."),
        ({**NO_DATE, "birth_date_year": "1600", "birth_unknown": "on"}, "Check the year of birth."),
        ({**NO_DATE, "birth_date_month": "3", "birth_unknown": "on"}, "Enter all three numbers of the date."),
    ],
)
def test_an_incomplete_date_is_refused_without_the_tick(client, held, typed, text):
    assertContains(say_who(client, held, **typed), text)
    assert not Communication.objects.exists()
