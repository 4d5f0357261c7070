"""Patients who have died, are inactive or were merged: staff see it on every page, and why nothing is booked."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains

from clinic.models import Appointment, Patient
from tests.factories import NEW_YORK, AppointmentFactory, PatientFactory

pytestmark = pytest.mark.django_db(transaction=True)
DIALOG = {"HX-Request": "true"}
MERGED = {"link": [{"type": "replaced-by", "other": {"reference": "Patient/elsewhere", "display": "Eve Long"}}]}
# The state of the record, the note beside the name, and the refusal of a booking.
CLOSED = {
    "died": ({"extra": {"deceasedBoolean": True}}, "Died", "This patient has died. Nothing can be booked for them."),
    "inactive": (
        {"active": False},
        "Inactive record",
        "This patient\u2019s record is inactive. The clinic can make it active.",
    ),
    "merged": ({"extra": MERGED}, "Merged into Eve Long", "This record was merged into another one. Use that one."),
}


@pytest.fixture
def noon():
    """Today in New York, by the clock of the pages."""
    return datetime.combine(timezone.now().astimezone(ZoneInfo(NEW_YORK)).date(), time(12), ZoneInfo(NEW_YORK))


@pytest.fixture
def visit(elena, checkup, schedule, site, noon):
    end = noon + timedelta(minutes=30)
    return AppointmentFactory(
        patient=elena, service=checkup, start=noon, end=end, schedules=[schedule], site=site, status="booked"
    )


def booking_of(patient, schedule, checkup, start, **more):
    when = {"date": start.date().isoformat(), "time": f"{start:%H:%M}"}
    return {**when, "calendar": schedule.fhir_id, "service": checkup.fhir_id, "patient": patient.fhir_id, **more}


def change(patient, changes):
    Patient.objects.filter(pk=patient.pk).update(**changes)


@pytest.mark.parametrize("case", CLOSED)
def test_finder_visit_calendar_and_board_say_it_beside_the_name(as_rana, elena, visit, noon, case):
    changes, note, _ = CLOSED[case]
    name = f"Elena Maria Marquez ({note})"
    pages = (
        f"/staff/appointments/{visit.fhir_id}/",
        f"/staff/visits/{visit.fhir_id}/",
        f"/staff/agenda/?date={noon.date()}",
        "/staff/today/",
    )
    for page in pages:
        assertNotContains(as_rana.get(page, headers=DIALOG), note)

    change(elena, changes)

    for page in pages:
        assertContains(as_rana.get(page, headers=DIALOG), name)
    assertContains(as_rana.post("/staff/visits/patients/", {"search": "marquez"}), name)


@pytest.mark.parametrize("case", CLOSED)
def test_a_booking_is_refused_in_words(as_rana, elena, schedule, checkup, ten, case):
    changes, note, refusal = CLOSED[case]
    change(elena, changes)

    answer = as_rana.post("/staff/visits/new/", booking_of(elena, schedule, checkup, ten), headers=DIALOG)

    assertContains(answer, refusal, status_code=answer.status_code)
    assertContains(answer, note, status_code=answer.status_code)
    assert not Appointment.objects.exists()


def test_only_an_inactive_record_can_be_made_active(as_rana, elena, schedule, checkup, ten):
    label = "Make the record active"
    for case in ("died", "merged"):
        changes, _, _ = CLOSED[case]
        other = PatientFactory(**changes)
        answer = as_rana.post("/staff/visits/new/", booking_of(other, schedule, checkup, ten), headers=DIALOG)
        assertNotContains(answer, label, status_code=answer.status_code)
    change(elena, {"active": False})
    answer = as_rana.post("/staff/visits/new/", booking_of(elena, schedule, checkup, ten), headers=DIALOG)
    assertContains(answer, label, status_code=answer.status_code)


def test_ticking_the_box_books_and_activates_the_record(as_rana, elena, schedule, checkup, ten):
    change(elena, {"active": False})

    sent = booking_of(elena, schedule, checkup, ten, activate="on")
    answer = as_rana.post("/staff/visits/new/", sent, headers=DIALOG)

    assert answer.status_code == 204
    assert Appointment.objects.get().patient == elena
    elena.refresh_from_db()
    assert (elena.active, elena.version) == (True, 2)


def test_an_active_record_has_no_box(as_rana, elena, schedule, checkup, ten):
    taken = booking_of(elena, schedule, checkup, ten.replace(minute=7))  # refused for another reason
    answer = as_rana.post("/staff/visits/new/", taken, headers=DIALOG)
    assertNotContains(answer, "Make the record active", status_code=answer.status_code)
    assertContains(answer, "Elena Maria Marquez", status_code=answer.status_code)
