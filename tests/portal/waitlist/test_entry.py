"""The page of an entry of the waiting list: an offer is taken or passed on, the list is left, wishes are changed."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.core import mail
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains

from clinic.fhir.waitlist import WaitlistPreferences, preferences_of
from clinic.models import Appointment, Communication, WaitlistOffer
from scheduling import booking, tasks
from scheduling.access import Caller
from scheduling.booking import WaitlistRequest
from scheduling.errors import PaymentRequired
from scheduling.notifications import links
from tests.factories import PatientFactory, QuestionnaireFactory
from tests.scheduling.situations import SOFTWARE, wish

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def by_day(settings):
    settings.QUIET_HOURS = None


@pytest.fixture
def join(checkup):
    """A function that puts a patient on the list, with their visit if one is given."""

    def act(patient, visit=None, **more):
        wanted = WaitlistPreferences(replaces=visit.reference if visit else "", **more)
        request = WaitlistRequest(service=checkup, patient=patient, preferences=wanted)
        return booking.join_waitlist(request, caller=SOFTWARE, now=timezone.now())

    return act


@pytest.fixture
def free_up(checkup, schedule, ten):
    """A function that cancels another patient's visit, a day before Ada's. The worker then offers its time."""
    request = wish(checkup, schedule, at=ten - timedelta(days=1), patient=PatientFactory())
    other = booking.book(request, caller=SOFTWARE, now=timezone.now())

    def act():
        booking.cancel(other.fhir_id, caller=SOFTWARE, now=timezone.now())
        tasks.offer_freed_time()
        return WaitlistOffer.objects.latest("pk")

    return act


def page_of(entry: Appointment) -> str:
    return links.waitlist_link(entry).removeprefix(settings.SITE_URL)


def test_the_offer_is_taken_by_the_link_in_the_message_and_the_visit_moves(client, ada, visit, ten, join, free_up):
    entry = join(ada, visit)
    offer = free_up()
    tasks.deliver_messages()
    assert Communication.objects.get(event="offer", medium="email").status == "completed"
    assert page_of(entry) in mail.outbox[-1].body
    page = client.get(page_of(entry))
    assertContains(page, "A time has come free")
    assertContains(page, "moves to this time")
    assertNotContains(page, "Chen")  # only who has signed in reads with whom
    offer.refresh_from_db()
    assert offer.outcome == "open"  # a GET changes nothing
    taken = client.post(f"{page_of(entry)}answer/", {"hold": offer.hold.fhir_id, "answer": "take"}, follow=True)
    assertContains(taken, "Your visit has been moved to the earlier time.")
    visit.refresh_from_db()
    assert visit.start == ten - timedelta(days=1)
    assertContains(client.get(page_of(entry)), "You are no longer on this waiting list")
    again = client.post(f"{page_of(entry)}answer/", {"hold": offer.hold.fhir_id, "answer": "take"}, follow=True)
    assertContains(again, "This visit was changed in the meantime.")


def test_without_a_visit_the_entry_becomes_one(client, ada, join, free_up):
    entry = join(ada)
    offer = free_up()
    taken = client.post(f"{page_of(entry)}answer/", {"hold": offer.hold.fhir_id, "answer": "take"}, follow=True)
    assertContains(taken, "Your visit is booked.")
    assert settings.SITE_URL + client.get(page_of(entry)).url == links.manage_link(entry)


def test_who_has_still_to_answer_questions_goes_on_to_them_with_the_time_held(as_ada, ada, checkup, join, free_up):
    checkup.questionnaires.add(QuestionnaireFactory())
    checkup.requires_questionnaires = True
    checkup.save()
    entry = join(ada)
    offer = free_up()
    taken = as_ada.post(f"{page_of(entry)}answer/", {"hold": offer.hold.fhir_id, "answer": "take"})
    assert taken.url == reverse("portal:questions", args=[offer.hold.fhir_id])
    offer.refresh_from_db()
    entry.refresh_from_db()
    assert (offer.outcome, offer.hold.suggested_for, entry.status) == ("taken", None, "cancelled")
    assert offer.hold.held_by == ada.user
    assert offer.hold.slots.get(deleted_at=None).hold_expires_at == offer.hold.hold_expires_at > timezone.now()
    tasks.offer_freed_time()
    assert WaitlistOffer.objects.count() == 1


def test_who_has_to_pay_first_signs_in_to_take_the_time(client, ada, checkup, join, free_up):
    checkup.pricing, checkup.price, checkup.prepayment = "fixed", 4000, "whole"
    checkup.save()
    entry = join(ada)
    offer = free_up()
    sent = {"hold": offer.hold.fhir_id, "answer": "take"}
    assert client.post(f"{page_of(entry)}answer/", sent).url.startswith(reverse("account_login"))
    offer.refresh_from_db()
    assert offer.outcome == "open"
    with pytest.raises(PaymentRequired):
        booking.take_offer(entry.fhir_id, offer.hold.fhir_id, caller=Caller(visit=entry.fhir_id), now=timezone.now())


def test_what_passes_goes_to_the_next_and_the_page_says_so(client, ada, bo, join, free_up):
    entry, other = join(ada), join(bo)
    offer = free_up()
    passed = client.post(f"{page_of(entry)}answer/", {"hold": offer.hold.fhir_id, "answer": "pass"}, follow=True)
    assertContains(passed, "You stay on the waiting list.")
    tasks.offer_freed_time()
    assert WaitlistOffer.objects.latest("pk").entry == other
    late = client.post(f"{page_of(entry)}answer/", {"hold": offer.hold.fhir_id, "answer": "take"}, follow=True)
    assertContains(late, "This time is no longer kept for you.")


def test_my_visits_show_the_offer_and_with_whom_it_is(as_ada, ada, join, free_up):
    entry = join(ada)
    offer = free_up()
    assertContains(as_ada.get(reverse("portal:visits")), "A time has come free")
    assertContains(as_ada.get(page_of(entry)), "Chen")
    assert as_ada.get(reverse("portal:visit", args=[offer.hold.fhir_id])).url == page_of(entry)


def test_wishes_are_changed_and_the_place_stays(client, ada, checkup, schedule, join):
    entry = join(ada, weekdays=frozenset({"mon"}))
    change = f"{page_of(entry)}change/"
    assertContains(client.get(change), 'id="id_weekday_mon" checked')
    assertContains(client.post(change, {"part_afternoon": "on", "notice": "2"}, follow=True), "Saved.")
    before = entry.created
    entry.refresh_from_db()
    assert (preferences_of(entry).parts, preferences_of(entry).weekdays) == ({"afternoon"}, frozenset())
    assert entry.created == before


def test_the_list_is_left_with_one_tap_and_the_time_passes_on(client, ada, bo, join, free_up):
    entry, other = join(ada), join(bo)
    free_up()
    assertContains(client.post(f"{page_of(entry)}leave/", follow=True), "You have left the waiting list.")
    tasks.offer_freed_time()
    assert WaitlistOffer.objects.latest("pk").entry == other
    assertContains(client.post(f"{page_of(entry)}leave/", follow=True), "no longer on this waiting list")


def test_a_changed_link_opens_nothing(client, ada, join):
    entry = join(ada)
    wrong = page_of(entry)[:-2] + "_/"
    assert client.get(wrong).status_code == 410
    for page in ("answer/", "leave/", "change/"):
        assert client.post(f"{wrong}{page}", {"hold": "x", "answer": "take"}).status_code == 404
