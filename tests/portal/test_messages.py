"""The pages of messages: reading them, saying how one wants them, stopping reminders, sending one again."""

import socket
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.core.cache import caches
from django.core.mail.message import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import Communication, MessagePreferences
from portal.inbox import unread
from scheduling import notifications
from scheduling.notifications import links
from tests.factories import (
    AppointmentFactory,
    CommunicationFactory,
    LocationFactory,
    PatientFactory,
    RelatedPersonFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


def told(patient, number=1, **fields):
    visit = AppointmentFactory(patient=patient, start=timezone.now() + timedelta(days=2))
    return CommunicationFactory(
        appointment=visit,
        medium="in-app",
        status="completed",
        sent=timezone.now() - timedelta(minutes=number),
        subject=f"Your visit {number} is booked",
        body="Come on Tuesday.",
        **fields,
    )


@pytest.fixture
def kim(ada):
    """Ada's child."""
    child = PatientFactory(given="Kim", email="")
    RelatedPersonFactory(patient=child, user=ada.user)
    return child


def test_a_patient_reads_what_they_were_told(as_ada, ada, bo, kim):
    told(ada)
    told(kim, 2)
    told(bo, 3)
    page = as_ada.get("/messages/")
    assertContains(page, "Your visit 1 is booked")
    assertContains(page, "Your visit 2 is booked")
    assertNotContains(page, "Your visit 3 is booked")


def test_before_anything_was_told_the_page_says_what_will_be(as_ada):
    assertContains(as_ada.get("/messages/"), "No messages yet")


def test_messages_are_for_who_has_signed_in(client):
    assertRedirects(client.get("/messages/"), "/accounts/login/?next=/messages/")


def test_the_number_of_messages_costs_no_queries(as_ada, ada, django_assert_num_queries, django_assert_max_num_queries):
    told(ada)
    with django_assert_max_num_queries(12) as first:
        as_ada.get("/messages/")
    for number in range(2, 15):
        told(ada, number)
    with django_assert_num_queries(len(first)):
        as_ada.get("/messages/")


def test_reading_takes_a_post(as_ada, ada, bo):
    mine, other, foreign = told(ada), told(ada, 2), told(bo, 3)
    as_ada.get("/messages/")
    assert not Communication.objects.exclude(read=None).exists()

    assertRedirects(as_ada.post("/messages/read/", {"message": mine.fhir_id}), "/messages/")
    as_ada.post("/messages/read/", {"message": foreign.fhir_id})
    assert list(Communication.objects.exclude(read=None)) == [mine]

    as_ada.post("/messages/read/")
    assert set(Communication.objects.exclude(read=None)) == {mine, other}


def test_the_count_is_one_query_and_only_where_it_is_shown(as_ada, ada, rf, django_assert_num_queries):
    told(ada)
    told(ada, 2, read=timezone.now())
    request = rf.get("/")
    request.user = ada.user
    with django_assert_num_queries(0):
        context = unread(request)
    with django_assert_num_queries(1):
        assert context["unread_messages"] == 1


CHOICE = {"by_email": "on", "by_sms": "on", "phone": "+1 212 555 0123", "reminders": "on", "language": "es"}


def test_a_patient_says_how_they_want_to_be_told(settings, as_ada, ada):
    settings.SMS_ENABLED = True
    choice = {key: value for key, value in CHOICE.items() if key != "by_email"}
    answer = as_ada.post("/preferences/", choice)
    assertRedirects(answer, "/preferences/")
    chosen = MessagePreferences.objects.get(patient=ada)
    assert (chosen.by_email, chosen.by_sms, chosen.reminders) == (False, True, True)
    ada.refresh_from_db()
    assert (ada.phone, ada.language, ada.version) == ("+1 212 555 0123", "es", 2)
    assert answer.cookies["language"].value == "es"


def test_without_a_choice_everything_is_chosen_that_there_is_an_address_for(settings, as_ada, ada):
    settings.SMS_ENABLED = True
    form = as_ada.get("/preferences/").context["form"]
    assert (form["by_email"].value(), form["by_sms"].value(), form["reminders"].value()) == (True, False, True)


def test_where_the_clinic_sends_no_texts_they_are_not_offered_and_the_choice_stays(settings, as_ada, ada):
    MessagePreferences.objects.create(patient=ada, by_sms=False)
    settings.SMS_ENABLED = False
    assertNotContains(as_ada.get("/preferences/"), "By text message")
    as_ada.post("/preferences/", CHOICE)
    assert not MessagePreferences.objects.get(patient=ada).by_sms


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"phone": "ask me"}, "Enter a telephone number, such as +1 212 555 0123."),
        ({"phone": "555"}, "Enter a telephone number, such as +1 212 555 0123."),
        ({"phone": ""}, "Enter the number that texts are sent to, or choose no text messages."),
        ({"language": "tlh"}, "Select a valid choice."),
    ],
)
def test_what_is_wrong_is_said(settings, as_ada, ada, wrong, said):
    settings.SMS_ENABLED = True
    page = as_ada.post("/preferences/", {**CHOICE, **wrong})
    assertContains(page, said)
    assertContains(page, "There is a problem")
    assert not MessagePreferences.objects.exists()


def test_new_preferences_plan_the_reminders_anew(settings, as_ada, ada):
    settings.SMS_ENABLED = True
    MessagePreferences.objects.create(patient=ada, reminders=False)
    visit = AppointmentFactory(patient=ada, start=timezone.now() + timedelta(days=9))
    as_ada.post("/preferences/", CHOICE)
    reminders = Communication.objects.filter(appointment=visit, event="reminder")
    assert set(reminders.values_list("medium", flat=True)) == {"email", "sms", "in-app"}


def test_who_cares_for_somebody_chooses_for_them_and_for_nobody_else(settings, as_ada, ada, kim, bo):
    settings.SMS_ENABLED = True
    assertContains(as_ada.get(f"/preferences/{kim.fhir_id}/"), "the visits of Kim")
    answer = as_ada.post(f"/preferences/{kim.fhir_id}/", {**CHOICE, "by_email": ""})
    assert "language" not in answer.cookies
    assert not MessagePreferences.objects.get(patient=kim).by_email
    assert as_ada.get(f"/preferences/{bo.fhir_id}/").status_code == 404


def unsubscribe_path(patient):
    return "/" + links.unsubscribe_link(patient).split("/", 3)[3]


def test_a_get_of_the_unsubscribe_link_only_asks(client, ada):
    assertContains(client.get(unsubscribe_path(ada)), "Stop the reminders")
    assert not MessagePreferences.objects.exists()


def test_one_click_stops_reminders_and_nothing_else(ada):
    mail_program = Client(enforce_csrf_checks=True)
    answer = mail_program.post(unsubscribe_path(ada), {"List-Unsubscribe": "One-Click"})
    assertContains(answer, "no more reminders")
    chosen = MessagePreferences.objects.get(patient=ada)
    assert (chosen.reminders, chosen.by_email) == (False, True)


@pytest.mark.parametrize("token", ["nothing", "eAAAAAAAAAAAAAAAAAAAAAA.guessed"])
def test_a_token_that_is_not_ours_does_nothing(client, ada, token):
    assert client.post(f"/unsubscribe/{token}/").status_code == 404
    assert not MessagePreferences.objects.exists()


@pytest.fixture
def failed(site):
    visit = AppointmentFactory(site=site, start=timezone.now() + timedelta(days=2))
    return CommunicationFactory(appointment=visit, status="not-done", attempts=5, occasion="0")


def test_the_desk_sends_a_message_again(client, rana, failed):
    client.force_login(rana)
    answer = client.post(f"/staff/messages/{failed.fhir_id}/again/", {"next": "/staff/hours/"})
    assert answer.url == "/staff/hours/"
    assert Communication.objects.filter(appointment=failed.appointment, occasion__startswith="again-").count() == 1


def test_sending_again_takes_a_post_and_leads_nobody_away(client, rana, failed):
    client.force_login(rana)
    assert client.get(f"/staff/messages/{failed.fhir_id}/again/").status_code == 405
    answer = client.post(f"/staff/messages/{failed.fhir_id}/again/", {"next": "https://elsewhere.example/"})
    assert answer.url == "/start/"


@pytest.mark.parametrize(("who", "status"), [("patient", 403), ("other desk", 404), ("nobody", 302)])
def test_only_staff_who_may_see_the_visit_send_again(client, ada, failed, who, status):
    if who == "patient":
        client.force_login(ada.user)
    if who == "other desk":
        client.force_login(UserFactory(desk_locations=[LocationFactory()]))
    assert client.post(f"/staff/messages/{failed.fhir_id}/again/").status_code == status
    assert not Communication.objects.filter(occasion__startswith="again").exists()


def test_the_timeline_shows_what_failed_and_offers_it_again(rf, failed):
    context = {"told": notifications.timeline(failed.appointment), "zone": ZoneInfo("America/New_York"), "back": "/x/"}
    part = render_to_string("portal/messages/_timeline.html", context, rf.get("/"))
    assert "Failed" in part
    assert "New York time" in part
    assert f"/staff/messages/{failed.fhir_id}/again/" in part


@pytest.fixture
def demo(settings, tmp_path):
    settings.EMBEDDED = settings.DEBUG = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = tmp_path


def test_the_demo_shows_what_it_would_send(client, demo, ada):
    visit = AppointmentFactory(patient=ada, start=timezone.now() + timedelta(days=2))
    CommunicationFactory(appointment=visit, occasion="0")
    CommunicationFactory(
        appointment=visit,
        medium="sms",
        address="+1 212 555 0123",
        status="completed",
        sent=timezone.now(),
        body="Come.",
    )
    notifications.deliver_next(now=timezone.now())
    EmailMultiAlternatives("Your code", "It is 123456.", to=["ada@example.com"]).send()

    page = client.get("/demo/messages/")

    assertContains(page, "is booked")
    assertContains(page, links.manage_link(visit))
    assertContains(page, "It is 123456.")
    assertContains(page, "To +1 212 555 0123")
    [name] = [each.name for each in page.context["kept"] if each.has_invitation]
    assertContains(client.get(f"/demo/messages/{name}/visit.ics"), "BEGIN:VEVENT")
    assert client.get("/demo/messages/nothing/visit.ics").status_code == 404


@pytest.mark.parametrize("off", ["EMBEDDED", "DEBUG"])
def test_nowhere_else_is_there_such_a_page(client, settings, demo, off):
    setattr(settings, off, False)
    assert client.get("/demo/messages/").status_code == 404
    assert client.get("/demo/messages/x/visit.ics").status_code == 404


@pytest.fixture
def no_redis(settings):
    """The cache's port, and nobody behind it."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    default = {**settings.CACHES["default"], "LOCATION": f"redis://127.0.0.1:{port}/0"}
    settings.CACHES = {"default": default}


def test_without_redis_people_sign_in_as_ever(no_redis, client, ada):
    assert caches["default"].get("anything", "nothing") == "nothing"
    for _ in range(2):
        answer = client.post("/accounts/login/", {"login": ada.user.email, "password": "secret-password"})
        assert answer.status_code == 302
        client.logout()
    assert not mail.outbox
