"""The booking on another site, on a phone whose browser blocks third-party cookies."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from clinic import embedding
from clinic.models import Appointment
from portal.common.frame_middleware import PartitionedMorsel
from tests.browser.accessibility import too_wide
from tests.browser.conftest import FLAGS, PHONE
from tests.services import chromium_path

EXAMPLE = Path(__file__).parents[2] / "examples" / "embed" / "index.html"
IS_AS_HIGH = "(inner) => Math.abs(document.querySelector('iframe').getBoundingClientRect().height - inner) <= 1"


@pytest.fixture
def own_site(tmp_path, live_server, settings, clinic):
    """The clinic's own site with the example; its address. It is on 127.0.0.1, another site than localhost."""
    assert live_server.url.startswith("http://localhost:")
    page = EXAMPLE.read_text().replace("http://127.0.0.1:8000", live_server.url)
    (tmp_path / "index.html").write_text(page)
    (tmp_path / "dark.html").write_text(page.replace("data-radius", 'data-theme="dark" data-language="es" data-radius'))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    settings.EMBED_ORIGINS = (address,)
    embedding.forget_origins()
    yield address
    server.shutdown()
    server.server_close()
    embedding.forget_origins()


class Quiet(SimpleHTTPRequestHandler):
    """A server of files that logs nothing."""

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def phone(playwright, own_site):
    """A page on a phone, in a browser that blocks third-party cookies."""
    browser = playwright.chromium.launch(
        executable_path=chromium_path(), args=[*FLAGS, "--test-third-party-cookie-phaseout"]
    )
    yield browser.new_context(viewport=PHONE, locale="en-US").new_page()
    browser.close()


def choose_check_up(phone: Page, own_site: str) -> FrameLocator:
    """Follow the link of a service in the frame, which is as high as each of its pages."""
    phone.goto(own_site)
    frame = phone.frame_locator("iframe[title='Book a visit']")
    expect(frame.get_by_role("link", name="Check-up")).to_be_visible()
    wait_for_height(phone)
    frame.get_by_role("link", name="Check-up").click()
    expect(frame.get_by_role("heading", name="Choose a time")).to_be_visible()
    wait_for_height(phone)
    return frame


def wait_for_height(phone: Page) -> None:
    """Wait until the frame is as high as its page, which tells its height by a message; until then the page moves."""
    phone.frames[1].wait_for_load_state()
    inner = phone.frames[1].evaluate("document.documentElement.getBoundingClientRect().height")
    phone.wait_for_function(IS_AS_HIGH, arg=inner)


def test_a_guest_books_on_the_clinics_own_site_with_third_party_cookies_blocked(phone: Page, own_site):
    frame = choose_check_up(phone, own_site)
    accent = "getComputedStyle(document.documentElement).getPropertyValue('--accent').trim()"
    assert phone.frames[1].evaluate(accent) == "#7a1f5c"
    frame.locator(".first__time").first.click()
    expect(frame.get_by_role("heading", name="About you")).to_be_visible()
    assert Appointment.objects.get().status == "pending"
    cookies = {cookie["name"]: cookie for cookie in phone.context.cookies()}
    assert set(cookies) == {"embed-csrftoken", "embed-sessionid"}
    assert not list(too_wide(phone))


def test_where_the_browser_keeps_no_cookie_a_new_tab_keeps_the_choice(phone: Page, own_site, monkeypatch):
    """Also the control of the test before: a cookie that is not partitioned does not come back."""
    output = PartitionedMorsel.OutputString
    monkeypatch.setattr(
        PartitionedMorsel, "OutputString", lambda cookie, attrs=None: output(cookie, attrs).replace("; Partitioned", "")
    )
    frame = choose_check_up(phone, own_site)
    frame.locator(".first__time").first.click()
    expect(frame.get_by_role("heading", name="Continue in a new tab")).to_be_visible()
    assert not Appointment.objects.exists()
    with phone.expect_popup() as opened:
        frame.get_by_role("link", name="Open the clinic").click()
    expect(opened.value.get_by_role("heading", name="About you")).to_be_visible()
    assert Appointment.objects.get().status == "pending"


def test_a_dark_frame_in_another_language(phone: Page, own_site):
    phone.goto(f"{own_site}/dark.html")
    frame = phone.frame_locator("iframe")
    expect(frame.locator("html[lang=es]")).to_be_attached()
    expect(frame.locator("body")).to_have_css("background-color", "rgb(15, 22, 26)")


def test_another_site_is_refused_and_shows_the_link(phone: Page, own_site, settings):
    settings.EMBED_ORIGINS = ("https://www.riverside.example",)
    phone.clock.install()
    phone.goto(own_site)
    phone.wait_for_load_state("networkidle")
    phone.clock.fast_forward(11_000)
    expect(phone.get_by_role("link", name="Book a visit")).to_be_visible()


def test_without_javascript_there_is_the_link(browser, own_site, base_url):
    page = browser.new_context(viewport=PHONE, java_script_enabled=False).new_page()
    page.goto(own_site)
    expect(page.get_by_role("link", name="Book a visit")).to_have_attribute("href", f"{base_url}/")
    page.context.close()
