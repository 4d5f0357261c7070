"""Absences on the pages: staff say who is away, other times are offered, and patients answer by the link."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import Absence, Appointment, Rebooking, Schedule
from scheduling import absences, booking
from tests.factories import AppointmentFactory, PatientFactory

pytestmark = pytest.mark.django_db(transaction=True)

ABSENCES = "/staff/absences/"


@pytest.fixture(autouse=True)
def by_day(settings):
    settings.QUIET_HOURS = None


@pytest.fixture
def said(schedule, ten):
    return {"who": schedule.fhir_id, "first": f"{ten:%Y-%m-%d}", "reason": "Flu", "notice": "Dr. Chen is ill."}


@pytest.fixture
def absence(as_rana, visit, said):
    as_rana.post(f"{ABSENCES}new/", said)
    return Absence.objects.get()


def work():
    while absences.tend(now=timezone.now()):
        pass


def press(client, absence, step):
    absence.refresh_from_db()
    client.post(f"{ABSENCES}{absence.pk}/step/", {"step": step, "version": absence.version})
    work()
    return client.get(f"{ABSENCES}{absence.pk}/")


def test_saving_it_blocks_the_day_and_opens_the_visits_that_are_affected(as_rana, visit, said, ten):
    answer = as_rana.post(f"{ABSENCES}new/", said)
    absence = Absence.objects.get()
    assertRedirects(answer, f"{ABSENCES}{absence.pk}/")
    page = as_rana.get(answer.url)
    for text in ("1 visit is affected", "Ada Quinn", "Patients are told: Dr. Chen is ill.", "Offer other times"):
        assertContains(page, text)
    assert (absence.start, absence.end) == (ten - timedelta(hours=10), ten + timedelta(hours=14))
    assertContains(as_rana.get(ABSENCES), "Chen")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"who": ""}, "Choose who is away."),
        ({"first": ""}, "Enter the first day."),
        ({"start": "12:00", "end": "11:00"}, "The end must be after the start."),
        ({"last": "2020-01-01"}, "The last day must be the first day or later."),
        ({"first": "2020-01-01"}, "The absence has already ended."),
    ],
)
def test_what_is_wrong_is_said_and_the_typed_text_stays(as_rana, said, change, error):
    page = as_rana.post(f"{ABSENCES}new/", said | change, follow=True)
    assertContains(page, error)
    assertContains(page, "Dr. Chen is ill.")
    assert not Absence.objects.exists()


def test_the_answers_are_followed_from_the_preview_on(as_rana, absence, ada):
    page = press(as_rana, absence, "offer")
    for text in ("Nobody has been told yet", "1 patient can choose another time.", "0 must be called.", "Undo"):
        assertContains(page, text)
    page = press(as_rana, absence, "send")
    assertContains(page, "Waiting for an answer")
    assertContains(page, "3 times are held")
    assertNotContains(page, "Send now")


def test_undo_before_the_messages_go_out(as_rana, absence):
    press(as_rana, absence, "offer")
    assertContains(press(as_rana, absence, "undo"), "Offer other times")
    assert not Appointment.objects.filter(suggested_for__isnull=False, status="pending").exists()


def test_somebody_else_has_changed_it_meanwhile(as_rana, absence, said):
    stale = absence.version
    press(as_rana, absence, "offer")
    data = {"step": "end", "version": stale}
    page = as_rana.post(f"{ABSENCES}{absence.pk}/step/", data, follow=True)
    assertContains(page, "Somebody else has changed this absence in the meantime.")
    page = as_rana.post(f"{ABSENCES}{absence.pk}/change/", said | {"version": stale}, follow=True)
    assertContains(page, "Somebody else has changed this absence in the meantime.")


def test_a_whole_site_is_away(as_rana, visit, site, ten):
    Schedule.objects.update(site=site)
    Appointment.objects.update(site=site)
    page = as_rana.get(f"{ABSENCES}new/")
    assertContains(page, "Sites, as a whole")
    day = {"who": site.fhir_id, "first": f"{ten:%Y-%m-%d}", "reason": "No power", "notice": "We have no power."}
    answer = as_rana.post(f"{ABSENCES}new/", day, follow=True)
    absence = Absence.objects.get()
    assert absence.site == site
    assert (absence.start, absence.end) == (ten - timedelta(hours=10), ten + timedelta(hours=14))
    for text in (site.name, "1 visit is affected", "Ada Quinn", "The site is open again"):
        assertContains(answer, text)
    assertContains(as_rana.get(ABSENCES), site.name)
    assertContains(as_rana.get("/staff/to-do/"), f"{ABSENCES}{absence.pk}/")
    form = as_rana.get(f"{ABSENCES}{absence.pk}/change/")
    assertContains(form, f'<option value="{site.fhir_id}" selected>')
    changed = {**day, "start": "12:00", "version": absence.version}
    assertContains(as_rana.post(f"{ABSENCES}{absence.pk}/change/", changed, follow=True), "No visit is affected")


def test_who_runs_no_site_is_asked_for_people_rooms_and_devices_alone(as_chen, schedule, visit):
    assertNotContains(as_chen.get(f"{ABSENCES}new/"), "Sites, as a whole")


def test_a_change_moves_the_block(as_rana, absence, said, ten):
    data = said | {"version": absence.version, "start": "12:00", "end": "14:00"}
    page = as_rana.post(f"{ABSENCES}{absence.pk}/change/", data, follow=True)
    assertContains(page, "No visit is affected")
    absence.refresh_from_db()
    assert absence.start == ten + timedelta(hours=2)
    assertContains(as_rana.get(f"{ABSENCES}{absence.pk}/change/"), 'value="12:00"')


def test_staff_book_a_held_time_on_the_phone(as_rana, absence, visit):
    press(as_rana, absence, "offer")
    visit.refresh_from_db()
    hold = booking.standing_alternatives(visit, now=timezone.now())[0]
    data = {"visit": visit.fhir_id, "hold": hold.fhir_id}
    page = as_rana.post(f"{ABSENCES}{absence.pk}/book/", data, follow=True)
    assertContains(page, "Moved to another time")
    visit.refresh_from_db()
    assert visit.start == hold.start


def test_the_patient_chooses_by_the_link(as_rana, client, absence, visit, link):
    press(as_rana, absence, "offer")
    client.logout()
    assertNotContains(client.get(link), "we cannot keep this visit")
    work_after = timezone.now() + booking.UNDO_FOR + timedelta(seconds=1)
    while absences.tend(now=work_after):
        pass
    Absence.objects.update(send_from=timezone.now())
    page = client.get(link)
    for text in ("We are sorry: we cannot keep this visit", "Dr. Chen is ill.", "please call me"):
        assertContains(page, text)
    visit.refresh_from_db()
    hold = booking.standing_alternatives(visit, now=timezone.now())[0]
    page = client.post(f"{link}times/", {"hold": hold.fhir_id}, follow=True)
    assertContains(page, "Your visit is moved to the time that you have chosen.")
    page = client.post(f"{link}times/", {"hold": hold.fhir_id}, follow=True)
    assertContains(page, "This visit takes place as booked, or it was changed in the meantime.")


@pytest.mark.parametrize(
    ("answer", "text", "state"),
    [("call", "We will call you to find another time.", "call"), ("cancel", "Nothing is charged for it.", "cancelled")],
)
def test_the_patient_asks_for_a_call_or_cancels(as_rana, client, absence, link, answer, text, state):
    press(as_rana, absence, "offer")
    press(as_rana, absence, "send")
    client.logout()
    assertContains(client.post(f"{link}times/", {"answer": answer}, follow=True), text)
    assert Rebooking.objects.get().state == state


def test_the_page_has_as_many_queries_for_many_visits_as_for_few(as_rana, absence, checkup, site, schedule, ten):
    page = f"{ABSENCES}{absence.pk}/"
    as_rana.get(page)
    with CaptureQueriesContext(connection) as few:
        as_rana.get(page)
    for number in range(1, 6):
        start = ten + timedelta(hours=number)
        end = start + timedelta(minutes=30)
        of = {"patient": PatientFactory(), "service": checkup, "site": site, "schedules": [schedule]}
        AppointmentFactory(start=start, end=end, **of)
    as_rana.get(page)
    with CaptureQueriesContext(connection) as many:
        assertContains(as_rana.get(page), "6 visits are affected")
    assert len(many) == len(few)
