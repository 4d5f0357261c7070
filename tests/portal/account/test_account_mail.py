"""Emails about an account: in the clinic's name and layout, and a notice of each change."""

import re
from pathlib import Path

import allauth
import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.core import mail

from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

OLD = "a-quite-long-secret-6"
NEW = "a-quite-long-secret-7"


@pytest.fixture
def user(client):
    user = UserFactory(email="ada@example.com")
    user.set_password(OLD)
    user.save()
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    client.force_login(user)
    return user


def check_layout(sent):
    [(html, kind)] = sent.alternatives
    assert kind == "text/html"
    assert sent.from_email.startswith(settings.CLINIC_NAME)
    for part in (sent.subject, sent.body, html):
        assert settings.CLINIC_NAME in part
        for foreign in ("testserver!", "example.com!", "Hello from", "IP address", "Browser"):
            assert foreign not in part
    assert "  " not in sent.subject + sent.body
    assert 'class="letter"' in html


def test_the_email_of_a_lost_password_is_the_clinics(client, user):
    client.logout()
    client.post("/accounts/password/reset/", {"email": user.email})
    [sent] = mail.outbox
    check_layout(sent)
    assert "/accounts/password/reset/key/" in sent.body


def test_a_changed_password_sends_a_notice(client, user):
    client.post("/accounts/password/change/", {"oldpassword": OLD, "password1": NEW, "password2": NEW})
    [sent] = mail.outbox
    check_layout(sent)
    assert sent.to == ["ada@example.com"]
    assert "password" in sent.subject.lower()


def test_a_changed_address_sends_a_notice_to_both(client, user):
    EmailAddress.objects.create(user=user, email="new@example.com", verified=True)
    client.post("/accounts/email/", {"email": "new@example.com", "action_primary": ""})
    assert [sent.to for sent in mail.outbox] == [["ada@example.com"], ["new@example.com"]]
    for sent in mail.outbox:
        check_layout(sent)
        assert "new@example.com" in sent.body


def test_a_reset_password_sends_a_notice(client, user):
    client.logout()
    client.post("/accounts/password/reset/", {"email": user.email})
    path = re.search(r"/accounts/password/reset/key/\S+", mail.outbox.pop().body)[0]
    form = client.get(path, follow=True).redirect_chain[-1][0]
    client.post(form, {"password1": NEW, "password2": NEW})
    [sent] = mail.outbox
    check_layout(sent)
    assert sent.subject.endswith("You have a new password")
    assert "If you did not do this, call the clinic" in sent.body
    assert "/accounts/password/reset/" in sent.body


def test_a_first_password_sends_a_notice(client, user):
    user.set_unusable_password()
    user.save()
    client.force_login(user)
    client.post("/accounts/password/set/", {"password1": NEW, "password2": NEW})
    [sent] = mail.outbox
    check_layout(sent)
    assert sent.subject.endswith("Your account has a password")


def test_an_address_without_an_account_is_answered_in_the_readers_language(client, db):
    client.post("/accounts/password/reset/", {"email": "nobody@example.com"}, headers={"accept-language": "es"})
    [sent] = mail.outbox
    assert sent.subject.endswith("No hay ninguna cuenta con esta dirección")
    assert "nobody@example.com" in sent.body
    assert "/accounts/signup/" in sent.body


def test_every_email_that_can_be_sent_has_words_of_our_own():
    theirs, ours = Path(allauth.__file__).parent / "templates", settings.BASE_DIR / "templates"
    for written in (*theirs.glob("account/email/*.txt"), *theirs.glob("mfa/email/*.txt")):
        is_sent = not written.name.startswith("password_reset_code")  # not switched on
        assert (ours / written.relative_to(theirs)).exists() is is_sent, written.name
