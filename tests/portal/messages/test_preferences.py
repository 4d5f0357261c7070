"""Message preferences, and stopping reminders."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains

from clinic.models import Communication, MessagePreferences
from scheduling.notifications import links
from tests.factories import AppointmentFactory

pytestmark = pytest.mark.django_db
CHOICE = {"by_email": "on", "by_sms": "on", "phone": "+1 212 555 0123", "reminders": "on", "language": "es"}


def test_a_patient_chooses_email_or_text(settings, as_ada, ada):
    settings.SMS_ENABLED = True
    choice = {key: value for key, value in CHOICE.items() if key != "by_email"}
    answer = as_ada.post("/preferences/", choice)
    assertContains(answer, "Your settings are saved.")
    chosen = MessagePreferences.objects.get(patient=ada)
    assert (chosen.by_email, chosen.by_sms, chosen.reminders) == (False, True, True)
    ada.refresh_from_db()
    assert (ada.phone, ada.language, ada.version) == ("+12125550123", "es", 2)
    assert as_ada.cookies["language"].value == "es"


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
    ("wrong", "message"),
    [
        ({"phone": "ask me"}, "This is not a phone number. Enter one such as +1 212 555 0123."),
        ({"phone": "555"}, "This phone number is too short. Enter one such as +1 212 555 0123."),
        ({"phone": ""}, "Enter the number that texts are sent to, or choose no text messages."),
        ({"language": "tlh"}, "Select a valid choice."),
    ],
)
def test_errors_are_shown(settings, as_ada, ada, wrong, message):
    settings.SMS_ENABLED = True
    page = as_ada.post("/preferences/", {**CHOICE, **wrong})
    assertContains(page, message)
    assertContains(page, "There is a problem")
    assert not MessagePreferences.objects.exists()


def test_new_preferences_plan_the_reminders_again(settings, as_ada, ada):
    settings.SMS_ENABLED = True
    MessagePreferences.objects.create(patient=ada, reminders=False)
    visit = AppointmentFactory(patient=ada, start=timezone.now() + timedelta(days=9))
    as_ada.post("/preferences/", CHOICE)
    reminders = Communication.objects.filter(appointment=visit, event="reminder")
    assert set(reminders.values_list("medium", flat=True)) == {"email", "sms", "in-app"}


def test_a_carer_chooses_for_their_own_patients_only(settings, as_ada, ada, kim, bo):
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
