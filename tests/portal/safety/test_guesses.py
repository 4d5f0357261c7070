"""Guessing codes, birth dates and passwords."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from clinic.models import Appointment, AuditEvent, Communication
from tests.portal.booking.steps import code, say_who
from tests.portal.eve import GUEST
from tests.scheduling.notifications.messages import deliver

pytestmark = pytest.mark.django_db


def test_codes_are_guessed_no_faster_from_several_browsers(client, client_class, checkup, held, schedule, ten):
    """Attempts are counted by address, over all browsers."""
    from portal.finding.times import time_value
    from scheduling.availability import offerings_of

    sent = 0
    for hour in range(1, 8):
        browser = client_class()
        time = time_value(ten + timedelta(hours=hour), offerings_of(checkup, [schedule.fhir_id]))
        browser.post(f"/book/{checkup.fhir_id}/hold/", {"time": time})
        say_who(browser, Appointment.objects.latest("pk"), email="Eve@Example.com" if hour % 2 else GUEST["email"])
        sent = Communication.objects.filter(event="proof").count()
    assert sent == 5


@pytest.fixture
def client_class(client):
    return type(client)


def test_birth_dates_are_guessed_no_faster_from_several_browsers(client_class, link, ada):
    ada.birth_date = date(1990, 7, 4)
    ada.save()
    wrong = {"birth_date_day": "1", "birth_date_month": "1", "birth_date_year": "1950"}
    for _ in range(8):
        client_class().post(link, wrong)
    assert AuditEvent.objects.filter(subtype="wrong birth date").count() == 5


def test_a_code_that_could_not_be_sent_is_kept_nowhere(client, held):
    say_who(client, held)
    digits = code()
    late = timezone.now() + timedelta(hours=1)
    deliver(late)
    message = Communication.objects.get(event="proof")
    assert (message.status, message.subject, message.body) == ("not-done", "", "")
    assert digits not in str(Communication.objects.values())


def test_administrators_sign_in_where_guessing_is_limited(client):
    response = client.get("/admin/login/?next=/admin/")
    assert response.status_code == 302
    assert response.url.startswith("/accounts/login/")
