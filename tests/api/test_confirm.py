"""https://www.medplum.com/docs/scheduling/appointment-confirm"""

import pytest

from tests.api.conftest import Api, api_with, codes
from tests.api.visits import HOLD, expire, issues_of, proposal, slots, visit
from tests.factories import AppointmentFactory, ScheduleFactory, ServiceFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def service():
    return ServiceFactory(buffer_after=5)


@pytest.fixture
def held(api, service, ada):
    """The path of $confirm for a hold of Ada's."""
    proposed_visit = proposal(api, service, ScheduleFactory(services=[service]), patient=ada)
    return f"Appointment/{visit(api.post(HOLD, proposed_visit))['id']}/$confirm"


def test_a_hold_becomes_a_booking(api, held):
    answer = api.post(held)
    booked = visit(answer)
    assert (answer.status_code, booked["status"], answer["ETag"]) == (200, "booked", 'W/"2"')
    assert [each["status"] for each in slots(answer)] == ["busy", "busy-unavailable"]
    assert "extension" not in booked
    assert "Expires" not in answer
    assert api.get(f"Appointment/{booked['id']}").fhir == booked


def test_a_constant_number_of_statements(api, held, django_assert_num_queries):
    """The visit is read once, locked, and what was written is not read again for the answer."""
    with django_assert_num_queries(14):
        assert api.post(held).status_code == 200


def test_it_is_not_confirmed_twice(api, held):
    api.post(held)
    answer = api.post(held, {})
    assert (answer.status_code, codes(answer)) == (409, ["conflict"])
    assert issues_of(answer) == {("A visit that is booked cannot become booked.", "Appointment.status")}


@pytest.mark.parametrize("status", ["cancelled", "fulfilled", "noshow", "entered-in-error"])
def test_states_from_which_nothing_is_confirmed(api, status):
    answer = api.post(f"Appointment/{AppointmentFactory(status=status).fhir_id}/$confirm")
    assert answer.status_code == 409
    assert status in answer.fhir["issue"][0]["details"]["text"]


def test_too_late(api, held):
    expire(held.split("/")[1])
    answer = api.post(held)
    assert (answer.status_code, codes(answer)) == (409, ["expired"])


def test_only_the_version_that_was_seen(api, held):
    assert api.post(held, if_match='W/"7"').status_code == 412
    assert api.post(held, if_match="seven").status_code == 400
    assert api.post(held, if_match='W/"7", W/"8"').status_code == 412
    assert api.post(held, if_match='W/"7", W/"1"').status_code == 200
    cancel = held.replace("$confirm", "$cancel")
    assert api.post(cancel, if_match="*").status_code == 200


def test_callers_who_may_confirm(ada, bo, held):
    assert Api(user=bo.user).post(held).status_code == 404
    assert api_with("system/*.rs").post(held).status_code == 403
    assert Api().post(held).status_code == 401
    assert Api(user=ada.user).post(held).status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (None, 200),
        ({}, 200),
        ({"resourceType": "Parameters"}, 200),
        ({"occurrences": "this"}, 200),
        ({"occurrences": "all"}, 400),
        ({"comment": "x"}, 400),
        ({"resourceType": "Appointment"}, 400),
    ],
)
def test_bodies(api, held, body, status):
    assert api.post(held, body).status_code == status


def test_no_such_appointment(api):
    assert api.post("Appointment/none/$confirm").status_code == 404
    assert api.post(f"Appointment/{'x' * 65}/$confirm").status_code == 404
    assert api.get("Appointment/none/$confirm").status_code == 405
