"""Holding a time."""

from datetime import UTC, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.asserts import assertContains, assertRedirects

from clinic.models import Appointment
from tests.factories import (
    EVERY_DAY,
    AppointmentFactory,
    RelatedPersonFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
    UserFactory,
)
from tests.portal.booking.steps import later, page_of

pytestmark = pytest.mark.django_db


def test_a_time_is_held_at_once_and_confirmed_next(as_ada, there, button_value, ada, ten):
    answer = as_ada.post(there, {"time": button_value})
    held = Appointment.objects.get()
    assert (held.status, held.patient, held.start) == ("pending", ada, ten)
    assertRedirects(answer, page_of(held, "confirm"))


def test_a_guest_holds_a_time_and_is_asked_for_their_name(client, there, button_value):
    answer = client.post(there, {"time": button_value})
    held = Appointment.objects.get()
    assert (held.status, held.patient, held.held_by) == ("pending", None, None)
    assert held.held_by_guest
    assert held.held_by_guest not in str(dict(client.session))
    assertRedirects(answer, page_of(held, "about"))


def test_a_guests_hold_is_theirs_alone(client, there, button_value, as_ada):
    client.logout()
    client.post(there, {"time": button_value})
    held = Appointment.objects.get()
    assert Client().get(page_of(held, "about")).url.startswith("/accounts/login/")
    as_other = Client()
    as_other.force_login(UserFactory())
    assert as_other.get(page_of(held, "about")).status_code == 404
    assert as_other.post(page_of(held, "let-go")).status_code == 404
    held.refresh_from_db()
    assert held.status == "pending"


def test_a_guest_who_signs_in_keeps_the_hold(client, there, button_value, ada):
    client.post(there, {"time": button_value})
    held = Appointment.objects.get()
    client.force_login(ada.user)
    assertContains(client.get(page_of(held, "about")), "Me, Ada Quinn")
    assertRedirects(client.post(page_of(held, "about"), {"who": ada.fhir_id}), page_of(held, "confirm"))
    held.refresh_from_db()
    assert held.patient == ada


def test_a_carer_is_asked_who_the_visit_is_for(as_ada, ada, there, button_value):
    RelatedPersonFactory(user=ada.user)
    answer = as_ada.post(there, {"time": button_value})
    assertRedirects(answer, page_of(Appointment.objects.get(), "about"))


def test_another_choice_replaces_the_hold(as_ada, there, button_value):
    as_ada.post(there, {"time": button_value})
    as_ada.post(there, {"time": later(button_value)})
    assert sorted(Appointment.objects.values_list("status", flat=True)) == ["cancelled", "pending"]


def test_another_visit_lets_the_hold_go(client, there, button_value, chen, site, ten):
    client.post(there, {"time": button_value})
    other = ServiceFactory(hours=EVERY_DAY)
    schedule = ScheduleFactory(actor=chen, services=[other], site=site)
    eleven = f"{(ten + timedelta(hours=1)).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}~{schedule.fhir_id}"
    client.post(f"/book/{other.fhir_id}/hold/", {"time": eleven})
    assert Appointment.objects.get(status="pending").service == other
    assert Appointment.objects.filter(status="cancelled").count() == 1


def test_a_hold_can_be_taken_again_at_the_same_time(as_ada, there, button_value):
    as_ada.post(there, {"time": button_value})
    assertContains(as_ada.post(there, {"time": button_value}, follow=True), "Check and confirm")
    assert Appointment.objects.filter(status="pending").count() == 1


def test_a_patient_with_two_holds_chooses_one_to_release(as_ada, ada, there, button_value, ten):
    soon = timezone.now() + timedelta(minutes=9)
    first, second = (
        AppointmentFactory(
            patient=ada,
            status="pending",
            start=ten + timedelta(days=n),
            hold_expires_at=soon,
            participant=[{"status": "tentative"}],
        )
        for n in (1, 2)
    )
    page = as_ada.post(there, {"time": button_value}, follow=True)
    assertContains(page, "You are already holding two times", status_code=409)
    assert [each.id for each in page.context["held"]] == [first.fhir_id, second.fhir_id]
    as_ada.post(there, {"time": page.context["time"], "instead_of": second.fhir_id})
    assert set(Appointment.objects.filter(status="pending").values_list("start", flat=True)) == {first.start, ten}


def test_holding_too_often_from_one_address_is_slowed_down(there, button_value, settings):
    settings.ACCOUNT_RATE_LIMITS = {"hold": "2/m/ip"}
    browsers = [Client() for _time in range(3)]
    answers = [
        browser.post(there, {"time": later(button_value, minutes)}, follow=True)
        for browser, minutes in zip(browsers, (10, 30, 45), strict=True)
    ]
    assert [answer.status_code == 429 for answer in answers] == [False, False, True]
    assertContains(answers[-1], "Please wait a moment", status_code=429)
    assertContains(answers[-1], f'href="{there}"', status_code=429)


def test_signed_in_patients_are_not_counted_by_address(as_ada, there, button_value, settings):
    settings.ACCOUNT_RATE_LIMITS = {"hold": "1/m/ip"}
    as_ada.post(there, {"time": button_value})
    assert as_ada.post(there, {"time": later(button_value)}).status_code == 302


def test_somebody_was_faster(client, there, button_value, schedule, ten):
    SlotFactory(schedule=schedule, start=ten, end=ten + timedelta(minutes=30))
    page = client.post(there, {"time": button_value}, follow=True)
    assertContains(page, "That time has just been taken.", status_code=409)
    [(address, status)] = page.redirect_chain
    assert status == 302, "reloading the page, or going back to it, sends nothing again"
    assertContains(client.get(address), "That time has just been taken.", status_code=409)
    near = [choice.start for choice in page.context["alternatives"]]
    assert len(near) == 3
    assert all(abs(start - ten) <= timedelta(hours=1) for start in near)


@pytest.mark.parametrize(
    "time", ["", "tomorrow", "2026-11-24T14:20:00Z", "2026-99-24T14:20:00Z~a", "2026-11-24T14:20:00Z~a/b"]
)
def test_a_time_that_was_not_offered_is_refused(as_ada, there, time):
    assertContains(as_ada.post(there, {"time": time}, follow=True), "Choose one of the times below.")


def test_a_schedule_of_another_visit_is_no_choice(as_ada, there, button_value, schedule):
    other = ScheduleFactory(services=[ServiceFactory()])
    answer = as_ada.post(there, {"time": button_value.replace(schedule.fhir_id, other.fhir_id)}, follow=True)
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


def test_a_time_outside_the_hours_is_answered_kindly(as_ada, there, button_value):
    night = button_value.replace(button_value[11:13], "06", 1)
    page = as_ada.post(there, {"time": night}, follow=True)
    assert page.status_code == 409
    assert page.context["alternatives"]


def test_a_patient_cannot_be_in_two_places(as_ada, there, button_value, ada, ten):
    AppointmentFactory(patient=ada, start=ten)
    answer = as_ada.post(there, {"time": button_value}, follow=True)
    assertContains(answer, "The patient has another visit at that time.")


def test_a_hold_is_taken_by_post_alone(client, there, button_value):
    assertContains(client.get(there, {"time": button_value}), "It is not held for you yet.")
    assert not Appointment.objects.exists()


def test_requirements_are_shown_before_the_hold(client, there, button_value, checkup):
    checkup.requires_coverage = checkup.requires_care_team = True
    checkup.save()
    page = client.get(there, {"time": button_value})
    assertContains(page, "Health insurance that is valid on the day.")
    assertContains(page, "It is only with a member of the patient")


def test_for_whom_one_visit_is_says_nothing_about_the_next(as_ada, ada, there, button_value, chen, site, ten):
    leo = RelatedPersonFactory(user=ada.user).patient
    as_ada.post(there, {"time": button_value})
    as_ada.post(page_of(Appointment.objects.get(), "about"), {"who": leo.fhir_id})
    other = ServiceFactory(hours=EVERY_DAY)
    schedule = ScheduleFactory(actor=chen, services=[other], site=site)
    eleven = f"{(ten + timedelta(hours=1)).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}~{schedule.fhir_id}"
    answer = as_ada.post(f"/book/{other.fhir_id}/hold/", {"time": eleven})
    held = Appointment.objects.get(status="pending")
    assert held.patient is None
    assertRedirects(answer, page_of(held, "about"))
    assert as_ada.get(page_of(held, "about")).context["form"]["who"].value() == ada.fhir_id


def test_another_time_of_the_same_visit_stays_for_whom_it_was_and_says_so_first(as_ada, ada, there, button_value):
    leo = RelatedPersonFactory(user=ada.user).patient
    as_ada.post(there, {"time": button_value})
    as_ada.post(page_of(Appointment.objects.get(), "about"), {"who": leo.fhir_id})
    as_ada.post(there, {"time": later(button_value)})
    held = Appointment.objects.get(status="pending")
    assert held.patient == leo
    page = as_ada.get(page_of(held, "confirm"))
    assertContains(page, f"For <strong>{leo}</strong>")
    assertContains(page, f'<a href="{page_of(held, "about")}">Change')
