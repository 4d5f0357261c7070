"""Accessibility of every page for each of its readers: on a phone, on a desk, and in the dark theme.

A page that is added to the portal needs a row here.
"""

from collections.abc import Callable, Iterator
from urllib.parse import urlencode

import pytest
from django.urls import URLResolver, reverse
from playwright.sync_api import expect

from demo.seed.questionnaire import TRAVEL_HEALTH
from portal import urls
from tests.browser.every_page.looker import Looker
from tests.browser.every_page.pages import (
    ADMINISTRATOR,
    BY_DOING,
    FRONT_DESK,
    GUEST,
    NO_PAGES,
    PATIENT,
    PRACTITIONER,
    REFERRER,
    rows,
)
from tests.browser.guests import say_who
from tests.factories import (
    QuestionnaireFactory,
    UserFactory,
)


def names(patterns=urls.urlpatterns) -> Iterator[str]:
    for each in patterns:
        if isinstance(each, URLResolver):
            yield from names(each.url_patterns)
        else:
            yield each.name


@pytest.mark.django_db(transaction=False)
def test_every_address_is_looked_at_here():
    tables = (GUEST, PATIENT, PRACTITIONER, FRONT_DESK, REFERRER, ADMINISTRATOR)
    looked_at = {line.split()[0] for table in tables for line in filter(None, table.splitlines())}
    assert looked_at | BY_DOING | NO_PAGES == set(names())
    assert not looked_at & NO_PAGES


def test_as_a_guest(looker: Looker, world):
    for address, status in rows(GUEST, world):
        looker.open(address, status)
    page = looker.page
    times = reverse("portal:choose-time", args=[world["checkup"]])
    page.goto(times)
    time = page.locator(".first__time").first.get_attribute("value")
    page.route("**/hold-at-once.js", lambda route: route.fulfill(body=""))  # it goes on before anybody could look
    looker.open(f"{reverse('portal:deep-link', args=[world['checkup']])}?time={time}")
    looker.open(f"{reverse('portal:course', args=[world['checkup']])}?time={time}&visits=8&every=1")
    page.goto(times)
    page.locator(".first__time").first.click()
    expect(page.get_by_role("heading", name="About you")).to_be_visible()
    looker.look()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_be_focused()
    looker.look()
    say_who(page)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Check your email")).to_be_visible()
    looker.look()
    page.goto(reverse("portal:wait", args=[world["checkup"]]))
    page.get_by_role("button", name="Join the waiting list").click()
    expect(page.get_by_role("heading", name="About you")).to_be_visible()
    looker.look()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Check your email")).to_be_visible()
    looker.look()
    page.goto(f"/v/{world['link']}/")
    for label, number in (("Day", "4"), ("Month", "7"), ("Year", "1990")):
        page.get_by_label(label).fill(number)
    page.get_by_role("button", name="Show the details").click()
    expect(page.get_by_role("heading", name="See the details")).to_have_count(0)
    looker.look()


def test_as_one_who_comes_to_the_front_desk(looker: Looker, world, ada, site):
    ada.email = "ada@example.com"
    ada.save()
    page, desk = looker.page, f"/here/{site.fhir_id}/"
    page.goto(desk)
    page.get_by_role("button", name="Find my visit").click()
    expect(page.get_by_role("alert")).to_be_focused()
    looker.look()
    for label, text in (("Day", "4"), ("Month", "7"), ("Year", "1990"), ("Phone number, email", "ada@example.com")):
        page.get_by_label(label).fill(text)
    page.get_by_role("button", name="Find my visit").click()
    expect(page.get_by_role("heading", name="Which visit?")).to_be_visible()
    looker.look()
    looker.open(f"{desk}1/")


def test_as_a_patient(looker: Looker, world, ada, sign_in):
    sign_in(ada.user)
    for address, status in rows(PATIENT, world):
        looker.open(address, status)
    looker.page.goto("/calendars/")
    looker.page.get_by_role("button", name="Create another address").click()
    expect(looker.page.get_by_label("Your new address")).to_be_visible()
    looker.look()
    looker.page.goto(f"/appointments/{world['booked']}/move/")
    looker.page.locator(".first__time").first.click()
    expect(looker.page.get_by_role("heading", name="Move your visit?")).to_be_visible()
    looker.look()
    looker.page.goto(f"/my-details/{ada.fhir_id}/data/")
    looker.page.get_by_label("Password", exact=True).fill("secret-password")
    looker.page.get_by_role("button", name="Continue").click()
    expect(looker.page.get_by_role("heading", name="Your data")).to_be_visible()
    looker.look()
    looker.open(f"/my-details/{world['leo_patient']}/data/")
    looker.open(f"/my-details/{ada.fhir_id}/data/delete/")


def test_as_one_who_confirms_a_number(looker: Looker, ada, sign_in, settings):
    settings.SMS_ENABLED, settings.SMS_URL = True, ""
    sign_in(ada.user)
    looker.open("/my-details/")
    looker.page.get_by_role("link", name="Add visits booked with your mobile number").click()
    expect(looker.page.get_by_role("heading", name="Confirm your mobile number")).to_be_visible()
    looker.look()
    looker.page.get_by_label("Mobile number").fill("call me")
    looker.page.get_by_role("button", name="Send the code").click()
    expect(looker.page.get_by_role("alert")).to_be_focused()
    looker.page.get_by_label("Mobile number").fill("212 555 0199")
    looker.page.get_by_role("button", name="Send the code").click()
    expect(looker.page.get_by_role("heading", name="Check your phone")).to_be_visible()
    looker.look()


def test_as_one_who_lets_an_app_in(looker: Looker, world, ada, sign_in, live_server):
    query = {
        "response_type": "code",
        "client_id": world["app"],
        "redirect_uri": "https://app.example.org/back",
        "scope": "launch/patient openid fhirUser patient/*.rs patient/Appointment.cruds offline_access",
        "aud": f"{live_server.url}/fhir/R4",
        "code_challenge": "x" * 43,
        "code_challenge_method": "S256",
    }
    sign_in(ada.user)
    looker.open(f"{reverse('portal:authorize')}?{urlencode(query)}")
    looker.page.get_by_label("Leo").check()
    looker.page.get_by_role("button", name="Continue").click()
    expect(looker.page.get_by_role("heading", name="Give Visit Buddy access?")).to_be_visible()
    looker.look()
    looker.open(looker.page.url)


def test_as_one_who_answers_an_alarm(looker: Looker, world, clinic, ada, sign_in):
    clinic.questionnaires.set([QuestionnaireFactory(item=TRAVEL_HEALTH)])
    sign_in(ada.user)
    looker.page.goto(f"/appointments/{world['held']}/questions/")
    looker.page.get_by_label("Yes, and I have it now").check()
    looker.page.get_by_role("button", name="Continue").click()
    expect(looker.page.get_by_role("heading", name="Please stop and read this")).to_be_visible()
    looker.look()


def test_as_one_whose_account_is_new(looker: Looker, sign_in):
    sign_in(UserFactory())
    looker.open("/details/")
    looker.open("/appointments/")
    looker.open("/family/")


@pytest.mark.parametrize(
    ("table", "who"),
    [
        pytest.param(PRACTITIONER, lambda it: it("chen").user, id="practitioner"),
        pytest.param(FRONT_DESK, lambda it: it("rana"), id="front desk"),
        pytest.param(REFERRER, lambda it: it("referrer"), id="referrer"),
        pytest.param(ADMINISTRATOR, lambda it: UserFactory(is_superuser=True), id="administrator"),
    ],
)
def test_as_staff(looker: Looker, world, request, sign_in, table: str, who: Callable):
    sign_in(who(request.getfixturevalue))
    for address, status in rows(table, world):
        looker.open(address, status)
