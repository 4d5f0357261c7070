"""$find and $book take services and offerings from a cache, and yet see every change of them from its commit on.

Each change is committed by another connection than theirs, as another process would do it.
"""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic import models
from tests.api.conftest import api_with
from tests.api.visits import BOOK, FIND, find_query
from tests.factories import (
    DeviceFactory,
    LocationFactory,
    PatientFactory,
    RoleFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
)
from tests.scheduling.situations import another_connection

pytestmark = pytest.mark.django_db(transaction=True)

FREE, CLOSED, NOT_OFFERED, UNKNOWN = 200, 422, 400, 404
# The change of a row by SQL, by the ORM, and of a FHIR resource by the API (a table without a type has none).
CHANGES = [
    ("clinic_healthcareservice", "active = false", {"active": False}, {"active": False}, CLOSED),
    ("clinic_healthcareservice", "deleted_at = now()", None, "DELETE", UNKNOWN),
    ("clinic_schedule", "active = false", {"active": False}, {"active": False}, CLOSED),
    ("clinic_practitioner", "active = false", {"active": False}, {"active": False}, CLOSED),
    ("clinic_practitionerrole", "active = false", {"active": False}, {"active": False}, CLOSED),
    ("clinic_device", "status = 'inactive'", {"status": "inactive"}, {"status": "inactive"}, CLOSED),
    ("clinic_location", "status = 'suspended'", {"status": "suspended"}, {"status": "suspended"}, CLOSED),
    ("clinic_schedulingparameters", "duration = NULL", {"duration": None}, None, NOT_OFFERED),
    ("clinic_schedulingparameters", "availability = '[]'", {"availability": []}, None, FREE),
]
MODELS = {model._meta.db_table: model for model in (*models.RESOURCE_MODELS, models.SchedulingParameters)}


class World:
    """A service that takes a doctor's role and a device, each with its schedule."""

    def __init__(self):
        self.api = api_with()
        self.service = ServiceFactory()
        self.site = LocationFactory()
        self.schedules = [
            ScheduleFactory(services=[self.service], actor=RoleFactory(), site=self.site),
            ScheduleFactory(services=[self.service], actor=DeviceFactory(location=RoomFactory(part_of=self.site))),
        ]

    def find(self):
        """The status and what was found, by one $find."""
        response = self.api.get(FIND, find_query(self.service, *self.schedules))
        return response.status_code, response.fhir

    def cached(self):
        """The same, served from the cache."""
        self.find()
        with CaptureQueriesContext(connection) as statements:
            found = self.find()
        assert len(statements) == 2
        return found


def elsewhere(change):
    """Do it in another thread, with a connection of its own."""

    def work():
        try:
            change()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(work).result(timeout=30)


def by_sql(table, assignment):
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {assignment}")


def by_orm(model, fields):
    for row in model.objects.all():
        for name, value in fields.items():
            setattr(row, name, value)
        row.save()


def by_api(api, model, change):
    for row in model.objects.filter(deleted_at=None):
        if change == "DELETE":
            with connection.cursor() as cursor:  # what refers to a resource keeps it from being deleted
                cursor.execute("UPDATE clinic_schedule SET offers_all_services = true")
            models.Schedule.services.through.objects.all().delete()
            response = api.delete(row.reference)
        else:
            resource = api.get(row.reference).fhir
            response = api.put(row.reference, {**resource, **change})
        assert response.status_code in (200, 204), response.content


@pytest.mark.parametrize(("table", "assignment", "fields", "resource", "status"), CHANGES)
def test_a_change_by_sql_orm_and_api_is_seen_at_once(table, assignment, fields, resource, status):
    model = MODELS[table]
    world = World()
    ways = [
        lambda: by_sql(table, assignment),
        fields and (lambda: by_orm(model, fields)),
        resource and (lambda: by_api(world.api, model, resource)),
    ]
    before = {row.pk: row for row in model.objects.all()}
    found = world.cached()
    assert found[0] == FREE
    for change in filter(None, ways):
        elsewhere(change)
        assert world.find()[0] == status
        assert world.find() != found
        for row in before.values():
            elsewhere(row.save)
        if change is not ways[-1]:
            assert world.cached() == found


@pytest.mark.parametrize(("table", "assignment", "fields", "resource", "status"), CHANGES)
def test_a_booking_sees_a_change_at_once(table, assignment, fields, resource, status):
    model = MODELS[table]
    world = World()
    before = {row.pk: row for row in model.objects.all()}
    proposed = world.cached()[1]["entry"][0]["resource"]
    proposed["participant"].append({"actor": {"reference": PatientFactory().reference}, "status": "accepted"})
    elsewhere(lambda: by_sql(table, assignment))
    refused = world.api.post(BOOK, proposed)
    assert refused.status_code == (CLOSED if status == FREE else status)  # found is nothing, or an error
    assert not models.Appointment.objects.exists()
    for row in before.values():
        elsewhere(row.save)
    assert world.api.post(BOOK, proposed).status_code == 201


def test_a_service_that_a_schedule_no_longer_offers_is_refused():
    world = World()
    assert world.cached()[0] == FREE
    elsewhere(lambda: models.Schedule.services.through.objects.all().delete())
    assert world.find()[0] == NOT_OFFERED
    elsewhere(lambda: world.schedules[0].services.set([world.service]))
    elsewhere(lambda: world.schedules[1].services.set([world.service]))
    assert world.cached()[0] == FREE


def test_a_change_counts_when_it_is_committed_and_not_before():
    world = World()
    found = world.cached()
    with another_connection() as other:
        other("BEGIN")
        other("UPDATE clinic_schedule SET active = false")
        assert world.cached() == found
        other("ROLLBACK")
        assert world.cached() == found
        other("BEGIN")
        other("UPDATE clinic_schedule SET active = false")
        assert world.cached() == found
        other("COMMIT")
        assert world.find()[0] == CLOSED
        other("UPDATE clinic_schedule SET active = true")
    assert world.cached() == found


def test_a_token_that_is_revoked_is_refused_at_once():
    world = World()
    world.cached()
    with another_connection() as other:
        other("DELETE FROM oauth2_provider_accesstoken")
    assert world.find()[0] == 401
