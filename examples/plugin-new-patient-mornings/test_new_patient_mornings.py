"""New patients are refused in the afternoon; staff hear that the patient is new."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from new_patient_mornings import NewPatientMornings

from scheduling.plugins import (
    BookingFacts,
    BookingStep,
    CallerFacts,
    Door,
    PatientFacts,
    PluginRefusal,
    PluginWarning,
    ServiceFacts,
)

REFUSAL = PluginRefusal("New patients are seen in the morning. Choose a time before 12 noon.")
WARNING = PluginWarning("The patient is new: plan ten minutes for the papers.")


def facts(hour: int, *patients: PatientFacts) -> BookingFacts:
    start = datetime(2027, 3, 1, hour, tzinfo=ZoneInfo("America/New_York"))
    return BookingFacts(
        step=BookingStep.BOOK,
        appointment="",
        service=ServiceFacts(reference="HealthcareService/check-up", name="Check-up"),
        start=start,
        end=start + timedelta(minutes=30),
        schedules=("Schedule/chen",),
        practitioners=("Practitioner/chen",),
        locations=(),
        patients=patients,
        caller=CallerFacts(door=Door.PATIENTS),
        override="",
        language="en",
    )


def patient(*, is_new: bool) -> PatientFacts:
    return PatientFacts(reference="Patient/ada", born="1985-03-27", is_new=is_new)


@pytest.mark.parametrize(
    ("hour", "patients", "findings"),
    [
        (11, [patient(is_new=True)], [WARNING]),
        (12, [patient(is_new=True)], [REFUSAL, WARNING]),
        (12, [patient(is_new=False)], []),
        (12, [], []),
    ],
)
def test_findings(hour, patients, findings):
    assert list(NewPatientMornings().before_booking(facts(hour, *patients))) == findings
