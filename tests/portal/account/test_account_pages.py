"""allauth's pages in the clinic's layout and words."""

import pytest
from allauth.account.models import EmailAddress
from allauth.account.urls import urlpatterns
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from tests.factories import UserFactory
from tests.portal.eve import SIGN_UP

pytestmark = pytest.mark.django_db

GUESTS = {
    "account_login": ("/accounts/login/", "Sign in"),
    "account_request_login_code": ("/accounts/login/code/", "Sign in with a code"),
    "account_signup": ("/accounts/signup/", "Create an account"),
    "account_inactive": ("/accounts/inactive/", "Your account is closed"),
    "account_reset_password": ("/accounts/password/reset/", "Reset your password"),
    "account_reset_password_done": ("/accounts/password/reset/done/", "Check your email"),
    "account_reset_password_from_key": ("/accounts/password/reset/key/1-wrong/", "This link no longer works"),
    "account_reset_password_from_key_done": ("/accounts/password/reset/key/done/", "Your password is changed"),
    "account_email_verification_sent": ("/accounts/confirm-email/", "Check your email"),
    "account_confirm_email": ("/accounts/confirm-email/wrong/", "This link no longer works"),
}
PATIENTS = {
    "account_logout": ("/accounts/logout/", "Sign out?"),
    "account_reauthenticate": ("/accounts/reauthenticate/", "Confirm that it is you"),
    "account_email": ("/accounts/email/", "Your email addresses"),
    "account_change_password": ("/accounts/password/change/", "Change your password"),
}
# Pages that appear only during a process; they are tested below.
ON_THE_WAY = {"account_set_password", "account_confirm_login_code"}


def is_ours(page, heading):
    assertContains(page, "site-header")
    assertContains(page, 'href="#main"')
    body = page.content.decode().split("<main")[1]
    assert heading in body.split("<h1>")[1].split("</h1>")[0]
    assert body.count("<h1") == 1


def test_no_page_is_forgotten():
    assert {each.name for each in urlpatterns} == {*GUESTS, *PATIENTS, *ON_THE_WAY}


@pytest.mark.parametrize(("address", "heading"), GUESTS.values(), ids=GUESTS)
def test_pages_for_everyone(client, address, heading):
    is_ours(client.get(address), heading)


@pytest.mark.parametrize(("address", "heading"), PATIENTS.values(), ids=PATIENTS)
def test_pages_of_an_account(as_ada, address, heading):
    is_ours(as_ada.get(address), heading)


def test_a_user_without_password_chooses_one(client):
    user = UserFactory()
    user.set_unusable_password()
    user.save()
    client.force_login(user)
    is_ours(client.get("/accounts/password/set/"), "Choose a password")


def test_sign_up_with_proven_addresses_asks_for_a_code(client, settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    settings.ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
    page = client.post("/accounts/signup/", SIGN_UP, follow=True)
    is_ours(page, "Confirm your email address")
    assertContains(page, "We have sent a code to eve@example.com.")
    wrong = client.post("/accounts/confirm-email/", {"code": "wrong"})
    assertContains(wrong, "There is a problem")


def test_a_code_that_nobody_asked_for_leads_to_sign_in(client):
    assertRedirects(client.get("/accounts/login/code/confirm/"), "/accounts/login/code/")


@pytest.mark.parametrize("address", ["/accounts/password/change/", "/accounts/reauthenticate/"])
def test_missing_fields_are_reported_in_plain_words(as_ada, address):
    page = as_ada.post(address, {})
    assertContains(page, "There is a problem")
    assertContains(page, "Enter your")
    assertNotContains(page, "placeholder")


def test_addresses_are_chosen_from_cards(as_ada, ada):
    EmailAddress.objects.create(user=ada.user, email="ada@example.com", verified=True, primary=True)
    assertNotContains(as_ada.get("/accounts/email/"), "Make it the main address")
    EmailAddress.objects.create(user=ada.user, email="ada@work.example")
    page = as_ada.get("/accounts/email/")
    for word in ("Main address", "Confirmed", "Not confirmed yet", "Make it the main address", "Remove"):
        assertContains(page, word)


def test_messages_name_no_user(client, ada):
    answer = client.post("/accounts/login/", {"login": ada.user.email, "password": "secret-password"}, follow=True)
    assert not list(answer.context["messages"])
    answer = client.post("/accounts/logout/", follow=True)
    assert [str(each) for each in answer.context["messages"]] == ["You are signed out."]


def test_signing_in_on_the_way_to_a_visit_says_that_its_time_stays_held(client):
    held = "The time you chose stays held."
    assertContains(client.get("/accounts/login/?next=/appointments/one/about/"), held)
    assertNotContains(client.get("/accounts/login/?next=/appointments/"), held)
