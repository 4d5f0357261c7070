"""Signing up, in and out, and the pages that follow."""

import re
from datetime import date, timedelta

import pytest
from django.core import mail
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import Patient, User
from tests.factories import AppointmentFactory, UserFactory
from tests.portal.eve import SIGN_UP

pytestmark = pytest.mark.django_db


def test_signing_up_makes_the_patients_record(client):
    assertRedirects(client.post("/accounts/signup/", SIGN_UP), "/start/", target_status_code=302)
    eve = Patient.objects.get()
    assert (eve.given, eve.family, eve.birth_date) == ("Eve", "Stone", date(1985, 3, 27))
    assert eve.email == eve.user.email == "eve@example.com"


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"birth_date_month": ""}, "Enter all three numbers of the date."),
        ({"birth_date_day": "31", "birth_date_month": "2"}, "There is no such date."),
        ({"birth_date_year": "soon"}, "There is no such date."),
        ({"birth_date_year": "2999"}, "The date of birth must be in the past."),
        ({"birth_date_year": "1700"}, "Check the year of birth."),
        ({"given": ""}, "Enter your given names."),
        ({"email": "eve"}, "Enter a valid email address."),
        ({"password1": "short"}, "too short"),
    ],
)
def test_errors_are_shown_and_typed_text_stays(client, wrong, text):
    page = client.post("/accounts/signup/", {**SIGN_UP, **wrong})
    assertContains(page, text)
    assertContains(page, "There is a problem")
    assertContains(page, 'value="Stone"')
    assert not Patient.objects.exists()


def test_where_addresses_are_proven_sign_up_keeps_to_itself_whom_it_knows(client, settings, ada):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    settings.ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
    known = client.post("/accounts/signup/", {**SIGN_UP, "email": "ada@example.com"})
    unknown = client.post("/accounts/signup/", SIGN_UP)
    assert known.status_code == unknown.status_code == 302
    assert known.url == unknown.url
    assert User.objects.filter(email="ada@example.com").count() == 1


@pytest.mark.parametrize("address", ["ada@example.com", "nobody@example.com"])
def test_a_password_reset_says_the_same_whoever_asks(client, ada, address):
    page = client.post("/accounts/password/reset/", {"email": address}, follow=True)
    assertContains(page, "If we know the address")


def test_a_forgotten_password_is_reset(client, ada):
    client.post("/accounts/password/reset/", {"email": "ada@example.com"})
    link = re.search(r"http://testserver(/\S+)", mail.outbox[0].body)[1]
    page = client.get(link, follow=True)
    answer = client.post(
        page.redirect_chain[-1][0], {"password1": "a-new-long-secret", "password2": "a-new-long-secret"}
    )
    assert answer.status_code == 302
    assert client.login(email="ada@example.com", password="a-new-long-secret")


def sign_in(client, user, **more):
    return client.post("/accounts/login/", {"login": user.email, "password": "secret-password", **more})


def test_a_new_patient_goes_to_the_visits_that_can_be_booked(client, ada):
    sign_in(client, ada.user)
    assertRedirects(client.get("/start/"), "/")


def test_a_patient_with_a_visit_goes_to_it(client, ada):
    AppointmentFactory(patient=ada, start=timezone.now() + timedelta(days=2))
    sign_in(client, ada.user)
    assertRedirects(client.get("/start/"), "/appointments/")


def test_a_patient_with_a_hold_goes_to_confirm_it(client, ada):
    now = timezone.now()
    held = AppointmentFactory(
        patient=ada, start=now + timedelta(days=2), status="pending", hold_expires_at=now + timedelta(minutes=9)
    )
    sign_in(client, ada.user)
    assertRedirects(client.get("/start/"), f"/appointments/{held.fhir_id}/confirm/")


def test_staff_go_to_their_calendar(client, chen, rana):
    sign_in(client, rana)
    assertRedirects(client.get("/start/"), "/staff/")


def test_where_one_was_going_comes_first(client, ada):
    answer = sign_in(client, ada.user, next="/appointments/")
    assertRedirects(answer, "/appointments/")


def test_a_user_without_a_record_is_asked_for_it_once(client):
    user = UserFactory()
    client.force_login(user)
    assertRedirects(client.get("/start/"), "/details/?next=/start/")
    details = {key: value for key, value in SIGN_UP.items() if key not in ("email", "password1")}
    assertRedirects(client.post("/details/", {**details, "next": "/start/"}), "/start/", target_status_code=302)
    assert user.patient.given == "Eve"
    assertRedirects(client.get("/details/?next=/appointments/"), "/appointments/")


def test_no_redirect_to_another_site(client, ada):
    client.force_login(ada.user)
    assertRedirects(client.get("/details/?next=https://elsewhere.example/"), "/start/", target_status_code=302)


def test_signing_out_takes_a_post(client, ada):
    client.force_login(ada.user)
    assertContains(client.get("/accounts/logout/"), "Sign out?")
    assertRedirects(client.post("/accounts/logout/"), "/")
    assertNotContains(client.get("/"), "My visits")


def test_too_many_wrong_passwords_are_stopped(client, ada):
    for _ in range(6):
        page = client.post("/accounts/login/", {"login": ada.user.email, "password": "wrong"})
    assertContains(page, "Too many failed login attempts")


def test_the_demo_says_how_to_get_in_and_nothing_else_does(client, settings):
    UserFactory(email="ada@example.com", is_demo=True)
    assertNotContains(client.get("/accounts/login/"), "clinic-demo")
    settings.DEMO = True
    assertContains(client.get("/accounts/login/"), "clinic-demo")
    User.objects.all().delete()
    assertNotContains(client.get("/accounts/login/"), "clinic-demo")


def test_an_account_is_made_by_somebody_of_one_name_who_knows_the_year_of_their_birth(client):
    year = {"family": "", "one_name": "on", "birth_date_day": "", "birth_date_month": "", "birth_unknown": "on"}
    client.post("/accounts/signup/", {**SIGN_UP, **year})
    patient = Patient.objects.get()
    assert (str(patient), patient.born, patient.email) == ("Eve", "1985", "eve@example.com")


def test_a_wrong_password_is_said_in_plain_words(client, ada):
    page = client.post("/accounts/login/", {"login": ada.user.email, "password": "not-the-password"})
    assertContains(page, "The email address or the password is wrong.")
    assertContains(page, f'value="{ada.user.email}"')
