"""Shared fixtures: the patients Ada and Bo, Dr Chen, Rana at the front desk and the administrator Alex."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, connections
from django.middleware import csrf
from django.test import TransactionTestCase
from django.utils import translation

from clinic import country, place_names
from clinic.models import Patient, Practitioner, User
from scheduling import cds_hooks, plugins
from tests import template_database
from tests.database_flush import delete_rows, keep_connections
from tests.factories import LocationFactory, PatientFactory, PractitionerFactory, UserFactory
from tests.plugins import PluginInstaller

TransactionTestCase._fixture_teardown = delete_rows
TransactionTestCase._should_reload_connections = keep_connections


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """Make the worker's database a copy of the migrated one, with a pool of connections for all threads."""
    connection.settings_dict["OPTIONS"]["pool"] = settings.POOL | {
        "max_size": 60,
        "timeout": 60,
        "reconnect_timeout": 60,
    }
    if template := template_database.wait_for_template():
        connection.settings_dict["TEST"]["TEMPLATE"] = template


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_keepdb: bool) -> bool:
    """Keep the database if its server is removed with the run: one that a connection still uses cannot be dropped."""
    return django_db_keepdb or template_database.wait_for_template() is not None


@pytest.fixture(autouse=True, scope="session")
def form_tokens_without_words():
    """Make the random tokens of forms of small consonants, so that none has a name or number a test looks for."""
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(csrf, "CSRF_ALLOWED_CHARS", "bcdfghjklmnpqrstvwxz")
        yield


@pytest.fixture(autouse=True)
def in_english():
    """Restore the language after a test that requests a page in another one."""
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def sites_of_no_other_test():
    """Clear the cached country, zone and place names of the clinic, which depend on its sites."""
    country.forget_sites()
    place_names.forget_places()


@pytest.fixture(autouse=True)
def services_of_no_other_test():
    """Let no decision service of another test be asked, and none be read before one is saved."""
    cds_hooks.forget_services()
    cds_hooks._services.get(lambda: ())


@pytest.fixture
def install(tmp_path_factory, monkeypatch):
    """Installs plug-ins until the test ends."""
    with monkeypatch.context() as patches:
        yield PluginInstaller(tmp_path_factory.mktemp("site-packages"), patches)
    plugins.installed.cache_clear()


@pytest.fixture
def without_postgresql(db, monkeypatch) -> Callable[..., Any]:
    """Returns the result of a function that runs while PostgreSQL cannot be reached."""
    options = {key: value for key, value in connection.settings_dict["OPTIONS"].items() if key != "pool"}
    monkeypatch.setitem(connections.settings["default"], "HOST", "/nowhere")
    monkeypatch.setitem(connections.settings["default"], "OPTIONS", options)

    def run(act: Callable[..., Any], *given: Any, **named: Any) -> Any:
        with ThreadPoolExecutor(1) as elsewhere:  # connections are each thread's own
            return elsewhere.submit(act, *given, **named).result()

    return run


@pytest.fixture
def site(db):
    return LocationFactory(name="Riverside Main Street", phone="+1 212 555 0100")


@pytest.fixture
def ada(db) -> Patient:
    return PatientFactory(given="Ada", family="Quinn", user=UserFactory(email="ada@example.com"))


@pytest.fixture
def bo(db) -> Patient:
    return PatientFactory(given="Bo", family="Lind", user=UserFactory(email="bo@example.com"))


@pytest.fixture
def chen(db) -> Practitioner:
    return PractitionerFactory(given="Mei", family="Chen", user=UserFactory(email="chen@example.com"))


@pytest.fixture
def rana(site):
    """The front desk of `site`."""
    return UserFactory(email="rana@example.com", desk_locations=[site])


@pytest.fixture
def alex(db) -> User:
    return User.objects.create_superuser("alex@example.com", "secret-password")
