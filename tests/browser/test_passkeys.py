"""Passkeys in Chromium, whose virtual authenticator stands for a phone with a fingerprint reader."""

import re

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from playwright.sync_api import Page, expect

from tests.browser.accessibility import look_everywhere

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def home(live_server):
    """The address of the site by a name: browsers keep no passkey for a number."""
    return live_server.url.replace("127.0.0.1", "localhost")


@pytest.fixture
def finger(page: Page):
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    phone = session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})["authenticatorId"]

    def verifies(is_verified: bool) -> None:
        session.send("WebAuthn.setUserVerified", {"authenticatorId": phone, "isUserVerified": is_verified})

    return verifies


def test_a_passkey_is_added_signs_in_and_is_removed(page: Page, finger, home, ada, settings):
    settings.MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True
    page.goto(f"{home}/accounts/login/")
    page.get_by_label("Email address").fill(ada.user.email)
    page.get_by_label("Password").fill("secret-password")
    page.get_by_role("button", name="Sign in", exact=True).click()

    page.goto(f"{home}/accounts/security/")
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Password").fill("secret-password")
    page.get_by_role("button", name="Continue").last.click()
    page.get_by_label("Name of the passkey").fill("My phone")
    problems = look_everywhere(page, "add a passkey", every_impact=True)
    finger(False)
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text("No passkey was used. Try again, or choose another way.")).to_be_visible()
    finger(True)
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text("Your passkey is added.")).to_be_visible()
    expect(page.get_by_role("heading", name="My phone")).to_be_visible()
    problems += look_everywhere(page, "passkeys", every_impact=True)
    [notice] = mail.outbox
    assert (notice.to, notice.subject) == ([ada.user.email], "Riverside Clinic: A passkey was added")

    page.context.clear_cookies()
    page.goto(f"{home}/accounts/login/?next=/appointments/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(f"{home}/appointments/")
    expect(page.get_by_text(ada.user.email)).to_have_count(1)

    page.goto(f"{home}/accounts/security/")
    expect(page.get_by_text(re.compile("Last used on"))).to_be_visible()
    page.get_by_role("link", name="Remove My phone").click()
    page.get_by_role("link", name="Use a passkey").click()
    problems += look_everywhere(page, "confirm", every_impact=True)
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("The passkey is removed.")).to_be_visible()
    assert not Authenticator.objects.exists()

    page.context.clear_cookies()
    page.goto(f"{home}/accounts/login/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("This passkey does not work here. Sign in another way.")).to_be_visible()
    assert not problems, "\n".join(problems)
