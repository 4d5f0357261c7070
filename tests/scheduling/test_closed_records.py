"""Nothing is booked, held, confirmed or sent for a patient who has died, or an inactive or merged record."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.fhir.codes import MERGED_PATIENT
from clinic.models import Appointment, Communication, Patient, Slot
from scheduling import booking
from scheduling.booking import ConfirmRequest
from scheduling.errors import RuleBroken
from tests.factories import PatientFactory
from tests.scheduling.notifications.messages import deliver
from tests.scheduling.situations import SOFTWARE, book, hold, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)


def merged_into(patient, **more):
    return {"link": [{"type": "replaced-by", "other": {"reference": patient.reference, **more}}]}


CLOSED = {
    "died, on a day": ({"extra": {"deceasedDateTime": "2026-01-04"}}, "has died"),
    "died": ({"extra": {"deceasedBoolean": True}}, "has died"),
    "inactive": ({"active": False}, "record is inactive"),
    "merged into nobody here": (
        {"extra": {"link": [{"type": "replaced-by", "other": {"reference": "Patient/elsewhere"}}]}},
        "was merged",
    ),
}


def close(patient, changes):
    """Close the record by a direct update of the row."""
    Patient.objects.filter(pk=patient.pk).update(**changes)
    patient.refresh_from_db()


@pytest.mark.parametrize("case", CLOSED)
def test_every_use_case_refuses_with_the_reason(service, chen, ada, case):
    changes, reason = CLOSED[case]
    booked = book(wish(service, chen, at=monday(9), patient=ada))
    held = hold(wish(service, chen, at=monday(10), patient=ada))
    unnamed = hold(wish(service, chen, at=monday(11)))
    close(ada, changes)
    now = timezone.now()
    busy = Slot(schedule=chen, status="busy", start=monday(15), end=monday(16), last_updated=now)

    def recorded(write):
        visit = Appointment(status="booked", patient=ada, service=service, start=monday(15), end=monday(16))
        with booking.all_or_nothing():
            write(visit)

    refused = [
        lambda: book(wish(service, chen, at=monday(14), patient=ada)),
        lambda: hold(wish(service, chen, at=monday(14), patient=ada)),
        lambda: booking.confirm(held.fhir_id, caller=SOFTWARE, now=now),
        lambda: booking.confirm(unnamed.fhir_id, ConfirmRequest(patient=ada), caller=SOFTWARE, now=now),
        lambda: booking.name_patient(unnamed.fhir_id, ada, caller=SOFTWARE, now=now),
        lambda: booking.extend_hold(held.fhir_id, caller=SOFTWARE, now=now),
        lambda: booking.reschedule(
            booked.fhir_id,
            booking.RescheduleRequest(offerings=wish(service, chen, at=monday(14)).offerings, start=monday(14)),
            caller=SOFTWARE,
            now=now,
        ),
        lambda: recorded(lambda visit: booking.record(visit, [], caller=SOFTWARE, now=now)),
        lambda: recorded(lambda visit: booking.record_all([(visit, [busy])], caller=SOFTWARE, now=now)),
    ]
    for act in refused:
        with pytest.raises(RuleBroken, match=reason):
            act()
    booked.refresh_from_db()
    assert (booked.status, booked.start) == ("booked", monday(9))  # it stays, for the desk to see
    assert booking.cancel(booked.fhir_id, caller=SOFTWARE, now=now).status == "cancelled"


@pytest.mark.parametrize("case", CLOSED)
def test_waiting_messages_are_withdrawn(service, chen, ada, case):
    booked = book(wish(service, chen, at=monday(9), patient=ada))
    held = hold(wish(service, chen, at=monday(10), patient=ada))
    close(ada, CLOSED[case][0])
    now = timezone.now()

    assert booking.release_expired_holds(now=now) == 1
    held.refresh_from_db()
    assert (held.status, held.slots.filter(deleted_at=None).count()) == ("cancelled", 0)

    Communication.objects.filter(appointment=booked).update(status="preparation", due=now - timedelta(minutes=1))
    deliver(now)
    messages = Communication.objects.filter(appointment=booked)
    assert {each.status for each in messages} == {"not-done"}
    assert all("patient" in each.status_reason for each in messages)


def test_a_past_visit_is_recorded_as_it_was(service, chen, ada):
    close(ada, {"extra": {"deceasedBoolean": True}})
    before = timezone.now() - timedelta(days=400)
    busy = Slot(schedule=chen, status="busy", start=before, end=before + timedelta(hours=1), last_updated=before)
    visit = Appointment(status="arrived", patient=ada, service=service, start=busy.start, end=busy.end)
    with booking.all_or_nothing():
        booking.record_all([(visit, [busy])], caller=SOFTWARE, now=timezone.now())
    assert visit.pk


def test_the_link_of_a_merged_record_is_followed_and_the_visit_says_so(service, chen, ada):
    survivor = PatientFactory(given="Ada", family="Quinn-Smith")
    middle = PatientFactory(extra=merged_into(survivor))
    close(ada, {"extra": merged_into(middle)})
    now = timezone.now()
    unnamed = hold(wish(service, chen, at=monday(11)))
    visits = [
        book(wish(service, chen, at=monday(9), patient=ada)),
        hold(wish(service, chen, at=monday(10), patient=ada)),
        booking.confirm(unnamed.fhir_id, ConfirmRequest(patient=ada), caller=SOFTWARE, now=now),
    ]
    for visit in visits:
        visit.refresh_from_db()
        assert visit.patient == survivor
        actors = [each["actor"]["reference"] for each in visit.participant]
        assert (survivor.reference in actors, ada.reference in actors) == (True, False)
        assert visit.extra["extension"] == [{"url": MERGED_PATIENT, "valueReference": {"reference": ada.reference}}]


def test_a_visit_goes_along_when_it_is_moved(service, chen, ada):
    visit = book(wish(service, chen, at=monday(9), patient=ada))
    survivor = PatientFactory()
    close(ada, {"extra": merged_into(survivor)})
    offerings = wish(service, chen, at=monday(14)).offerings
    moved = booking.reschedule(
        visit.fhir_id,
        booking.RescheduleRequest(offerings=offerings, start=monday(14)),
        caller=SOFTWARE,
        now=timezone.now(),
    )
    assert (moved.patient, moved.participant[-1]["actor"]["reference"]) == (survivor, survivor.reference)


def test_only_who_runs_the_calendar_makes_a_record_active_by_booking(service, chen, ada, boss):
    close(ada, {"active": False})
    request = replace(wish(service, chen, at=monday(9), patient=ada), activate=True)
    with pytest.raises(RuleBroken, match="inactive"):
        book(request)
    version = ada.version
    assert book(request, boss).status == "booked"
    ada.refresh_from_db()
    assert (ada.active, ada.version) == (True, version + 1)
