"""The patient of a row: one rule for scopes, visibility, writing, the audit trail and old versions."""

import pytest

from clinic.fhir.resources import RESOURCES
from clinic.models import PastVersion
from scheduling import access
from scheduling.access.compartments import PATIENT, patient_column, patient_of
from scheduling.access.resource_rules import RULES
from tests.factories import (
    AppointmentFactory,
    CareTeamFactory,
    CommunicationFactory,
    CoverageFactory,
    LocationFactory,
    QuestionnaireResponseFactory,
    ScheduleFactory,
    SlotFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows(ada, service, chen):
    """A row of Ada's for each of these types."""
    visit = AppointmentFactory(patient=ada, service=service)
    found = [
        ada,
        visit,
        CareTeamFactory(patient=ada),
        CommunicationFactory(appointment=visit, patient=ada),
        CoverageFactory(beneficiary=ada),
        QuestionnaireResponseFactory(appointment=visit, patient=ada),
        ScheduleFactory(actor=ada, services=[service]),
        SlotFactory(schedule=chen, appointment=visit),
    ]
    return {row.RESOURCE_TYPE: row for row in found}


def test_every_row_has_one_patient_whichever_way_it_is_asked_for(rows, ada):
    for kind, row in rows.items():
        assert type(row).objects.filter(**{PATIENT[kind]: ada.pk}).get() == row
        assert patient_of(row) == (None if kind == "Slot" else ada.pk), kind
    assert access.patient_of(rows["Coverage"]) == ada.pk


def test_resources_that_describe_the_clinic_belong_to_no_patient(chen):
    assert patient_of(LocationFactory()) is None
    assert patient_of(chen) is None, "a practitioner's calendar"
    assert not PATIENT.keys() - RESOURCES.keys()


def test_one_rule_decides_what_patients_read_and_write():
    assert RULES.keys() - PATIENT.keys() == {"Subscription", "AuditEvent"}
    assert {kind for kind, rule in RULES.items() if rule.patient} <= PATIENT.keys()


def test_old_versions_know_their_patient_by_the_same_rule(rows, ada):
    """The database's trigger stores it, and reads only the columns of the row."""
    own = {kind: row for kind, row in rows.items() if patient_column(kind) in ("patient_id", "beneficiary_id")}
    assert own.keys() == {"Appointment", "CareTeam", "Communication", "Coverage", "QuestionnaireResponse"}
    for row in own.values():
        type(row).objects.filter(pk=row.pk).update(version=row.version + 1)
    kept = dict(PastVersion.objects.values_list("resource_type", "patient_id"))
    assert kept.keys() >= {"Appointment", "CareTeam", "Coverage", "QuestionnaireResponse"}
    assert set(kept.values()) == {ada.pk}
