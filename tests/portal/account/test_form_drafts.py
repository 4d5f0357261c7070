"""Typed data on the pages of accounts: kept through a change of language and a mistake, but never a password."""

import re

import pytest
from allauth.account.models import EmailAddress
from django import forms
from django.core import mail
from django.test import Client
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import User
from portal.common.form_drafts import PASSWORD
from tests.portal.eve import SIGN_UP

pytestmark = pytest.mark.django_db

SECRET = "correct-horse-battery"
FORMS = {
    "/accounts/login/?next=/appointments/": {"login": "eve@example.com", "password": SECRET, "remember": "on"},
    "/accounts/signup/": SIGN_UP,
    "/accounts/password/reset/": {"email": "eve@example.com"},
    "/accounts/email/": {"email": "eve@example.com", "action_add": ""},
}


@pytest.fixture
def plain(client):
    """A browser that follows no redirect by itself."""
    return Client.post.__get__(client)


@pytest.fixture(params=FORMS)
def address(request, client, ada):
    if request.param == "/accounts/email/":
        EmailAddress.objects.create(user=ada.user, email=ada.user.email, verified=True, primary=True)
        client.force_login(ada.user)
    return request.param


def kept(client):
    return str(client.session.get("typed"))


def test_another_language_keeps_what_is_typed_and_no_password(client, plain, address):
    assertContains(client.get(address), 'form="step" name="read-in" value="es"')
    answer = plain(address, {**FORMS[address], "read-in": "es"})
    assert (answer.status_code, answer.url) == (302, address)
    page = client.get(address)
    assertContains(page, '<html lang="es"')
    assertContains(page, 'value="eve@example.com"')
    assertNotContains(page, "Hay un problema")
    assertNotContains(page, SECRET)
    assert SECRET not in kept(client)
    if address == "/accounts/signup/":
        for value in ("Eve", "Stone", "1985"):
            assertContains(page, f'value="{value}"')


def test_a_mistake_is_shown_by_a_get_once_and_what_was_typed_stays(client, plain, address):
    wrong = {name: "nobody" if "@" in value else value for name, value in FORMS[address].items()}
    answer = plain(address, wrong)
    assert (answer.status_code, answer.url) == (302, address)
    page = client.get(address)
    assertContains(page, "<title>Error: ")
    assertContains(page, "There is a problem")
    assertContains(page, 'value="nobody"')
    assertNotContains(client.get(address), "There is a problem")
    assert SECRET not in kept(client)


def test_enter_adds_the_address_whichever_button_it_presses(client, plain, ada):
    client.force_login(ada.user)
    plain("/accounts/email/", {"email": "eve@example.com", "action_add": ""})
    assert EmailAddress.objects.filter(user=ada.user, email="eve@example.com").exists()
    form = client.get("/accounts/email/").content.decode().split('id="step"')[1]
    assert '<input type="hidden" name="action_add">' in form


def test_a_wrong_password_is_forgotten_and_the_address_stays(client, plain, ada):
    address = "/accounts/login/?next=/family/"
    plain(address, {"login": ada.user.email, "password": "not-this-one"})
    assertContains(client.get(address), f'value="{ada.user.email}"')
    assert "not-this-one" not in kept(client)
    answer = plain(address, {"login": ada.user.email, "password": "secret-password"})
    assertRedirects(answer, "/family/")
    assert kept(client) == "{}"


def test_a_new_password_is_refused_by_a_redirect_too(client, plain, ada):
    plain("/accounts/password/reset/", {"email": ada.user.email})
    link = re.search(r"http://testserver(/accounts/password/reset/key/\S+)", mail.outbox[0].body)[1]
    form = client.get(link).url
    answer = plain(form, {"password1": "short", "password2": "short"})
    assert (answer.status_code, answer.url) == (302, form)
    assertContains(client.get(form), "too short")
    assert "'short'" not in kept(client)
    assert plain(form, {"password1": SECRET, "password2": SECRET}).status_code == 302
    assert User.objects.get(pk=ada.user.pk).check_password(SECRET)


def test_a_wrong_code_after_signing_up_is_refused_by_a_redirect_too(client, plain, settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    settings.ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
    plain("/accounts/signup/", SIGN_UP)
    answer = plain("/accounts/confirm-email/", {"code": "wrong"})
    assert (answer.status_code, answer.url) == (302, "/accounts/confirm-email/")
    assertContains(client.get("/accounts/confirm-email/"), "There is a problem")


def every_form(kind=forms.BaseForm):
    for form in kind.__subclasses__():
        yield form
        yield from every_form(form)


def test_every_field_for_a_password_is_known_by_its_name(client):
    client.get("/accounts/signup/")  # all forms are present
    found = {
        name
        for form in every_form()
        for name, field in getattr(form, "base_fields", {}).items()
        if isinstance(field.widget, forms.PasswordInput)
    }
    assert {"password", "oldpassword"} <= found
    assert [name for name in found if PASSWORD not in name] == []
