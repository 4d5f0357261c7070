"""The sessions of an account: listed in words, and ended one by one or all together."""

import time
from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic import retention
from portal.common.devices import device
from tests.portal.account.test_second_step import PASSWORD, SECURITY, is_signed_in, sign_in

pytestmark = pytest.mark.django_db

AGENTS = {
    "Firefox on Windows": "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:142.0) Gecko/20100101 Firefox/142.0",
    "Chrome on Android": "Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Mobile Safari/537.36",
    "Safari on iPhone": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
    "Chrome on iPhone": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) CriOS/140.0 Safari/604.1",
    "Edge on Mac": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Chrome/140.0 Safari/537.36 Edg/140.0",
    "Linux": "curl on Linux",
    "Unknown device": "",
}


@pytest.mark.parametrize(("words", "user_agent"), AGENTS.items())
def test_a_device_has_a_name_in_words(words, user_agent):
    assert device(user_agent) == words


@pytest.fixture
def phone(rana):
    """Rana's phone, signed in from elsewhere."""
    browser = Client(headers={"user-agent": AGENTS["Safari on iPhone"]}, REMOTE_ADDR="192.0.2.7")
    sign_in(browser, rana)
    return browser


@pytest.fixture
def desk(rana):
    """The computer at Rana's desk, signed in."""
    browser = Client(headers={"user-agent": AGENTS["Firefox on Windows"]})
    sign_in(browser, rana)
    return browser


def test_all_sessions_are_listed_and_one_is_ended(phone, desk, ada):
    other = Client()
    sign_in(other, ada.user)
    page = desk.get(SECURITY)
    assertContains(page, "Firefox on Windows")
    assertContains(page, "This device", count=1)
    assertContains(page, "Safari on iPhone")
    assertContains(page, "192.0.2.7, last used")
    assert page.content.decode().count("/end/") == 2  # the phone, and all others

    session = UserSession.objects.get(ip="192.0.2.7")
    assert other.post(f"/sessions/{session.pk}/end/", follow=True).context["messages"]
    assert is_signed_in(phone)
    assertRedirects(desk.post(f"/sessions/{session.pk}/end/"), SECURITY)
    assert not is_signed_in(phone)
    assert is_signed_in(desk)
    assertNotContains(desk.get(SECURITY), "Safari on iPhone")
    assertContains(desk.post(f"/sessions/{session.pk}/end/", follow=True), "That session has already ended.")


def test_all_other_sessions_are_ended(phone, desk):
    desk.post("/sessions/end/")
    assert not is_signed_in(phone)
    page = desk.get(SECURITY)
    assertContains(page, "This device", count=1)
    assertNotContains(page, "Safari on iPhone")


def test_a_new_password_ends_the_others_and_the_list_says_so(phone, desk):
    new = "a-quite-long-secret-7"
    desk.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert not is_signed_in(phone)
    page = desk.get(SECURITY)
    assertContains(page, "Firefox on Windows")
    assertNotContains(page, "Safari on iPhone")


def test_signing_out_takes_the_session_off_the_list(phone, desk):
    phone.post("/accounts/logout/")
    assertNotContains(desk.get(SECURITY), "Safari on iPhone")
    assert UserSession.objects.count() == 1


def test_a_session_from_before_the_list_is_this_device_alone(as_rana):
    assertContains(as_rana.get(SECURITY), "This device", count=1)


def test_the_use_of_a_session_is_stored_once_in_ten_minutes(desk, django_assert_num_queries):
    UserSession.objects.update(last_seen_at=timezone.now() - timedelta(hours=1))
    before = UserSession.objects.get().last_seen_at
    desk.get(SECURITY)
    assert UserSession.objects.get().last_seen_at == before
    session = desk.session
    session["seen"] = time.time() - 601
    session.save()
    desk.get(SECURITY)
    after = UserSession.objects.get().last_seen_at
    assert timezone.now() - after < timedelta(minutes=1)
    with django_assert_num_queries(3):  # the session, its account, and whose language it is
        desk.post("/language/", {"language": "en"})


def test_what_is_known_of_a_session_is_forgotten_after_its_end(desk, settings):
    now = timezone.now()
    UserSession.objects.update(last_seen_at=now - timedelta(seconds=settings.SESSION_COOKIE_AGE + 1))
    retention.forget(now=now)
    assert not UserSession.objects.exists()
    assert Session.objects.exists()
