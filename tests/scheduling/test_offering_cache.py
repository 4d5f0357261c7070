"""The stamp of the offerings, and the cache under it: nothing that it returns is ever stale."""

import re

import pytest
from django.db import connection, transaction
from django.utils import timezone

from clinic.models import Appointment, Patient, Schedule
from scheduling import availability, booking
from scheduling.availability.offering_cache import STAMP, OfferingCache, offering_cache
from scheduling.availability.schedule_rows import OF_ALL
from tests.factories import PatientFactory, ScheduleFactory, ServiceFactory
from tests.scheduling.situations import SOFTWARE, another_connection, hold, monday, wish


def triggers():
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgrelid::regclass::text, tgtype FROM pg_trigger WHERE tgname = 'stamp_offerings'")
        return dict(cursor.fetchall())


def current_stamp():
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {STAMP}")
        return cursor.fetchone()[0]


def stamps():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM clinic_offeringstamp")
        return cursor.fetchone()[0]


def test_every_table_that_offerings_are_read_from_has_the_trigger(db):
    read = set(re.findall(r"(?:FROM|JOIN) (clinic_\w+)", OF_ALL))
    after_each_statement_of_any_kind = 4 | 8 | 16 | 32  # https://github.com/postgres/postgres: pg_trigger.h
    assert set(triggers()) == read
    assert {table for table, kind in triggers().items() if kind != after_each_statement_of_any_kind} == {
        "clinic_patient"
    }


def test_every_statement_changes_the_stamp(db):
    ScheduleFactory()
    seen = [current_stamp()]
    for table in sorted(triggers().keys() - {"clinic_patient"}):
        for sql in (f"UPDATE {table} SET id = id", f"DELETE FROM {table} WHERE id = -1"):
            with connection.cursor() as cursor:
                cursor.execute(sql)
            seen.append(current_stamp())
    ScheduleFactory()
    seen.append(current_stamp())
    assert None not in seen
    assert len(set(seen)) == len(seen) > 18


def test_only_the_id_of_a_patient_counts(db):
    patient, before = PatientFactory(), current_stamp()
    patient.given = "Someone"
    patient.save()
    PatientFactory()
    assert current_stamp() == before
    Patient.objects.filter(pk=patient.pk).update(fhir_id="another")
    assert current_stamp() != before


def test_bookings_do_not_change_it(db, ada):
    service = ServiceFactory()
    schedule = ScheduleFactory(services=[service])
    before = current_stamp()
    held = hold(wish(service, schedule, at=monday(10), patient=ada))
    booking.confirm(held.fhir_id, caller=SOFTWARE, now=timezone.now())
    booking.cancel(held.fhir_id, caller=SOFTWARE, now=timezone.now())
    assert Appointment.objects.get(pk=held.pk).status == "cancelled"
    assert current_stamp() == before


def test_a_transaction_sees_its_own_changes_and_takes_them_back(db):
    schedule = ScheduleFactory()
    service = schedule.services.get()

    def offerings():
        found = availability.arrangements_for(service, stamp=current_stamp())
        return [each.fhir_id for way in found for pool in way for each in pool]

    before = current_stamp()
    assert offerings() == [schedule.fhir_id]
    with transaction.atomic():
        Schedule.objects.update(active=False)
        assert offerings() == []
        Schedule.objects.update(active=True)
        assert offerings() == [schedule.fhir_id]
        Schedule.objects.update(active=False)
        assert offerings() == []
        transaction.set_rollback(True)
    assert current_stamp() == before
    assert offerings() == [schedule.fhir_id]


@pytest.mark.django_db(transaction=True)
def test_a_change_counts_from_its_commit_on_whichever_began_first():
    ScheduleFactory.create_batch(2)
    seen = [current_stamp()]
    with another_connection() as first, another_connection() as second:
        first("BEGIN")
        first("UPDATE clinic_schedule SET active = false WHERE id = (SELECT min(id) FROM clinic_schedule)")
        second("BEGIN")
        second("UPDATE clinic_schedule SET active = false WHERE id = (SELECT max(id) FROM clinic_schedule)")
        assert current_stamp() == seen[0]
        second("COMMIT")
        seen.append(current_stamp())
        first("UPDATE clinic_practitioner SET active = active")
        assert current_stamp() == seen[1]
        first("COMMIT")
        seen.append(current_stamp())
        second("UPDATE clinic_schedule SET active = true")
        seen.append(current_stamp())
    assert len(set(seen)) == 4
    assert stamps() == 1


@pytest.mark.django_db(transaction=True)
def test_changes_in_opposite_order_do_not_wait_for_each_other():
    ScheduleFactory()
    with another_connection() as first, another_connection() as second:
        for connect in (first, second):
            connect("SET lock_timeout = 1000")
            connect("BEGIN")
        first("UPDATE clinic_schedule SET active = false")
        second("UPDATE clinic_healthcareservice SET active = false")
        first("UPDATE clinic_schedulingparameters SET duration = 20")
        second("UPDATE clinic_practitioner SET active = false")
        first("COMMIT")
        second("ROLLBACK")
    assert stamps() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("committed", ["before the offerings are read", "after they are read"])
def test_offerings_read_during_a_commit_are_never_kept_under_another_stamp(committed):
    ScheduleFactory()
    cache, stamp = OfferingCache(most=10), current_stamp()

    def read():
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT active, {STAMP} FROM clinic_schedule")
            return cursor.fetchone()

    with another_connection() as other:

        def read_during_a_commit():
            if committed == "before the offerings are read":
                other("UPDATE clinic_schedule SET active = false")
            found = read()
            if committed == "after they are read":
                other("UPDATE clinic_schedule SET active = false")
            return found

        is_old = committed == "after they are read"
        assert cache.find(stamp, "active", read_during_a_commit, lambda _: 1) is is_old
        assert len(cache) == is_old  # kept under the old stamp, which nobody reads any more
        for _ in range(2):
            assert cache.find(current_stamp(), "active", read, lambda _: 1) is False
    assert len(cache) == 1 + is_old


def test_the_stamp_is_read_together_with_the_offerings(db, django_assert_num_queries):
    schedule = ScheduleFactory()
    service = schedule.services.get()
    offering_cache.clear()
    stamp = current_stamp()

    def find():
        named = availability.service_of(service.fhir_id, stamp=stamp)
        offerings = availability.offerings_of(named, [schedule.fhir_id], stamp=stamp)
        return named, offerings, availability.arrangements_for(named, stamp=stamp)

    with django_assert_num_queries(3):
        found = find()
    with django_assert_num_queries(0):
        assert find() == found
    named, offerings, arrangements = found
    assert (named, offerings) == (service, availability.offerings_of(service, [schedule.fhir_id]))
    assert arrangements == ((tuple(offerings),),)


def test_a_value_is_read_once_for_a_stamp(db):
    cache, stamp, reads = OfferingCache(most=10), current_stamp(), []
    for question in ("one", "two", "one", "two"):
        cache.find(stamp, question, lambda question=question: (reads.append(question), stamp), lambda _: 1)
    assert reads == ["one", "two"]


def test_without_a_stamp_everything_is_read(db, django_assert_num_queries):
    cache = OfferingCache(most=10)
    with django_assert_num_queries(0):
        assert [cache.find(None, "number", lambda: (1, None), lambda _: 1) for _ in range(2)] == [1, 1]
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM clinic_offeringstamp")
    assert current_stamp() is None
    assert len(cache) == 0


def test_its_size_is_limited_and_the_least_recently_used_go(db):
    cache, stamp, reads = OfferingCache(most=3), current_stamp(), []

    def find(question, size):
        return cache.find(stamp, question, lambda: (reads.append(question), stamp), lambda _: size)

    for question, size in (("one", 1), ("two", 1), ("one", 1), ("three", 2), ("one", 1), ("two", 1)):
        find(question, size)
    assert reads == ["one", "two", "three", "two"]
    find("larger than the cache", 4)
    find("larger than the cache", 4)
    find("two", 1)
    assert reads[4:] == ["larger than the cache"] * 2
    assert len(cache) == 2


def test_a_service_from_the_cache_belongs_to_its_reader(db):
    offering_cache.clear()
    service, stamp = ServiceFactory(name="Check-up"), current_stamp()
    for _ in range(2):
        found = availability.service_of(service.fhir_id, stamp=current_stamp())
        assert found is not None
        assert found.name == "Check-up"
        found.name = "Changed by its reader"
    assert current_stamp() == stamp
