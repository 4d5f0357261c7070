"""Services that are paid for before they are booked, as patients' apps and software of the clinic meet them."""

import json

import pytest
from django.conf import settings

from clinic.models import Appointment
from scheduling import booking
from tests.api.conftest import Api, codes, texts
from tests.api.visits import BOOK, HOLD, proposal, visit
from tests.factories import ScheduleFactory, ServiceFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def service():
    return ServiceFactory(pricing="fixed", price=4000, prepayment="whole")


@pytest.fixture
def proposed_visit(api, service, ada):
    return proposal(api, service, ScheduleFactory(services=[service]), patient=ada)


def payment_page(answer):
    """The address in the outcome of a refusal."""
    assert (answer.status_code, codes(answer)) == (422, ["business-rule"])
    [issue] = answer.fhir["issue"]
    address = json.loads(issue["diagnostics"])["payment"]
    assert address in texts(answer)
    return address


def test_a_patient_is_told_where_to_choose_a_time_and_pay(ada, service, proposed_visit):
    answer = Api(user=ada.user).post(BOOK, proposed_visit)
    assert payment_page(answer) == f"{settings.SITE_URL}/book/{service.fhir_id}/"
    assert not Appointment.objects.exists()


def test_a_hold_is_taken_and_paid_for_on_its_page(ada, proposed_visit):
    patient = Api(user=ada.user)
    held = visit(patient.post(HOLD, proposed_visit))
    answer = patient.post(f"Appointment/{held['id']}/$confirm")
    assert payment_page(answer) == f"{settings.SITE_URL}/appointments/{held['id']}/pay/"
    assert Appointment.objects.get().status == "pending"


def test_software_of_the_clinic_books_and_the_payment_is_due(api, proposed_visit):
    assert visit(api.post(BOOK, proposed_visit))["status"] == "booked"
    assert booking.is_due(Appointment.objects.get())
