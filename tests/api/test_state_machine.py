"""Every step of an Appointment from status to status, allowed or refused, by each use case and request that changes it.

https://hl7.org/fhir/R4/valueset-appointmentstatus.html has the statuses, Argonaut Scheduling and Oracle Health's R4 API
the sequences.
"""

from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.models import Appointment, Slot
from tests.api.conftest import Api, codes, texts
from tests.api.visits import HOLD, proposal, visit
from tests.factories import AppointmentFactory, PatientFactory, ScheduleFactory, ServiceFactory, UserFactory

STATUSES = Appointment.Status.values
ENDS = {"cancelled", "entered-in-error"}
WAITING = {"proposed", "pending"}  # and have taken their time
# By PUT and PATCH.
STEPS = {
    "proposed": {"waitlist", "booked", *ENDS},
    "waitlist": {"proposed", *ENDS},
    "pending": {"booked", *ENDS},
    "booked": {"arrived", "checked-in", "fulfilled", "noshow", *ENDS},
    "arrived": {"checked-in", "fulfilled", "noshow", *ENDS},
    "checked-in": {"arrived", "fulfilled", *ENDS},
    "fulfilled": {"entered-in-error"},
    "noshow": {"entered-in-error"},
    "cancelled": {"entered-in-error"},
    "entered-in-error": set(),
}
# https://docs.oracle.com/en/industries/health/millennium-platform-apis/mfrap/common_issues.html
ORACLES = {
    "proposed": {"booked", "cancelled"},
    "booked": {"arrived", "checked-in", "cancelled"},
    "arrived": {"checked-in", "cancelled"},
    "checked-in": {"fulfilled", "cancelled"},
}
ARGONAUTS = {
    "pending": {"booked", "cancelled"},
    "booked": {"arrived", "noshow", "cancelled"},
    "arrived": {"fulfilled", "cancelled"},
}
OPERATIONS = {
    "$confirm": ({"proposed", "pending"}, "booked"),
    "$cancel": ({"proposed", "waitlist", "pending", "booked", "arrived", "checked-in"}, "cancelled"),
    "$reschedule": ({"pending", "booked"}, None),
}


def appointment(status, **fields):
    """A visit that has just begun, so that no step is too early."""
    start = timezone.now().replace(microsecond=0) - timedelta(minutes=1)
    return AppointmentFactory(status=status, start=start, **fields)


def by_patch(api, row, status):
    return api.patch(row.reference, [{"op": "replace", "path": "/status", "value": status}])


def by_put(api, row, status):
    return api.put(row.reference, {**api.get(row.reference).fhir, "status": status})


def by_transaction(api, row, status):
    resource = {**api.get(row.reference).fhir, "status": status}
    entry = {"resource": resource, "request": {"method": "PUT", "url": row.reference}}
    return api.post("", {"resourceType": "Bundle", "type": "transaction", "entry": [entry]})


def test_the_sequences_of_others_are_among_ours():
    for sequences in (ORACLES, ARGONAUTS):
        for status, steps in sequences.items():
            assert steps <= STEPS[status], status


@pytest.mark.parametrize("write", [by_patch, by_put, by_transaction])
@pytest.mark.parametrize("current", STATUSES)
def test_each_step_by_a_write(api, current, write):
    patient, schedule = PatientFactory(), ScheduleFactory()
    schedules = [schedule] if current in WAITING else []
    for expected in STATUSES:
        row = appointment(current, patient=patient, service=schedule.services.get(), schedules=schedules)
        response = write(api, row, expected)
        row.refresh_from_db()
        if expected == current:
            assert (response.status_code, row.status, row.version) == (200, current, 1), expected
        elif expected in STEPS[current]:
            assert (response.status_code, row.status, row.version) == (200, expected, 2), expected
        else:
            assert (response.status_code, codes(response)) == (409, ["conflict"]), expected
            assert f"A visit that is {current} cannot become {expected}" in texts(response)
            assert (row.status, row.version) == (current, 1), expected
        Slot.objects.filter(appointment=row).update(deleted_at=timezone.now())
        Appointment.objects.filter(pk=row.pk).update(deleted_at=timezone.now())


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_step_by_an_operation(api, operation):
    schedule = ScheduleFactory()
    service = schedule.services.get()
    allowed, result = OPERATIONS[operation]
    begin = timezone.now() + timedelta(minutes=1)
    for current in STATUSES:
        row = AppointmentFactory(status=current, service=service, start=begin)
        body = {"resourceType": "Parameters"}
        if operation == "$reschedule":
            time = proposal(api, service, schedule)
            body["parameter"] = [
                {"name": "start", "valueDateTime": time["start"]},
                {"name": "schedule", "valueReference": {"reference": schedule.reference}},
            ]
        response = api.post(f"{row.reference}/{operation}", body)
        row.refresh_from_db()
        if current in allowed:
            assert (response.status_code, row.status, row.version) == (200, result or current, 2), current
        else:
            assert (response.status_code, codes(response)) == (409, ["conflict"]), current
            assert (row.status, row.version) == (current, 1), current
        Slot.objects.filter(appointment=row).update(deleted_at=timezone.now())


# `booked` by a write is a confirmation


@pytest.mark.parametrize("write", [by_patch, by_put, by_transaction])
def test_a_hold_that_becomes_booked_keeps_its_time_and_is_confirmed(api, ada, write):
    schedule = ScheduleFactory()
    held = visit(api.post(HOLD, proposal(api, schedule.services.get(), schedule, patient=ada)))
    row = Appointment.objects.get(fhir_id=held["id"])
    assert write(api, row, "booked").status_code == 200
    row.refresh_from_db()
    assert (row.status, row.hold_expires_at) == ("booked", None)
    assert {each["status"] for each in row.participant} == {"accepted"}
    assert list(row.slots.values_list("status", "hold_expires_at")) == [("busy", None)]
    assert row.communications.filter(event="confirmation").exists()


def test_a_hold_that_has_expired_does_not_become_booked(api, ada):
    now = timezone.now()
    expired = {"hold_expires_at": now - timedelta(seconds=1), "schedules": [ScheduleFactory()]}
    row = AppointmentFactory(status="pending", start=now, patient=ada, **expired)
    response = by_patch(api, row, "booked")
    assert (response.status_code, codes(response)) == (409, ["expired"])


def test_requirements_of_the_service_are_checked_by_a_write_too(api, ada):
    schedule = ScheduleFactory(services=[ServiceFactory(requires_coverage=True)])
    row = appointment("proposed", service=schedule.services.get(), patient=ada, schedules=[schedule])
    response = by_patch(api, row, "booked")
    assert (response.status_code, codes(response)) == (422, ["business-rule"])
    assert "coverage" in texts(response)


def test_an_appointment_without_slots_is_not_booked(api, ada):
    row = appointment("proposed", patient=ada)
    response = by_patch(api, row, "booked")
    assert (response.status_code, response.fhir["issue"][0]["expression"]) == (422, ["Appointment.slot"])
    row.refresh_from_db()
    assert row.status == "proposed"


def test_a_service_on_request_makes_it_a_request(api, ada):
    schedule = ScheduleFactory(services=[ServiceFactory(on_request=True)])
    held = visit(api.post(HOLD, proposal(api, schedule.services.get(), schedule, patient=ada)))
    response = api.patch(f"Appointment/{held['id']}", [{"op": "replace", "path": "/status", "value": "booked"}])
    assert (response.status_code, response.fhir["status"]) == (200, "pending")
    assert Appointment.objects.get(fhir_id=held["id"]).is_request
    again = api.patch(f"Appointment/{held['id']}", [{"op": "replace", "path": "/status", "value": "booked"}])
    assert (again.status_code, codes(again)) == (422, ["business-rule"])


def test_a_patient_only_cancels(db):
    patient = PatientFactory(user=UserFactory())
    row = appointment("proposed", patient=patient)
    response = by_patch(Api(user=patient.user), row, "booked")
    assert (response.status_code, codes(response)) == (422, ["business-rule"])


def test_a_waitlist_entry_takes_no_time(api):
    row = appointment("proposed", schedules=[ScheduleFactory()])
    assert by_patch(api, row, "waitlist").status_code == 200
    assert not Slot.objects.filter(appointment=row, deleted_at=None).exists()
