"""Cards of decision services in the API: in the answers of operations, and before a write that confirms."""

import json

import pytest

from clinic.models import Appointment, CdsService
from tests.api.conftest import codes, texts
from tests.api.visits import BOOK, HOLD, proposal, visit
from tests.factories import ScheduleFactory
from tests.receiver import receiving

CARD = {"summary": "The plan has ended", "indicator": "critical", "source": {"label": "Acme"}}


@pytest.fixture
def stops(db, settings):
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1"]
    with receiving() as receiver:
        receiver.body = json.dumps({"cards": [CARD]}).encode()
        yield CdsService.objects.create(name="Coverage", url=receiver.url, stops=True)


def test_book_answers_with_its_words(api, ada, stops):
    schedule = ScheduleFactory()
    appointment = proposal(api, schedule.services.get(), schedule, patient=ada)
    response = api.post(BOOK, appointment)
    assert (response.status_code, codes(response)) == (422, ["business-rule"])
    assert texts(response) == "Acme: The plan has ended"
    stops.stops = False
    stops.save()
    response = api.post(BOOK, appointment)
    assert response.status_code == 201
    [issue] = response.fhir["entry"][0]["response"]["outcome"]["issue"]
    assert (issue["code"], issue["details"]["text"]) == ("informational", "Acme: The plan has ended")


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_a_write_that_confirms_is_asked_about_too(api, ada, stops, method):
    schedule = ScheduleFactory()
    held = visit(api.post(HOLD, proposal(api, schedule.services.get(), schedule, patient=ada)))
    address = f"Appointment/{held['id']}"
    if method == "PATCH":
        response = api.patch(address, [{"op": "replace", "path": "/status", "value": "booked"}])
    else:
        response = api.put(address, {**api.get(address).fhir, "status": "booked"})
    assert (response.status_code, texts(response)) == (422, "Acme: The plan has ended")
    assert Appointment.objects.get().status == "pending"
