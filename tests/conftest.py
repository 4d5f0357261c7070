"""Shared fixtures: the patients Ada and Bo, Dr Chen, Rana at the front desk and the administrator Alex."""

import pytest
from django.db import connection
from django.test import TransactionTestCase
from django.utils import translation

from clinic import country, place_names
from clinic.models import Patient, Practitioner, User
from scheduling import cds_hooks, plugins
from tests import template_database
from tests.database_flush import delete_rows
from tests.factories import LocationFactory, PatientFactory, PractitionerFactory, UserFactory
from tests.plugins import PluginInstaller

TransactionTestCase._fixture_teardown = delete_rows


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """Make the worker's database a copy of the migrated one."""
    if template := template_database.wait_for_template():
        connection.settings_dict["TEST"]["TEMPLATE"] = template


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
