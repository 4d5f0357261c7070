"""The same request again, one after the other and both at once."""

import json

import pytest

from clinic.models import Appointment, IdempotencyKey, Slot
from tests.api.conftest import api_with
from tests.api.visits import BOOK, HOLD, proposal, visit
from tests.factories import ScheduleFactory, ServiceFactory
from tests.scheduling.situations import at_once, monday

KEY = {"idempotency_key": "one"}


@pytest.fixture
def service(db):
    return ServiceFactory(buffer_after=5)


@pytest.fixture
def chen(service):
    return ScheduleFactory(services=[service])


@pytest.fixture
def proposed_visit(api, service, chen, ada):
    return proposal(api, service, chen, patient=ada)


def same(first, again):
    """The response is the same, and its header says that it is a replay."""
    assert "Idempotency-Replayed" not in first
    assert again["Idempotency-Replayed"] == "true"
    assert (again.status_code, again.fhir) == (first.status_code, first.fhir)
    for name in ("Location", "Expires", "ETag"):
        assert again.headers.get(name) == first.headers.get(name)


@pytest.mark.parametrize("operation", [BOOK, HOLD])
def test_a_visit_is_made_once(api, proposed_visit, operation):
    first = api.post(operation, proposed_visit, **KEY)
    same(first, api.post(operation, proposed_visit, **KEY))
    assert first.status_code == 201
    assert Appointment.objects.count() == 1


def test_the_answer_is_what_it_was_then(api, service, chen, proposed_visit):
    first = api.post(BOOK, proposed_visit, **KEY)
    api.post(f"Appointment/{visit(first)['id']}/$cancel")
    service.active = False
    service.save()
    same(first, api.post(BOOK, proposed_visit, **KEY))


def test_all_that_writes(api, chen, proposed_visit):
    fhir_id = visit(api.post(HOLD, proposed_visit))["id"]
    move = {"start": monday(14).isoformat(), "schedule": chen.reference}
    for name, body in (("confirm", {}), ("reschedule", move), ("cancel", {"cancelationReason": {"text": "ill"}})):
        first = api.post(f"Appointment/{fhir_id}/${name}", body, idempotency_key=name)
        assert first.status_code == 200
        same(first, api.post(f"Appointment/{fhir_id}/${name}", body, idempotency_key=name))


def test_a_refusal_is_an_answer_too(api, service, chen, bo, proposed_visit):
    theirs = proposal(api, service, chen, patient=bo)
    taken = visit(api.post(BOOK, proposed_visit))
    first = api.post(BOOK, theirs, **KEY)
    api.post(f"Appointment/{taken['id']}/$cancel")
    again = api.post(BOOK, theirs, **KEY)
    same(first, again)
    assert (again.status_code, "diagnostics" in again.fhir["issue"][0]) == (409, True)


def test_an_invalid_request_may_be_corrected_under_its_key(api, proposed_visit):
    assert api.post(BOOK, {**proposed_visit, "status": "maybe"}, **KEY).status_code == 400
    assert api.post(BOOK, proposed_visit, **KEY).status_code == 201


def test_a_key_is_for_one_request(api, proposed_visit):
    api.post(BOOK, proposed_visit, **KEY)
    for answer in (api.post(HOLD, proposed_visit, **KEY), api.post(BOOK, {**proposed_visit, "comment": "x"}, **KEY)):
        assert answer.status_code == 400
        assert "another request" in answer.fhir["issue"][0]["details"]["text"]
    reordered = json.dumps(dict(reversed(proposed_visit.items())))
    assert api.post(BOOK, reordered, **KEY)["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize("key", ["", "two words", "x" * 256, "ключ"])
def test_keys_that_are_none(api, proposed_visit, key):
    assert api.post(BOOK, proposed_visit, idempotency_key=key).status_code == 400
    assert not IdempotencyKey.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_both_at_once(service, chen, ada):
    software = [api_with() for _ in range(4)]
    proposed_visit = proposal(software[0], service, chen, patient=ada)
    answers = at_once([lambda api=api: api.post(BOOK, proposed_visit, **KEY) for api in software])
    assert {each.status_code for each in answers} == {201}
    assert len({visit(each)["id"] for each in answers}) == 1
    assert sorted("Idempotency-Replayed" in each for each in answers) == [False, True, True, True]
    assert (Appointment.objects.count(), Slot.objects.count()) == (1, 2)


@pytest.mark.django_db(transaction=True)
def test_without_a_key_one_of_them_gets_it(service, chen):
    """The control: without a key only one of the requests books the time."""
    software = [api_with() for _ in range(4)]
    proposed_visit = proposal(software[0], service, chen)
    answers = at_once([lambda api=api: api.post(BOOK, proposed_visit) for api in software])
    assert sorted(each.status_code for each in answers) == [201, 409, 409, 409]
