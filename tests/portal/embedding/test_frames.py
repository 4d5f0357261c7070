"""Booking pages in a frame on a site of the clinic's own: where, with which cookies, and in which look."""

import re

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.urls import URLResolver
from pytest_django.asserts import assertContains, assertNotContains

from clinic import embedding
from clinic.models import Appointment, EmbedOrigin
from portal import urls
from portal.common import frames, theme
from portal.common.frames import read_frame
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

SITE = "https://www.riverside.example"


@pytest.fixture(autouse=True)
def allowed(settings):
    settings.EMBED_ORIGINS = (SITE,)
    embedding.forget_origins()
    yield
    embedding.forget_origins()


def ancestors(response):
    return re.search(r"frame-ancestors ([^;]*)", response["Content-Security-Policy"])[1]


def hold(client, checkup, button_value, prefix="/embed/-"):
    """Hold the time in a frame, as a browser does that keeps its cookies."""
    client.get(f"{prefix}/book/{checkup.fhir_id}/")
    return client.post(f"{prefix}/book/{checkup.fhir_id}/hold/", {"time": button_value})


def test_booking_pages_may_be_framed_by_allowed_sites_alone(client, checkup, schedule):
    for page in ("/", f"/book/{checkup.fhir_id}/"):
        framed, bare = client.get(f"/embed/-{page}"), client.get(page)
        assert ancestors(framed) == SITE
        assert "X-Frame-Options" not in framed
        assert (ancestors(bare), bare["X-Frame-Options"]) == ("'none'", "DENY")


def test_a_page_that_answers_a_form_may_be_framed_too(checkup, schedule, button_value, settings):
    settings.ACCOUNT_RATE_LIMITS = {"hold": "1/m/ip"}
    browsers = [Client() for _time in range(2)]
    for browser in browsers:
        browser.cookies[f"embed-{settings.CSRF_COOKIE_NAME}"] = "kpqt" * 8
    answer = [hold(browser, checkup, button_value) for browser in browsers][-1]
    assert answer.url.startswith(f"/embed/-/book/{checkup.fhir_id}/hold/?posted=")
    shown = browsers[-1].get(answer.url)
    assert (shown.status_code, ancestors(shown)) == (429, SITE)
    assert "X-Frame-Options" not in shown


def test_sites_are_allowed_in_administration_too(client, schedule):
    client.force_login(UserFactory(is_superuser=True, is_staff=True))
    page = "/admin/clinic/embedorigin/add/"
    assertContains(client.post(page, {"origin": "http://riverside.example"}), "Enter scheme and host alone")
    client.post(page, {"origin": "https://Blog.Riverside.Example/"})
    assert ancestors(client.get("/embed/-/")) == f"https://blog.riverside.example {SITE}"
    EmbedOrigin.objects.all().delete()


def test_without_an_allowed_site_there_are_no_such_pages(client, settings):
    settings.EMBED_ORIGINS = ()
    assert client.get("/embed/-/").status_code == 404


@pytest.mark.parametrize("origin", ["https://*.example.org", "http://example.org", "https://a.example/", "null", "*"])
def test_only_exact_origins_with_tls_are_allowed(origin):
    with pytest.raises(ImproperlyConfigured):
        embedding.check_origins("EMBED_ORIGINS", [origin])


PRIVATE = (
    "/accounts/login/",
    "/appointments/",
    "/staff/",
    "/staff/today/",
    "/v/token/",
    "/family/",
    "/oauth/authorize/",
)


@pytest.mark.parametrize("page", PRIVATE)
def test_all_other_pages_lead_to_a_new_tab_and_are_framed_nowhere(client, as_rana, page):
    leading = client.get(f"/embed/-{page}")
    assertContains(leading, "Continue in a new tab")
    assertContains(leading, f'href="{page}" target="_blank"')
    assert ancestors(client.get(page)) == "'none'"


def test_administration_and_the_api_are_not_there(client):
    for page in ("/admin/", "/fhir/R4/metadata"):
        assertContains(client.get(f"/embed/-{page}"), "Continue in a new tab")


def test_each_page_of_booking_is_framed_or_has_a_reason_not_to_be():
    """A page that is added to the way to a booking is named in frames.PAGES, or here."""
    own_way = {"move", "manage-move", "answers", "answer-file", "questionnaire-preview", "together"}
    own_way |= {"pay", "payment", "payment-webhook"}  # a provider's pages refuse frames
    modules = ("portal.finding.urls", "portal.booking.urls", "portal.questions.urls")

    def names(patterns):
        for each in patterns:
            yield from names(each.url_patterns) if hasattr(each, "url_patterns") else (each.name,)

    of_booking = {
        name
        for each in urls.urlpatterns
        if isinstance(each, URLResolver) and getattr(each.urlconf_name, "__name__", "") in modules
        for name in names(each.url_patterns)
    }
    framed = {name.removeprefix("portal:") for name in frames.PAGES}
    assert of_booking - framed == own_way


def test_every_address_stays_in_the_frame(client, checkup, schedule):
    page = client.get(f"/embed/theme-dark/book/{checkup.fhir_id}/")
    assertContains(page, f'action="/embed/theme-dark/book/{checkup.fhir_id}/hold/"')
    assertContains(page, "/embed/theme-dark/theme.css")
    assertNotContains(page, 'href="/accounts')
    assertContains(page, 'href="/static/css/base')
    assertContains(client.get(f"/book/{checkup.fhir_id}/"), f'action="/book/{checkup.fhir_id}/hold/"')


def test_its_cookies_are_its_own_and_partitioned(client, checkup, button_value):
    response = hold(client, checkup, button_value)
    cookies = {name: cookie.OutputString() for name, cookie in client.cookies.items()}
    assert set(cookies) == {"embed-csrftoken", "embed-sessionid"}
    for cookie in cookies.values():
        for attribute in ("Partitioned", "Secure", "SameSite=None", "Path=/embed/"):
            assert attribute in cookie
    assert response.url.startswith("/embed/-/appointments/")


def test_who_is_signed_in_elsewhere_is_a_stranger_in_the_frame(as_ada, ada, checkup, button_value):
    page = as_ada.get(hold(as_ada, checkup, button_value).url)
    assertNotContains(page, "Ada")
    assert Appointment.objects.get().held_by is None
    assertContains(as_ada.get("/appointments/"), "ada@example.com")


def test_a_form_without_its_token_is_refused(checkup, button_value):
    client = Client(enforce_csrf_checks=True)
    client.get(f"/embed/-/book/{checkup.fhir_id}/")
    refused = client.post(f"/embed/-/book/{checkup.fhir_id}/hold/", {"time": button_value})
    assert refused.status_code == 403
    assert not Appointment.objects.exists()


def test_where_no_cookie_is_kept_a_new_tab_keeps_the_choice(checkup, button_value):
    page = Client().post(f"/embed/-/book/{checkup.fhir_id}/hold/", {"time": button_value})
    assertContains(page, f'href="/book/{checkup.fhir_id}/at/?time=')
    assert not Appointment.objects.exists()
    address = re.search(r'href="(/book/[^"]*)"', page.content.decode())[1]
    assert Client().get(address.replace("&amp;", "&")).status_code == 200


def test_a_visit_that_is_paid_first_is_booked_in_a_new_tab(client, checkup, button_value):
    checkup.prepayment, checkup.pricing, checkup.price = "whole", "fixed", 9000
    checkup.save()
    assertContains(hold(client, checkup, button_value), f'href="/book/{checkup.fhir_id}/at/?time=')
    assert not Appointment.objects.exists()


@pytest.mark.parametrize(
    ("options", "look"),
    [
        ("-", {}),
        (
            "accent-0b5f6b,theme-dark,language-es,radius-8",
            {"accent": "#0b5f6b", "theme": "dark", "language": "es", "radius": 8},
        ),
        ("accent-ffff00", {}),  # text in it cannot be read
        ("accent-red,theme-blue,language-xx,radius-99,other-1", {}),
    ],
)
def test_only_sound_options_count(options, look):
    frame = read_frame("/embed/x", options)
    assert {name: getattr(frame, name) for name in look} == look
    assert sum(bool(getattr(frame, name)) for name in ("accent", "theme", "language", "radius")) == len(look)


def test_the_look_is_a_stylesheet_of_the_frame(client):
    sheet = client.get("/embed/accent-7a1f5c,theme-dark,radius-2/theme.css")
    assertContains(sheet, "color-scheme: dark")
    assertContains(sheet, "--surface: #0f161a;")
    assertContains(sheet, "--radius: 2px;")
    assert theme.css() == ""


def test_the_language_is_that_of_the_frame_until_the_reader_chooses(client, checkup, schedule):
    page = f"/embed/language-es/book/{checkup.fhir_id}/"
    assertContains(client.get(page), 'lang="es"')
    client.post("/embed/language-es/language/", {"language": "en", "next": page})
    assertContains(client.get(page), '<html lang="en"')


def test_the_script_stays_at_its_address_and_is_cached(client):
    script = client.get("/embed.js")
    assert script["Content-Type"] == "text/javascript; charset=utf-8"
    assert script["Cache-Control"] == "public, max-age=3600"
    assert script["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert client.get("/embed.js", headers={"If-None-Match": script["ETag"]}).status_code == 304


def test_staff_copy_the_lines(as_rana, checkup, schedule):
    page = as_rana.get("/staff/embed/", {"service": checkup.fhir_id, "theme": "dark", "accent": "#0B5F6B"})
    assertContains(page, SITE)
    assertContains(page, f"data-service=&quot;{checkup.fhir_id}&quot;")
    assertContains(page, f"/embed/theme-dark,accent-0b5f6b/book/{checkup.fhir_id}/&quot;")
    assertContains(as_rana.get("/staff/embed/", {"accent": "red"}), "Enter a colour such as #0b5f6b.")
