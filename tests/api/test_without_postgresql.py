"""The API while PostgreSQL is unavailable: a repeated request is executed once."""

import pytest
from django.db import DatabaseError, OperationalError, connection

from api import search
from clinic.models import Appointment, Slot
from tests.api.conftest import codes
from tests.api.visits import BOOK, proposal
from tests.factories import ScheduleFactory, ServiceFactory


@pytest.fixture
def cut():
    """End the connection of each transaction that inserts a Slot, until the returned function is called."""

    def stop():
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION IF EXISTS cut CASCADE")

    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql"
            " AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$"
        )
        cursor.execute("CREATE TRIGGER cut AFTER INSERT ON clinic_slot FOR EACH ROW EXECUTE FUNCTION cut()")
    yield stop
    stop()


def test_a_search_is_answered_503(api, without_postgresql):
    response = without_postgresql(api.get, "Patient")
    assert (response.status_code, codes(response)) == (503, ["transient"])
    assert response["Retry-After"] == "5"


@pytest.mark.django_db(transaction=True)
def test_a_booking_that_lost_its_connection_is_made_once_when_it_is_sent_again(api, ada, cut):
    service = ServiceFactory()
    chen = ScheduleFactory(services=[service])
    proposed_visit = proposal(api, service, chen, patient=ada)

    lost = api.post(BOOK, proposed_visit, idempotency_key="one")
    assert (lost.status_code, codes(lost)) == (503, ["transient"])
    assert not Appointment.objects.exists()
    cut()

    assert api.post(BOOK, proposed_visit, idempotency_key="one").status_code == 201
    assert api.post(BOOK, proposed_visit, idempotency_key="one")["Idempotency-Replayed"] == "true"
    assert Appointment.objects.count() == Slot.objects.count() == 1


@pytest.mark.parametrize("error", [OperationalError("disk full"), DatabaseError("a bug")])
def test_any_other_error_of_the_database_is_a_bug(api, monkeypatch, error):
    def fail(*args, **named):
        raise error

    monkeypatch.setattr(search, "answer", fail)
    api.client.raise_request_exception = False
    response = api.get("Patient")
    assert (response.status_code, codes(response)) == (500, ["exception"])
