"""Several services in one coming on the pages: chosen, found, held, asked for what each needs, and booked together."""

from datetime import date, timedelta

import pytest
from django.core import mail
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import Appointment
from scheduling.notifications import links
from tests.factories import EVERY_DAY, PractitionerFactory, QuestionnaireFactory, ScheduleFactory, ServiceFactory
from tests.portal.booking.steps import page_of, prove, say_who
from tests.scheduling.notifications.messages import deliver

pytestmark = pytest.mark.django_db
BORN = {"birth_date_day": "4", "birth_date_month": "7", "birth_date_year": "1990"}


@pytest.fixture
def blood_test(checkup):
    return ServiceFactory(name="Blood test", hours=EVERY_DAY)


@pytest.fixture
def nurse(blood_test, site):
    return ScheduleFactory(actor=PractitionerFactory(given="Noor", family="Nurse"), services=[blood_test], site=site)


@pytest.fixture
def page(checkup, blood_test, schedule, nurse):
    return f"/together/?service={checkup.fhir_id}&service={blood_test.fhir_id}"


def held_visits():
    return list(Appointment.objects.filter(hold_expires_at__isnull=False).order_by("start"))


def first(answer):
    return answer.context["days"][0].choices[0]


def test_the_services_and_the_times_lead_to_it(client, checkup, blood_test, schedule, nurse):
    assertContains(client.get("/"), 'href="/together/"')
    assertContains(client.get(f"/book/{checkup.fhir_id}/"), f'href="/together/?service={checkup.fhir_id}"')


def test_services_are_chosen_one_after_another(client, checkup, blood_test, schedule, nurse):
    assertContains(client.get("/together/"), "First visit")
    one = client.get("/together/", {"service": [checkup.fhir_id, ""]})
    assertContains(one, "Add another visit")
    assert "days" not in one.context
    both = client.get("/together/", {"service": [checkup.fhir_id, blood_test.fhir_id]})
    assert both.context["days"]
    assertContains(both, "In any order")


def test_the_visits_follow_one_another(client, page):
    choice = first(client.get(page))
    (one, earlier), (other, later) = choice.visits
    assert (one.name, other.name) == ("Check-up", "Blood test")
    assert earlier.end == later.start
    assert not Appointment.objects.exists()


def test_a_chosen_person_gives_their_visit(client, page, blood_test, site):
    other = PractitionerFactory(given="Omar", family="Other")
    ScheduleFactory(actor=other, services=[blood_test], site=site)
    shown = client.get(f"{page}&with-1={other.fhir_id}")
    assert {choice.visits[1][1].with_whom for choice in shown.context["days"][0].choices} == {"Dr. Omar Other"}


def test_any_order_finds_more(client, page, blood_test):
    parameters = blood_test.scheduling_parameters.get()
    parameters.availability = [{**EVERY_DAY[0], "availableStartTime": "09:00:00", "availableEndTime": "09:30:00"}]
    parameters.save()
    assert client.get(page).context["days"] == []
    choice = first(client.get(f"{page}&any_order=on"))
    assert [service.name for service, _ in choice.visits] == ["Blood test", "Check-up"]


def test_they_are_held_named_confirmed_and_told_of_together(client, page):
    choice = first(client.get(page))
    answer = client.post(page, {"visits": choice.value})
    held = held_visits()
    assert [visit.start for visit in held] == [visit.start for _, visit in choice.visits]
    assertRedirects(answer, page_of(held[0], "about"))
    assertContains(client.get(page_of(held[0], "about")), "With other visits")
    say_who(client, held[0])
    prove(client, held[0])
    confirm = client.get(page_of(held[0], "confirm"))
    assertContains(confirm, "Confirm all 2 visits")
    assertContains(confirm, "Blood test")
    client.post(page_of(held[0], "confirm"))
    assert set(Appointment.objects.values_list("status", flat=True)) == {"booked"}
    assertContains(client.get(page_of(held[0], "booked")), "Your visits are booked")
    deliver()
    [letter] = [each for each in mail.outbox if each.attachments]
    assert "Check-up" in letter.body
    assert "Blood test" in letter.body


def test_what_each_service_asks_is_asked(as_ada, page, checkup, blood_test):
    for service in (checkup, blood_test):
        service.questionnaires.add(QuestionnaireFactory())
    as_ada.post(page, {"visits": first(as_ada.get(page)).value})
    one, other = held_visits()
    part = as_ada.get(page_of(one, "questions"), follow=True).redirect_chain[-1][0]
    assertRedirects(as_ada.post(part, {"skip": "1"}), page_of(other, "questions"), fetch_redirect_response=False)
    part = as_ada.get(page_of(other, "questions"), follow=True).redirect_chain[-1][0]
    assert as_ada.post(part, {"skip": "1"}).url.endswith("/confirm/")


def test_a_time_that_is_lost_holds_nothing(client, page, ada, blood_test, nurse):
    choice = first(client.get(page))
    client.post(page, {"visits": choice.value})
    other = type(client)()
    answer = other.post(page, {"visits": choice.value})
    assertContains(answer, "One of these times has just been taken.")
    assert len(held_visits()) == 2


@pytest.mark.parametrize("value", ["", "nonsense", "gone@2030-01-01T10:00:00Z~gone", "@|@"])
def test_nonsense_is_refused(client, page, value):
    assert client.post(page, {"visits": value}).status_code == 200
    assert held_visits() == []


def test_one_is_cancelled_alone_or_all_together(as_ada, page, checkup):
    checkup.cancellation_notice = timedelta(0)
    checkup.save()
    as_ada.post(page, {"visits": first(as_ada.get(page)).value})
    one = held_visits()[0]
    as_ada.post(page_of(one, "confirm"))
    shown = as_ada.get(f"/appointments/{one.fhir_id}/")
    assertContains(shown, "All 2 upcoming visits")
    assertNotContains(shown, "Series")
    as_ada.post(f"/appointments/{one.fhir_id}/cancel/?which=all")
    assert set(Appointment.objects.values_list("status", flat=True)) == {"cancelled"}


def test_nobody_waits_for_long(client, page):
    for day in client.get(page).context["days"]:
        for choice in day.choices:
            assert choice.end - choice.start < timedelta(hours=2)


@pytest.mark.parametrize("by_link", [False, True])
def test_all_are_moved_together(as_ada, ada, page, settings, by_link):
    ada.birth_date = date(1990, 7, 4)
    ada.save()
    days = as_ada.get(page).context["days"]
    old, new = days[2].choices[0], days[3].choices[4]
    as_ada.post(page, {"visits": old.value})
    one, _other = held_visits()
    as_ada.post(page_of(one, "confirm"))
    if by_link:
        as_ada.logout()
        address = f"{links.manage_link(one).removeprefix(settings.SITE_URL)}move/?which=all"
        as_ada.post(address, BORN)
    else:
        address = f"{page_of(one, 'move')}?which=all"
    listed = as_ada.get(f"{address}&week={days[0].day}")
    values = [choice.value for day in listed.context["days"] for choice in day.choices]
    assert new.value in values
    assert old.value not in values
    chosen = as_ada.post(address, {"visits": new.value})
    preview = as_ada.get(chosen.url)
    assertContains(preview, "Move 2 visits")
    assert [visit.start for visit in Appointment.objects.order_by("start")] == [
        choice.start for _, choice in old.visits
    ]
    as_ada.post(address, {"visits": new.value, "confirm": "on"})
    assert [visit.start for visit in Appointment.objects.order_by("start")] == [
        choice.start for _, choice in new.visits
    ]
