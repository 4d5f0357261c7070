"""Extending, releasing and losing a hold."""

from datetime import timedelta

import pytest
from django.test import RequestFactory
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import Appointment, QuestionnaireResponse
from portal.booking import holds
from scheduling.access import Caller
from tests.factories import QuestionnaireFactory, QuestionnaireResponseFactory
from tests.portal.booking.steps import later, page_of
from tests.scheduling.situations import run_out

pytestmark = pytest.mark.django_db


# Longer, once


def test_a_hold_is_kept_longer_once_and_what_was_typed_stays(client, held):
    page = client.post(page_of(held, "about"), {"given": "Eve", "keep": "1"}, follow=True)
    assertContains(page, 'value="Eve"')
    assertNotContains(page, "There is a problem")
    assertNotContains(page, "Keep it longer")
    before = held.hold_expires_at
    held.refresh_from_db()
    assert held.hold_expires_at == before + timedelta(minutes=10)
    assertContains(client.post(page_of(held, "about"), {"keep": "1"}, follow=True), "can extend a hold only once")


def test_a_page_without_a_form_of_its_own_can_keep_it_longer_too(client, held):
    assertRedirects(client.post(page_of(held, "keep")), page_of(held, "about"))
    held.refresh_from_db()
    assert held.hold_extended


def test_every_page_of_the_way_counts_down_to_the_same_moment(client, held):
    first, again = (client.get(page_of(held, "about")) for _ in range(2))
    for page in (first, again):
        assertContains(page, f'data-countdown="{page.context["visit"].hold_ends.isoformat()}"')
    assert first.context["visit"].hold_ends == again.context["visit"].hold_ends


# Elsewhere on the site


def test_other_pages_say_that_a_time_waits(client, held, checkup):
    for address in ("/accounts/login/", f"/book/{checkup.fhir_id}/"):
        page = client.get(address)
        assertContains(page, "You are holding a time")
        assertContains(page, page_of(held, "confirm"))


def test_the_pages_of_the_way_do_not_say_it_twice(client, held):
    assertNotContains(client.get(page_of(held, "about")), "You are holding a time")


def test_nothing_is_asked_of_the_database_where_nothing_is_held(client, schedule, django_assert_num_queries):
    request = RequestFactory().get("/")
    request.session = client.session
    with django_assert_num_queries(0):
        assert holds.standing(request, Caller(), now=timezone.now()) is None


def test_held_times_cost_one_query(client, held, django_assert_num_queries):
    request = RequestFactory().get("/")
    request.session = client.session
    caller = Caller(guest=request.session["guest"])
    with django_assert_num_queries(1):
        assert holds.standing(request, caller, now=timezone.now()).appointment == held


def test_a_hold_that_ran_out_is_no_longer_announced(client, held):
    run_out(held)
    assertNotContains(client.get("/accounts/login/"), "You are holding a time")


# Let go


def test_choosing_another_time_lets_the_hold_go_and_keeps_what_was_typed(client, held, there, button_value):
    client.post(page_of(held, "about"), {"given": "Eve", "keep": "1"})
    assertRedirects(client.post(page_of(held, "let-go")), f"/book/{held.service.fhir_id}/")
    held.refresh_from_db()
    assert held.status == "cancelled"
    assertContains(client.post(there, {"time": later(button_value)}, follow=True), 'value="Eve"')


def test_leaving_lets_the_hold_go_and_forgets_what_was_typed(client, held, there, button_value):
    client.post(page_of(held, "about"), {"given": "Eve", "keep": "1"})
    page = client.post(page_of(held, "let-go"), {"leave": "1"}, follow=True)
    assertContains(page, "Nothing is booked.")
    held.refresh_from_db()
    assert held.status == "cancelled"
    assertNotContains(client.post(there, {"time": button_value}, follow=True), 'value="Eve"')


def test_letting_go_twice_is_no_error(client, held):
    for _ in range(2):
        assert client.post(page_of(held, "let-go")).status_code == 302


def test_a_tab_whose_hold_was_given_up_in_another_offers_times(client, held, there, button_value):
    client.post(there, {"time": later(button_value)})
    page = client.post(page_of(held, "about"), {"given": "Eve"})
    assertContains(page, "This time is no longer held for you.", status_code=409)
    assertContains(page, "You are holding a time", status_code=409)


# Lost


def test_a_hold_that_ran_out_says_so_on_every_page_of_the_way(client, held):
    run_out(held)
    for step in ("about", "proof", "coverage", "confirm"):
        assertContains(client.get(page_of(held, step)), "the hold has ended", status_code=409)


def test_a_page_of_an_earlier_hold_leads_to_the_same_time_held_again(client, held, there, button_value):
    """Going back after the same time was taken again must not say that it is not held."""
    run_out(held)
    client.post(there, {"time": button_value})
    again = Appointment.objects.latest("pk")
    assert again != held
    assertRedirects(client.get(page_of(held, "about")), page_of(again, "about"))
    client.post(there, {"time": later(button_value)})
    assert client.get(page_of(held, "about")).status_code == 409


def test_text_typed_while_a_hold_ended_is_there_with_the_next_hold(client, held, there):
    run_out(held)
    page = client.post(page_of(held, "about"), {"given": "Eve", "birth_date_day": "27"})
    assertContains(page, "We have kept what you entered.", status_code=409)
    page = client.post(there, {"time": page.context["alternatives"][0].value}, follow=True)
    assertContains(page, 'value="Eve"')
    assertContains(page, 'value="27"')


def test_answers_person_and_coverage_go_on_to_the_next_time(as_ada, ada, there, button_value, checkup):
    form = QuestionnaireFactory()
    checkup.questionnaires.add(form)
    as_ada.post(there, {"time": button_value})
    held = Appointment.objects.get()
    Appointment.objects.update(extra={"supportingInformation": [{"reference": "Coverage/mine"}]})
    QuestionnaireResponseFactory(appointment=held, questionnaire=form, status="in-progress")
    run_out(held)
    as_ada.post(there, {"time": later(button_value)})
    after = Appointment.objects.get(status="pending", hold_expires_at__gt=timezone.now())
    assert (after.patient, after.extra["supportingInformation"]) == (ada, [{"reference": "Coverage/mine"}])
    assert QuestionnaireResponse.objects.get().appointment == after
