"""A clinic's own name, logo, colour and numbers, from the settings."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.utils.translation import override
from pytest_django.asserts import assertContains, assertNotContains

from clinic import branding
from portal.common import theme

pytestmark = pytest.mark.django_db


def test_the_page_shows_what_the_clinic_is_called_and_how_to_reach_it(client, settings):
    settings.CLINIC_NAME = "Hill Street Practice"
    settings.CLINIC_PHONE = "+44 20 7946 0000"
    settings.CLINIC_EMAIL = "desk@hill.example"
    settings.PRIVACY_URL = "https://hill.example/privacy"
    page = client.get("/")
    assertContains(page, "Hill Street Practice")
    assertContains(page, 'href="tel:+442079460000"')
    assertContains(page, 'href="mailto:desk@hill.example"')
    assertContains(page, 'href="https://hill.example/privacy"')


def test_unset_branding_is_not_shown(client):
    page = client.get("/")
    assertNotContains(page, "Phone")
    assertNotContains(page, "mailto:")
    assertNotContains(page, "theme.css")


def test_the_notice_names_the_number_to_call_in_an_emergency(settings):
    assert branding.emergency_notice() == "If this is an emergency, call 911."
    settings.EMERGENCY_PHONE = "112"
    with override("es"):
        assert branding.emergency_notice() == "Si es una emergencia, llame al 112."
    settings.EMERGENCY_NOTICE = "Call 999 or go to A&E."
    assert branding.emergency_notice() == "Call 999 or go to A&E."


@pytest.mark.parametrize(
    ("country", "number"),
    [("US", "911"), ("CA", "911"), ("GB", "999"), ("DE", "112"), ("AU", "000"), ("JP", "119"), ("", "911")],
)
def test_it_is_the_countrys_where_none_is_set_and_can_be_tapped(client, settings, country, number):
    settings.EMERGENCY_PHONE, settings.CLINIC_COUNTRY = "", country
    assert branding.emergency_notice() == f"If this is an emergency, call {number}."
    assertContains(client.get("/"), f'call <a href="tel:{number}">{number}</a>.', count=2)


def test_a_logo_is_a_file_of_ours(client, settings):
    settings.CLINIC_LOGO_URL = "img/own.svg"
    page = Client().get("/")
    assertContains(page, 'src="/static/img/own.svg"')
    assert "img-src 'self' data:;" in page.headers["Content-Security-Policy"]


def test_or_it_lies_elsewhere_and_only_images_from_there_are_let_in(settings):
    settings.CLINIC_LOGO_URL = "https://media.hill.example/logo.png"
    page = Client().get("/")
    assertContains(page, 'src="https://media.hill.example/logo.png"')
    assert "img-src 'self' data: https://media.hill.example;" in page.headers["Content-Security-Policy"]


def test_the_clinics_colour_comes_as_a_stylesheet_that_browsers_keep(client, settings):
    settings.CLINIC_ACCENT = "#7a1fa2"
    page = client.get("/")
    address = f"/theme.css?v={theme.version()}"
    assertContains(page, address)
    first = client.get(address)
    assert first.headers["Content-Type"] == "text/css; charset=utf-8"
    assert "--accent: #7a1fa2;" in first.content.decode()
    assert "max-age=86400" in first.headers["Cache-Control"]
    assert client.get(address, headers={"if-none-match": first.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize("accent", ["#7a1fa2", "#0b5f6b", "#b3261e", "#1d4ed8", "#000000", "#4a5a00"])
def test_text_is_readable_on_any_brand_colour(accent):
    dark = branding.lightened(accent)
    for colour, grounds, ground, towards in (
        (accent, branding.LIGHT, branding.WHITE, branding.BLACK),
        (dark, branding.DARK, branding.DARK[0], branding.WHITE),
    ):
        tokens = branding.palette(branding.check_accent("CLINIC_ACCENT", colour, grounds), ground, towards)
        pairs = [("accent", "accent-tint"), ("accent-strong", "accent-tint"), ("on-accent", "accent")]
        pairs += [("on-accent", "accent-strong")]
        for front, back in pairs:
            assert branding.contrast(tokens[front], tokens[back]) >= branding.READABLE, (front, back)


def test_contrast_is_reckoned_as_wcag_does():
    assert branding.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert branding.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("colour", ["teal", "#fff", "#12345g", "0b5f6b", "#0b5f6b;}"])
def test_an_invalid_colour_stops_the_start(colour):
    with pytest.raises(ImproperlyConfigured, match="CLINIC_ACCENT must be a colour such as #0b5f6b"):
        branding.check_accent("CLINIC_ACCENT", colour, branding.LIGHT)


def test_a_colour_that_nobody_can_read_stops_the_start():
    with pytest.raises(ImproperlyConfigured, match=r"#ffcc00 cannot be read.*4.5:1.*Choose a darker colour"):
        branding.check_accent("CLINIC_ACCENT", "#ffcc00", branding.LIGHT)
    with pytest.raises(ImproperlyConfigured, match=r"#222222 cannot be read.*Choose a lighter colour"):
        branding.check_accent("CLINIC_ACCENT_DARK", "#222222", branding.DARK)


@pytest.mark.parametrize(
    "logo",
    [
        "http://media.example/logo.png",
        "//media.example/logo.png",
        "/etc/passwd",
        "../x.png",
        "javascript:alert(1)",
        "data:image/png;base64,x",
        "https://media.example; script-src *",
        "https://user:secret@media.example/logo.png",
    ],
)
def test_a_logo_from_anywhere_else_stops_the_start(logo):
    with pytest.raises(ImproperlyConfigured, match="CLINIC_LOGO_URL must be"):
        branding.check_logo(logo)


@pytest.mark.parametrize("address", ["javascript:alert(1)", "http://hill.example", "privacy", "//hill.example"])
def test_a_privacy_page_that_is_not_one_stops_the_start(address):
    with pytest.raises(ImproperlyConfigured, match="PRIVACY_URL must begin with"):
        branding.check_address("PRIVACY_URL", address)


def test_numbers_and_addresses_are_checked():
    assert branding.check_phone("CLINIC_PHONE", "(212) 555-0100") == "(212) 555-0100"
    assert branding.check_email("CLINIC_EMAIL", "") == ""
    with pytest.raises(ImproperlyConfigured, match="CLINIC_PHONE must be a telephone number"):
        branding.check_phone("CLINIC_PHONE", "call us")
    with pytest.raises(ImproperlyConfigured, match="CLINIC_EMAIL must be an email address"):
        branding.check_email("CLINIC_EMAIL", "desk at hill")
