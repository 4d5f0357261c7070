"""https://www.medplum.com/docs/scheduling/appointment-cancel"""

import pytest

from clinic.fhir.datatypes import instant
from clinic.models import Slot
from tests.api.conftest import Api, codes
from tests.api.visits import BOOK, HOLD, found, issues_of, proposal, starts, visit
from tests.factories import AppointmentFactory, ScheduleFactory, ServiceFactory
from tests.scheduling.situations import monday

pytestmark = pytest.mark.django_db
REASON = {"coding": [{"system": "http://example.org/reasons", "code": "ill"}], "text": "I am ill"}


@pytest.fixture
def service():
    return ServiceFactory(buffer_after=5)


@pytest.fixture
def chen(service):
    return ScheduleFactory(services=[service])


@pytest.fixture(params=[BOOK, HOLD])
def taken(request, api, service, chen, ada):
    """The id of a visit of Ada's, booked or held."""
    return visit(api.post(request.param, proposal(api, service, chen, patient=ada)))["id"]


def test_the_time_is_free_again(api, service, chen, taken):
    answer = api.post(f"Appointment/{taken}/$cancel", {"cancelationReason": REASON})
    assert (answer.status_code, answer.fhir["status"]) == (200, "cancelled")
    assert answer.fhir["cancelationReason"] == REASON
    assert "slot" not in answer.fhir
    assert not Slot.objects.filter(deleted_at=None).exists()
    assert instant(monday(10)) in starts(found(api, service, chen))


@pytest.mark.parametrize(("operation", "statements"), [(HOLD, 6), (BOOK, 11)], ids=["a hold", "a booking"])
def test_a_few_statements(api, service, chen, ada, operation, statements, django_assert_num_queries):
    """The visit is read once, locked; a hold needs nothing but its end, of a booking the patient is told."""
    taken = visit(api.post(operation, proposal(api, service, chen, patient=ada)))["id"]
    with django_assert_num_queries(statements):
        assert api.post(f"Appointment/{taken}/$cancel").status_code == 200


def test_a_reason_is_not_needed(api, taken):
    answer = api.post(f"Appointment/{taken}/$cancel")
    assert answer.status_code == 200
    assert "cancelationReason" not in answer.fhir


NAMES = {
    "a reference": lambda fhir_id: {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "appointment-reference", "valueReference": {"reference": f"Appointment/{fhir_id}"}},
            {"name": "cancelationReason", "valueCodeableConcept": REASON},
        ],
    },
    "text": lambda fhir_id: {
        "appointment-reference": f"http://testserver/fhir/R4/Appointment/{fhir_id}",
        "cancelationReason": REASON,
    },
}


@pytest.mark.parametrize("body", NAMES.values(), ids=NAMES)
def test_the_appointment_named_in_a_parameter(api, taken, body):
    answer = api.post("Appointment/$cancel", body(taken))
    assert (answer.status_code, answer.fhir["cancelationReason"]) == (200, REASON)


@pytest.mark.parametrize("status", ["cancelled", "fulfilled", "noshow", "entered-in-error"])
def test_states_from_which_nothing_is_cancelled(api, status):
    answer = api.post(f"Appointment/{AppointmentFactory(status=status).fhir_id}/$cancel")
    text = f"A visit that is {status} cannot become cancelled."
    assert (answer.status_code, issues_of(answer)) == (409, {(text, "Appointment.status")})


@pytest.mark.parametrize(
    ("reason", "place"),
    [
        ("ill", "Parameters.cancelationReason"),
        ({}, "Parameters.cancelationReason"),
        (7, "Parameters.cancelationReason"),
        ({"text": 7}, "Parameters.cancelationReason.text"),
        ({"coding": {"code": "x"}}, "Parameters.cancelationReason.coding"),
        ({"reason": "x"}, "Parameters.cancelationReason.reason"),
    ],
)
def test_a_reason_is_a_codeable_concept(api, taken, reason, place):
    answer = api.post(f"Appointment/{taken}/$cancel", {"cancelationReason": reason})
    assert answer.status_code == 400
    assert answer.fhir["issue"][0]["expression"] == [place]


def test_which_appointment_is_required_and_must_be_one(api):
    assert codes(api.post("Appointment/$cancel")) == ["required"]
    answer = api.post("Appointment/$cancel", {"appointment-reference": "Patient/1"})
    expected = {("Invalid appointment reference", "Parameters.appointment-reference")}
    assert (answer.status_code, issues_of(answer)) == (400, expected)
    assert api.post("Appointment/$cancel", {"appointment-reference": "Appointment/none"}).status_code == 404


def test_callers_who_may_cancel(ada, bo, taken):
    assert Api(user=bo.user).post(f"Appointment/{taken}/$cancel").status_code == 404
    assert Api(user=ada.user).post(f"Appointment/{taken}/$cancel").status_code == 200


def test_on_an_inactive_schedule_too(api, chen, taken):
    chen.active = False
    chen.save()
    assert api.post(f"Appointment/{taken}/$cancel", if_match='W/"1"').status_code == 200
