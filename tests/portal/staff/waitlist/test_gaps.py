"""The page of free time: who on the waiting list a gap suits, and offering or booking it."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains

from clinic.fhir.waitlist import WaitlistPreferences
from clinic.models import Appointment, WaitlistOffer
from scheduling import booking
from scheduling.booking import WaitlistRequest
from tests.factories import PatientFactory
from tests.scheduling.situations import SOFTWARE

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/staff/waiting-list/free/"


@pytest.fixture(autouse=True)
def by_day(settings):
    settings.QUIET_HOURS = None


@pytest.fixture
def join(checkup):
    def act(given, **preferences):
        patient = PatientFactory(given=given, family="Marsh", email=f"{given.lower()}@example.com")
        request = WaitlistRequest(service=checkup, patient=patient, preferences=WaitlistPreferences(**preferences))
        return booking.join_waitlist(request, caller=SOFTWARE, now=timezone.now())

    return act


@pytest.fixture
def chosen(schedule, ten):
    """The query of the hour from ten o'clock on."""
    end = ten + timedelta(hours=1)
    return {
        "date": ten.date().isoformat(),
        "calendar": schedule.fhir_id,
        "start": ten.isoformat(),
        "end": end.isoformat(),
    }


def give(client, entry, chosen, **button):
    fields = {"start": chosen["start"], "gap_start": chosen["start"], "gap_end": chosen["end"], **button}
    return client.post(f"{PAGE}{chosen['calendar']}/{entry.fhir_id}/", fields, follow=True)


def test_the_gaps_of_the_day_lead_to_those_they_suit(as_rana, visit, chosen):
    page = as_rana.get(PAGE, {"date": chosen["date"]})
    assertContains(page, "10:30 AM – ")
    links = re.findall(r'href="(\?[^"]*calendar=[^"]*)#people"', page.content.decode())
    assert links
    for link in links:
        assertContains(as_rana.get(PAGE + link.replace("&amp;", "&")), "Nobody is waiting")
    assertContains(as_rana.get(f"/staff/?date={chosen['date']}"), f"{PAGE}?date={chosen['date']}")


def test_who_fits_comes_in_order_and_the_others_say_why(as_rana, chosen, join):
    join("Nell")
    join("Otto", notice=timedelta(days=20))
    page = as_rana.get(PAGE, chosen)
    for words in (
        "1. Nell Marsh",
        "Would take 10:00 AM",
        "2. Otto Marsh",
        "needs more notice",
        "Longest waiting first",
    ):
        assertContains(page, words)
    assertContains(page, 'name="offer"', count=1)
    assertContains(page, 'name="book"', count=2)


def test_an_offer_is_made_and_said(as_rana, chosen, join):
    entry = join("Nell")
    assertContains(give(as_rana, entry, chosen, offer="1"), "The time is offered, and kept until")
    assert WaitlistOffer.objects.get().entry == entry
    assertContains(as_rana.get("/staff/waiting-list/offers/"), "Chosen by staff")
    assertContains(give(as_rana, entry, chosen, offer="1"), "no longer free")


def test_a_visit_is_booked_on_the_phone_and_shown(as_rana, chosen, join, ten):
    entry = join("Nell", notice=timedelta(days=20))
    page = give(as_rana, entry, chosen, book="1")
    assertContains(page, "The visit is booked.")
    assert page.redirect_chain[0][0].startswith(f"/staff/appointments/{entry.fhir_id}/")
    assert Appointment.objects.get(pk=entry.pk).start == ten


def test_how_urgent_is_set_in_place(as_rana, chosen, join):
    entry = join("Nell")
    address = f"{PAGE}?date={chosen['date']}"
    answer = as_rana.post(f"/staff/waiting-list/{entry.fhir_id}/priority/", {"priority": "1", "back": address})
    assert answer.url == address
    assert Appointment.objects.get(pk=entry.pk).extra["priority"] == 1


def test_a_gap_of_a_calendar_that_is_not_theirs_is_not_found(as_rana, chosen):
    assert as_rana.get(PAGE, {**chosen, "calendar": "nothing"}).status_code == 404
    backwards = {**chosen, "end": chosen["start"]}
    assert as_rana.get(PAGE, backwards).status_code == 404


def test_it_asks_as_much_for_many_as_for_one(as_rana, chosen, join, django_assert_max_num_queries):
    join("Nell")
    as_rana.get(PAGE, chosen)
    with django_assert_max_num_queries(40) as few:
        as_rana.get(PAGE, chosen)
    most = len(few)
    for name in ("Otto", "Pia", "Quin"):
        join(name)
    as_rana.get(PAGE, chosen)  # which is audited, once in a while for each patient
    with django_assert_max_num_queries(most):
        assertContains(as_rana.get(PAGE, chosen), "4. Quin Marsh")


def test_a_week_shows_its_days(as_rana, schedule, chosen):
    page = as_rana.get(PAGE, {"date": chosen["date"], "view": "week"})
    assertContains(page, "the whole week")
    assertNotContains(page, "Nobody is waiting")
