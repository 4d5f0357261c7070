"""Calls to those who wait are noted, shown with them and in the log, and removed by whoever noted them."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains

from clinic.models import AuditEvent, WaitlistCall
from tests.factories import AppointmentFactory, LocationFactory, PatientFactory, ScheduleFactory, UserFactory

pytestmark = pytest.mark.django_db
LIST = "/staff/waiting-list/"
FREE = f"{LIST}free/"


@pytest.fixture
def entry(ada, checkup, schedule):
    return AppointmentFactory(patient=ada, service=checkup, status="waitlist", start=None)


def call(browser, entry, **fields):
    return browser.post(f"{LIST}{entry.fhir_id}/call/", {"outcome": "no-answer", **fields}, follow=True)


def test_a_call_is_noted_and_shown_to_the_next_who_calls(as_rana, rana, entry):
    rana.first_name, rana.last_name = "Rana", "Haddad"
    rana.save()
    assertContains(call(as_rana, entry, outcome="message-left", note="With her husband"), "The call is noted.")
    for page in (LIST, f"{LIST}offers/"):
        page = as_rana.get(page)
        for words in ("Rana Haddad", "Left a message", "With her husband"):
            assertContains(page, words)
    line = AuditEvent.objects.get(subtype="call")
    assert (line.user, line.appointment) == (rana, entry)


def test_a_call_from_the_free_time_leads_back_to_it(as_rana, entry, schedule, ten):
    gap = {"calendar": schedule.fhir_id, "start": ten.isoformat(), "end": (ten + timedelta(hours=1)).isoformat()}
    page = as_rana.get(FREE, gap)
    back = page.context["back"]
    answer = call(as_rana, entry, back=back)
    assert answer.redirect_chain == [(back, 302)]
    assertContains(answer, "No answer")


def test_a_slip_is_removed_by_whoever_made_it(as_rana, entry, site):
    call(as_rana, entry)
    noted = WaitlistCall.objects.get()
    colleague = Client()
    colleague.force_login(UserFactory(desk_locations=[site]))
    assertNotContains(colleague.get(LIST), f"calls/{noted.pk}/remove/")
    answer = colleague.post(f"{LIST}calls/{noted.pk}/remove/", follow=True)
    assertContains(answer, "You can remove only calls that you have noted yourself.")
    assertContains(as_rana.get(LIST), f"calls/{noted.pk}/remove/")
    assertContains(as_rana.post(f"{LIST}calls/{noted.pk}/remove/", follow=True), "The call is removed.")
    assert not WaitlistCall.objects.exists()


def test_a_call_needs_an_outcome_and_somebody_who_waits(as_rana, entry, client):
    assert call(as_rana, entry, outcome="shouted").status_code == 404
    assert call(as_rana, entry, note="x" * 201).status_code == 404
    entry.status = "cancelled"
    entry.save()
    assertContains(call(as_rana, entry), "They are not on the waiting list any more.")
    assert not WaitlistCall.objects.exists()


def test_another_desk_notes_nothing(client, entry):
    site = LocationFactory()
    ScheduleFactory(site=site)
    client.force_login(UserFactory(desk_locations=[site]))
    call(client, entry)
    assert not WaitlistCall.objects.exists()


def test_many_calls_need_as_many_statements_as_one(as_rana, entry, checkup, django_assert_max_num_queries):
    WaitlistCall.objects.create(entry=entry, outcome="other", called=timezone.now())
    with django_assert_max_num_queries(30) as few:
        as_rana.get(LIST)
    for _ in range(3):
        other = AppointmentFactory(patient=PatientFactory(), service=checkup, status="waitlist", start=None)
        WaitlistCall.objects.create(entry=other, outcome="other", called=timezone.now())
    with django_assert_max_num_queries(len(few)):
        as_rana.get(LIST)


def test_the_panel_beside_the_calendar_shows_who_fits_and_closes_when_it_is_done(as_rana, entry, schedule, ten):
    panel = {"HX-Request": "true"}
    day = {"date": ten.date().isoformat()}
    page = as_rana.get(FREE, day, headers=panel)
    assertContains(page, 'id="dialog-title"')
    assertContains(page, f'href="{FREE}?date={day["date"]}&amp;calendar={schedule.fhir_id}')
    assertNotContains(page, "<html")
    end = ten + timedelta(hours=1)
    gap = {**day, "calendar": schedule.fhir_id, "start": ten.isoformat(), "end": end.isoformat()}
    page = as_rana.get(FREE, gap, headers=panel)
    give = f"{FREE}{schedule.fhir_id}/{entry.fhir_id}/"
    assertContains(page, f'hx-post="{give}"')
    fields = {"start": ten.isoformat(), "gap_start": ten.isoformat(), "gap_end": end.isoformat(), "book": "1"}
    answer = as_rana.post(give, fields, headers=panel)
    assert (answer.status_code, "The visit is booked." in answer.headers["HX-Trigger"]) == (204, True)
    again = as_rana.post(give, fields, headers=panel)
    assertContains(as_rana.get(again.url, headers=panel), "notice--bad")
