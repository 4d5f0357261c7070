"""The frame of every page: account and error pages, languages, the header with long words, and the clinic's colour."""

import pytest
from playwright.sync_api import Page, expect

from portal.common import navigation
from portal.common.navigation import HeaderLink
from tests.browser.accessibility import look_at, look_everywhere
from tests.browser.conftest import PHONE

GUESTS = (
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/login/code/",
    "/accounts/inactive/",
    "/accounts/password/reset/",
    "/accounts/password/reset/done/",
    "/accounts/password/reset/key/1-wrong/",
    "/accounts/confirm-email/",
    "/nothing/",
)
PATIENTS = (
    "/accounts/password/change/",
    "/accounts/security/",
    "/accounts/email/",
    "/accounts/reauthenticate/",
    "/accounts/logout/",
    "/staff/",
)
# Words as long as German ones, as many as a header holds.
LONG_WORDS = ("Terminübersicht", "Praxiskalender", "Öffnungszeiten", "Familienangehörige", "Benachrichtigungen")


def test_accounts_and_errors_in_spanish(page: Page, live_server, ada, sign_in, violations):
    page.context.add_cookies([{"name": "language", "value": "es", "url": live_server.url}])
    problems: list[str] = []
    for address in (*GUESTS, *PATIENTS):
        if address == PATIENTS[0]:
            sign_in(ada.user)
        page.goto(address)
        problems += look_everywhere(page, address)
    assert not problems, "\n".join(problems)
    assert not violations


def test_five_long_words_fit_a_phone(page: Page, ada, sign_in, monkeypatch):
    links = tuple(HeaderLink(word, ("portal:visits",)) for word in LONG_WORDS)
    monkeypatch.setattr(navigation, "PATIENTS", links)
    sign_in(ada.user)
    assert not look_at(page, "/appointments/")
    for word in LONG_WORDS:
        box = page.get_by_role("link", name=word).bounding_box()
        assert box
        assert box["height"] >= 44
        assert box["x"] + box["width"] <= PHONE["width"]


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_the_language_is_in_a_menu_without_javascript(page: Page, live_server):
    page.goto("/accounts/signup/")
    page.locator(".languages summary").click()
    page.get_by_role("button", name="Español").click()
    expect(page).to_have_url(f"{live_server.url}/accounts/signup/")
    expect(page.get_by_role("heading", name="Crear una cuenta")).to_be_visible()
    page.locator(".languages summary").click()
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="Create an account")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_clinics_own_colour_is_worn_and_can_be_read(page: Page, settings, violations, scheme):
    settings.CLINIC_ACCENT = "#7a1fa2"
    page.emulate_media(color_scheme=scheme)
    assert not look_at(page, "/accounts/login/")
    button = page.locator("main button.button").first
    own = button.evaluate("each => getComputedStyle(each).backgroundColor")
    assert (own == "rgb(122, 31, 162)") == (scheme == "light")
    assert own != "rgb(123, 205, 212)"
    assert not violations
