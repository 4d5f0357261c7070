"""Limits on requests a minute, for each client and each address: 429 with Retry-After."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache

from api import throttling
from tests.api.conftest import Api, api_with, application, codes, texts
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
TEN_SECONDS_PAST = datetime(2027, 3, 1, 9, 30, 10, tzinfo=UTC)
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A clock for counting requests, ten seconds past a minute, with an empty cache."""
    cache.clear()
    clock = SimpleNamespace(now=TEN_SECONDS_PAST)
    monkeypatch.setattr(throttling._redis, "away_until", 0.0)
    monkeypatch.setattr(throttling, "timezone", SimpleNamespace(now=lambda: clock.now))
    return clock


@pytest.fixture
def two_per_client(settings):
    settings.API_REQUESTS_PER_CLIENT = 2


@pytest.fixture
def two_per_address(settings):
    settings.API_REQUESTS_PER_ADDRESS = 2


def statuses(api: Api, path: str = "Patient", times: int = 3) -> list[int]:
    return [api.get(path).status_code for _ in range(times)]


def test_a_client_over_its_limit_hears_when_to_try_again(two_per_client, api):
    assert statuses(api, times=2) == [200, 200]
    refused = api.get("Patient")
    assert (refused.status_code, codes(refused)) == (429, ["throttled"])
    assert refused["Retry-After"] == "50"
    assert texts(refused) == "There are too many requests from this client. Try again in 50 seconds."
    assert refused["Cache-Control"] == "no-store"


@pytest.mark.parametrize("limit", ["API_REQUESTS_PER_CLIENT", "API_REQUESTS_PER_ADDRESS"])
def test_the_refusal_is_xml_for_who_asks_for_xml(settings, api, limit):
    setattr(settings, limit, 2)
    statuses(api, times=2)
    refused = api.get("Patient", accept="application/fhir+xml")
    assert (refused.status_code, refused["Content-Type"].partition(";")[0]) == (429, "application/fhir+xml")
    assert b'<code value="throttled"/>' in refused.content


def test_the_next_minute_is_a_new_one(two_per_client, api, clock):
    assert statuses(api) == [200, 200, 429]
    clock.now += timedelta(seconds=49)
    refused = api.get("Patient")
    assert (refused.status_code, refused["Retry-After"]) == (429, "1")
    assert texts(refused).endswith("Try again in 1 second.")
    clock.now += timedelta(seconds=1)
    assert statuses(api) == [200, 200, 429]


def test_every_interaction_counts_and_a_refused_write_writes_nothing(two_per_client, api):
    assert api.post("Patient/_search", "", content_type=FORM).status_code == 200
    assert api.get("Appointment/$find").status_code == 200
    patient = {"resourceType": "Patient", "name": [{"family": "Throttled"}], "birthDate": "1980-01-01"}
    assert api.put("Patient/throttled", patient).status_code == 429
    cache.clear()
    assert api.get("Patient/throttled").status_code == 404


def test_clients_are_limited_each_for_itself_whatever_token_they_bring(two_per_client, api):
    assert statuses(api) == [200, 200, 429]
    assert statuses(api_with()) == [429, 429, 429]  # another token of the same software
    person, other = UserFactory(is_staff=True, is_superuser=True), UserFactory(is_staff=True, is_superuser=True)
    assert statuses(Api(user=person)) == statuses(Api(user=other)) == [200, 200, 429]


def test_addresses_are_limited_each_for_itself(two_per_address, api):
    assert statuses(api) == [200, 200, 429]
    assert texts(api.get("Patient")).startswith("There are too many requests from this address.")
    elsewhere = Api(REMOTE_ADDR="192.0.2.7")
    elsewhere.headers = api.headers
    assert statuses(elsewhere) == [200, 200, 429]


def test_guesses_of_tokens_are_limited(two_per_address):
    assert statuses(Api(token="guessed")) == [401, 401, 429]


@pytest.mark.parametrize(
    "path",
    ["metadata", "openapi.json", ".well-known/smart-configuration", "$bulk-publish", "$bulk-publish/Slot.ndjson"],
)
def test_public_endpoints_are_limited_by_address(two_per_address, path):
    api = Api()
    answers = [api.client.get(f"/fhir/R4/{path}") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1]["Retry-After"] == "50"
    assert answers[-1].json()["issue"][0]["code"] == "throttled"


@pytest.mark.parametrize("path", ["/oauth/token/", "/oauth/introspect/", "/oauth/revoke_token/"])
def test_guesses_of_client_secrets_are_limited(two_per_address, client, path):
    application()
    form = {"grant_type": "client_credentials", "client_id": "system", "client_secret": "guessed", "token": "guessed"}
    answers = [client.post(path, form) for _ in range(3)]
    assert 429 not in {answer.status_code for answer in answers[:2]}
    assert (answers[2].status_code, answers[2]["Retry-After"]) == (429, "50")
    assert answers[2].json() == {
        "error": "temporarily_unavailable",
        "error_description": "There are too many requests from this address. Try again in 50 seconds.",
    }


def test_behind_a_proxy_the_address_is_that_which_the_proxy_saw(two_per_address, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    api = Api()
    seen = ["203.0.113.1", "made-up, 203.0.113.1", "203.0.113.2", "203.0.113.1"]
    answers = [api.get("metadata", x_forwarded_for=address).status_code for address in seen]
    assert answers == [200, 200, 200, 429]


def test_without_a_proxy_a_made_up_address_counts_for_nothing(two_per_address):
    api = Api()
    answers = [api.get("metadata", x_forwarded_for=f"203.0.113.{number}").status_code for number in range(3)]
    assert answers == [200, 200, 429]


def test_zero_is_no_limit_and_asks_nothing_of_the_cache(settings, api, monkeypatch):
    settings.API_REQUESTS_PER_CLIENT = settings.API_REQUESTS_PER_ADDRESS = 0
    monkeypatch.setattr(throttling, "cache", None)
    assert statuses(api) == [200, 200, 200]


def test_while_redis_is_away_there_is_no_limit(two_per_client, two_per_address, api, settings):
    settings.CACHES = {
        "default": {**settings.CACHES["default"], "LOCATION": "unix:///nowhere/redis.sock?db=0"},
    }
    assert statuses(api) == [200, 200, 200]


def test_a_redis_that_has_failed_is_left_alone_for_a_moment(two_per_client, api, monkeypatch):
    keys: list[str] = []
    monkeypatch.setattr(throttling, "cache", SimpleNamespace(incr=keys.append))  # None, as after a failure
    assert statuses(api) == [200, 200, 200]
    assert len(keys) == 1
    monkeypatch.setattr(throttling._redis, "away_until", 0.0)
    assert statuses(api) == [200, 200, 200]
    assert len(keys) == 2


def test_the_limits_are_generous(settings):
    """The product's limits, which the tests switch off, are those in the documentation for integrators."""
    from clinic import settings as real

    assert (real.API_REQUESTS_PER_CLIENT, real.API_REQUESTS_PER_ADDRESS) == (6000, 12_000)
    documentation = (real.BASE_DIR / "docs" / "integrate.md").read_text()
    assert "| requests | 6,000 a minute by one client and 12,000 from one address" in documentation
