"""Signing in in two steps in Chromium: the required step, the app, recovery codes, and the list of sessions."""

import re
from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import Page, expect

from clinic.models import SecondFactorRule
from tests.browser.accessibility import look_everywhere
from tests.portal.account.test_second_step import PASSWORD, code_of


def sign_in(page: Page, home: str, email: str) -> None:
    page.goto(f"{home}/accounts/login/")
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_whoever_must_adds_an_app_and_signs_in_with_its_code(page: Page, live_server, rana):
    home = live_server.url
    SecondFactorRule.objects.create(role="front-desk", required_from=timezone.now() - timedelta(minutes=1))
    sign_in(page, home, rana.email)
    expect(page.get_by_role("heading", name="Add a second step")).to_be_visible()
    problems = look_everywhere(page, "required", every_impact=True)

    page.get_by_role("link", name="Add an authenticator app").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").last.click()
    expect(page.get_by_role("img", name="QR code for the authenticator app")).to_be_visible()
    problems += look_everywhere(page, "add an app", every_impact=True)
    page.get_by_text("Enter a key instead").click()
    secret = page.locator("code.key").inner_text().replace(" ", "")
    page.get_by_role("textbox", name="Code").fill("000000")
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_role("link", name=re.compile("This code does not work"))).to_be_visible()
    page.get_by_role("textbox", name="Code").fill(code_of(secret))
    page.get_by_role("button", name="Turn on").click()

    expect(page.locator(".recovery-codes li")).to_have_count(10)
    expect(page.get_by_role("button", name="Print")).to_be_visible()
    problems += look_everywhere(page, "recovery codes", every_impact=True)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    kept = download.value.path().read_text()
    recovery_codes = page.locator(".recovery-codes li").all_inner_texts()
    assert kept.split() == ["Riverside", "Clinic", *recovery_codes]
    page.get_by_role("button", name="I have kept them").click()
    expect(page.get_by_text("This device")).to_be_visible()
    problems += look_everywhere(page, "security", every_impact=True)

    page.context.clear_cookies()
    sign_in(page, home, rana.email)
    expect(page.get_by_role("heading", name="Enter the code")).to_be_visible()
    problems += look_everywhere(page, "second step", every_impact=True)
    page.get_by_role("textbox", name="Code").fill(code_of(secret, 1))
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    page.goto(f"{home}/accounts/security/")
    expect(page.get_by_role("button", name=re.compile("Sign out Chrome on"))).to_be_visible()
    assert not problems, "\n".join(problems)
