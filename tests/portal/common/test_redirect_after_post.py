"""A POST never answers with a page: it redirects to one that can be reloaded and gone back to."""

from contextlib import suppress

import pytest
from django.test import Client
from django.urls import NoReverseMatch, get_resolver, reverse

from clinic.models import User
from portal.common import redirect_after_post
from portal.common.redirect_after_post import MOST, PAGE_STATUSES, PARAMETER
from scheduling.notifications import links
from tests.portal.access.addresses import addresses, requests
from tests.portal.access.conftest import clinic  # noqa: F401

pytestmark = pytest.mark.django_db
INVITE = "/staff/setup/accounts/invite/"


@pytest.fixture
def as_manager(alex):
    """A browser of the administrator, that follows no redirect."""
    made = Client()
    made.force_login(alex)
    return made


def test_a_refused_form_is_shown_by_a_redirect_with_what_was_typed(as_manager):
    answer = as_manager.post(INVITE, {"email": "nobody", "given": "Mallory"})
    assert answer.status_code == 302
    assert answer.url.startswith(f"{INVITE}?{PARAMETER}=")
    pages = [as_manager.get(answer.url).content.decode() for _time in range(2)]
    assert pages[0] == pages[1], "reloading shows the same page and sends nothing"
    assert 'value="nobody"' in pages[0]
    assert 'value="Mallory"' in pages[0]
    assert "Enter a valid email address." in pages[0]


def test_the_shown_form_can_be_sent_from_its_own_address(as_manager):
    address = as_manager.post(INVITE, {"email": "nobody"}).url
    sent = as_manager.post(address, {"email": "somebody@example.com", "roles": "manager"})
    assert (sent.status_code, sent.url) == (302, reverse("portal:people"))


def test_the_address_has_nothing_that_was_typed(as_manager):
    assert "Mallory" not in as_manager.post(INVITE, {"email": "nobody", "given": "Mallory"}).url


def test_the_query_of_the_page_is_kept(as_manager):
    answer = as_manager.post(f"{INVITE}?back=list", {"email": "nobody"})
    assert answer.url.startswith(f"{INVITE}?back=list&{PARAMETER}=")


def test_another_browser_gets_an_empty_form(as_manager, alex):
    address = as_manager.post(INVITE, {"email": "nobody", "given": "Mallory"}).url
    other = Client()
    other.force_login(alex)
    answer = other.get(address)
    assert (answer.status_code, answer.url) == (302, INVITE)


def test_an_old_page_is_forgotten(as_manager, monkeypatch):
    address = as_manager.post(INVITE, {"email": "nobody"}).url
    assert as_manager.get(address).status_code == 422
    monkeypatch.setattr(redirect_after_post, "KEPT_FOR", 0)
    assert as_manager.get(address).status_code == 302


def test_only_the_latest_pages_are_kept(as_manager):
    addresses = [as_manager.post(INVITE, {"email": "nobody"}).url for _time in range(MOST + 1)]
    assert [as_manager.get(address).status_code for address in addresses] == [302] + [422] * MOST


def test_after_a_change_of_language_the_page_is_made_anew(as_manager):
    address = as_manager.post(INVITE, {"email": "nobody"}).url
    as_manager.cookies["language"] = "es"
    assert as_manager.get(address, headers={"Accept-Language": "es"}).status_code == 302


def test_a_kiosk_shows_the_page_once(site, rana):
    tablet = Client()
    tablet.force_login(rana)
    tablet.post(reverse("portal:staff-kiosk", args=[site.fhir_id]))
    page = reverse("portal:find-visit", args=[site.fhir_id])
    address = tablet.post(page, {"known": "ada@example.com"}).url
    assert b"ada@example.com" in tablet.get(address).content
    answer = tablet.get(address)
    assert (answer.status_code, answer.url) == (302, page)


def test_a_request_for_a_part_of_a_page_is_answered_at_once(as_manager):
    answer = as_manager.post(reverse("portal:staff-patients"), {"search": "Nobody"}, headers={"HX-Request": "true"})
    assert answer.status_code == 200


def test_one_click_of_a_mail_program_is_answered_at_once(ada):
    """RFC 8058: no redirect would be followed."""
    address = links.unsubscribe_link(ada)
    assert Client().post(address, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert Client().post(address, {"csrfmiddlewaretoken": "of the page"}).status_code == 302, "the button of the page"


FROM_PROGRAMS = {"sms-status", "text-reply", "payment-webhook", "unsubscribe"}
PARTS = {"staff-find-patients"}  # the script of a form posts to it
WANTED, NOTHING, NONSENSE = "what it wants", "nothing", "nonsense"


@pytest.mark.parametrize(
    ("who", "sent"), [("alex", WANTED), ("alex", NOTHING), ("alex", NONSENSE), ("ada", WANTED), ("nobody", WANTED)]
)
def test_no_post_is_answered_by_a_page(clinic, request, who, sent):  # noqa: F811
    wrong = []
    known = None if who == "nobody" else request.getfixturevalue(who)
    for name, _row, address, posted in requests(clinic):
        if posted is None or name in FROM_PROGRAMS | PARTS:
            continue
        browser = Client()
        if known:  # signed in anew, because some of the forms sign out
            browser.force_login(User.objects.get(pk=getattr(known, "user", known).pk))
        values = {WANTED: posted, NOTHING: {}, NONSENSE: dict.fromkeys(posted, "\N{SNOWMAN}")}[sent]
        answer = browser.post(address, values)
        is_page = answer.status_code in PAGE_STATUSES and "html" in answer.headers.get("Content-Type", "")
        if is_page or answer.status_code >= 500:
            wrong.append(f"{name}: {answer.status_code}")
        if f"{PARAMETER}=" in answer.headers.get("Location", ""):
            wrong += [f"{name}: {text}" for text in faults_of_page(browser, answer.url)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("who", ["ada", "nobody"])
def test_no_post_of_an_account_page_is_answered_by_a_page(request, who):
    wrong = []
    known = None if who == "nobody" else request.getfixturevalue(who).user
    for address in account_addresses():
        browser = Client()
        if known:
            browser.force_login(User.objects.get(pk=known.pk))
        answer = browser.post(address, {"email": "nobody", "login": "nobody", "password": "a guess"})
        if answer.status_code in PAGE_STATUSES and "html" in answer.headers.get("Content-Type", ""):
            wrong.append(f"{address}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)


def account_addresses():
    """Yield the address of each account page; those with the key of an email have none here."""
    modules = ("portal.account.allauth_urls", "allauth.account.urls")
    for name in sorted({name for module in modules for name, _parameters in addresses(get_resolver(module))}):
        with suppress(NoReverseMatch):
            yield reverse(name)


def faults_of_page(browser, address):
    """Yield what is wrong with the page that a POST leads to."""
    if browser.get(address).status_code not in PAGE_STATUSES:
        yield "its page is not shown"
    if browser.get(address.partition("?")[0]).status_code == 405:
        yield "without the kept page there is none"
