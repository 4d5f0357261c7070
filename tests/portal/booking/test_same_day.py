"""A second visit of the same kind on one day is asked about before it is booked or moved there, and never refused."""

import json
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import Appointment, Patient, Schedule
from portal.finding.times import time_value
from scheduling.availability import offerings_of
from tests.factories import NEW_YORK, AppointmentFactory, PatientFactory, ServiceFactory
from tests.portal.booking.steps import book_as_guest, hold, page_of, prove, say_who

pytestmark = pytest.mark.django_db
ASKED = "already has a visit of this kind on the same day"
ANOTHER = "Tick the box if you want another one on the same day, or choose another time."


BORN = {"birth_date_day": "4", "birth_date_month": "7", "birth_date_year": "1990"}


@pytest.fixture
def held(as_ada, checkup, button_value):
    return hold(as_ada, checkup, button_value)


def on_the_day(ten, at=15, days=0, **facts):
    """A visit on the day of the one that is held."""
    start = datetime.combine(ten.date() + timedelta(days=days), time(at), ZoneInfo(NEW_YORK))
    facts = {"status": "booked", "start": start, "end": start + timedelta(minutes=30), **facts}
    return AppointmentFactory(**facts)


def test_it_is_asked_and_booked_only_with_a_yes(as_ada, held, ada, checkup, ten, site):
    other = on_the_day(ten, patient=ada, service=checkup, site=site)
    page = as_ada.get(page_of(held, "confirm"))
    assertContains(page, f"Ada Quinn {ASKED}: 3:00 PM (New York time).")
    assertContains(page, f'href="/appointments/{other.fhir_id}/"')
    refused = as_ada.post(page_of(held, "confirm"), {"comment": "Step-free, please"})
    assertContains(refused, ANOTHER)
    assertContains(refused, "Step-free, please")
    held.refresh_from_db()
    assert held.status == "pending"
    assertRedirects(as_ada.post(page_of(held, "confirm"), {"another": "on"}), page_of(held, "booked"))
    held.refresh_from_db()
    assert held.status == "booked"


@pytest.mark.parametrize(
    ("facts", "query"),
    [
        ({"at": 0}, True),
        ({"at": 23}, True),
        ({"status": "fulfilled"}, True),
        ({"status": "arrived"}, True),
        ({"status": "pending"}, True),  # asked for, and not answered yet
        ({"status": "cancelled"}, False),
        ({"status": "noshow"}, False),
        ({"days": 1, "at": 0}, False),
        ({"days": -1, "at": 23}, False),
    ],
)
def test_only_current_visits_of_the_local_day_count(as_ada, held, ada, checkup, ten, facts, query):
    on_the_day(ten, patient=ada, service=checkup, **facts)
    page = as_ada.get(page_of(held, "confirm"))
    assert (ASKED in page.content.decode()) is query


def test_another_kind_or_another_patient_is_no_question(as_ada, held, ada, checkup, ten):
    on_the_day(ten, patient=ada, service=ServiceFactory(name="Blood test"))
    on_the_day(ten, patient=PatientFactory(family="Quinn"), service=checkup)
    on_the_day(ten, at=16, patient=None, service=checkup, status="booked")
    assertNotContains(as_ada.get(page_of(held, "confirm")), ASKED)
    assertRedirects(as_ada.post(page_of(held, "confirm")), page_of(held, "booked"))


def test_a_guest_is_asked_about_what_they_booked_in_this_browser(client, checkup, button_value, schedule):
    first = hold(client, checkup, button_value)
    book_as_guest(client, first)
    second = hold(client, checkup, button_value.replace(":00:00Z", ":30:00Z"))
    say_who(client, second)
    assert Patient.objects.filter(appointments=second).get() == first.patient
    assertContains(client.get(page_of(second, "confirm")), f"{ASKED}: 10:00 AM (New York time).")
    client.post(page_of(second, "confirm"), {"another": "on"})
    assert Appointment.objects.filter(status="booked").count() == 2


def test_another_browser_with_the_same_name_learns_nothing(client, checkup, button_value, schedule):
    book_as_guest(client, hold(client, checkup, button_value))
    elsewhere = type(client)()
    second = hold(elsewhere, checkup, button_value.replace(":00:00Z", ":30:00Z"))
    say_who(elsewhere, second)
    prove(elsewhere, second)
    assertNotContains(elsewhere.get(page_of(second, "confirm")), ASKED)


class TestMoving:
    """Ada's visit moves from the day at ten to the day after, where there is another."""

    @pytest.fixture
    def other(self, ten, ada, checkup, site):
        return on_the_day(ten, at=23, days=1, patient=ada, service=checkup, site=site)  # the next day in UTC

    @pytest.fixture
    def sent(self, visit, ten, checkup, schedule):
        moment = datetime.combine(ten.date() + timedelta(days=1), time(10), ZoneInfo(NEW_YORK))
        return {"time": time_value(moment, offerings_of(checkup, [schedule.fhir_id])), "zone": NEW_YORK}

    @pytest.fixture
    def moves(self, visit):
        def day():
            visit.refresh_from_db()
            return visit.start.astimezone(ZoneInfo(NEW_YORK)).date()

        return day

    def test_it_is_asked_and_moved_only_with_a_yes(self, as_ada, visit, other, sent, moves, ten):
        page = f"/appointments/{visit.fhir_id}/move/?{urlencode(sent)}"
        assertContains(as_ada.get(page), f"Ada Quinn {ASKED}: 11:00 PM (New York time).")
        assertContains(as_ada.post(page, {**sent, "confirm": "on"}, follow=True), ANOTHER)
        assert moves() == ten.date()
        assertNotContains(as_ada.get(page), ANOTHER)
        as_ada.post(page, {**sent, "confirm": "on", "another": "on"})
        assert moves() == ten.date() + timedelta(days=1)

    def test_on_its_own_day_it_moves_without_a_question(self, as_ada, visit, ten, ada, checkup, schedule):
        on_the_day(ten, patient=ada, service=checkup)
        sent = {
            "time": time_value(ten + timedelta(hours=1), offerings_of(checkup, [schedule.fhir_id])),
            "confirm": "on",
        }
        as_ada.post(f"/appointments/{visit.fhir_id}/move/", sent)
        visit.refresh_from_db()
        assert visit.start == ten + timedelta(hours=1)

    def test_the_manage_link_asks_without_details(self, client, visit, other, link, sent, moves, ten):
        Patient.objects.filter(pk=visit.patient.pk).update(birth_date=date(1990, 7, 4))
        client.post(link, BORN)
        page = f"{link}move/?{urlencode(sent)}"
        response = client.get(page)
        assertContains(response, "The patient already has another visit of this kind on the same day.")
        assertNotContains(response, "11:00 PM")
        assertNotContains(response, other.fhir_id)
        assertContains(client.post(page, {**sent, "confirm": "on"}, follow=True), ANOTHER)
        assert moves() == ten.date()
        client.post(page, {**sent, "confirm": "on", "another": "on"})
        assert moves() == ten.date() + timedelta(days=1)


class TestAtTheDesk:
    @pytest.fixture
    def other(self, ten, elena, checkup, site):
        return on_the_day(ten, patient=elena, service=checkup, site=site)

    @pytest.fixture
    def sent(self, ten, elena, checkup, schedule):
        form = {"calendar": schedule.fhir_id, "date": ten.date().isoformat(), "time": "10:00", "tell": "on"}
        return {**form, "service": checkup.fhir_id, "patient": elena.fhir_id}

    def test_a_new_visit_is_asked_about(self, as_rana, other, sent):
        response = as_rana.post("/staff/visits/new/", sent, headers={"HX-Request": "true"})
        assertContains(response, f"Elena Maria Marquez {ASKED}: 3:00 PM (New York time).", status_code=422)
        assert list(Appointment.objects.all()) == [other]
        as_rana.post("/staff/visits/new/", {**sent, "another": "on"})
        assert Appointment.objects.count() == 2

    def test_so_is_one_that_is_moved_there_but_not_taken_back(self, as_rana, other, sent, ten):
        facts = {"patient": other.patient, "service": other.service, "site": other.site}
        moved = on_the_day(ten, at=10, days=1, schedules=[Schedule.objects.get()], **facts)
        address = f"/staff/visits/{moved.fhir_id}/move/"
        sent |= {"version": moved.version, "minutes": 30}
        assertContains(as_rana.post(address, sent, headers={"HX-Request": "true"}), ASKED, status_code=422)
        moved.refresh_from_db()
        assert moved.start == ten + timedelta(days=1)
        answer = as_rana.post(address, {**sent, "another": "on"}, headers={"HX-Request": "true"})
        moved.refresh_from_db()
        assert (answer.status_code, moved.start) == (204, ten)
        on_the_day(ten, days=1, **facts)
        undo = json.loads(answer.headers["HX-Trigger"])["calendar:done"]["undo"]
        assert as_rana.post(undo["url"], undo["fields"]).status_code == 302
        moved.refresh_from_db()
        assert moved.start == ten + timedelta(days=1)
