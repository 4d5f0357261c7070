"""The cached SQL statements do the same as Django's own."""

from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.utils import timezone

from clinic.exact_json import loads
from clinic.models import RESOURCE_MODELS, Appointment, AuditEvent, Communication, HealthcareService, Patient, Slot
from clinic.models.statements import (
    exists,
    find,
    insert,
    insert_together,
    insert_without_conflicts,
    read,
    update,
    update_together,
)
from tests.factories import AppointmentFactory, PatientFactory, ScheduleFactory, ServiceFactory

pytestmark = pytest.mark.django_db


def columns(row):
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def slot(schedule, start, **fields):
    times = {"start": start, "end": start + timedelta(hours=1), "last_updated": start}
    return Slot(schedule=schedule, bookable_id=schedule.bookable_id, status="busy", **times, **fields)


def message(patient):
    now = timezone.now()
    return Communication(event="proof", medium="email", patient=patient, due=now, last_updated=now)


@pytest.mark.parametrize("make", [ServiceFactory, PatientFactory])
def test_a_row_is_found_as_django_would_read_it(make, django_assert_num_queries):
    row = make(extra={"language": "es"})
    with django_assert_num_queries(1):
        found = find(type(row), "id", row.pk)
    assert columns(found) == columns(type(row).objects.get(pk=row.pk))
    assert columns(find(type(row), "fhir_id", row.fhir_id)) == columns(found)


@pytest.mark.parametrize("model", RESOURCE_MODELS)
def test_an_insert_may_read_the_values_of_a_row_as_they_are(model):
    """No field computes its value when it is saved, as one with auto_now does."""
    row = model()
    before = columns(row)
    saved = {field.attname: field.pre_save(row, add=True) for field in model._meta.concrete_fields}
    assert {name for name in saved if saved[name] is not before[name]} == set()


@pytest.mark.parametrize("model", [HealthcareService, Patient])
def test_a_missing_row_is_none(model):
    assert find(model, "fhir_id", "nobody") is None


def test_a_deleted_row_is_not_found():
    patient = PatientFactory(deleted_at=timezone.now())
    assert find(Patient, "id", patient.pk) is None


def test_a_row_is_read_with_its_related_rows(ada, django_assert_num_queries):
    row = AppointmentFactory(patient=ada, service=ServiceFactory(reminders=[timedelta(days=1)]))
    alone = AppointmentFactory(patient=None, service=None)
    with django_assert_num_queries(2):
        found = read(Appointment, row.fhir_id, "service", "patient")
        lone = read(Appointment, alone.fhir_id, "service", "patient", lock=True)
        assert columns(found.service) == columns(HealthcareService(**columns(row.service)))
        assert (found.patient, lone.service, lone.patient) == (ada, None, None)
    assert columns(found) == columns(Appointment.objects.get(pk=row.pk))
    assert columns(found.patient) == columns(Patient.objects.get(pk=ada.pk))


def test_a_missing_or_deleted_row_is_not_read():
    deleted = AppointmentFactory(deleted_at=timezone.now())
    assert read(Appointment, deleted.fhir_id, "service") is None
    assert read(Appointment, "nobody", lock=True) is None


def test_all_columns_of_a_row_are_updated(ada, django_assert_num_queries):
    row = AppointmentFactory(patient=None, comment="Once")
    row.patient, row.comment, row.cancelation_reason = ada, 'A "quote", ö and \u2019', None
    row.extra = loads('{"weight": 20.00, "count": 12345678901234567890123}')
    row.hold_extended, row.attendance_confirmed = True, timezone.now()
    with django_assert_num_queries(1):
        update(row)
    found = Appointment.objects.get()
    assert columns(found) == columns(row)
    assert [str(found.extra[name]) for name in ("weight", "count")] == ["20.00", "12345678901234567890123"]


def test_a_row_is_updated_together_with_rows_that_are_inserted(ada, django_assert_num_queries):
    row, now = AppointmentFactory(patient=None), timezone.now()
    row.patient, row.comment = ada, "Once"
    lines = [AuditEvent(recorded=now, last_updated=now, action="U", subtype=f"n{n}", appointment=row) for n in (2, 1)]
    with django_assert_num_queries(1):
        update_together(row, lines)
    assert columns(Appointment.objects.get()) == columns(row)
    assert [columns(each) for each in AuditEvent.objects.order_by("pk")] == [columns(each) for each in lines]


def test_a_row_exists_unless_it_is_deleted(ada):
    AppointmentFactory(patient=ada, deleted_at=timezone.now())
    assert not exists(Appointment, "patient_id", ada.pk)
    AppointmentFactory(patient=ada)
    assert exists(Appointment, "patient_id", ada.pk)


def test_inserted_rows_have_the_columns_that_the_database_fills(django_assert_num_queries):
    schedule, now = ScheduleFactory(), timezone.now()
    slots = [slot(schedule, now + timedelta(hours=n), extra={"n": n}) for n in range(3)]
    with django_assert_num_queries(1):
        insert(slots)
        assert [each.blocks_from is not None for each in slots] == [True] * 3
    assert [columns(each) for each in Slot.objects.order_by("pk")] == [columns(each) for each in slots]


def together(schedule, now, *starts):
    """An unsaved visit with a Slot at each of these hours from now, and an audit line."""
    visit = Appointment(status="booked", start=now, end=now + timedelta(hours=1), created=now, last_updated=now)
    slots = [slot(schedule, now + timedelta(hours=start), appointment=visit) for start in starts]
    return visit, slots, AuditEvent(recorded=now, last_updated=now, action="C", subtype="book", appointment=visit)


def test_rows_that_belong_together_are_inserted_by_one_statement(django_assert_num_queries):
    schedule, now = ScheduleFactory(), timezone.now()
    visit, slots, line = together(schedule, now, 3, 0)
    with django_assert_num_queries(1):
        assert insert_together(visit, "appointment_id", slots, [line])
    for row in (visit, *slots, line):
        assert columns(row) == columns(type(row).objects.get(pk=row.pk))
    assert {row.appointment_id for row in (*slots, line)} == {visit.pk}
    assert slots[0].pk < slots[1].pk  # in their order, whatever it is


def test_rows_that_belong_together_are_not_all_written_if_one_is_forbidden(ada):
    schedule, now = ScheduleFactory(), timezone.now()
    visit, slots, line = together(schedule, now, 0)
    assert insert_together(visit, "appointment_id", slots, [line])
    other, theirs, another_line = together(schedule, now, 2, 0)
    assert not insert_together(other, "appointment_id", theirs, [another_line])
    same_id, others, _ = together(schedule, now, 5)
    same_id.fhir_id = visit.fhir_id
    assert not insert_together(same_id, "appointment_id", others)
    assert (same_id.pk, others[0].pk) == (None, None)
    assert not Slot.objects.filter(fhir_id=others[0].fhir_id).exists()


def test_a_row_that_was_inserted_is_updated_when_it_is_saved():
    written = message(PatientFactory())
    insert([written])
    written.subject = "Once more"
    written.save()
    assert Communication.objects.get().subject == "Once more"


def test_a_row_that_a_constraint_forbids_is_left_out_or_an_error():
    schedule, now = ScheduleFactory(), timezone.now()
    first, same, later = (slot(schedule, now + timedelta(hours=n)) for n in (0, 0, 2))
    assert insert_without_conflicts([first, same, later]) == [first, later]
    assert same.pk is None
    with pytest.raises(IntegrityError):
        insert([same])
