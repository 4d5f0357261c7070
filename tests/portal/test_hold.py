"""Taking a hold on a time."""

from datetime import UTC, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone
from pytest_django.asserts import assertContains, assertRedirects

from clinic.models import Appointment, Patient
from tests.factories import RoomFactory, ScheduleFactory, ServiceFactory, SlotFactory, UserFactory
from tests.portal.conftest import EVERY_DAY

pytestmark = pytest.mark.django_db


@pytest.fixture
def there(checkup):
    return f"/book/{checkup.fhir_id}/hold/"


def test_a_time_is_held_and_confirmed_next(as_ada, there, wanted, ada, ten):
    answer = as_ada.post(there, {"time": wanted})
    held = Appointment.objects.get()
    assert (held.status, held.patient, held.start) == ("pending", ada, ten)
    assertRedirects(answer, f"/appointments/{held.fhir_id}/confirm/")


def test_another_choice_replaces_the_hold(as_ada, there, wanted):
    as_ada.post(there, {"time": wanted})
    as_ada.post(there, {"time": wanted.replace(":00:00Z", ":30:00Z")})
    assert sorted(Appointment.objects.values_list("status", flat=True)) == ["cancelled", "pending"]


def test_a_hold_can_be_taken_again_at_the_same_time(as_ada, there, wanted):
    as_ada.post(there, {"time": wanted})
    assertContains(as_ada.post(there, {"time": wanted}, follow=True), "Check and confirm")
    assert Appointment.objects.filter(status="pending").count() == 1


def test_who_is_not_signed_in_comes_back_to_the_same_time(client, there, wanted, ada):
    answer = client.post(there, {"time": wanted})
    back = parse_qs(urlsplit(answer.url).query)["next"][0]
    client.force_login(ada.user)
    assertContains(client.get(back), wanted)
    assert not Appointment.objects.exists()


def test_a_user_without_a_record_gives_the_details_first(client, there, wanted):
    client.force_login(UserFactory())
    answer = client.post(there, {"time": wanted})
    assert answer.url.startswith("/details/?next=")
    form = client.get(answer.url).context
    born = {"birth_date_day": "27", "birth_date_month": "3", "birth_date_year": "1985"}
    answer = client.post("/details/", {"given": "Eve", "family": "Stone", "next": form["next"], **born})
    assert Patient.objects.get().family == "Stone"
    assertContains(client.get(answer.url), wanted)


def test_somebody_was_faster(as_ada, there, wanted, schedule, ten):
    SlotFactory(schedule=schedule, start=ten, end=ten + timedelta(minutes=30))
    page = as_ada.post(there, {"time": wanted, "comment": "I need an interpreter"})
    assert page.status_code == 409
    assertContains(page, "That time has just been taken.", status_code=409)
    assertContains(page, 'value="I need an interpreter"', status_code=409)
    near = [choice.start for choice in page.context["alternatives"]]
    assert len(near) == 3
    assert all(abs(start - ten) <= timedelta(hours=1) for start in near)


@pytest.mark.parametrize(
    "time", ["", "tomorrow", "2026-11-24T14:20:00Z", "2026-99-24T14:20:00Z~a", "2026-11-24T14:20:00Z~a/b"]
)
def test_what_was_not_offered_is_no_choice(as_ada, there, time):
    assertContains(as_ada.post(there, {"time": time}, follow=True), "Choose one of the times below.")


def test_a_schedule_of_another_visit_is_no_choice(as_ada, there, wanted, schedule):
    other = ScheduleFactory(services=[ServiceFactory()])
    answer = as_ada.post(there, {"time": wanted.replace(schedule.fhir_id, other.fhir_id)}, follow=True)
    assertContains(answer, "That is not one of the ways to have this visit.")
    assert not Appointment.objects.exists()


def test_the_room_cannot_be_left_out(as_ada, chen, site, ten):
    service = ServiceFactory(requires=["Practitioner", "Location"], hours=EVERY_DAY)
    alone = ScheduleFactory(actor=chen, services=[service], site=site)
    ScheduleFactory(actor=RoomFactory(part_of=site), services=[service], site=site)
    start = f"{ten.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    answer = as_ada.post(f"/book/{service.fhir_id}/hold/", {"time": f"{start}~{alone.fhir_id}"}, follow=True)
    assertContains(answer, "That is not one of the ways to have this visit.")
    assert not Appointment.objects.exists()


def test_a_time_outside_the_hours_is_answered_kindly(as_ada, there, wanted, ten):
    night = wanted.replace(wanted[11:13], "06", 1)
    page = as_ada.post(there, {"time": night})
    assert page.status_code == 409
    assert page.context["alternatives"]


def test_a_patient_cannot_be_in_two_places(as_ada, there, wanted, ada, ten):
    Appointment.objects.create(
        patient=ada, status="booked", start=ten, end=ten + timedelta(hours=1), created=ten, last_updated=timezone.now()
    )
    answer = as_ada.post(there, {"time": wanted}, follow=True)
    assertContains(answer, "The patient has another appointment at that time.")


def test_a_hold_is_taken_by_post_alone(as_ada, there, wanted):
    assertContains(as_ada.get(there, {"time": wanted}), "It is not held for you yet.")
    assert not Appointment.objects.exists()
