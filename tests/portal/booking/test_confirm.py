"""Confirming a hold."""

from datetime import timedelta

import pytest
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import Appointment
from tests.factories import CareTeamFactory, CoverageFactory, QuestionnaireFactory, ScheduleFactory, SlotFactory
from tests.portal.booking.steps import hold, later, page_of
from tests.scheduling.situations import run_out

pytestmark = pytest.mark.django_db


@pytest.fixture
def held(as_ada, checkup, button_value):
    return hold(as_ada, checkup, button_value)


def requires(service, **what):
    for name in what:
        setattr(service, f"requires_{name}", what[name])
    service.save()


def test_the_review_says_what_with_whom_where_and_until_when(as_ada, held):
    page = as_ada.get(page_of(held, "confirm"))
    length, time = "30 minutes", "10:00 – 10:30 AM (New York time)"
    for words in ("Check-up", "Dr. Mei Chen", "Riverside Main Street", length, time):
        assertContains(page, words)
    assertContains(page, "Ada Quinn")
    assertContains(page, "Held for you until ")


def test_the_policy_stands_before_the_button_that_names_day_and_time(as_ada, held):
    page = as_ada.get(page_of(held, "confirm")).content.decode()
    button = f"Confirm {held.start:%a, %b} {held.start.day}, 10:00 AM"
    assert page.index("You can cancel until 24 hours before the visit") < page.index(button)


def test_it_is_booked_with_the_comment(as_ada, held):
    assertRedirects(as_ada.post(page_of(held, "confirm"), {"comment": "Step-free, please"}), page_of(held, "booked"))
    held.refresh_from_db()
    assert (held.status, held.comment) == ("booked", "Step-free, please")


def test_the_booked_page_says_where_it_is_written_and_how_to_prepare(as_ada, held, checkup, site):
    checkup.preparation = "Come with an empty stomach."
    checkup.save()
    site.line, site.city = "240 Riverside Drive", "New York"
    site.save()
    as_ada.post(page_of(held, "confirm"))
    page = as_ada.get(page_of(held, "booked"))
    for words in (held.fhir_id[:8].upper(), "Come with an empty stomach.", "We are sending all of this to"):
        assertContains(page, words)
    assertContains(page, "visit.ics")
    assertContains(page, "240%20Riverside%20Drive")


def test_a_visit_by_video_says_when_the_room_opens(as_ada, held, checkup, schedule):
    checkup.telehealth = True
    checkup.save()
    schedule.meeting_url = "https://video.example/room"
    schedule.save()
    as_ada.post(page_of(held, "confirm"))
    page = as_ada.get(page_of(held, "booked"))
    assertContains(page, "at 9:50 AM (New York time), 10 minutes before the visit.")
    assertNotContains(page, "See it on a map")


def test_pressed_twice_it_shows_the_booking(as_ada, held):
    as_ada.post(page_of(held, "confirm"))
    assertRedirects(as_ada.post(page_of(held, "confirm")), page_of(held, "booked"))
    for step in ("confirm", "about"):  # the Back button
        assertRedirects(as_ada.get(page_of(held, step)), page_of(held, "booked"))


def test_the_receipt_of_a_visit_that_begins_soon_promises_no_link_to_cancel_it(as_ada, held):
    held.service.cancellation_notice = timedelta(days=60)
    held.service.save()
    page = as_ada.post(page_of(held, "confirm"), follow=True)
    assertContains(page, "and this one begins sooner")
    assertContains(page, "with a link to the visit.")
    assertNotContains(page, "cancel the visit")


def test_a_hold_that_ran_out_offers_the_same_time_and_keeps_the_comment(as_ada, held, ten):
    run_out(held)
    page = as_ada.post(page_of(held, "confirm"), {"comment": "Step-free, please"})
    assertContains(page, "the hold has ended", status_code=409)
    assert ten in [each.start for each in page.context["alternatives"]]
    there = f"/book/{held.service.fhir_id}/hold/"
    again = as_ada.post(there, {"time": page.context["alternatives"][0].value}, follow=True)
    assertContains(again, "Step-free, please")


def test_a_hold_whose_time_somebody_took_offers_others(as_ada, held, schedule, ten):
    run_out(held)
    SlotFactory(schedule=schedule, start=ten, end=ten + timedelta(minutes=30))
    page = as_ada.post(page_of(held, "confirm"))
    assert page.status_code == 409
    assert ten not in [each.start for each in page.context["alternatives"]]


def test_a_change_on_the_way_keeps_the_comment(as_ada, held):
    answer = as_ada.post(page_of(held, "confirm"), {"comment": "Step-free, please", "change": "about"})
    assertRedirects(answer, page_of(held, "about"))
    assertContains(as_ada.get(page_of(held, "confirm")), "Step-free, please")


def test_a_booking_is_not_let_go_like_a_hold(as_ada, held):
    as_ada.post(page_of(held, "confirm"))
    as_ada.post(page_of(held, "let-go"))
    held.refresh_from_db()
    assert held.status == "booked"


def test_a_visit_within_the_notice_says_that_it_cannot_be_cancelled(as_ada, held):
    held.service.cancellation_notice = timedelta(days=9)
    held.service.save()
    assertContains(as_ada.get(page_of(held, "confirm")), 'please call us: <a href="tel:+12125550100">')


@pytest.mark.parametrize("step", ["confirm", "booked", "about", "coverage"])
def test_another_patients_hold_does_not_exist(client, held, bo, step):
    client.force_login(bo.user)
    assert client.get(page_of(held, step)).status_code == 404
    held.refresh_from_db()
    assert held.status == "pending"


# Requirements of a service


def test_without_coverage_it_is_not_booked_and_says_where_to_add_it(as_ada, held, checkup):
    requires(checkup, coverage=True)
    for answer in (as_ada.get(page_of(held, "confirm")), as_ada.post(page_of(held, "confirm"))):
        assert answer.status_code == 200
        assert page_of(held, "coverage") in answer.content.decode()
        assert "Confirm " not in answer.content.decode()
    held.refresh_from_db()
    assert held.status == "pending"


def test_with_coverage_it_is_booked(as_ada, ada, held, checkup):
    requires(checkup, coverage=True)
    CoverageFactory(beneficiary=ada)
    assertRedirects(as_ada.post(page_of(held, "confirm")), page_of(held, "booked"))


def test_without_the_answers_it_requires_it_is_not_booked(as_ada, held, checkup):
    requires(checkup, questionnaires=True)
    checkup.questionnaires.add(QuestionnaireFactory())
    page = as_ada.post(page_of(held, "confirm"), {"comment": "Step-free, please"})
    assertContains(page, "Check-up needs answers to")
    assertContains(page, f'<a href="{page_of(held, "questions")}">Go to the questions</a>')
    assertContains(page, "Step-free, please")


def test_a_refusal_names_the_care_team(as_ada, ada, held, checkup, site):
    requires(checkup, care_team=True)
    of_the_team = ScheduleFactory(services=[checkup], site=site).actor
    elsewhere = ScheduleFactory().actor
    CareTeamFactory(patient=ada, members=[ada, of_the_team, elsewhere])
    page = as_ada.get(page_of(held, "confirm"))
    assertContains(page, f"/book/{checkup.fhir_id}/?practitioner={of_the_team.fhir_id}")
    assertNotContains(page, elsewhere.fhir_id)
    assert as_ada.post(page_of(held, "confirm")).status_code == 200


def test_a_care_team_that_gives_no_such_visit_is_a_reason_to_call(as_ada, held, checkup):
    requires(checkup, care_team=True)
    assertContains(as_ada.get(page_of(held, "confirm")), "No member of the team offers this visit here.")


def test_someone_of_the_care_team_is_booked(as_ada, ada, held, checkup, chen):
    requires(checkup, care_team=True)
    CareTeamFactory(patient=ada, members=[chen])
    assertRedirects(as_ada.post(page_of(held, "confirm")), page_of(held, "booked"))


def test_the_review_takes_as_many_queries_however_much_there_is(
    as_ada, ada, held, checkup, site, django_assert_max_num_queries
):
    requires(checkup, coverage=True, care_team=True)
    CareTeamFactory.create_batch(3, patient=ada, members=[ScheduleFactory(services=[checkup]).actor for _ in range(3)])
    CoverageFactory.create_batch(3, beneficiary=ada)
    with django_assert_max_num_queries(34):
        as_ada.get(page_of(held, "confirm"))


def test_two_tabs_of_one_person_come_to_one_booking(as_ada, held, button_value):
    as_ada.post(f"/book/{held.service.fhir_id}/hold/", {"time": later(button_value)})
    assert as_ada.post(page_of(held, "confirm")).status_code == 409
    second = Appointment.objects.get(status="pending")
    assertRedirects(as_ada.post(page_of(second, "confirm")), page_of(second, "booked"))
    assert Appointment.objects.filter(status="booked").count() == 1
