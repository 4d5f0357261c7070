"""Sending a message again, by staff."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.template.loader import render_to_string
from django.utils import timezone

from clinic.models import Communication
from scheduling import notifications
from scheduling.access import Caller
from tests.factories import AppointmentFactory, CommunicationFactory, LocationFactory, UserFactory

pytestmark = pytest.mark.django_db


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


@pytest.mark.parametrize("is_staff", [True, False], ids=["desk", "reader"])
def test_the_timeline_shows_what_failed_and_offers_it_again_to_those_who_may(rf, rana, failed, is_staff):
    context = {
        "timeline": notifications.timeline(failed.appointment),
        "zone": ZoneInfo("America/New_York"),
        "back": "/x/",
        "caller": Caller(user=rana) if is_staff else Caller(),
    }
    part = render_to_string("portal/messages/_timeline.html", context, rf.get("/"))
    assert "Failed" in part
    assert "New York time" in part
    assert (f"/staff/messages/{failed.fhir_id}/again/" in part) == is_staff
