"""A patient's visits."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from tests.factories import NEW_YORK, AppointmentFactory, PatientFactory, RelatedPersonFactory, ServiceFactory

pytestmark = pytest.mark.django_db


def at(visit, step=""):
    return f"/appointments/{visit.fhir_id}/{step}"


def test_without_visits_it_says_what_to_do(as_ada):
    page = as_ada.get("/appointments/")
    assertContains(page, "No upcoming visits")
    assertContains(page, "Book a visit")


def test_it_lists_upcoming_and_past_with_their_status(as_ada, visit, ada, checkup, ten):
    past = ten - timedelta(days=40)
    AppointmentFactory(patient=ada, service=checkup, start=past, status="noshow")
    page = as_ada.get("/appointments/")
    assert [each.id for each in page.context["upcoming"]] == [visit.fhir_id]
    assert len(page.context["past"]) == 1
    assertContains(page, "Booked")
    assertContains(page, "No-show")
    assertContains(page, "10:00 – 10:30 AM (New York time)")


def test_the_month_beside_a_visit_is_that_of_its_site(as_ada, ada, checkup, schedule, site):
    late = datetime(timezone.now().year + 1, 4, 30, 22, tzinfo=ZoneInfo(NEW_YORK))
    end = late + timedelta(minutes=30)
    AppointmentFactory(patient=ada, service=checkup, start=late, end=end, schedules=[schedule], site=site)
    assertContains(as_ada.get("/appointments/"), "<span>Apr</span><strong>30</strong>", html=True)


def test_a_hold_shows_until_when(as_ada, ada, checkup, ten):
    AppointmentFactory(
        patient=ada,
        service=checkup,
        start=ten,
        status="pending",
        hold_expires_at=timezone.now() + timedelta(minutes=5),
    )
    page = as_ada.get("/appointments/")
    assertContains(page, "Held for you until ")
    assertContains(page, "Check and confirm")


def test_a_released_hold_is_not_listed(as_ada, ada, checkup, ten):
    over = timezone.now() - timedelta(minutes=5)
    AppointmentFactory(patient=ada, service=checkup, start=ten, status="pending", hold_expires_at=over)
    participant = [{"actor": {"reference": "Practitioner/1"}, "status": "tentative"}]
    AppointmentFactory(patient=ada, service=checkup, start=ten, status="cancelled", participant=participant)
    page = as_ada.get("/appointments/")
    assert not page.context["upcoming"]
    assert not page.context["past"]


def test_it_is_cancelled_with_a_reason(as_ada, visit):
    assertContains(as_ada.get(at(visit, "cancel/")), "You can cancel until 24 hours before the visit")
    assertRedirects(as_ada.post(at(visit, "cancel/"), {"reason": "Feeling better"}), "/appointments/")
    visit.refresh_from_db()
    assert (visit.status, visit.cancelation_reason) == ("cancelled", {"text": "Feeling better"})


def test_cancelling_twice_is_one_cancellation(as_ada, visit):
    as_ada.post(at(visit, "cancel/"))
    assertRedirects(as_ada.post(at(visit, "cancel/")), at(visit))
    visit.refresh_from_db()
    assert visit.version == 2


def test_too_late_it_says_whom_to_call(as_ada, visit, checkup):
    checkup.cancellation_notice = timedelta(days=30)
    checkup.save()
    page = as_ada.get(at(visit, "cancel/"))
    assertContains(page, "It is too late to cancel here")
    assertContains(page, 'please call us: <a href="tel:+12125550100">(212) 555-0100</a>')
    as_ada.post(at(visit, "cancel/"))
    visit.refresh_from_db()
    assert visit.status == "booked"


def test_a_visit_shows_where_and_how_to_change_it(as_ada, visit):
    page = as_ada.get(at(visit))
    assertContains(page, "Riverside Main Street")
    assertContains(page, at(visit, "cancel/"))


@pytest.mark.parametrize("step", ["", "confirm/", "booked/", "cancel/"])
def test_another_patients_visit_does_not_exist(client, visit, bo, step):
    client.force_login(bo.user)
    assert client.get(at(visit, step)).status_code == 404


def test_another_patients_visit_cannot_be_cancelled(client, visit, bo):
    client.force_login(bo.user)
    assert client.post(at(visit, "cancel/")).status_code == 404
    visit.refresh_from_db()
    assert visit.status == "booked"


def test_visits_need_a_sign_in(client, visit):
    assert client.get("/appointments/").url.startswith("/accounts/login/")
    assert client.get(at(visit)).url.startswith("/accounts/login/")


def test_the_title_and_the_address_tell_nothing(as_ada, visit):
    page = as_ada.get(at(visit)).content.decode()
    assert "Ada" not in page.split("</title>")[0]


def test_it_asks_as_much_for_many_visits_as_for_one(as_ada, ada, checkup, schedule, ten, django_assert_num_queries):
    for day in range(6):
        start = ten + timedelta(days=day)
        AppointmentFactory(
            patient=ada, service=checkup, start=start, end=start + timedelta(minutes=30), schedules=[schedule]
        )
    with django_assert_num_queries(12):
        assertNotContains(as_ada.get("/appointments/"), "UTC")


def test_visits_of_cared_for_patients_are_listed(as_ada, ada, checkup, ten):
    leo = PatientFactory(given="Leo")
    RelatedPersonFactory(patient=leo, user=ada.user)
    AppointmentFactory(patient=leo, service=checkup, start=ten)
    page = as_ada.get("/appointments/")
    assertContains(page, f"For {leo}.")
    assertContains(as_ada.get(at(page.context["upcoming"][0].appointment)), "Check-up")


def test_a_time_that_is_held_for_nobody_yet_names_nobody(as_ada, ada, checkup, ten):
    RelatedPersonFactory(patient=PatientFactory(given="Leo"), user=ada.user)
    soon = timezone.now() + timedelta(minutes=9)
    held = {"patient": None, "held_by": ada.user, "status": "pending", "hold_expires_at": soon}
    AppointmentFactory(service=checkup, start=ten, **held)
    page = as_ada.get("/appointments/")
    assertContains(page, "Held for you until")
    assertNotContains(page, "For .")


def test_it_goes_into_a_calendar(as_ada, visit, ten):
    answer = as_ada.get(at(visit, "visit.ics"))
    [event] = icalendar.Calendar.from_ical(answer.content).walk("VEVENT")
    assert event["DTSTART"].dt == ten
    assert "attachment" in answer["Content-Disposition"]


class TestByVideo:
    @pytest.fixture
    def video(self, ada, schedule, site):
        schedule.meeting_url = "https://video.example/room"
        schedule.save()
        service = ServiceFactory(name="Advice", telehealth=True)

        def starting(minutes):
            start = timezone.now() + timedelta(minutes=minutes)
            end = start + timedelta(minutes=20)
            return AppointmentFactory(
                patient=ada, service=service, start=start, end=end, schedules=[schedule], site=site
            )

        return starting

    def test_the_room_opens_ten_minutes_before(self, as_ada, video):
        assert as_ada.get(at(video(9), "join/")).url == "https://video.example/room"

    def test_before_that_it_says_when_and_waits(self, as_ada, video):
        page = as_ada.get(at(video(11), "join/"))
        assert 50 < page.context["opens_in"] <= 60
        assertContains(page, "The room is not open yet")
        assertNotContains(page, "video.example")

    def test_afterwards_it_is_over(self, as_ada, video):
        assertContains(as_ada.get(at(video(-21), "join/")), "This visit is over")

    def test_there_is_no_room_for_a_visit_in_person(self, as_ada, visit):
        assert as_ada.get(at(visit, "join/")).status_code == 404
