"""Signing in while the cache is unavailable."""

import socket

import pytest
from django.core import mail
from django.core.cache import caches

pytestmark = pytest.mark.django_db


@pytest.fixture
def no_redis(settings):
    """A cache at a port where nothing listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    default = {**settings.CACHES["default"], "LOCATION": f"redis://127.0.0.1:{port}/0"}
    settings.CACHES = {"default": default}


def test_without_redis_people_sign_in_as_ever(no_redis, client, ada):
    assert caches["default"].get("anything", "nothing") == "nothing"
    for _ in range(2):
        answer = client.post("/accounts/login/", {"login": ada.user.email, "password": "secret-password"})
        assert answer.status_code == 302
        client.logout()
    assert not mail.outbox
