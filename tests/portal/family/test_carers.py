"""The pages on which a patient invites somebody to manage their visits, and on which that is accepted and ended."""

import pytest
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import Communication, RelatedPerson
from scheduling.notifications import links
from tests.factories import AppointmentFactory, QuestionnaireResponseFactory

pytestmark = pytest.mark.django_db(transaction=True)

INVITATION = {"address": "bo@example.com", "relationship": "SPS", "access": "visits"}


@pytest.fixture
def invited(as_ada, settings):
    """The path of the invitation that Ada has sent."""
    assertRedirects(as_ada.post("/family/invite/", INVITATION), "/family/")
    return links.invitation_link(RelatedPerson.objects.get()).removeprefix(settings.SITE_URL)


def test_it_is_accepted_with_an_account_shown_on_both_sides_and_ended(as_ada, ada, bo, client, invited):
    assertContains(as_ada.get("/family/"), "Invited, no answer yet")
    client.logout()
    page = client.get(invited)
    assertContains(page, "Ada Quinn asks you to help with their visits")
    assertContains(page, "You would not see their answers or insurance.")
    assertContains(page, f"/accounts/login/?next={invited.replace('/', '/')}")
    client.force_login(bo.user)
    assertRedirects(client.post(invited, {"accept": "1"}), "/family/")
    page = client.get("/family/")
    assertContains(page, "You see and book their visits.")
    assertRedirects(client.get(invited), "/family/")
    client.force_login(ada.user)
    page = client.get("/family/")
    assertContains(page, "They see, book, move and cancel your visits.")
    carer = RelatedPerson.objects.get(user=bo.user)
    assertContains(client.get(f"/family/carers/{carer.fhir_id}/end/"), "End the access of bo@example.com?")
    assertRedirects(client.post(f"/family/carers/{carer.fhir_id}/end/"), "/family/")
    client.force_login(bo.user)
    assertNotContains(client.get("/family/"), "Ada Quinn")


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ({"address": ""}, "Enter the address to which we send the invitation."),
        ({"address": "bo"}, "Enter an email address such as name@example.com"),
        ({"access": ""}, "Choose what they may do."),
        ({"address": "ada@example.com"}, "That is your own address."),
    ],
)
def test_errors_are_shown_and_typed_text_stays(as_ada, typed, text):
    page = as_ada.post("/family/invite/", {**INVITATION, **typed})
    assertContains(page, text)
    assertContains(page, '<option value="SPS" selected>')
    assert not RelatedPerson.objects.exists()


@pytest.mark.parametrize("has_texts", [True, False])
def test_a_number_is_enough_where_the_clinic_sends_texts(as_ada, settings, has_texts):
    settings.SMS_ENABLED = has_texts
    page = as_ada.post("/family/invite/", {**INVITATION, "address": "(212) 555-0199"}, follow=True)
    sent = list(Communication.objects.values_list("medium", "address"))
    assert sent == ([("sms", "+12125550199")] if has_texts else [])
    assertContains(page, "(212) 555-0199")


def test_it_is_declined_without_an_account(client, invited):
    client.logout()
    assertRedirects(client.post(invited, {"decline": "1"}), "/")
    assert client.get(invited).status_code == 410
    assert client.get("/carers/nothing/").status_code == 410


def test_a_carer_of_visits_finds_no_answers(client, ada, bo, invited, checkup, schedule, ten):
    visit = AppointmentFactory(patient=ada, service=checkup, start=ten, schedules=[schedule])
    QuestionnaireResponseFactory(patient=ada, appointment=visit)
    client.force_login(bo.user)
    client.post(invited, {"accept": "1"})
    there = f"/appointments/{visit.fhir_id}/"
    assertContains(client.get(there), "Cancel this visit")
    assertNotContains(client.get(there), "Change your answers")
    assert client.get(f"{there}answers/").status_code == 404
    assert client.get(f"/preferences/{ada.fhir_id}/").status_code == 404
    client.force_login(ada.user)
    assertContains(client.get(there), "Change your answers")
    assert client.get(f"{there}answers/").status_code == 200


def test_nobody_ends_what_is_not_theirs(client, bo, invited):
    carer = RelatedPerson.objects.get()
    client.force_login(bo.user)
    assert client.post(f"/family/carers/{carer.fhir_id}/end/").status_code == 404
    client.logout()
    assert client.post(f"/family/carers/{carer.fhir_id}/end/").status_code == 302
    carer.refresh_from_db()
    assert carer.deleted_at is None
