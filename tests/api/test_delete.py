"""https://hl7.org/fhir/R4/http.html#delete"""

import pytest

from clinic.fhir.resources import RESOURCES
from clinic.models import AuditEvent, Patient, Slot
from tests.api.conftest import Api, api_with, codes, texts
from tests.factories import (
    FACTORIES,
    MONDAY_9,
    AppointmentFactory,
    CareTeamFactory,
    CoverageFactory,
    LocationFactory,
    PatientFactory,
    PractitionerFactory,
    RoleFactory,
    ScheduleFactory,
    SlotFactory,
)


def test_a_deleted_resource_is_gone_and_has_no_effect(api):
    patient = PatientFactory()
    response = api.delete(patient.reference)
    assert (response.status_code, response.content, response["ETag"]) == (204, b"", 'W/"2"')
    assert api.get(patient.reference).status_code == 410
    assert api.get("Patient").fhir["total"] == 0


def test_deleting_again_changes_nothing(api):
    patient = PatientFactory()
    api.delete(patient.reference)
    assert api.delete(patient.reference)["ETag"] == 'W/"2"'


def test_a_missing_row_is_not_found(api):
    assert api.delete("Patient/nobody").status_code == 204


def test_an_outcome_is_returned_if_preferred(api):
    response = api.delete(PatientFactory().reference, prefer="return=OperationOutcome")
    assert (response.status_code, codes(response)) == (200, ["informational"])


def test_only_the_version_that_was_read_is_deleted(api):
    patient = PatientFactory(version=3)
    assert api.delete(patient.reference, if_match='W/"2"').status_code == 412
    assert api.delete(patient.reference, if_match='W/"3"').status_code == 204


@pytest.mark.parametrize(
    ("make", "of"),
    [
        (CoverageFactory, lambda row: row.beneficiary),
        (ScheduleFactory, lambda row: row.actor),
        (ScheduleFactory, lambda row: row.services.get()),
        (SlotFactory, lambda row: row.schedule),
        (RoleFactory, lambda row: row.practitioner),
        (lambda: LocationFactory(part_of=LocationFactory()), lambda row: row.part_of),
    ],
    ids=["coverage", "calendar", "service", "slot", "role", "room"],
)
def test_a_referenced_resource_stays_and_the_refusal_names_the_referrers(api, make, of):
    row = make()
    response = api.delete(of(row).reference)
    assert (response.status_code, codes(response)) == (409, ["conflict"])
    assert row.reference in texts(response)
    assert api.get(of(row).reference).status_code == 200


def test_a_participant_cannot_be_deleted(api):
    chen = PractitionerFactory()
    team = CareTeamFactory(participant=[{"member": {"reference": chen.reference}}])
    assert team.reference in texts(api.delete(chen.reference))
    api.delete(team.reference)
    assert api.delete(chen.reference).status_code == 204


def test_invisible_referrers_are_not_named(db):
    coverage = CoverageFactory()
    response = api_with("system/Patient.rd").delete(coverage.beneficiary.reference)
    assert response.status_code == 409
    assert coverage.fhir_id not in texts(response)


def test_a_visit_is_called_off_before_it_is_deleted(api):
    appointment = AppointmentFactory(schedules=[ScheduleFactory()])
    response = api.delete(appointment.reference)
    assert (response.status_code, codes(response)) == (409, ["conflict"])
    assert "cancelled" in texts(response)
    assert api.delete(appointment.slots.get().reference).status_code == 409
    api.patch(appointment.reference, [{"op": "replace", "path": "/status", "value": "cancelled"}])
    assert api.delete(appointment.reference).status_code == 204
    assert api.get(appointment.reference).status_code == 410
    assert set(AuditEvent.objects.values_list("subtype", flat=True)) >= {"cancel", "delete"}


def test_the_time_of_a_deleted_slot_is_free_again(api):
    taken = SlotFactory(start=MONDAY_9)
    assert api.delete(taken.reference).status_code == 204
    body = {
        "resourceType": "Slot",
        "schedule": {"reference": taken.schedule.reference},
        "status": "busy",
        "start": "2026-01-05T14:00:00Z",
        "end": "2026-01-05T14:30:00Z",
    }
    assert api.post("Slot", body).status_code == 201
    assert Slot.objects.filter(deleted_at=None).count() == 1


def test_a_deleted_resource_written_again_gets_the_next_version(api):
    patient = PatientFactory(fhir_id="ada")
    api.delete(patient.reference)
    response = api.put("Patient/ada", {"resourceType": "Patient", "id": "ada", "gender": "female"})
    assert (response.status_code, response["ETag"]) == (201, 'W/"3"')
    assert api.get("Patient").fhir["total"] == 1


def test_time_that_was_deleted_does_not_come_back(api):
    taken = SlotFactory()
    body = api.get(taken.reference).fhir
    api.delete(taken.reference)
    response = api.put(taken.reference, body)
    assert (response.status_code, codes(response)) == (410, ["deleted"])


@pytest.mark.parametrize("scopes", ["system/Patient.cru", "system/Slot.cruds"])
def test_software_deletes_what_its_scopes_say(db, scopes):
    patient = PatientFactory()
    assert api_with(scopes).delete(patient.reference).status_code == 403
    assert Patient.objects.get().deleted_at is None


def test_patients_delete_nothing(ada, bo):
    mine = Api(user=ada.user)
    for patient in (ada, bo):
        assert mine.delete(patient.reference).status_code == 403


@pytest.mark.parametrize("kind", RESOURCES)
def test_every_type_is_patched_and_deleted_or_says_why_not(api, kind):
    row = FACTORIES[kind]()
    patched = api.patch(row.reference, [{"op": "add", "path": "/language", "value": "en"}])
    deleted = api.delete(row.reference)
    if RESOURCES[kind].from_fhir is None:
        assert (patched.status_code, deleted.status_code) == (405, 405)
    else:
        assert patched.status_code == (422 if kind == "AppointmentResponse" else 200)
        assert deleted.status_code == (409 if kind == "Appointment" else 204)


def test_a_deletion_is_a_few_statements(api, django_assert_num_queries):
    chen = PractitionerFactory()
    with django_assert_num_queries(11):
        assert api.delete(chen.reference).status_code == 204
