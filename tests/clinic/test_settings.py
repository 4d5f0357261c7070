"""An unsafe or invalid setting stops the start with a sentence about a valid one."""

import runpy
from datetime import timedelta

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured

import clinic.settings

PRODUCTION = {
    "DATABASE_URL": "postgresql://clinic@db.internal/clinic",
    "REDIS_URL": "redis://cache.internal:6379/0",
    "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN",
    "ALLOWED_HOSTS": "visits.example.org",
}


@pytest.fixture
def read(monkeypatch, tmp_path):
    """Return the settings for environment variables; None unsets a variable."""

    def read(**environment):
        for name, value in {
            "DEBUG": None,
            "SECRET_KEY_FALLBACKS": None,
            "CLINIC_DATA_DIR": str(tmp_path),
            **PRODUCTION,
            **environment,
        }.items():
            monkeypatch.delenv(name, raising=False)
            if value is not None:
                monkeypatch.setenv(name, value)
        return runpy.run_path(clinic.settings.__file__)

    return read


def test_the_required_settings_are_enough_for_production(read):
    found = read()
    assert (found["DEBUG"], found["DEMO"]) == (False, False)
    assert "demo" not in found["INSTALLED_APPS"]
    assert all(found[name] for name in ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT"))
    assert found["SITE_URL"] == "https://visits.example.org"


def test_a_replica_is_reached_directly_and_given_up_soon(read):
    assert "replica" not in read()["DATABASES"]
    found = read(DATABASE_REPLICA_URL="postgresql://clinic:secret@replica.internal/clinic", PGBOUNCER="on")
    itself, replica = found["DATABASES"]["default"], found["DATABASES"]["replica"]
    assert (itself["ENGINE"], replica["ENGINE"]) == ("clinic.pgbouncer", "clinic.postgresql")
    assert (replica["HOST"], replica["OPTIONS"]["pool"]["timeout"]) == ("replica.internal", 1)
    assert "portal.common.middleware.NotedWrites" in found["MIDDLEWARE"]


@pytest.mark.parametrize(
    ("environment", "demo", "debug"),
    [
        ({}, True, False),  # the product's own error pages
        ({"DEBUG": "on"}, True, True),
        ({"DEBUG": "off"}, False, False),
        ({"DEMO": "off"}, False, False),
    ],
)
def test_the_embedded_mode_is_a_demo_without_djangos_debugger(read, environment, demo, debug):
    found = read(DATABASE_URL=None, REDIS_URL=None, SECRET_KEY=None, ALLOWED_HOSTS=None, **environment)
    assert (found["DEMO"], found["DEBUG"], found["SESSION_COOKIE_SECURE"]) == (demo, debug, not demo)
    assert found["CLINIC_PHONE"] == ("(212) 555-0142" if demo else "")
    assert ("demo" in found["INSTALLED_APPS"]) == demo


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("DATABASE_URL", "sqlite:///clinic.db", "DATABASE_URL must name a PostgreSQL"),
        ("DATABASE_URL", "localhost", "DATABASE_URL must name a PostgreSQL"),
        ("REDIS_URL", "", "REDIS_URL must be set"),
        ("REDIS_URL", "cache.internal:6379", "REDIS_URL must be set"),
        ("REDIS_PREFIX", "North Clinic", "REDIS_PREFIX must be lower-case letters, digits and hyphens"),
        ("SECRET_KEY", "", "50 random characters"),
        ("SECRET_KEY", "short", "50 random characters"),
        ("SECRET_KEY_FALLBACKS", "short", "50 random characters"),
        ("ALLOWED_HOSTS", "", "ALLOWED_HOSTS must name the hosts"),
        ("ALLOWED_HOSTS", "*", "ALLOWED_HOSTS must name the hosts"),
        ("DEBUG", "on", "DEBUG must be off where others than this machine are served"),
        ("DEMO", "on", "DEMO must be off where others than this machine are served"),
        ("DEBUG", "maybe", "DEBUG must be true or false"),
        ("SECURE_SSL_REDIRECT", "ture", "SECURE_SSL_REDIRECT must be true or false"),
        ("BEHIND_PROXY", "2", "BEHIND_PROXY must be true or false"),
        ("SECURE_HSTS_SECONDS", "-1", "SECURE_HSTS_SECONDS must be a whole number from 0 to"),
        ("HOLD_MINUTES", "0", "HOLD_MINUTES must be a whole number from 1 to 120"),
        ("DETAILS_MONTHS", "0", "DETAILS_MONTHS must be a whole number from 1 to 120"),
        ("RETURNING_YEARS", "-1", "RETURNING_YEARS must be a whole number from 0 to 100"),
        ("RETURNING_BY_SPECIALTY", "same", "RETURNING_BY_SPECIALTY must be true or false"),
        ("DATABASE_POOL_SIZE", "many", "DATABASE_POOL_SIZE must be a whole number from 1"),
        ("AUDIT_YEARS", "0", "AUDIT_YEARS must be a whole number from 1 to 100"),
        ("HISTORY_YEARS", "0", "HISTORY_YEARS must be a whole number from 1 to 100"),
        ("DELIVERY_LOG_DAYS", "0", "DELIVERY_LOG_DAYS must be a whole number from 1"),
        ("BACKUP_DAYS", "0", "BACKUP_DAYS must be a whole number from 1 to 3653"),
        ("IDEMPOTENCY_HOURS", "0", "IDEMPOTENCY_HOURS must be a whole number from 1"),
        ("CLINIC_COUNTRY", "UK", "CLINIC_COUNTRY must be a country's ISO 3166 code such as US or GB, not 'UK'"),
        ("CLINIC_COUNTRY", "001", "CLINIC_COUNTRY must be a country's ISO 3166 code"),
        ("DATABASE_REPLICA_URL", "mysql://replica/clinic", "DATABASE_REPLICA_URL must name a PostgreSQL"),
        ("DATABASE_REPLICA_LAG_SECONDS", "0", "DATABASE_REPLICA_LAG_SECONDS must be a whole number from 1 to 600"),
        ("PGBOUNCER", "transaction", "PGBOUNCER must be true or false"),
        ("PGBOUNCER_PREPARED_STATEMENTS", "on", "PGBOUNCER_PREPARED_STATEMENTS needs PGBOUNCER"),
        ("FHIR_CANONICAL_BASE", "visits.example.org", "FHIR_CANONICAL_BASE must be like https://"),
        ("LOG_FORMAT", "xml", "LOG_FORMAT must be line or json"),
        ("ACCESS_LOG", "loud", "ACCESS_LOG must be true or false"),
        ("SENTRY_DSN", "sentry.example/1", "SENTRY_DSN must be an address"),
        ("TRACES_PERCENT", "0", "TRACES_PERCENT must be a whole number from 1 to 100"),
        ("LOG_LEVEL", "loud", "LOG_LEVEL must be DEBUG, INFO, WARNING, ERROR or CRITICAL"),
    ],
)
def test_an_unsafe_value_stops_the_start(read, name, value, sentence):
    with pytest.raises(ImproperlyConfigured, match=sentence):
        read(**{name: value})


def test_a_direct_connection_asks_for_a_lock_timeout_and_prepares_statements(read):
    database = read(LOCK_TIMEOUT_MS="2000")["DATABASES"]["default"]
    assert database["ENGINE"] == "clinic.postgresql"
    assert database["OPTIONS"]["options"] == "-c lock_timeout=2000"
    assert database["OPTIONS"]["prepare_threshold"] == 3


@pytest.mark.parametrize(("prepared", "threshold"), [(None, None), ("off", None), ("on", 3)])
def test_through_pgbouncer_a_connection_asks_for_nothing_as_it_starts(read, prepared, threshold):
    database = read(PGBOUNCER="on", PGBOUNCER_PREPARED_STATEMENTS=prepared)["DATABASES"]["default"]
    assert (database["ENGINE"], database["DISABLE_SERVER_SIDE_CURSORS"]) == ("clinic.pgbouncer", True)
    assert "options" not in database["OPTIONS"]
    assert database["OPTIONS"]["prepare_threshold"] == threshold


def test_a_prefix_begins_whatever_is_kept_in_redis(read):
    found = read(REDIS_PREFIX="north")
    assert found["CACHES"]["default"]["KEY_PREFIX"] == "north:"
    assert found["CELERY_BROKER_TRANSPORT_OPTIONS"]["global_keyprefix"] == "north:"


def test_our_addresses_are_below_the_api_of_this_site_unless_the_operator_says_otherwise(read):
    assert read(SITE_URL="https://visits.example.org")["FHIR_CANONICAL_BASE"] == "https://visits.example.org/fhir/R4"
    moved = read(FHIR_CANONICAL_BASE="https://old.example.org/fhir/R4/")
    assert moved["FHIR_CANONICAL_BASE"] == "https://old.example.org/fhir/R4"


def test_debug_is_for_this_machine(read):
    assert read(DEBUG="on", ALLOWED_HOSTS="localhost,127.0.0.1")["DEBUG"] is True


def test_the_embedded_mode_is_for_this_machine(read):
    with pytest.raises(ImproperlyConfigured, match="Set DATABASE_URL to serve other hosts"):
        read(DATABASE_URL=None)


def test_audit_events_are_kept_for_years_by_default(read):
    assert read()["AUDIT_KEPT"] > timedelta(days=3650)
    assert read(AUDIT_YEARS="6")["AUDIT_KEPT"] == timedelta(days=6 * 365.25)


def test_production_passes_djangos_own_checks(read, settings, monkeypatch):
    monkeypatch.delenv("DJANGO_ALLOW_ASYNC_UNSAFE", raising=False)  # the browser tests need it
    for name, value in read().items():
        if name.startswith(("SECURE_", "SESSION_", "CSRF_")) or name in ("DEBUG", "SECRET_KEY", "ALLOWED_HOSTS"):
            setattr(settings, name, value)
    assert not [each for each in run_checks(include_deployment_checks=True) if not each.is_silenced()]


def test_logs_are_lines_of_text_without_requests_unless_the_operator_says_otherwise(read):
    usual, chosen = read(), read(LOG_FORMAT="json", ACCESS_LOG="on")
    assert usual["LOGGING"]["handlers"]["console"]["formatter"] == "line"
    assert "clinic.access_log.AccessLog" not in usual["MIDDLEWARE"]
    assert chosen["LOGGING"]["handlers"]["console"]["formatter"] == "json"
    assert chosen["MIDDLEWARE"][:2] == ["clinic.request_id.RequestId", "clinic.access_log.AccessLog"]


def test_a_setting_that_needs_an_extra_names_it(read, monkeypatch):
    monkeypatch.setattr("clinic.environment.find_spec", lambda package: None)
    with pytest.raises(ImproperlyConfigured, match=r"TRACES_URL needs packages: .* the extra tracing"):
        read(TRACES_URL="http://collector.internal:4318/v1/traces")
