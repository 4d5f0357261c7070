"""Signing in by a code that is sent by email, and the pages of passkeys. Passkeys themselves: tests/browser."""

import re

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from tests.factories import UserFactory
from tests.portal.account.test_account_mail import check_layout
from tests.portal.account.test_account_pages import is_ours

pytestmark = pytest.mark.django_db

ASK, ENTER = "/accounts/login/code/", "/accounts/login/code/confirm/"
SECURITY, ADD = "/accounts/security/", "/accounts/passkeys/add/"
CODE = re.compile(r"^[B-Z]{4}-[B-Z]{4}$", re.MULTILINE)


def ask_for_code(client, address="ada@example.com", **more):
    page = client.post(ASK, {"email": address, **more}, follow=True)
    is_ours(page, "Enter the code")
    [sent] = mail.outbox
    return page, sent


def test_a_code_signs_in_and_leads_on(client, ada):
    page, sent = ask_for_code(client, next="/appointments/")
    check_layout(sent)
    assert sent.subject.endswith("Your code for signing in")
    [code] = CODE.findall(sent.body)
    form = page.redirect_chain[-1][0]
    assert form == f"{ENTER}?next=%2Fappointments%2F"
    assertContains(client.post(form, {"code": "BBBB-BBBB"}), "There is a problem")
    assertRedirects(
        client.post(form, {"code": code.lower().replace("-", " "), "next": "/appointments/"}), "/appointments/"
    )


def test_it_proves_the_address_too(client, ada):
    address = EmailAddress.objects.create(user=ada.user, email="ada@example.com", primary=True)
    _page, sent = ask_for_code(client)
    client.post(ENTER, {"code": CODE.findall(sent.body)[0]})
    address.refresh_from_db()
    assert address.verified


def test_it_says_the_same_to_somebody_without_an_account(client, ada):
    page, sent = ask_for_code(client, "nobody@example.com")
    assertContains(page, "If nobody@example.com belongs to an account, a code is on its way there.")
    assert not CODE.findall(sent.body)
    assertContains(client.post(ENTER, {"code": "BBBB-BBBB"}), "There is a problem")


def test_after_five_wrong_codes_the_right_one_is_void(client, ada):
    _page, sent = ask_for_code(client)
    for _ in range(5):
        client.post(ENTER, {"code": "BBBB-BBBB"})
    assertRedirects(client.post(ENTER, {"code": CODE.findall(sent.body)[0]}), ASK)


def test_the_sixth_code_in_a_quarter_of_an_hour_is_refused(client, ada):
    for _ in range(5):
        Client().post(ASK, {"email": "ada@example.com"})
    assertContains(client.post(ASK, {"email": "ada@example.com"}), "Too many failed login attempts")
    assert len(mail.outbox) == 5


def test_another_way_is_chosen_after_all_and_the_held_time_stays(client, ada, held):
    page, _sent = ask_for_code(client)
    assertContains(page, "Sign in another way")
    assertRedirects(client.post("/accounts/logout/", {"next": "/accounts/login/"}), "/accounts/login/")
    assertContains(client.get(f"/appointments/{held.fhir_id}/about/"), "About you")


def test_another_code_voids_the_first(client, ada):
    _page, first = ask_for_code(client)
    client.post(ENTER, {"action": "resend"})
    [old], [new] = CODE.findall(first.body), CODE.findall(mail.outbox[-1].body)
    assert old != new
    assertContains(client.post(ENTER, {"code": old}), "There is a problem")
    assertRedirects(client.post(ENTER, {"code": new}), "/start/", fetch_redirect_response=False)


@pytest.mark.parametrize(("in_demo", "goes_to"), [(False, "/accounts/inactive/"), (True, "/start/")])
def test_an_account_of_the_demo_signs_in_only_there(client, settings, in_demo, goes_to):
    UserFactory(email="ada@example.com", is_demo=True)
    settings.DEMO = in_demo
    _page, sent = ask_for_code(client)
    answer = client.post(ENTER, {"code": CODE.findall(sent.body)[0]})
    assertRedirects(answer, goes_to, fetch_redirect_response=False)


def test_the_security_page_has_all_ways_to_sign_in(as_ada):
    page = as_ada.get(SECURITY)
    is_ours(page, "Sign-in and security")
    for word in ("Change your password", "Your email addresses", "No passkey yet", "Add a passkey"):
        assertContains(page, word)


def test_a_passkey_is_added_only_after_confirming_who_one_is(client, ada):
    client.post("/accounts/login/", {"login": ada.user.email, "password": "secret-password"})
    assertRedirects(client.get(ADD), f"/accounts/reauthenticate/?next={ADD.replace('/', '%2F')}")
    client.post(f"/accounts/reauthenticate/?next={ADD}", {"password": "secret-password"})
    page = client.get(ADD)
    is_ours(page, "Add a passkey")
    assertContains(page, 'value="Passkey 1"')
    assertContains(page, '"residentKey": "required"')
    assertContains(page, '"userVerification": "required"')
    assertContains(client.post(ADD, {"name": "My phone"}), "The device gave no passkey. Try again.")
    refused = client.post(ADD, {"name": "My phone", "credential": '{"id": "x"}'})
    assertContains(refused, "This passkey does not work here.")
    assertContains(refused, 'value="My phone"')
    assert not Authenticator.objects.exists()


def test_it_is_not_added_before_the_address_is_proven(as_ada, ada):
    EmailAddress.objects.create(user=ada.user, email="ada@example.com", primary=True)
    assertContains(as_ada.get(ADD, follow=True), "Confirm your email address before you add another way to sign in.")


@pytest.mark.parametrize("credential", ["", "{}", "[1]", '"x"', '{"id": "x"}', '{"response": {"userHandle": "x"}}'])
def test_what_no_device_answers_signs_nobody_in(client, credential):
    client.get("/accounts/passkeys/login/", headers={"accept": "application/json"})
    answer = client.post("/accounts/passkeys/login/", {"credential": credential, "next": "/appointments/"})
    assertRedirects(answer, "/accounts/login/?next=%2Fappointments%2F")


def test_a_passkey_is_no_second_factor(client, ada):
    """The password alone still signs in, and another address can be added."""
    Authenticator.objects.create(user=ada.user, type="webauthn", data={"name": "My phone", "credential": {}})
    answer = client.post("/accounts/login/", {"login": ada.user.email, "password": "secret-password"})
    assertRedirects(answer, "/start/", fetch_redirect_response=False)
    assertContains(client.get("/accounts/reauthenticate/"), "Use a passkey")
    client.post("/accounts/email/", {"action_add": "", "email": "ada@work.example"})
    assert EmailAddress.objects.filter(user=ada.user, email="ada@work.example").exists()


def test_nobody_sees_or_removes_the_passkey_of_another(as_ada, bo):
    key = Authenticator.objects.create(user=bo.user, type="webauthn", data={"name": "Bo's phone", "credential": {}})
    assertNotContains(as_ada.get(SECURITY), "Bo's phone")
    as_ada.post("/accounts/reauthenticate/", {"password": "secret-password"})
    for page in ("edit", "remove"):
        assert as_ada.post(f"/accounts/passkeys/{key.pk}/{page}/", {"name": "Mine"}).status_code == 404
    assert Authenticator.objects.get().data["name"] == "Bo's phone"
