"""A patient who comes without a visit: who is free next today, one press, and its undo."""

from datetime import UTC, timedelta

import pytest
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import Appointment, AuditEvent, Communication, Encounter, Patient
from tests.factories import LocationFactory, PractitionerFactory, ScheduleFactory, ServiceFactory, SlotFactory
from tests.scheduling.races.arena import ALWAYS_OPEN

pytestmark = pytest.mark.django_db
WALK_IN = "/staff/visits/walk-in/"
DIALOG = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def ten_past_ten(monkeypatch, ten):
    """Ten past ten in New York on some day: no test comes near midnight."""
    now = ten.replace(minute=10)
    monkeypatch.setattr(timezone, "now", lambda: now.astimezone(UTC))
    return now


@pytest.fixture
def urgent(db):
    """A visit of 20 minutes that patients book a day ahead at the latest."""
    return ServiceFactory(
        name="Urgent visit", hours=ALWAYS_OPEN, duration=20, interval=20, minimum_notice=timedelta(days=1)
    )


@pytest.fixture
def chens(urgent, chen, site):
    return ScheduleFactory(actor=chen, services=[urgent], site=site)


@pytest.fixture
def browns(urgent, site):
    brown = PractitionerFactory(given="Kim", family="Brown")
    return ScheduleFactory(actor=brown, services=[urgent], site=site)


def address(site):
    return f"{WALK_IN}?site={site.fhir_id}"


def take(client, site, service, entry, headers=None, **more):
    return client.post(address(site), {"service": service.fhir_id, "take": entry.value, **more}, headers=headers)


def next_free(client, site, service):
    return client.post(address(site), {"service": service.fhir_id, "refresh": "1"}).context["free"]


def test_it_shows_who_is_free_next_and_in_how_long_whatever_notice_patients_need(
    as_rana, site, urgent, chens, browns, ten_past_ten
):
    at_twenty = ten_past_ten.replace(minute=20)
    SlotFactory(schedule=chens, start=at_twenty, end=at_twenty + timedelta(minutes=20))
    page = as_rana.get(address(site))  # the only visit is chosen
    assert [(each.clock, each.schedule, each.wait) for each in page.context["free"]] == [
        ("10:20 AM", browns, timedelta(minutes=10)),
        ("10:40 AM", chens, timedelta(minutes=30)),
    ]
    assertContains(page, "in 10 minutes")


def test_one_press_books_and_marks_arrived_and_tells_nobody(as_rana, site, urgent, chens, ada):
    [first] = next_free(as_rana, site, urgent)
    answer = take(as_rana, site, urgent, first, patient=ada.fhir_id, comment="Cut her hand")
    visit = Appointment.objects.get()
    assertRedirects(
        answer, f"/staff/today/?site={site.fhir_id}&walked_in={visit.fhir_id}", fetch_redirect_response=False
    )
    assert (visit.status, visit.patient, visit.start, visit.comment) == ("arrived", ada, first.start, "Cut her hand")
    assert visit.extra["appointmentType"]["coding"][0]["code"] == "WALKIN"
    assert Encounter.objects.get().status == "arrived"
    assert not Communication.objects.exists()
    assert list(AuditEvent.objects.filter(appointment=visit).order_by("pk").values_list("subtype", flat=True)) == [
        "book",
        "arrived",
    ]
    page = as_rana.get(answer.url)
    assertContains(page, f"{ada} is booked for 10:20")
    undone = as_rana.post(f"/staff/visits/{visit.fhir_id}/undo-walk-in/", {"version": visit.version})
    assertRedirects(undone, f"/staff/today/?site={site.fhir_id}")
    visit.refresh_from_db()
    assert visit.status == "entered-in-error"
    assert next_free(as_rana, site, urgent) == [first]


def test_a_walk_in_that_somebody_has_changed_since_is_not_undone(as_rana, site, urgent, chens, ada):
    [first] = next_free(as_rana, site, urgent)
    answer = take(as_rana, site, urgent, first, patient=ada.fhir_id, headers=DIALOG)
    assert "marked as arrived" in answer.headers["HX-Trigger"]
    visit = Appointment.objects.get()
    as_rana.post(f"/staff/appointments/{visit.fhir_id}/step/", {"status": "checked-in"})
    refused = as_rana.post(f"/staff/visits/{visit.fhir_id}/undo-walk-in/", {"version": visit.version}, headers=DIALOG)
    assertContains(refused, "This was not undone", status_code=422)
    visit.refresh_from_db()
    assert visit.status == "checked-in"


def test_a_new_patient_is_registered_with_the_visit(as_rana, site, urgent, chens):
    [first] = next_free(as_rana, site, urgent)
    new = {
        "given": "Iris",
        "family": "Novak",
        "birth_date_day": "4",
        "birth_date_month": "7",
        "birth_date_year": "1990",
    }
    take(as_rana, site, urgent, first, **new)
    assert Appointment.objects.get().patient == Patient.objects.get(family="Novak")


def test_a_time_that_another_desk_just_took_is_refused_with_the_next_one(as_rana, site, urgent, chens, ada, elena):
    [first] = next_free(as_rana, site, urgent)
    take(as_rana, site, urgent, first, patient=elena.fhir_id)
    refused = take(as_rana, site, urgent, first, patient=ada.fhir_id)
    assertContains(refused, "This cannot be saved as it is", status_code=422)
    assert refused.context["patient"] == ada
    assert [each.clock for each in refused.context["free"]] == ["10:40 AM"]
    assert Appointment.objects.count() == 1


def test_a_second_visit_of_the_day_is_asked_about_and_keeps_the_time(as_rana, site, urgent, chens, ada):
    [first] = next_free(as_rana, site, urgent)
    take(as_rana, site, urgent, first, patient=ada.fhir_id)
    [second] = next_free(as_rana, site, urgent)
    asked = take(as_rana, site, urgent, second, patient=ada.fhir_id)
    assertContains(asked, "Yes, book another", status_code=422)
    assertContains(asked, f'<input type="hidden" name="take" value="{second.value}">', html=True, status_code=422)
    assert take(as_rana, site, urgent, second, patient=ada.fhir_id, another="on").status_code == 302


def test_another_day_is_no_walk_in(as_rana, site, urgent, chens, ada):
    [first] = next_free(as_rana, site, urgent)
    tomorrow = f"{chens.fhir_id} {(first.start + timedelta(days=1)).isoformat()}"
    refused = as_rana.post(address(site), {"service": urgent.fhir_id, "take": tomorrow, "patient": ada.fhir_id})
    assertContains(refused, "A walk-in is booked for today", status_code=422)
    assert not Appointment.objects.exists()


def test_nobody_free_and_nothing_chosen_say_so(as_rana, site, urgent, chens, checkup, ten_past_ten):
    SlotFactory(schedule=chens, start=ten_past_ten, end=ten_past_ten + timedelta(days=1))
    chens.services.add(checkup)
    assertContains(as_rana.get(address(site)), "Choose the visit to see who is free next.")
    page = as_rana.post(address(site), {"service": urgent.fhir_id, "refresh": "1"})
    assertContains(page, "Nobody has a free time left today for this visit.")
    assertNotContains(page, "One press")


def test_calendars_of_others_are_not_offered(as_chen, site, urgent, chens, browns):
    assert [each.schedule for each in as_chen.get(address(site)).context["free"]] == [chens]
    assert as_chen.get(address(LocationFactory())).status_code == 404


def test_the_board_of_today_and_the_calendar_lead_there(as_rana, site, chens, ten):
    assertContains(as_rana.get("/staff/today/"), address(site))
    assertContains(as_rana.get("/staff/"), address(site))
    tomorrow = (ten + timedelta(days=1)).date()
    assertNotContains(as_rana.get(f"/staff/today/?date={tomorrow}"), address(site))
