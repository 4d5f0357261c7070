"""Chromium on a live server: a phone, a desk, with and without JavaScript."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.cache import cache
from django.db import connection
from playwright.sync_api import BrowserContext, Page, expect

from tests.factories import EVERY_DAY, LocationFactory, QuestionnaireFactory, ScheduleFactory, ServiceFactory
from tests.services import chromium_path

# Playwright runs an event loop in this thread, and Django would refuse the tests' queries in it.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

expect.set_options(timeout=20_000)  # a full page loads slowly on a busy machine

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests here as browser tests with committed rows, which the server's thread can see."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.django_db(transaction=True))


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    return {**browser_type_launch_args, "executable_path": chromium_path(), "args": FLAGS}


@pytest.fixture(scope="session")
def base_url(live_server) -> str:
    return live_server.url


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    return {**browser_context_args, "viewport": PHONE, "locale": "en-US"}


@pytest.fixture(scope="session", autouse=True)
def no_session_left(django_db_setup, django_db_blocker):
    """A page that is left while it loads leaves its thread's connection open, and the database could not be dropped."""
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.fixture(autouse=True)
def fresh_cache():
    cache.clear()


@pytest.fixture
def clinic(transactional_db, chen, site):
    """Riverside: a check-up with Dr Chen, every day from nine to five, and a visit by video."""
    checkup = ServiceFactory(
        name="Check-up",
        comment="A first look at what troubles you.",
        hours=EVERY_DAY,
        minimum_notice=timedelta(hours=1),
        cancellation_notice=timedelta(hours=24),
        questionnaires=[QuestionnaireFactory()],
    )
    video = ServiceFactory(name="Advice by video", telehealth=True, hours=EVERY_DAY, duration=20)
    ScheduleFactory(actor=chen, services=[checkup, video], site=site)
    LocationFactory(name="Riverside Park", timezone=site.timezone)
    return checkup


@pytest.fixture
def page(page: Page, monkeypatch) -> Page:
    """A page on which a key is pressed when its scripts have run: they are deferred, and done before `load`.

    What a link or a form leads to shows a while before that, and nobody presses a key so soon.
    """
    press, write = page.keyboard.press, page.keyboard.type
    monkeypatch.setattr(page.keyboard, "press", lambda *key, **how: (page.wait_for_load_state(), press(*key, **how)))
    monkeypatch.setattr(page.keyboard, "type", lambda *text, **how: (page.wait_for_load_state(), write(*text, **how)))
    return page


@pytest.fixture
def sign_in(context: BrowserContext, client, live_server):
    """Give the browser the session of a user."""

    def signed_in(user) -> None:
        client.force_login(user)
        cookie = client.cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])

    return signed_in


@pytest.fixture
def violations(page: Page) -> list[str]:
    """Violations of the Content-Security-Policy; our pages have none."""
    refused: list[str] = []
    page.on(
        "console", lambda message: refused.append(message.text) if "Content Security Policy" in message.text else None
    )
    return refused
