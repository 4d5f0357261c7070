"""Cards of decision services in the API: in the answers of operations, and before a write that confirms."""

import json

import pytest
from django.db import connection

from clinic.models import Appointment, CdsService
from scheduling import cds_hooks
from tests.api.conftest import codes, texts
from tests.api.visits import BOOK, HOLD, proposal, visit
from tests.factories import ScheduleFactory, SlotFactory
from tests.receiver import receiving
from tests.scheduling.situations import monday

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


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_bundle", [False, True])
def test_plain_fhir_is_asked_about_outside_the_transaction(api, ada, stops, monkeypatch, is_bundle):
    schedule = ScheduleFactory()
    slot = SlotFactory(schedule=schedule, status="free", start=monday(19), end=monday(19, 30))
    appointment = {
        "resourceType": "Appointment",
        "status": "booked",
        "slot": [{"reference": slot.reference}],
        "participant": [{"actor": {"reference": ada.reference}, "status": "accepted"}],
    }
    asked = []
    ask = cds_hooks.ask

    def note_and_ask(*args, **named):
        asked.append(connection.in_atomic_block)
        return ask(*args, **named)

    monkeypatch.setattr(cds_hooks, "ask", note_and_ask)
    entry = {"resource": appointment, "request": {"method": "POST", "url": "Appointment"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    response = api.post("", bundle) if is_bundle else api.post("Appointment", appointment)
    assert response.status_code == 422
    assert texts(response).endswith("Acme: The plan has ended")
    assert asked == [False]
    assert not Appointment.objects.exists()


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
