"""Taking a hold on a time, keeping it, letting it go and losing it."""

from datetime import UTC, timedelta

import pytest
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import Appointment, QuestionnaireResponse, Slot
from portal import holds
from scheduling.access import Caller
from tests.factories import (
    AppointmentFactory,
    QuestionnaireFactory,
    QuestionnaireResponseFactory,
    RelatedPersonFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
    UserFactory,
)
from tests.portal.conftest import EVERY_DAY

pytestmark = pytest.mark.django_db


@pytest.fixture
def there(checkup):
    return f"/book/{checkup.fhir_id}/hold/"


def later(wanted, minutes=30):
    """The button of a time after it."""
    return wanted.replace(":00:00Z", f":{minutes}:00Z")


def page_of(held, step):
    return f"/appointments/{held.fhir_id}/{step}/"


def run_out(appointment):
    """As if the hold had been taken longer ago."""
    over = timezone.now() - timedelta(seconds=1)
    Slot.objects.filter(appointment=appointment).update(blocks_from=over - timedelta(minutes=9), hold_expires_at=over)
    Appointment.objects.filter(pk=appointment.pk).update(hold_expires_at=over)


def test_a_time_is_held_at_once_and_confirmed_next(as_ada, there, wanted, ada, ten):
    answer = as_ada.post(there, {"time": wanted})
    held = Appointment.objects.get()
    assert (held.status, held.patient, held.start) == ("pending", ada, ten)
    assertRedirects(answer, page_of(held, "confirm"))


def test_who_has_not_signed_in_holds_it_too_and_says_next_who_they_are(client, there, wanted):
    answer = client.post(there, {"time": wanted})
    held = Appointment.objects.get()
    assert (held.status, held.patient, held.held_by) == ("pending", None, None)
    assert held.held_by_guest
    assert held.held_by_guest not in str(dict(client.session))
    assertRedirects(answer, page_of(held, "about"))


def test_a_guests_hold_is_theirs_alone(client, there, wanted, as_ada):
    client.logout()
    client.post(there, {"time": wanted})
    held = Appointment.objects.get()
    assert Client().get(page_of(held, "about")).url.startswith("/accounts/login/")
    as_other = Client()
    as_other.force_login(UserFactory())
    assert as_other.get(page_of(held, "about")).status_code == 404
    assert as_other.post(page_of(held, "let-go")).status_code == 404
    held.refresh_from_db()
    assert held.status == "pending"


def test_a_guest_who_signs_in_keeps_the_hold(client, there, wanted, ada):
    client.post(there, {"time": wanted})
    held = Appointment.objects.get()
    client.force_login(ada.user)
    assertContains(client.get(page_of(held, "about")), "Me, Ada Quinn")
    assertRedirects(client.post(page_of(held, "about"), {"who": ada.fhir_id}), page_of(held, "confirm"))
    held.refresh_from_db()
    assert held.patient == ada


def test_who_cares_for_somebody_is_asked_for_whom_it_is(as_ada, ada, there, wanted):
    RelatedPersonFactory(user=ada.user)
    answer = as_ada.post(there, {"time": wanted})
    assertRedirects(answer, page_of(Appointment.objects.get(), "about"))


def test_another_choice_replaces_the_hold(as_ada, there, wanted):
    as_ada.post(there, {"time": wanted})
    as_ada.post(there, {"time": later(wanted)})
    assert sorted(Appointment.objects.values_list("status", flat=True)) == ["cancelled", "pending"]


def test_another_visit_lets_the_hold_go(client, there, wanted, chen, site, ten):
    client.post(there, {"time": wanted})
    other = ServiceFactory(hours=EVERY_DAY)
    schedule = ScheduleFactory(actor=chen, services=[other], site=site)
    eleven = f"{(ten + timedelta(hours=1)).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}~{schedule.fhir_id}"
    client.post(f"/book/{other.fhir_id}/hold/", {"time": eleven})
    assert Appointment.objects.get(status="pending").service == other
    assert Appointment.objects.filter(status="cancelled").count() == 1


def test_a_hold_can_be_taken_again_at_the_same_time(as_ada, there, wanted):
    as_ada.post(there, {"time": wanted})
    assertContains(as_ada.post(there, {"time": wanted}, follow=True), "Check and confirm")
    assert Appointment.objects.filter(status="pending").count() == 1


def test_who_holds_two_times_elsewhere_chooses_which_to_give_back(as_ada, ada, there, wanted, ten):
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
    page = as_ada.post(there, {"time": wanted})
    assertContains(page, "You hold two times already", status_code=409)
    assert [each.id for each in page.context["held"]] == [first.fhir_id, second.fhir_id]
    as_ada.post(there, {"time": page.context["time"], "instead_of": second.fhir_id})
    assert set(Appointment.objects.filter(status="pending").values_list("start", flat=True)) == {first.start, ten}


def test_holding_too_often_from_one_address_is_slowed_down(there, wanted, settings):
    settings.ACCOUNT_RATE_LIMITS = {"hold": "2/m/ip"}
    answers = [Client().post(there, {"time": later(wanted, minutes)}) for minutes in (10, 30, 45)]
    assert [each.status_code for each in answers] == [409, 302, 429]
    assertContains(answers[-1], "Please wait a moment", status_code=429)


def test_who_is_signed_in_is_not_counted_by_address(as_ada, there, wanted, settings):
    settings.ACCOUNT_RATE_LIMITS = {"hold": "1/m/ip"}
    as_ada.post(there, {"time": wanted})
    assert as_ada.post(there, {"time": later(wanted)}).status_code == 302


def test_somebody_was_faster(client, there, wanted, schedule, ten):
    SlotFactory(schedule=schedule, start=ten, end=ten + timedelta(minutes=30))
    page = client.post(there, {"time": wanted})
    assertContains(page, "That time has just been taken.", status_code=409)
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


def test_a_time_outside_the_hours_is_answered_kindly(as_ada, there, wanted):
    night = wanted.replace(wanted[11:13], "06", 1)
    page = as_ada.post(there, {"time": night})
    assert page.status_code == 409
    assert page.context["alternatives"]


def test_a_patient_cannot_be_in_two_places(as_ada, there, wanted, ada, ten):
    AppointmentFactory(patient=ada, start=ten)
    answer = as_ada.post(there, {"time": wanted}, follow=True)
    assertContains(answer, "The patient has another appointment at that time.")


def test_a_hold_is_taken_by_post_alone(client, there, wanted):
    assertContains(client.get(there, {"time": wanted}), "It is not held for you yet.")
    assert not Appointment.objects.exists()


def test_what_a_visit_needs_is_said_before_it_is_held(client, there, wanted, checkup):
    checkup.requires_coverage = checkup.requires_care_team = True
    checkup.save()
    page = client.get(there, {"time": wanted})
    assertContains(page, "Health insurance that is valid on the day.")
    assertContains(page, "It is only with someone of the patient")


# Longer, once


@pytest.fixture
def held(client, there, wanted):
    """A guest's."""
    client.post(there, {"time": wanted})
    return Appointment.objects.get()


def test_a_hold_is_kept_longer_once_and_what_was_typed_stays(client, held):
    page = client.post(page_of(held, "about"), {"given": "Eve", "keep": "1"}, follow=True)
    assertContains(page, 'value="Eve"')
    assertNotContains(page, "There is a problem")
    assertNotContains(page, "Keep it longer")
    before = held.hold_expires_at
    held.refresh_from_db()
    assert held.hold_expires_at == before + timedelta(minutes=10)
    assertContains(client.post(page_of(held, "about"), {"keep": "1"}, follow=True), "can be kept longer only once")


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
        assertContains(page, "You hold a time")
        assertContains(page, page_of(held, "confirm"))


def test_the_pages_of_the_way_do_not_say_it_twice(client, held):
    assertNotContains(client.get(page_of(held, "about")), "You hold a time")


def test_nothing_is_asked_of_the_database_where_nothing_is_held(client, schedule, django_assert_num_queries):
    request = RequestFactory().get("/")
    request.session = client.session
    with django_assert_num_queries(0):
        assert holds.standing(request, Caller(), now=timezone.now()) is None


def test_what_is_held_is_one_query(client, held, django_assert_num_queries):
    request = RequestFactory().get("/")
    request.session = client.session
    caller = Caller(guest=request.session["guest"])
    with django_assert_num_queries(1):
        assert holds.standing(request, caller, now=timezone.now()).appointment == held


def test_a_hold_that_ran_out_is_no_longer_announced(client, held):
    run_out(held)
    assertNotContains(client.get("/accounts/login/"), "You hold a time")


# Let go


def test_choosing_another_time_lets_the_hold_go_and_keeps_what_was_typed(client, held, there, wanted):
    client.post(page_of(held, "about"), {"given": "Eve", "keep": "1"})
    assertRedirects(client.post(page_of(held, "let-go")), f"/book/{held.service.fhir_id}/")
    held.refresh_from_db()
    assert held.status == "cancelled"
    assertContains(client.post(there, {"time": later(wanted)}, follow=True), 'value="Eve"')


def test_leaving_lets_the_hold_go_and_forgets_what_was_typed(client, held, there, wanted):
    client.post(page_of(held, "about"), {"given": "Eve", "keep": "1"})
    page = client.post(page_of(held, "let-go"), {"leave": "1"}, follow=True)
    assertContains(page, "Nothing is booked.")
    held.refresh_from_db()
    assert held.status == "cancelled"
    assertNotContains(client.post(there, {"time": wanted}, follow=True), 'value="Eve"')


def test_letting_go_twice_is_no_error(client, held):
    for _ in range(2):
        assert client.post(page_of(held, "let-go")).status_code == 302


def test_a_tab_whose_hold_was_given_up_in_another_offers_times(client, held, there, wanted):
    client.post(there, {"time": later(wanted)})
    page = client.post(page_of(held, "about"), {"given": "Eve"})
    assertContains(page, "This time is no longer held for you.", status_code=409)
    assertContains(page, "You hold a time", status_code=409)


# Lost


def test_a_hold_that_ran_out_says_so_on_every_page_of_the_way(client, held):
    run_out(held)
    for step in ("about", "proof", "coverage", "confirm"):
        assertContains(client.get(page_of(held, step)), "the hold has ended", status_code=409)


def test_what_was_typed_while_it_ran_out_is_there_with_the_next_time(client, held, there):
    run_out(held)
    page = client.post(page_of(held, "about"), {"given": "Eve", "birth_date_day": "27"})
    assertContains(page, "We have kept what you have told us.", status_code=409)
    page = client.post(there, {"time": page.context["alternatives"][0].value}, follow=True)
    assertContains(page, 'value="Eve"')
    assertContains(page, 'value="27"')


def test_answers_person_and_coverage_go_on_to_the_next_time(as_ada, ada, there, wanted, checkup):
    form = QuestionnaireFactory()
    checkup.questionnaires.add(form)
    as_ada.post(there, {"time": wanted})
    held = Appointment.objects.get()
    Appointment.objects.update(extra={"supportingInformation": [{"reference": "Coverage/mine"}]})
    QuestionnaireResponseFactory(appointment=held, questionnaire=form, status="in-progress")
    run_out(held)
    as_ada.post(there, {"time": later(wanted)})
    after = Appointment.objects.get(status="pending", hold_expires_at__gt=timezone.now())
    assert (after.patient, after.extra["supportingInformation"]) == (ada, [{"reference": "Coverage/mine"}])
    assert QuestionnaireResponse.objects.get().appointment == after
