"""The Encounter of a visit begins with the arrival and follows every step, also a step back."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.models import Appointment, Encounter
from scheduling import booking
from scheduling.access import Caller
from scheduling.booking.transitions import CORRECTIONS
from scheduling.errors import IllegalTransition, RuleBroken
from tests.factories import AppointmentFactory, EncounterFactory, PatientFactory, ServiceFactory, UserFactory
from tests.scheduling.situations import SOFTWARE

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def visit(chen, service):
    return AppointmentFactory(service=service, schedules=[chen])


def step(visit, status, *, at=None):
    return booking.change_status(visit.fhir_id, status, caller=SOFTWARE, now=at or timezone.now())


def correct(visit, status, caller, *, at=None):
    return booking.correct_status(visit.fhir_id, status, caller=caller, now=at or timezone.now())


def test_before_the_patient_is_there_is_none(visit):
    step(visit, "noshow")
    assert not Encounter.objects.exists()


def test_it_begins_with_the_arrival_and_says_who_meets_whom(visit, chen):
    now = timezone.now()
    step(visit, "arrived", at=now)
    encounter = Encounter.objects.get()
    assert (encounter.status, encounter.start, encounter.end) == ("arrived", now, None)
    assert (encounter.patient, encounter.service, encounter.encounter_class) == (visit.patient, visit.service, "AMB")
    assert encounter.participant == [{"individual": {"reference": chen.actor.reference, "display": str(chen.actor)}}]


def test_it_comes_along_when_other_software_writes_the_step(visit):
    with booking.all_or_nothing():
        booking.amend(visit.fhir_id, {"status": "arrived"}, caller=SOFTWARE, now=timezone.now())
    assert Encounter.objects.get().status == "arrived"


def test_a_visit_by_video_is_a_virtual_one():
    step(AppointmentFactory(service=ServiceFactory(telehealth=True)), "arrived")
    assert Encounter.objects.get().encounter_class == "VR"


@pytest.mark.parametrize(
    ("steps", "status"),
    [
        (["arrived"], "arrived"),
        (["arrived", "checked-in"], "in-progress"),
        (["arrived", "checked-in", "arrived"], "arrived"),
        (["checked-in"], "in-progress"),
        (["arrived", "checked-in", "fulfilled"], "finished"),
        (["fulfilled"], "finished"),
        (["arrived", "noshow"], "cancelled"),
        (["arrived", "cancelled"], "cancelled"),
        (["arrived", "entered-in-error"], "entered-in-error"),
        (["fulfilled", "entered-in-error"], "entered-in-error"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else value,
)
def test_it_follows_each_step(visit, steps, status):
    for each in steps:
        step(visit, each)
    encounter = Encounter.objects.get()
    assert encounter.status == status
    assert encounter.version == len(steps)
    assert (encounter.end is None) is (status in ("arrived", "in-progress"))


def test_it_lasts_from_the_arrival_to_the_end(visit):
    start = timezone.now()
    for minutes, status in enumerate(("arrived", "checked-in", "fulfilled")):
        step(visit, status, at=start + timedelta(minutes=minutes))
    encounter = Encounter.objects.get()
    assert (encounter.start, encounter.end) == (start, start + timedelta(minutes=2))


def test_cancelling_takes_along_what_other_software_has_planned(visit):
    EncounterFactory(appointment=visit, status="planned", start=None)
    booking.cancel(visit.fhir_id, caller=SOFTWARE, now=timezone.now())
    assert Encounter.objects.get().status == "cancelled"


# A visit with several


@pytest.mark.parametrize(
    ("current", "before", "step_to", "after"),
    [
        ("booked", ["planned", "planned"], "arrived", ["arrived", "planned"]),
        ("arrived", ["arrived", "planned"], "checked-in", ["in-progress", "planned"]),
        ("arrived", ["finished", "planned"], "checked-in", ["finished", "in-progress"]),
        ("booked", ["finished"], "arrived", ["finished", "arrived"]),
        ("checked-in", ["in-progress", "onleave"], "fulfilled", ["finished", "finished"]),
        ("checked-in", ["finished", "in-progress"], "fulfilled", ["finished", "finished"]),
        ("checked-in", ["finished", "finished"], "fulfilled", ["finished", "finished"]),
        ("checked-in", ["finished", "planned"], "fulfilled", ["finished", "planned"]),
        ("checked-in", ["finished", "cancelled"], "fulfilled", ["finished", "cancelled"]),
        ("checked-in", ["finished", "in-progress"], "cancelled", ["finished", "cancelled"]),
        ("booked", ["planned", "planned"], "cancelled", ["cancelled", "cancelled"]),
        ("booked", ["planned", "planned"], "noshow", ["cancelled", "cancelled"]),
        ("arrived", ["entered-in-error", "arrived"], "checked-in", ["entered-in-error", "in-progress"]),
        ("fulfilled", ["finished", "cancelled"], "entered-in-error", ["entered-in-error", "entered-in-error"]),
    ],
)
def test_only_the_encounters_of_the_step_change(visit, current, before, step_to, after):
    Appointment.objects.filter(pk=visit.pk).update(status=current)
    for status in before:
        EncounterFactory(appointment=visit, status=status)
    step(visit, step_to)
    assert list(Encounter.objects.order_by("pk").values_list("status", flat=True)) == after


def test_a_finished_encounter_keeps_its_end(visit):
    begin = timezone.now().replace(microsecond=0)
    step(visit, "arrived", at=begin)
    Encounter.objects.update(status="finished", end=begin + timedelta(minutes=3))
    EncounterFactory(appointment=visit, status="in-progress", start=begin + timedelta(minutes=4), end=None)
    step(visit, "fulfilled", at=begin + timedelta(minutes=9))
    ends = Encounter.objects.order_by("start").values_list("end", flat=True)
    assert list(ends) == [begin + timedelta(minutes=3), begin + timedelta(minutes=9)]


def test_a_correction_opens_the_one_that_the_step_ended(visit, boss):
    begin = timezone.now().replace(microsecond=0)
    nurse = EncounterFactory(appointment=visit, status="finished", start=begin, end=begin + timedelta(minutes=3))
    doctor = EncounterFactory(appointment=visit, status="in-progress", start=begin + timedelta(minutes=4), end=None)
    step(visit, "fulfilled", at=begin + timedelta(minutes=9))
    correct(visit, "checked-in", boss, at=begin + timedelta(minutes=10))
    nurse.refresh_from_db()
    doctor.refresh_from_db()
    assert (nurse.status, nurse.end) == ("finished", begin + timedelta(minutes=3))
    assert (doctor.status, doctor.end) == ("in-progress", None)


# Steps that are undone


@pytest.mark.parametrize("current", Appointment.Status.values)
@pytest.mark.parametrize("expected", Appointment.Status.values)
def test_only_slips_are_corrected(boss, current, expected):
    """Every pair of states."""
    visit = AppointmentFactory(status=current)
    if expected in CORRECTIONS.get(current, ()):
        assert correct(visit, expected, boss).status == expected
    else:
        with pytest.raises(IllegalTransition, match=rf"is {current} cannot become {expected}"):
            correct(visit, expected, boss)


def test_no_correction_leads_to_or_from_where_the_time_is_free():
    for current, status in CORRECTIONS.items():
        assert not {current, *status} & {"pending", "cancelled", "entered-in-error", "proposed", "waitlist"}


def test_only_staff_correct(visit):
    step(visit, "arrived")
    patient = PatientFactory(user=UserFactory())
    Appointment.objects.update(patient=patient)
    for caller in (SOFTWARE, Caller(user=patient.user)):
        with pytest.raises(RuleBroken, match="Only clinic staff"):
            correct(visit, "booked", caller)


@pytest.mark.parametrize(
    ("steps", "back", "status"),
    [
        (["arrived"], "booked", "cancelled"),
        (["checked-in"], "booked", "cancelled"),
        (["arrived", "checked-in"], "arrived", "arrived"),
        (["arrived", "checked-in", "fulfilled"], "checked-in", "in-progress"),
        (["arrived", "fulfilled"], "arrived", "arrived"),
        (["fulfilled"], "booked", "cancelled"),
        (["arrived", "noshow"], "arrived", "arrived"),
    ],
)
def test_it_follows_each_correction(visit, boss, steps, back, status):
    for each in steps:
        step(visit, each)
    correct(visit, back, boss)
    assert Encounter.objects.get().status == status


def test_a_no_show_who_comes_after_all_has_an_encounter(visit, boss):
    step(visit, "noshow")
    corrected = correct(visit, "arrived", boss)
    assert (corrected.cancelation_reason, Encounter.objects.get().status) == (None, "arrived")


def test_after_a_slip_it_begins_when_the_patient_really_comes(visit, boss):
    slip = timezone.now()
    step(visit, "arrived", at=slip)
    correct(visit, "booked", boss, at=slip + timedelta(minutes=1))
    assert (Encounter.objects.get().start, Encounter.objects.get().end) == (None, None)
    step(visit, "arrived", at=slip + timedelta(minutes=20))
    assert Encounter.objects.get().start == slip + timedelta(minutes=20)


def test_a_corrected_encounter_has_no_end(visit, boss):
    start = timezone.now()
    step(visit, "arrived", at=start)
    step(visit, "fulfilled", at=start + timedelta(minutes=5))
    correct(visit, "arrived", boss, at=start + timedelta(minutes=6))
    encounter = Encounter.objects.get()
    assert (encounter.start, encounter.end) == (start, None)
