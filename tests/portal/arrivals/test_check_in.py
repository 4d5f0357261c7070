"""The pages on which patients check in and wait."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import Appointment
from scheduling.notifications import links
from tests.factories import AppointmentFactory, PatientFactory, QuestionnaireFactory

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
BORN = {"birth_date_day": "4", "birth_date_month": "7", "birth_date_year": "1990"}
KNOWN = {**BORN, "known": "ada@example.com"}
HTMX = {"HX-Request": "true"}


def visit_at(start, patient, schedule, **more):
    [service] = schedule.services.all()
    end = start + 30 * MINUTE
    fields = {"patient": patient, "service": service, "site": schedule.site, "schedules": [schedule], **more}
    return AppointmentFactory(start=start, end=end, **fields)


@pytest.fixture(autouse=True)
def now(monkeypatch, ten):
    """Ten o'clock in New York on some day: no test comes near midnight."""
    monkeypatch.setattr(timezone, "now", lambda: ten.astimezone(UTC))
    return ten


@pytest.fixture
def ada(ada):
    ada.birth_date, ada.email, ada.phone = date(1990, 7, 4), "ada@example.com", "+12125550123"
    ada.save()
    return ada


@pytest.fixture
def visit(ada, schedule, now):
    """Ada's visit, which begins now."""
    return visit_at(now, ada, schedule)


@pytest.fixture
def page(visit):
    return f"/appointments/{visit.fhir_id}/check-in/"


@pytest.fixture
def link(visit, settings):
    return links.check_in_link(visit).removeprefix(settings.SITE_URL)


@pytest.fixture
def desk(site, settings):
    """The address of the poster at the front desk."""
    return links.arrival_link(site).removeprefix(settings.SITE_URL)


def status_of(visit):
    return Appointment.objects.values_list("status", flat=True).get(pk=visit.pk)


class TestFromTheirVisits:
    """A patient who has signed in."""

    def test_they_see_their_details_and_check_in_with_one_button(self, as_ada, visit, page):
        for text in ("Is this still right?", "Ada Quinn", "(212) 555-0123", "I am here"):
            assertContains(as_ada.get(page), text)
        assert status_of(visit) == "booked"
        assertContains(as_ada.post(page, follow=True), "You are checked in. Please take a seat.")
        assert status_of(visit) == "arrived"

    def test_open_questions_come_first(self, as_ada, visit, page, checkup):
        checkup.questionnaires.add(QuestionnaireFactory())
        visit.start += 10 * MINUTE
        visit.save()
        assertContains(as_ada.get(page), f"/appointments/{visit.fhir_id}/questions/")

    def test_before_and_after_the_time_it_says_when(self, as_ada, visit, page):
        for ahead, text in ((3 * 60, "You can check in from"), (-20, "Online check-in closed at")):
            visit.start, visit.end = (timezone.now() + (ahead + more) * MINUTE for more in (0, 30))
            visit.save()
            assertContains(as_ada.get(page), text)
            assertNotContains(as_ada.get(page), "I am here")
            assertContains(as_ada.post(page, follow=True), text)
            assert status_of(visit) == "booked"

    def test_they_see_how_many_are_before_them_then_that_it_is_their_turn(self, as_ada, visit, page, schedule):
        other = visit_at(visit.start - 30 * MINUTE, PatientFactory(given="Quentin"), schedule, status="arrived")
        as_ada.post(page)
        waiting = as_ada.get(page)
        assertContains(waiting, "1 person who has arrived is ahead of you.")
        assertNotContains(waiting, "Quentin")
        Appointment.objects.filter(pk=other.pk).update(status="checked-in")
        part = as_ada.get(page, headers=HTMX)
        assertContains(part, "You are next.")
        assertNotContains(part, "<html")
        Appointment.objects.filter(pk=visit.pk).update(status="checked-in")
        assertContains(as_ada.get(page, headers=HTMX), "It is your turn.")

    def test_the_room_is_named_when_they_are_called(self, as_ada, visit, page):
        visit.status = "checked-in"
        visit.participant += [{"actor": {"reference": "Location/3", "display": "Room 3"}, "status": "accepted"}]
        visit.save()
        assertContains(as_ada.get(page), "Your room: Room 3")

    def test_the_pages_of_the_visit_lead_to_it_with_a_code_for_the_desk(self, as_ada, visit, page):
        for address in (f"/appointments/{visit.fhir_id}/", f"/appointments/{visit.fhir_id}/booked/"):
            shown = as_ada.get(address)
            assertContains(shown, page)
            assertContains(shown, 'class="qr-code"')


class TestByTheLink:
    """The link of the confirmation and the reminder, and the QR code of it."""

    def test_a_stranger_with_the_code_learns_and_changes_nothing(self, client, link, visit, ada):
        shown = client.get(link)
        for text in (ada.given, ada.family, "Check-up", "Chen"):
            assertNotContains(shown, text)
        client.post(link)
        client.post(link, BORN | {"birth_date_year": "1991"})
        assert status_of(visit) == "booked"
        assertNotContains(client.get(link), "I am here")

    def test_the_birth_date_opens_it(self, client, link, visit):
        assertContains(client.post(link, BORN), "I am here")
        assertContains(client.post(link), "You are checked in")
        assert status_of(visit) == "arrived"

    def test_staff_who_scan_it_come_to_the_visit(self, as_rana, link, visit):
        assertRedirects(as_rana.get(link), f"/staff/appointments/{visit.fhir_id}/")

    def test_it_ends_with_the_link(self, client, link, visit):
        visit.start, visit.end = visit.start - timedelta(days=2), visit.end - timedelta(days=2)
        visit.save()
        assert client.get(link).status_code == 410


class TestAtTheDesk:
    """The poster, which is the same for everybody."""

    def find(self, client, desk, **known):
        return client.post(desk, KNOWN | known)

    def test_birth_date_and_contact_find_the_visit_and_tell_only_when_and_where(self, client, desk, visit, ada):
        page = client.get(self.find(client, desk).url)
        assertContains(page, "I am here")
        for text in (ada.given, ada.family, "Check-up", "Chen"):
            assertNotContains(page, text)
        assertContains(client.post(f"{desk}1/"), "You are checked in")
        assert status_of(visit) == "arrived"

    @pytest.mark.parametrize("wrong", [{"known": "bo@example.com"}, {"birth_date_year": "1991"}])
    def test_the_answer_is_the_same_whichever_is_wrong(self, client, desk, visit, wrong):
        assertContains(self.find(client, desk, **wrong), "We found no visit here today with these details.")
        assertRedirects(client.get(f"{desk}1/"), desk)

    def test_it_opens_nothing_but_the_check_in(self, client, desk, visit):
        self.find(client, desk)
        assert client.get(f"/appointments/{visit.fhir_id}/").status_code == 302  # to the sign-in
        assert client.get(f"{desk}2/").status_code == 404

    def test_of_several_visits_they_choose_one(self, client, desk, visit, ada, schedule):
        twin = PatientFactory(given="Tim", birth_date=ada.birth_date, email=ada.email)
        second = visit_at(visit.start, twin, schedule, schedules=[])
        listed = client.get(self.find(client, desk).url)
        for given in ("Ada", "Tim"):
            assertContains(listed, f"for {given}")
        client.post(f"{desk}2/")
        assert (status_of(visit), status_of(second)) == ("booked", "arrived")

    def test_guesses_are_limited_for_a_birth_date_and_for_an_address(self, client, desk, visit):
        for _ in range(10):
            self.find(client, desk, known="guess")
        assert self.find(client, desk).status_code == 429
        for year in range(1900, 1950):
            self.find(client, desk, birth_date_year=str(year))
        assert self.find(client, desk, birth_date_year="1989").status_code == 429
        assertContains(client.get(desk), 'value="1989"')  # what was typed is kept for another try

    def test_a_site_that_is_closed_has_none(self, client, desk, site):
        site.status = "inactive"
        site.save()
        assert client.get(desk).status_code == 404

    def test_it_is_forgotten_after_half_an_hour_or_at_once_if_they_say_so(self, client, desk, visit):
        self.find(client, desk)
        session = client.session
        session["found-visits"] = {**session["found-visits"], "until": timezone.now().isoformat()}
        session.save()
        assertRedirects(client.get(f"{desk}1/"), desk)
        self.find(client, desk)
        client.post(desk, {"over": "1"})
        assertRedirects(client.get(f"{desk}1/"), desk)


class TestAtTheKiosk:
    """A tablet at the desk, which staff have opened."""

    @pytest.fixture
    def kiosk(self, as_rana, site):
        as_rana.post(f"/staff/sites/{site.fhir_id}/kiosk/")
        return as_rana

    def test_opening_it_signs_out(self, kiosk, desk):
        assert kiosk.get("/staff/today/").status_code == 302
        assertContains(kiosk.get(desk), "Find my visit")

    def test_it_forgets_after_a_minute(self, kiosk, desk, visit):
        page = kiosk.get(kiosk.post(desk, KNOWN).url)
        assertContains(page, f'http-equiv="refresh" content="60; url={desk}"')
        kept = kiosk.session["found-visits"]["until"]
        left = datetime.fromisoformat(kept) - timezone.now()
        assert timedelta(0) < left <= MINUTE

    def test_what_was_typed_is_shown_to_nobody_else(self, kiosk, desk):
        kiosk.post(desk, KNOWN | {"known": "nobody@example.com"})
        assertNotContains(kiosk.get(desk), "nobody@example.com")

    def test_only_those_who_work_there_open_it(self, as_chen, site):
        assert as_chen.post(f"/staff/sites/{site.fhir_id}/kiosk/").status_code == 404


def test_the_poster_has_the_code_of_the_desk(as_rana, site):
    page = as_rana.get(f"/staff/sites/{site.fhir_id}/check-in/")
    assertContains(page, links.arrival_link(site))
    assert re.search(rb'<svg class="qr-code".*<path fill="#000" d="M4 4h7v1h-7z', page.content, re.DOTALL)


def test_the_board_says_who_checked_in_and_their_place(as_rana, client, link, visit):
    client.post(link, BORN)
    visit.status = "arrived"
    visit.save()
    assertContains(as_rana.get("/staff/today/"), "no. 1")
