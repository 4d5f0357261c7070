"""Reading from a streaming replica: who reads there, who reads the database itself, and what a booking relies on."""

from datetime import timedelta
from functools import partial

import pytest
from django.core.cache import cache
from django.db import InternalError, connection, connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from oauth2_provider.models import AccessToken

from clinic import doctor, replica
from clinic.fhir.datatypes import instant
from clinic.models import Appointment, AuditEvent, Location
from clinic.postgresql.base import DatabaseWrapper
from scheduling.availability.offering_cache import offering_cache
from tests.api.conftest import Api, api_with, application, ids
from tests.api.visits import BOOK, found, proposal, starts
from tests.factories import LocationFactory, PatientFactory, ScheduleFactory, ServiceFactory, UserFactory
from tests.replicas import ReplicaServer
from tests.scheduling.situations import book, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "the_replica_of_the_tests"
ME, ANOTHER = "client:me", "client:another"


@pytest.fixture(scope="module")
def server(django_db_setup, django_db_blocker, tmp_path_factory):
    copy = ReplicaServer(tmp_path_factory.mktemp("replica"))
    with django_db_blocker.unblock():
        copy.start()
    yield copy
    copy.stop()


@pytest.fixture
def following(server, transactional_db, monkeypatch, settings):
    """The replica that the settings name, which has caught up."""
    itself = connections.settings["default"]
    options = {
        **itself["OPTIONS"],
        "host": str(server.socket_dir),
        "pool": {"min_size": 1, "max_size": 4, "timeout": 5},
    }
    chosen = {**itself, "NAME": connection.settings_dict["NAME"], "OPTIONS": options}
    monkeypatch.setitem(connections.settings, replica.ALIAS, chosen)
    # Django forbids tests a database of the settings that they do not name as they begin: this has another name.
    connections[NAME] = connections[replica.ALIAS] = DatabaseWrapper(chosen, NAME)
    for name, value in {"away_until": 0.0, "known_until": 0.0, "replayed": replica.START}.items():
        monkeypatch.setattr(replica._replica, name, value)
    monkeypatch.setattr(replica, "KNOWN_SECONDS", 0.0)
    settings.DATABASE_REPLICA_LAG_SECONDS = 600
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "portal.common.middleware.NotedWrites"]
    cache.set(replica.KEEPS, 1)
    server.catch_up()
    yield server
    connections[NAME].close()
    connections[NAME].close_pool()
    del connections[NAME], connections[replica.ALIAS]


def is_replica():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_is_in_recovery()")
        return cursor.fetchone()[0]


def sites():
    return set(Location.objects.values_list("name", flat=True))


def test_without_the_setting_there_is_only_the_database_itself():
    assert not replica.is_configured()
    assert replica.read(is_replica, ME) is False


def test_clients_who_have_written_nothing_read_the_replica(following):
    assert replica.read(is_replica, ME) is True
    assert not is_replica(), "afterwards statements go to the database itself again"


def test_a_client_reads_its_own_writes_and_another_may_be_behind(following):
    LocationFactory(name="Harbour")
    with following.behind():
        LocationFactory(name="Hill")
        replica.note_write(ME)
        assert replica.read(sites, ANOTHER) == {"Harbour"}
        assert replica.read(sites, ME) == {"Harbour", "Hill"}
        assert replica.read(is_replica, ME) is False
    following.catch_up()
    assert replica.read(is_replica, ME) is True
    assert replica.read(sites, ME) == {"Harbour", "Hill"}


def test_a_replica_that_is_too_far_behind_is_not_read(following, settings):
    [check] = [check for check in doctor.CHECKS if check.name == "replica"]
    with following.behind():
        LocationFactory()
        received = partial(following.ask, "SELECT pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn()")
        while not received():
            pass
        assert replica.read(is_replica, ME) is True
        assert check.findings(timezone.now()) == []
        settings.DATABASE_REPLICA_LAG_SECONDS = 0
        assert replica.read(is_replica, ME) is False
        assert "more than 0 seconds behind" in check.findings(timezone.now())[0]


def test_what_was_seen_of_the_replica_holds_for_a_second(following, monkeypatch):
    monkeypatch.setattr(replica, "KNOWN_SECONDS", 60.0)
    assert replica.read(is_replica, ME) is True
    with CaptureQueriesContext(connections[replica.ALIAS]) as asked:
        assert replica.read(is_replica, ME) is True
    assert len(asked) == 1, "what was read"
    LocationFactory()
    replica.note_write(ME)
    following.catch_up()
    with CaptureQueriesContext(connections[replica.ALIAS]) as asked:
        assert replica.read(is_replica, ME) is True
        assert replica.read(is_replica, ANOTHER) is True
    assert len(asked) == 3, "whether the write has been replayed, and what was read"


def test_within_a_transaction_the_database_itself_is_read(following):
    with transaction.atomic():
        assert replica.read(is_replica, ME) is False


def test_while_redis_has_lost_what_it_kept_the_database_itself_is_read_once(following):
    cache.clear()
    assert replica.read(is_replica, ME) is False
    assert replica.read(is_replica, ME) is True


def test_while_redis_is_away_the_database_itself_is_read(following, settings):
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "unix:///nowhere/redis.sock?db=0"}}
    assert replica.read(is_replica, ME) is False
    assert replica._replica.away_until, "the next requests do not wait for it"


def test_a_replica_that_is_away_is_left_alone_for_a_while(following, caplog, monkeypatch):
    connections[replica.ALIAS].close()
    connections[replica.ALIAS].close_pool()
    away = {"host": "/nowhere", "pool": {"min_size": 1, "max_size": 1, "timeout": 0.2}}
    monkeypatch.setitem(connections[replica.ALIAS].settings_dict, "OPTIONS", away)
    assert replica.read(is_replica, ME) is False
    assert "The replica cannot be read for now (OperationalError)" in caplog.text
    assert replica._replica.away_until
    caplog.clear()
    assert replica.read(is_replica, ME) is False
    assert not caplog.text


def test_a_read_that_the_replica_breaks_off_is_done_again(following):
    asked = []

    def end_once():
        asked.append(is_replica())
        if len(asked) == 1:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return sites()

    LocationFactory(name="Harbour")
    assert replica.read(end_once, ME) == {"Harbour"}
    assert asked == [True, False]


def test_a_write_is_not_hidden(following):
    with pytest.raises(InternalError, match="read-only transaction"):
        replica.read(LocationFactory, ME)


@pytest.fixture
def service():
    return ServiceFactory(duration=30, interval=30)


@pytest.fixture
def chen(service):
    return ScheduleFactory(services=[service])


@pytest.fixture
def api():
    return api_with()


@pytest.fixture
def other():
    """Another software."""
    software = application(client_id="other")
    hour = timezone.now() + timedelta(hours=1)
    AccessToken.objects.create(token="of-another", application=software, expires=hour, scope="system/*.cruds")
    return Api("of-another")


@pytest.fixture
def manager():
    return Api(user=UserFactory(is_staff=True, is_superuser=True))


def test_find_reads_the_replica_and_a_time_is_sold_once(following, service, chen, api, other):
    following.catch_up()
    ours, theirs = (proposal(api, service, chen, patient=PatientFactory()) for _ in range(2))
    with following.behind():
        assert api.post(BOOK, ours).status_code == 201
        assert ours["start"] not in starts(found(api, service, chen)), "the client reads its own booking"
        assert theirs["start"] in starts(found(other, service, chen)), "another client may be behind"
        assert other.post(BOOK, theirs).status_code == 409
    following.catch_up()
    assert ours["start"] not in starts(found(other, service, chen))
    assert Appointment.objects.count() == 1


def test_a_find_asks_the_database_itself_for_the_token_alone(following, service, chen, api, django_assert_num_queries):
    following.catch_up()
    with django_assert_num_queries(1):
        found(api, service, chen)


def test_what_find_has_read_serves_a_booking(following, service, chen, api):
    """The service and its offerings come from the replica then, and stay in the cache of the process."""
    following.catch_up()
    offering_cache.clear()
    assert api.post(BOOK, proposal(api, service, chen, patient=PatientFactory())).status_code == 201


def test_a_search_reads_the_replica_and_its_disclosure_is_recorded(following, api, other):
    ada = PatientFactory(given="Ada", family="Quinn")
    following.catch_up()
    with following.behind():
        ada.family = "Lindt"
        ada.save()
        assert ids(other.get("Patient", {"family": "Quinn"})) == [ada.fhir_id]
        assert ids(other.get("Patient", {"family": "Lindt"})) == []
        assert api.put(ada.reference, {**api.get(ada.reference).fhir, "gender": "female"}).status_code == 200
        assert ids(api.get("Patient", {"family": "Lindt"})) == [ada.fhir_id]
    searches = AuditEvent.objects.filter(subtype="search", patient=ada)
    assert searches.count() == 2


def test_what_a_person_searches_for_is_read_from_the_database_itself(following, service, chen, manager):
    """A right that has ended ends at once."""
    following.catch_up()
    with following.behind():
        ada = PatientFactory(family="Quinn")
        assert ids(manager.get("Patient", {"family": "Quinn"})) == [ada.fhir_id]
        book(wish(service, chen, at=monday(10), patient=ada))
        assert instant(monday(10)) not in starts(found(manager, service, chen))


def test_the_page_of_times_reads_the_replica(following, service, chen):
    page = f"/book/{service.fhir_id}/"
    guest, stranger = Client(), Client()
    following.catch_up()
    with following.behind():
        service.name = "Another name"
        service.save()
        assert "Another name" not in stranger.get(page).content.decode()
        guest.post(f"{page}hold/", {"time": "nothing"})
        assert "Another name" in guest.get(page).content.decode()
