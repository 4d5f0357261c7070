"""A course of visits on the pages: chosen, previewed with other times, held, confirmed and told of together."""

from datetime import datetime, timedelta
from urllib.parse import urlencode

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import Appointment, Slot
from scheduling import booking
from tests.factories import AppointmentFactory, QuestionnaireFactory, SlotFactory
from tests.portal.booking.steps import page_of, prove, say_who
from tests.scheduling.notifications.messages import deliver
from tests.scheduling.situations import SOFTWARE, wish

pytestmark = pytest.mark.django_db


@pytest.fixture
def checkup(checkup):
    checkup.course_limit = 6
    checkup.course_visits = 4
    checkup.save()
    return checkup


@pytest.fixture
def times(checkup):
    return f"/book/{checkup.fhir_id}/"


@pytest.fixture
def page(checkup, button_value):
    """The address of the preview of four visits, one every week, from ten o'clock on."""
    return page_for(checkup, button_value)


def page_for(service, time, visits=4, every="1"):
    query = urlencode({"time": time, "visits": visits, "every": every})
    return f"/book/{service.fhir_id}/course/?{query}"


def weeks_later(ten, weeks):
    """The same local time some weeks later, also where the clocks change in between."""
    return datetime.combine(ten.date() + timedelta(weeks=weeks), ten.timetz())


def take(schedule, start):
    return SlotFactory(schedule=schedule, start=start, end=start + timedelta(minutes=30))


def held_visits():
    return list(Appointment.objects.filter(hold_expires_at__isnull=False).order_by("start"))


# Choosing


def test_the_page_of_times_offers_it_where_the_service_allows_it(client, checkup, schedule, times):
    page = client.get(times)
    assertContains(page, "Book several visits at once")
    assertContains(page, '<option value="4" selected>4</option>', html=True)
    assertNotContains(page, '<option value="7">')
    checkup.course_limit = None
    checkup.course_visits = None
    checkup.save()
    assertNotContains(client.get(times), "Book several visits at once")


def test_its_times_lead_to_the_preview(client, checkup, schedule, times, button_value):
    page = client.get(times, {"visits": 3, "every": "2"})
    assertContains(page, "3 visits, every 2 weeks: choose the time of the first one.")
    assert page.context["action"] == f"/book/{checkup.fhir_id}/course/"
    answer = client.post(page.context["action"], {"time": button_value, "visits": 3, "every": "2"})
    assertRedirects(answer, page_for(checkup, button_value, 3, "2"))


@pytest.mark.parametrize(
    "query", [{"visits": 7, "every": "1"}, {"visits": 1, "every": "1"}, {"visits": 3, "every": "0"}]
)
def test_more_than_the_service_allows_is_one_visit(client, checkup, schedule, times, query, button_value):
    assert client.get(times, query).context["action"] == f"/book/{checkup.fhir_id}/hold/"
    answer = client.get(page_for(checkup, button_value, **query))
    assertRedirects(answer, times)


# The preview


def test_the_preview_holds_nothing(client, page, schedule, ten):
    shown = client.get(page)
    assert [row.start for row in shown.context["rows"]] == [weeks_later(ten, week) for week in range(4)]
    assertContains(shown, "They are not held for you yet.")
    assert not Slot.objects.exists()


def test_a_visit_that_cannot_be_had_has_other_times_to_choose_from(client, page, schedule, ten):
    third = weeks_later(ten, 2)
    take(schedule, third)
    shown = client.get(page)
    form = shown.context["form"]
    nearest = [third - timedelta(minutes=30), third + timedelta(minutes=30), third + timedelta(minutes=45)]
    values = [value for value, _ in form.fields["visit-3"].choices]
    assert set(values[:-1]) <= {str(int((third + timedelta(minutes=15 * n)).timestamp())) for n in range(-4, 5)}
    assert str(int(nearest[0].timestamp())) in values
    refused = client.post(page, {})
    assertContains(refused, "Choose another time for visit 3, or leave it out.")
    client.post(page, {"visit-3": str(int(nearest[1].timestamp()))})
    expected = [ten, weeks_later(ten, 1), nearest[1], weeks_later(ten, 3)]
    assert [visit.start for visit in held_visits()] == expected
    assert "occurrenceChanged" in str(held_visits()[2].extra)


def test_a_visit_can_be_left_out(client, page, schedule, ten):
    take(schedule, weeks_later(ten, 2))
    client.post(page, {"visit-3": "leave-out"})
    assert [visit.start for visit in held_visits()] == [ten, weeks_later(ten, 1), weeks_later(ten, 3)]
    assert [(visit.occurrence, visit.occurrences) for visit in held_visits()] == [(1, 3), (2, 3), (3, 3)]


def test_one_visit_is_no_course(client, checkup, schedule, ten, button_value):
    take(schedule, weeks_later(ten, 1))
    page = page_for(checkup, button_value, visits=2)
    assertContains(client.post(page, {"visit-2": "leave-out"}), "Only one visit is left.")
    assert held_visits() == []


def test_the_patient_s_own_visits_are_in_the_way(as_ada, ada, page, checkup, schedule, ten):
    AppointmentFactory(patient=ada, start=weeks_later(ten, 1), end=weeks_later(ten, 1) + timedelta(minutes=30))
    assert "visit-2" in as_ada.get(page).context["form"].fields


def test_as_close_together_as_possible(client, checkup, schedule, ten, button_value):
    """Each on the first free time of the next day; the morning after the first is taken."""
    checkup.course_days = 1
    checkup.save()
    morning = datetime.combine(ten.date() + timedelta(days=1), ten.replace(hour=9).timetz())
    take(schedule, morning)
    rows = client.get(page_for(checkup, button_value, 3, "closest")).context["rows"]
    day_after = datetime.combine(ten.date() + timedelta(days=2), ten.replace(hour=9).timetz())
    assert [row.start for row in rows] == [ten, morning + timedelta(minutes=30), day_after]


def test_days_between_the_closest_visits(client, checkup, schedule, ten, button_value):
    checkup.course_days = 3
    checkup.save()
    rows = client.get(page_for(checkup, button_value, 3, "closest")).context["rows"]
    assert [row.start.date() for row in rows] == [ten.date() + timedelta(days=3 * n) for n in range(3)]


def test_fewer_visits_than_wanted_are_said(client, checkup, schedule, ten, button_value):
    checkup.booking_horizon_days = 5
    checkup.save()
    shown = client.get(page_for(checkup, button_value, 6, "closest"))
    count = len(shown.context["rows"])
    assert 1 < count < 6
    assertContains(shown, f"Only {count} of 6 visits are possible at the moment.")


def test_a_first_time_that_is_taken_leads_to_others(client, page, schedule, ten):
    take(schedule, ten)
    assertContains(client.get(page), "just been taken", status_code=409)
    assertContains(client.post(page, {}, follow=True), "just been taken", status_code=409)


def test_with_two_holds_already_one_is_chosen_on_a_page_that_can_be_reloaded(as_ada, ada, page, ten):
    soon = timezone.now() + timedelta(minutes=9)
    for days in (1, 2):
        at = {"start": ten + timedelta(days=days), "hold_expires_at": soon}
        AppointmentFactory(patient=ada, status="pending", participant=[{"status": "tentative"}], **at)
    refused = as_ada.post(page, {}, follow=True)
    assertContains(refused, "You are already holding two times", status_code=409)
    [(address, status)] = refused.redirect_chain
    assert status == 302
    assertContains(as_ada.get(address), "You are already holding two times", status_code=409)
    Appointment.objects.filter(status="pending").delete()
    assertContains(as_ada.get(address), "They are not held for you yet.")


# Held, confirmed and told of together


def test_all_are_held_until_one_instant_and_named_together(client, page, schedule, ten):
    answer = client.post(page)
    held = held_visits()
    assertRedirects(answer, page_of(held[0], "about"))
    assert len({visit.hold_expires_at for visit in held}) == 1
    say_who(client, held[0])
    prove(client, held[0])
    assert {str(visit.patient) for visit in held_visits()} == {"Eve Stone"}
    shown = client.get(page_of(held[0], "confirm"))
    assertContains(shown, "Confirm all 4 visits")
    assert [visit.start for visit in shown.context["together"]] == [weeks_later(ten, week) for week in range(4)]
    client.post(page_of(held[0], "confirm"))
    assert set(Appointment.objects.values_list("status", flat=True)) == {"booked"}
    assertContains(client.get(page_of(held[0], "booked")), "Your visits are booked")
    deliver()
    [calendar] = next(letter.attachments for letter in mail.outbox if letter.attachments)
    assert calendar.get_payload(decode=True).count(b"BEGIN:VEVENT") == 4


def test_its_calendar_file_has_all_visits(as_ada, page, schedule):
    as_ada.post(page)
    first = held_visits()[0]
    as_ada.post(page_of(first, "confirm"))
    assert as_ada.get(reverse("portal:ics", args=[first.fhir_id])).content.count(b"BEGIN:VEVENT") == 1
    assert as_ada.get(reverse("portal:ics", args=[first.fhir_id]), {"all": ""}).content.count(b"BEGIN:VEVENT") == 4


def test_all_are_kept_longer_together(client, page, schedule):
    client.post(page)
    first = held_visits()[0]
    client.post(page_of(first, "keep"))
    [until] = {visit.hold_expires_at for visit in held_visits()}
    assert until > first.hold_expires_at
    assert {visit.hold_extended for visit in held_visits()} == {True}


def test_another_choice_lets_all_of_them_go(client, checkup, page, schedule, ten, button_value):
    client.post(page)
    client.post(f"/book/{checkup.fhir_id}/hold/", {"time": button_value})
    assert [visit.series for visit in held_visits()] == [None]
    client.post(page)
    assert [visit.start for visit in held_visits()] == [weeks_later(ten, week) for week in range(4)]
    again = page_for(checkup, button_value, visits=3)
    assert "visit-2" not in client.get(again).context["form"].fields
    client.post(again)
    assert len(held_visits()) == 3


def test_what_the_service_asks_is_asked_once(as_ada, checkup, page, schedule):
    checkup.questionnaires.add(QuestionnaireFactory())
    as_ada.post(page)
    first, *_ = held_visits()
    assert as_ada.get(page_of(first, "confirm")).context["steps"] == ["questions", "confirm"]


def test_a_refusal_says_which_visit_and_holds_nothing(as_ada, ada, checkup, schedule, page, ten):
    checkup.patient_limit = 3
    checkup.save()
    assertContains(as_ada.post(page), "a patient can have 3 upcoming visits")
    assert held_visits() == []


def test_a_time_that_is_lost_meanwhile_is_asked_again(as_ada, checkup, schedule, page, ten):
    booking.book(wish(checkup, schedule, at=weeks_later(ten, 1)), caller=SOFTWARE, now=timezone.now())
    assertContains(as_ada.post(page), "Choose another time for visit 2, or leave it out.")
    assert held_visits() == []
