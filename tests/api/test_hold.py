"""https://www.medplum.com/docs/scheduling/appointment-hold"""

from datetime import timedelta
from email.utils import parsedate_to_datetime

import pytest
from django.utils import timezone

from clinic.fhir import codes
from clinic.fhir.datatypes import instant, read_instant
from tests.api.conftest import Api
from tests.api.visits import BOOK, HOLD, expire, found, proposal, slots, starts, visit
from tests.factories import ScheduleFactory, ServiceFactory
from tests.scheduling.situations import monday

pytestmark = pytest.mark.django_db


@pytest.fixture
def service():
    return ServiceFactory(name="Check-up", buffer_before=5)


@pytest.fixture
def chen(service):
    return ScheduleFactory(services=[service])


def test_a_hold_is_pending_and_says_until_when(api, service, chen, ada):
    answer = api.post(HOLD, proposal(api, service, chen, patient=ada))
    held = visit(answer)
    assert (answer.status_code, held["status"]) == (201, "pending")
    assert [each["status"] for each in slots(answer)] == ["busy-unavailable", "busy-tentative"]
    [extension] = held["extension"]
    assert extension["url"] == codes.HOLD_EXPIRES
    expires = read_instant(extension["valueInstant"])
    assert timedelta(minutes=9) < expires - timezone.now() <= timedelta(minutes=10)
    assert parsedate_to_datetime(answer["Expires"]) == expires.replace(microsecond=0)
    assert answer["Location"].endswith(f"/fhir/R4/Appointment/{held['id']}/_history/1")


def test_a_held_time_is_not_offered_and_not_held_again(api, service, chen, ada, bo):
    theirs = proposal(api, service, chen, patient=bo)
    api.post(HOLD, proposal(api, service, chen, patient=ada))
    assert instant(monday(10)) not in starts(found(api, service, chen))
    assert [api.post(each, theirs).status_code for each in (HOLD, BOOK)] == [409, 409]


def test_the_time_of_an_expired_hold_is_free(api, service, chen, ada, bo):
    theirs = proposal(api, service, chen, patient=bo)
    held = visit(api.post(HOLD, proposal(api, service, chen, patient=ada)))
    expire(held["id"])
    assert instant(monday(10)) in starts(found(api, service, chen))
    assert api.post(BOOK, theirs).status_code == 201


def test_a_hold_needs_no_patient_yet(api, service, chen):
    assert api.post(HOLD, proposal(api, service, chen)).status_code == 201


def test_a_patient_holds_two_times_at_most(service, chen, ada):
    patient = Api(user=ada.user)
    answers = [
        patient.post(HOLD, proposal(patient, service, chen, patient=ada, at=monday(hour))) for hour in (10, 11, 12)
    ]
    assert [each.status_code for each in answers] == [201, 201, 422]
