"""Messages about a request to the staff who can answer it; they name no patient."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from clinic.models import Communication
from scheduling import booking
from scheduling.access import Caller
from tests.factories import LocationFactory, PractitionerFactory, ScheduleFactory, ServiceFactory, UserFactory
from tests.scheduling.notifications import messages
from tests.scheduling.situations import book, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def place(db):
    return LocationFactory(name="Riverside Main Street", timezone="America/New_York")


@pytest.fixture
def desk(place):
    UserFactory(email="gone@example.com", desk_locations=[place], is_active=False)
    UserFactory(email="elsewhere@example.com", desk_locations=[LocationFactory()])
    return UserFactory(email="desk@example.com", desk_locations=[place])


@pytest.fixture
def visit_request(desk, place, ada):
    doctor = PractitionerFactory(given="Mei", family="Chen", user=UserFactory(email="doctor@example.com"))
    service = ServiceFactory(name="Second opinion", on_request=True)
    schedule = ScheduleFactory(actor=doctor, services=[service], site=place)
    return book(wish(service, schedule, at=monday(10), patient=ada), Caller(user=ada.user))


def deliver(now):
    messages.deliver(now)
    return {message.to[0]: message for message in mail.outbox}


def test_the_desk_and_the_practitioner_get_a_message(visit_request):
    sent = deliver(timezone.now())
    assert {address for address in sent if address != visit_request.patient.email} == {
        "desk@example.com",
        "doctor@example.com",
    }
    body = sent["desk@example.com"].body
    for words in (
        "A patient has requested a visit",
        "Second opinion",
        "Mei Chen",
        f"/staff/appointments/{visit_request.fhir_id}/",
    ):
        assert words in body
    assert "Ada" not in body + sent["desk@example.com"].subject
    assert "/v/" not in body  # the patient's own link is secret
    assert [part for part in sent["desk@example.com"].attachments if "calendar" in str(part)] == []


def test_an_answered_request_sends_no_message(visit_request, desk):
    booking.respond(visit_request.fhir_id, "accepted", caller=Caller(user=desk), now=timezone.now())
    assert "desk@example.com" not in deliver(timezone.now())


def test_former_staff_get_no_message(visit_request, desk):
    desk.desk_locations.clear()
    assert set(deliver(timezone.now())) >= {"doctor@example.com"}
    assert "desk@example.com" not in {message.to[0] for message in mail.outbox}


def test_a_visit_that_is_booked_at_once_tells_the_patient_alone(desk, place, ada):
    service = ServiceFactory()
    schedule = ScheduleFactory(services=[service], site=place)
    book(wish(service, schedule, at=monday(10), patient=ada), Caller(user=ada.user))
    assert not Communication.objects.filter(event="staff-request").exists()


def test_the_patient_does_not_see_what_the_staff_were_told(visit_request, ada):
    from scheduling import access

    seen = access.visible(Communication, Caller(user=ada.user)).values_list("event", flat=True)
    assert "staff-request" not in set(seen)
    assert visit_request.start > timezone.now() + timedelta(days=1)
