"""Calendar feeds: a secret address that a calendar program reads."""

from datetime import timedelta

import icalendar
import pytest
from django.conf import settings
from django.test import Client
from pytest_django.asserts import assertContains, assertRedirects

from clinic.models import CalendarFeed
from tests.factories import AppointmentFactory, RelatedPersonFactory, ServiceFactory, SlotFactory, UserFactory

pytestmark = pytest.mark.django_db


def make(client):
    return client.post("/calendars/").context["address"].removeprefix("http://testserver")


def events(response):
    return icalendar.Calendar.from_ical(response.content).walk("VEVENT")


def test_a_patient_makes_an_address_that_shows_their_visits(as_ada, client, visit, ten):
    address = make(as_ada)
    client.logout()
    response = client.get(address)
    assert response["Content-Type"].startswith("text/calendar")
    [event] = events(response)
    assert event["DTSTART"].dt == ten


def test_it_shows_only_ones_own(as_ada, visit, bo, checkup, ten):
    start = ten + timedelta(hours=1)
    AppointmentFactory(patient=bo, service=checkup, start=start, end=start + timedelta(minutes=30))
    assert len(events(as_ada.get(make(as_ada)))) == 1


def test_a_parents_has_the_visits_of_their_children(as_ada, ada, bo, visit, checkup, ten):
    RelatedPersonFactory(patient=bo, user=ada.user)
    start = ten + timedelta(hours=1)
    AppointmentFactory(patient=bo, service=checkup, start=start, end=start + timedelta(minutes=30))
    response = as_ada.get(make(as_ada))
    assert [event["DTSTART"].dt for event in events(response)] == [ten, start]


def test_it_has_a_name_and_says_how_often_to_ask_again(as_ada, visit):
    calendar = icalendar.Calendar.from_ical(as_ada.get(make(as_ada)).content)
    assert calendar["NAME"] == calendar["X-WR-CALNAME"] == f"Visits, {settings.CLINIC_NAME}"
    assert calendar["REFRESH-INTERVAL"].dt == timedelta(hours=1)
    assert calendar["REFRESH-INTERVAL"].params["VALUE"] == "DURATION"
    assert calendar["X-PUBLISHED-TTL"] == "PT1H"


def test_a_practitioners_has_their_blocked_time(client, chen, schedule, visit, ten, django_assert_max_num_queries):
    chen.user = UserFactory()
    chen.save()
    start = ten + timedelta(hours=2)
    for comment, hours in (("Team meeting", 1), ("", 2)):
        SlotFactory(
            schedule=schedule,
            start=start,
            end=start + timedelta(hours=hours),
            status="busy-unavailable",
            comment=comment,
        )
        start += timedelta(hours=hours)
    client.force_login(chen.user)
    address = make(client)
    with django_assert_max_num_queries(8):
        found = events(client.get(address))
    blocks = [(str(event["SUMMARY"]), event["DTSTART"].dt) for event in found if "LOCATION" not in event]
    assert ("Team meeting", ten + timedelta(hours=2)) in blocks
    assert ("Blocked time", ten + timedelta(hours=3)) in blocks
    assert len(found) == 3


def test_a_practitioners_names_no_patient(client, chen, visit, ada):
    chen.user = UserFactory()
    chen.save()
    client.force_login(chen.user)
    response = client.get(make(client))
    assert len(events(response)) == 1
    assert ada.family.encode() not in response.content


def test_only_a_digest_of_the_secret_is_kept(as_ada):
    secret = make(as_ada).split("/")[2].removesuffix(".ics")
    assert secret not in str(CalendarFeed.objects.values_list().get())


def test_taken_back_it_shows_nothing(as_ada, visit):
    address = make(as_ada)
    feed = CalendarFeed.objects.get()
    assertRedirects(as_ada.post(f"/calendars/{feed.pk}/revoke/"), "/calendars/")
    assert as_ada.get(address).status_code == 404
    assertContains(as_ada.get("/calendars/"), "No calendar is connected yet.")


def test_a_user_without_visits_has_no_feed(client, rana):
    client.force_login(rana)
    assert client.get("/calendars/").status_code == 403
    assert client.post("/calendars/").status_code == 403


def test_it_can_be_opened_in_a_calendar_program(as_ada):
    assertContains(as_ada.post("/calendars/"), 'href="webcal://testserver/calendars/')


def test_another_users_feed_cannot_be_revoked(as_ada, client, bo):
    make(as_ada)
    client.force_login(bo.user)
    assert client.post(f"/calendars/{CalendarFeed.objects.get().pk}/revoke/").status_code == 404


def test_a_wrong_secret_is_not_found(client):
    assert client.get("/calendars/wrong.ics").status_code == 404


def test_the_address_is_shown_once(as_ada):
    address = make(as_ada)
    assert address not in as_ada.get("/calendars/").content.decode()


def test_a_parents_says_whose_visit_it_is(as_ada, ada, bo, visit, checkup, ten):
    RelatedPersonFactory(patient=bo, user=ada.user)
    by_video = ServiceFactory(name="Video", telehealth=True)
    for service, hours in ((checkup, 1), (by_video, 2)):
        start = ten + timedelta(hours=hours)
        AppointmentFactory(patient=bo, service=service, start=start, end=start + timedelta(minutes=30))
    clinic = settings.CLINIC_NAME
    assert [str(event["SUMMARY"]) for event in events(as_ada.get(make(as_ada)))] == [
        f"Visit at {clinic}",
        f"Visit for {bo.given} at {clinic}",
        f"Video visit for {bo.given} with {clinic}",
    ]


def test_reloading_the_page_that_shows_it_makes_no_second_one(as_ada):
    answer = Client.post(as_ada, "/calendars/")
    assert (answer.status_code, answer.url) == (302, "/calendars/")
    assert as_ada.get("/calendars/").context["address"]
    assert as_ada.get("/calendars/").context["address"] == ""
    assert CalendarFeed.objects.count() == 1
