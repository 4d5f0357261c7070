"""Third-party apps: giving access, listing permissions, stopping access."""

import html
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from oauth2_provider.models import AccessToken, RefreshToken

from clinic.models import AppRegistration, AuditEvent, Launch
from tests.api.conftest import Api
from tests.api.smart.apps import App, browser
from tests.factories import PatientFactory, RelatedPersonFactory, UserFactory

LASTING = "patient/Appointment.rs offline_access"


@pytest.fixture
def app(db):
    app = App()
    AppRegistration.objects.update(publisher="Buddy Inc.", homepage="https://buddy.example.org")
    return app


def text(response):
    return re.sub(r"\s+", " ", response.content.decode())


def test_the_page_says_who_asks_and_for_whom(app, ada):
    page = text(app.ask(ada.user))
    assert "Give Visit Buddy access?" in page
    assert "By Buddy Inc." in page
    assert "your own record, Ada Quinn" in page
    assert "You go back to app.example.org." in page


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        ("patient/Appointment.rs", ["See visits"]),
        ("patient/Appointment.cruds", ["Book, change and cancel visits"]),
        ("patient/Appointment.u", ["Change and cancel visits"]),
        ("patient/Coverage.cruds", ["See, add and change: insurance"]),
        ("patient/Coverage.c", ["Add and change: insurance"]),
        ("patient/*.rs", ["See everything in this record"]),
        ("user/*.rs", ["See everything that you can see here yourself"]),
        ("patient/Practitioner.rs patient/Location.rs", ["See the clinic, its people, rooms and services"]),
        ("patient/Appointment.rs?status=booked", ["See visits, only those with: status booked"]),
        (
            "patient/Appointment.rs?date=ge2026-01-01&status:not=http://hl7.org/fhir/appointmentstatus|cancelled,noshow",
            ["See visits, only those with: day from January 1, 2026, status not cancelled or noshow"],
        ),
        ("patient/Coverage.rs?no-such=2026-13-45", ["See insurance, only those with: no such 2026-13-45"]),
        ("openid fhirUser patient/Patient.rs", ["The app will know who you are.", "See name, date of birth"]),
        (LASTING, ["Keep access until you stop it"]),
        ("patient/Appointment.rs online_access", ["Keep access until you sign out here, for 12 hours at most."]),
    ],
)
def test_it_says_in_words_what_the_app_may_do(app, ada, scope, words):
    page = text(app.ask(ada.user, scope))
    for each in words:
        assert page.count(each) == 1


def test_the_form_may_lead_on_to_the_app_and_nowhere_else(app, ada):
    AppRegistration.objects.update(logo_url="https://buddy.example.org/logo.png")
    policy = app.ask(ada.user)["Content-Security-Policy"]
    assert "form-action 'self' https://app.example.org;" in policy
    assert "https://buddy.example.org" in policy
    assert "app.example.org" not in browser(ada.user).get("/apps/")["Content-Security-Policy"]


def test_another_user_can_sign_in_instead(app, ada):
    client = browser(ada.user)
    page = client.get("/oauth/authorize/", app.request()).content.decode()
    address = html.unescape(re.search(r'name="next" value="(/oauth/[^"]+)"', page)[1])
    signed_out = client.post("/accounts/logout/", {"next": address})
    assert signed_out["Location"] == address
    assert client.get(address)["Location"].startswith("/accounts/login/?next=/oauth/authorize/")


def test_unticking_everything_shows_the_page_again(app, ada):
    page = text(app.decide(ada.user, LASTING, may=[]))
    assert "Tick what the app may do" in page
    assert not Launch.objects.exists()


def test_apps_that_were_let_in_are_listed(app, ada):
    leo = PatientFactory(given="Leo", family="Quinn")
    RelatedPersonFactory(patient=leo, user=ada.user)
    app.token(ada.user, LASTING, whose=ada.fhir_id)
    app.token(ada.user, "patient/Coverage.rs offline_access", whose=leo.fhir_id)
    page = text(browser(ada.user).get("/apps/"))
    assert page.count("<h2") == 1
    for each in ("Visit Buddy", "By Buddy Inc.", "Ada Quinn, Leo Quinn", "See visits", "See insurance"):
        assert each in page


@pytest.mark.parametrize(
    ("scope", "lasts"),
    [
        (LASTING, "Until you stop it"),
        ("patient/Appointment.rs online_access", "Until you sign out, for 12 hours at most"),
        ("patient/Appointment.rs", "For one hour"),
    ],
)
def test_the_list_says_for_how_long(app, ada, scope, lasts):
    app.token(ada.user, scope)
    assert lasts in text(browser(ada.user).get("/apps/"))


def test_an_app_whose_access_is_over_is_not_listed(app, ada):
    app.token(ada.user, "patient/Appointment.rs")
    AccessToken.objects.update(expires=timezone.now())
    assert "No app has access" in text(browser(ada.user).get("/apps/"))


def test_an_app_that_can_renew_its_access_is_listed(app, ada):
    app.token(ada.user, LASTING)
    AccessToken.objects.update(expires=timezone.now() - timedelta(days=30))
    assert "Visit Buddy" in text(browser(ada.user).get("/apps/"))
    AccessToken.objects.update(expires=timezone.now() - timedelta(days=91))
    assert "No app has access" in text(browser(ada.user).get("/apps/"))


def test_an_app_that_only_waits_for_its_code_is_not_listed(app, ada):
    app.code(ada.user)
    assert "No app has access" in text(browser(ada.user).get("/apps/"))


def test_an_app_is_stopped_on_every_device_at_once(app, ada):
    tokens = [app.token(ada.user, LASTING) for _ in range(2)]
    waiting = app.code(ada.user)
    client = browser(ada.user)
    address = reverse("portal:app-stop", args=["app"])
    assert "Stop access for Visit Buddy?" in text(client.get(address))
    assert Launch.objects.exists()
    response = client.post(address, follow=True)
    assert "Visit Buddy no longer has access." in text(response)
    for token in tokens:
        assert Api(token["access_token"]).get("Appointment").status_code == 401
        assert app.refresh(token["refresh_token"]).status_code == 400
    assert app.exchange(waiting).status_code == 400
    assert not RefreshToken.objects.filter(revoked=None).exists()
    assert AuditEvent.objects.filter(subtype="stop-app", user=ada.user, client="app").count() == 3


def test_another_users_app_cannot_be_stopped(app, ada, bo):
    token = app.token(ada.user, LASTING)
    for method in ("get", "post"):
        assert getattr(browser(bo.user), method)("/apps/app/stop/").status_code == 404
    assert Api(token["access_token"]).get("Appointment").status_code == 200


@pytest.mark.parametrize("address", ["/apps/", "/apps/app/stop/"])
def test_a_visitor_signs_in_first(db, address):
    assert Client().get(address)["Location"] == f"/accounts/login/?next={address}"


def test_access_given_as_staff_is_listed_for_staff(app, rana):
    app.token(rana, "user/Appointment.rs")
    assert "Visit Buddy" in text(browser(rana).get("/apps/"))


def test_consent_tells_staff_the_extent_of_access(app, rana):
    assert "what you see and do at work" in text(app.ask(rana, "user/Appointment.rs"))


def test_names_of_apps_are_text_and_nothing_else(ada):
    app = App(name="<script>alert(1)</script>")
    assert b"<script>alert" not in app.ask(ada.user).content


def test_the_list_costs_as_much_for_many_as_for_one(app, ada):
    def cost():
        client = browser(ada.user)
        with CaptureQueriesContext(connection) as queries:
            client.get("/apps/")
        return len(queries)

    app.token(ada.user, LASTING)
    one = cost()
    for number in range(3):
        App(client_id=f"app-{number}").token(ada.user, LASTING)
    assert cost() == one


def test_a_stranger_to_the_clinic_lets_nobody_in(app):
    response = app.decide(UserFactory(), "patient/Appointment.rs")
    assert response["Location"].startswith("/oauth/authorize/?")
    assert not Launch.objects.exists()
