"""Signing in in two steps: an authenticator app of staff, and recovery codes. With a passkey: tests/browser."""

import re
import time
from functools import partial

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.core import mail
from django.test import Client
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.encryption import CannotDecrypt
from scheduling import second_factors
from tests.factories import UserFactory
from tests.portal.account.test_account_mail import check_layout
from tests.portal.account.test_account_pages import is_ours
from tests.scheduling.situations import at_once

pytestmark = pytest.mark.django_db

PASSWORD = "secret-password"
SECURITY, ADD, REMOVE = "/accounts/security/", "/accounts/app/add/", "/accounts/app/remove/"
STEP, CODES = "/accounts/second-step/", "/accounts/recovery-codes/"
SIGNED_IN = "/staff/setup/"


def code_of(secret: str, steps_ahead: int = 0) -> str:
    """The code of an app with this key now, or some time steps ahead."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps_ahead))


def confirm(client) -> None:
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})


def add_app(client) -> str:
    """Add an app with a code of this moment, and return its key."""
    confirm(client)
    secret = re.search(r"secret=([A-Z2-7]+)", client.get(ADD).content.decode())[1]
    assertRedirects(client.post(ADD, {"code": code_of(secret)}), CODES)
    return secret


def sign_in(client, user, **more):
    return client.post("/accounts/login/", {"login": user.email, "password": PASSWORD, **more})


def is_signed_in(client) -> bool:
    return client.get(SECURITY).status_code == 200


@pytest.fixture
def app(as_rana):
    """The key of the app of Rana, who has signed out."""
    secret = add_app(as_rana)
    as_rana.post("/accounts/logout/")
    return secret


@pytest.mark.django_db(transaction=True)  # the email is sent after the commit
def test_an_app_is_added_after_the_password_and_its_first_code(as_rana, rana):
    assertContains(as_rana.get(SECURITY), "You sign in in one step")
    assertRedirects(as_rana.get(ADD), f"/accounts/reauthenticate/?next={ADD.replace('/', '%2F')}")
    confirm(as_rana)
    page = as_rana.get(ADD)
    is_ours(page, "Add an authenticator app")
    assertContains(page, '<svg class="qr-code"')
    secret = re.search(r"secret=([A-Z2-7]+)&amp;issuer=Riverside%20Clinic", page.content.decode())[1]
    assertContains(page, " ".join(secret[at : at + 4] for at in range(0, 32, 4)))

    refused = as_rana.post(ADD, {"code": "000000"}, follow=True)
    assertContains(refused, "This code does not work. Check that the app shows this clinic")
    assertContains(refused, f"secret={secret}")
    assert not Authenticator.objects.exists()
    assertRedirects(as_rana.post(ADD, {"code": code_of(secret)}), CODES)
    [sent] = mail.outbox
    check_layout(sent)
    assert sent.to == [rana.email]
    assert sent.subject.endswith("You now sign in in two steps")
    assertContains(as_rana.get(SECURITY), "10 recovery codes are left.")
    assert secret not in str(list(Authenticator.objects.values_list("data", flat=True)))


def test_recovery_codes_are_shown_once(as_rana):
    add_app(as_rana)
    page = as_rana.get(CODES)
    is_ours(page, "Recovery codes")
    shown = re.findall(r'<code class="key">(\d{8})</code>', page.content.decode())
    assert len(set(shown)) == 10
    assertContains(page, f'href="data:text/plain;charset=utf-8,Riverside%20Clinic%0D%0A{shown[0]}%0D%0A')
    assertRedirects(as_rana.post(f"{CODES}kept/"), SECURITY)
    later = as_rana.get(CODES)
    assertContains(later, "10 codes are left.")
    assertNotContains(later, shown[0])

    assertRedirects(as_rana.post(f"{CODES}new/"), CODES)
    assert mail.outbox[-1].subject.endswith("You have new recovery codes")
    assertNotContains(as_rana.get(CODES), shown[0])
    assert not second_factors.use_code(Authenticator.objects.first().user, shown[0], now=timezone.now())


def test_signing_in_takes_a_code_after_the_password(client, app, rana):
    assertRedirects(sign_in(client, rana, next=SIGNED_IN), STEP)
    assert not is_signed_in(client)
    page = client.get(STEP)
    is_ours(page, "Enter the code")
    assertContains(client.post(STEP, {"code": "000000"}, follow=True), "Each code works once")
    assert not is_signed_in(client)
    before = client.session.session_key
    assertRedirects(client.post(STEP, {"code": code_of(app, 1)}), SIGNED_IN, fetch_redirect_response=False)
    assert is_signed_in(client)
    assert client.session.session_key != before


def test_a_code_works_once_also_for_who_looks_over_the_shoulder(client, app, rana):
    sign_in(client, rana)
    assertContains(
        client.post(STEP, {"code": code_of(app)}, follow=True), "Each code works once"
    )  # used to add the app
    code = code_of(app, 1)
    client.post(STEP, {"code": code})
    assert is_signed_in(client)
    other = Client()
    sign_in(other, rana)
    assertContains(other.post(STEP, {"code": code}, follow=True), "Each code works once")
    earlier = code_of(app, 0)
    other.post(STEP, {"code": earlier})
    assert not is_signed_in(other)


def test_a_recovery_code_takes_the_place_of_the_app_once(client, app, rana):
    code = second_factors.unused_recovery_codes(rana)[3]
    sign_in(client, rana)
    page = client.post(STEP, {"code": f"{code[:4]} {code[4:]}"}, follow=True)
    assertContains(page, "You used a recovery code. 9 are left")
    other = Client()
    sign_in(other, rana)
    other.post(STEP, {"code": code})
    assert not is_signed_in(other)


def test_a_code_by_email_is_no_way_around_the_second_step(client, app, rana):
    client.post("/accounts/login/code/", {"email": rana.email})
    code = re.search(r"^[B-Z]{4}-[B-Z]{4}$", mail.outbox[-1].body, re.MULTILINE)[0]
    assertRedirects(client.post("/accounts/login/code/confirm/", {"code": code}), STEP)
    assert not is_signed_in(client)


def test_a_new_password_is_no_way_around_the_second_step(client, app, rana):
    client.post("/accounts/password/reset/", {"email": rana.email})
    path = re.search(r"/accounts/password/reset/key/\S+", mail.outbox[-1].body)[0]
    form = client.get(path, follow=True).redirect_chain[-1][0]
    new = "a-quite-long-secret-7"
    client.post(form, {"password1": new, "password2": new})
    assert not is_signed_in(client)
    assertRedirects(client.post("/accounts/login/", {"login": rana.email, "password": new}), STEP)
    assert not is_signed_in(client)


def test_the_sixth_wrong_code_in_five_minutes_ends_the_tries_for_everybody(app, rana):
    for _ in range(6):
        browser = Client()
        sign_in(browser, rana)
        browser.post(STEP, {"code": "000000"})
    browser = Client()
    sign_in(browser, rana)
    assertContains(browser.post(STEP, {"code": code_of(app, 1)}, follow=True), "Too many failed login attempts")
    assert not is_signed_in(browser)


def test_an_account_that_is_deactivated_between_the_steps_is_not_signed_in(client, app, rana):
    sign_in(client, rana)
    rana.is_active = False
    rana.save()
    client.post(STEP, {"code": code_of(app, 1)})
    assert not is_signed_in(client)


def test_without_the_first_step_there_is_no_second(client, app):
    assertRedirects(client.get(STEP), "/accounts/login/")
    assertRedirects(client.post(STEP, {"code": code_of(app, 1)}), "/accounts/login/")
    assertRedirects(client.post(f"{STEP}passkey/", {"credential": "{}"}), "/accounts/login/")


def test_another_way_is_chosen_after_all(client, app, rana):
    sign_in(client, rana)
    assertRedirects(client.post("/accounts/logout/", {"next": "/accounts/login/"}), "/accounts/login/")
    assertRedirects(client.get(STEP), "/accounts/login/")


def test_a_code_of_the_app_confirms_who_one_is(client, app, rana):
    sign_in(client, rana)
    client.post(STEP, {"code": code_of(app, 1)})
    assertContains(client.get("/accounts/reauthenticate/"), "Use a code of the app")
    recovery = second_factors.unused_recovery_codes(rana)[0]
    confirming = f"/accounts/reauthenticate/code/?next={REMOVE}"
    is_ours(client.get(confirming), "Confirm that it is you")
    assertRedirects(client.post(confirming, {"code": recovery}), REMOVE)


def test_the_app_is_removed_after_confirming_who_one_is(client, app, rana):
    sign_in(client, rana)
    client.post(STEP, {"code": code_of(app, 1)})
    mail.outbox.clear()
    assert client.get(REMOVE).url.startswith("/accounts/reauthenticate/")
    confirm(client)
    is_ours(client.get(REMOVE), "Remove the authenticator app?")
    assertRedirects(client.post(REMOVE), SECURITY)
    assert mail.outbox[-1].subject.endswith("You now sign in in one step")
    assert not Authenticator.objects.exists()
    client.post("/accounts/logout/")
    sign_in(client, rana)
    assert is_signed_in(client)


def test_a_patient_is_offered_none(as_ada):
    assertNotContains(as_ada.get(SECURITY), "authenticator app")
    confirm(as_ada)
    assert as_ada.get(ADD).status_code == 403
    assert as_ada.post(f"{CODES}new/").status_code == 403


def test_a_secret_that_no_key_decrypts_opens_nothing(app, rana, settings):
    settings.SECRET_KEY = "n" * 50
    assert second_factors.use_code(rana, code_of(app, 1), now=timezone.now()) is None
    with pytest.raises(CannotDecrypt):
        second_factors.unused_recovery_codes(rana)


def test_the_app_of_another_is_not_asked(client, app, rana):
    other = UserFactory()
    sign_in(client, other)
    assert is_signed_in(client)


@pytest.mark.parametrize("kind", ["app", "recovery code"])
@pytest.mark.django_db(transaction=True)
def test_of_four_browsers_that_send_one_code_at_once_one_is_let_in(kind, rana):
    now, secret = timezone.now(), generate_totp_secret()
    TOTP.activate(rana, secret)
    second_factors.make_recovery_codes(rana)
    step = int(now.timestamp()) // 30
    app_code = format_hotp_value(hotp_value(secret, step))
    code = app_code if kind == "app" else second_factors.unused_recovery_codes(rana)[0]
    let_in = at_once([partial(second_factors.use_code, rana, code, now=now)] * 4)
    assert len([authenticator for authenticator in let_in if authenticator]) == 1
