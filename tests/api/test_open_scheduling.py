"""New patients: registered before the search, after the hold, or with the booking.

http://fhir.org/guides/argonaut-scheduling, use case 2, by software that the patient has not signed in to.
"""

import pytest

from clinic.models import Appointment
from tests.api.conftest import api_with
from tests.api.dialects import OFFICE_VISIT, SNOMED, matches, offer, parameters, reference
from tests.api.people import coverage_of, described
from tests.api.visits import BOOK, HOLD
from tests.factories import PatientFactory, ScheduleFactory, ServiceFactory

SCOPES = "system/Appointment.crus system/Slot.rs system/Patient.crs system/Coverage.cu"


@pytest.fixture
def software(db):
    return api_with(SCOPES)


@pytest.fixture
def service(db):
    return ServiceFactory(type=[OFFICE_VISIT], duration=60, interval=60)


@pytest.fixture(autouse=True)
def chen(service):
    return ScheduleFactory(services=[service])


def registered(api):
    response = api.post("Patient", described())
    assert response.status_code == 201
    return f"Patient/{response.fhir['id']}"


def held(api):
    found = offer(api, **{"visit-type": f"{SNOMED}|11429006"})
    [appointment] = matches(api.post(HOLD, parameters(appt_id=reference(found))))
    assert appointment["status"] == "pending"
    return appointment


def covered(api, patient):
    assert api.post("Coverage", coverage_of(beneficiary={"reference": patient})).status_code == 201


def booked(api, appointment, **more):
    [visit] = matches(api.post(BOOK, parameters(appt_id=reference(appointment), **more)))
    return visit["status"]


def test_registered_before_the_search(software, service):
    service.requires_coverage = True
    service.save()
    patient = registered(software)
    covered(software, patient)
    appointment = held(software)
    assert booked(software, appointment, patient_id=patient) == "booked"
    assert Appointment.objects.get().patient.reference == patient


def test_registered_after_the_hold(software, service):
    service.requires_coverage = True
    service.save()
    appointment = held(software)
    patient = registered(software)
    covered(software, patient)
    assert booked(software, appointment, patient_id=patient) == "booked"


def test_covered_after_the_visit_is_booked(software):
    appointment = held(software)
    patient = registered(software)
    assert booked(software, appointment, patient_id=patient) == "booked"
    covered(software, patient)


def test_without_the_coverage_that_it_needs_nothing_is_booked(software, service):
    service.requires_coverage = True
    service.save()
    appointment = held(software)
    assert booked(software, appointment, patient_id=registered(software)) == "cancelled"


def test_registered_while_they_book(software):
    body = parameters(appt_id=reference(held(software)))
    body["parameter"].append({"name": "patient-resource", "resource": described()})
    [visit] = matches(software.post(BOOK, body))
    assert visit["status"] == "booked"
    assert Appointment.objects.get().patient.family == "Núñez"


def test_a_known_patient_is_not_registered_twice(software):
    ada = PatientFactory(family="Núñez", given="María José", birth_date="1980-02-29", gender="female")
    body = parameters(appt_id=reference(held(software)))
    body["parameter"].append({"name": "patient-resource", "resource": described()})
    assert matches(software.post(BOOK, body))[0]["status"] == "booked"
    assert Appointment.objects.get().patient == ada


def test_a_service_on_request_becomes_a_request(software, service):
    service.on_request = True
    service.save()
    appointment = held(software)
    assert booked(software, appointment, patient_id=registered(software)) == "pending"
    assert Appointment.objects.get().is_request
