"""Emails about an account: in the clinic's name and layout, and a notice of each change."""

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
        for host in ("testserver!", "example.com!", "Hello from", "127.0.0.1:8"):
            assert host not in part
    assert 'class="letter"' in html


def test_the_email_of_a_lost_password_is_the_clinics(client, user):
    client.logout()
    client.post("/accounts/password/reset/", {"email": user.email})
    [sent] = mail.outbox
    check_layout(sent)
    assert "/accounts/password/reset/key/" in sent.body


def test_a_changed_password_is_told(client, user):
    client.post("/accounts/password/change/", {"oldpassword": OLD, "password1": NEW, "password2": NEW})
    [sent] = mail.outbox
    check_layout(sent)
    assert sent.to == ["ada@example.com"]
    assert "password" in sent.subject.lower()


def test_another_address_is_told_to_the_old_and_to_the_new(client, user):
    EmailAddress.objects.create(user=user, email="new@example.com", verified=True)
    client.post("/accounts/email/", {"email": "new@example.com", "action_primary": ""})
    assert [sent.to for sent in mail.outbox] == [["ada@example.com"], ["new@example.com"]]
    for sent in mail.outbox:
        check_layout(sent)
        assert "new@example.com" in sent.body
