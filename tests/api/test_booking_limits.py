"""Booking limits over the API: written as FHIR, and kept by every operation."""

import pytest

from clinic.fhir import codes as names
from clinic.fhir.datatypes import instant
from tests.api.conftest import codes, texts
from tests.api.visits import BOOK, FIND, HOLD, found, proposal
from tests.factories import AppointmentFactory, PatientFactory, ScheduleFactory, ServiceFactory
from tests.scheduling.situations import monday


def limit(most, unit="d"):
    repeat = {"frequency": most, "period": 1, "periodUnit": unit}
    return {"url": "bookingLimit", "valueTiming": {"repeat": repeat}}


@pytest.fixture
def service(db, settings):
    settings.CLINIC_TIME_ZONE = "America/New_York"
    return ServiceFactory()


@pytest.fixture
def schedule(service):
    return ScheduleFactory(services=[service])


def write(api, resource, *extensions):
    body = api.get(resource.reference).fhir
    response = api.put(resource.reference, {**body, "extension": [*body.get("extension", []), *extensions]})
    assert response.status_code == 200, texts(response)
    return response.fhir


def on_the_service(api, service, schedule):
    body = api.get(service.reference).fhir
    parameters = next(each for each in body["extension"] if each["url"] == names.SCHEDULING_PARAMETERS)
    parameters["extension"].append(limit(1))
    assert api.put(service.reference, body).status_code == 200
    stored = next(
        each for each in api.get(service.reference).fhir["extension"] if each["url"] == names.SCHEDULING_PARAMETERS
    )
    assert limit(1) in stored["extension"]


def on_the_schedule(api, service, schedule):
    reference = {"url": "service", "valueReference": {"reference": service.reference}}
    extension = {"url": names.SCHEDULING_PARAMETERS, "extension": [reference, limit(1)]}
    assert extension in write(api, schedule, extension)["extension"]


def of_all_services(api, service, schedule):
    extension = {"url": names.VISITS_PER_DAY, "valuePositiveInt": 1}
    assert extension in write(api, schedule, extension)["extension"]


def on_all_schedules(api, service, schedule):
    extension = {"url": names.VISITS_PER_DAY, "valuePositiveInt": 1}
    assert extension in write(api, service, extension)["extension"]


@pytest.mark.parametrize("write_limit", [on_the_service, on_the_schedule, of_all_services, on_all_schedules])
def test_a_limit_that_is_written_is_kept_by_each_operation(api, service, schedule, write_limit):
    appointment = proposal(api, service, schedule, at=monday(14))
    write_limit(api, service, schedule)
    assert found(api, service, schedule)
    AppointmentFactory(service=service, schedules=[schedule], start=monday(10))
    assert found(api, service, schedule) == []
    assert found(api, service, schedule, start=monday(0, days=1), end=monday(0, days=2))
    window = {"start": instant(monday(0)), "end": instant(monday(0, days=1))}
    for operation in (FIND, "Slot/$prefetch"):
        response = api.get(operation, window)
        entries = response.fhir.get("entry", [])
        assert [each for each in entries if each["resource"]["resourceType"] in ("Appointment", "Slot")] == []
    for operation in (HOLD, BOOK):
        response = api.post(operation, appointment)
        assert (response.status_code, codes(response)) == (422, ["business-rule"])
        assert "No more visits are booked on that day." in texts(response)


def test_a_find_for_a_patient_who_has_enough_finds_no_more(api, service, schedule):
    write(api, service, {"url": names.PATIENT_VISITS_PER_WEEK, "valuePositiveInt": 1})
    ada, bo = PatientFactory(), PatientFactory()
    AppointmentFactory(service=service, patient=ada, start=monday(10))

    def starts_for(patient):
        query = {
            "start": instant(monday(0)),
            "end": instant(monday(0, days=14)),
            "patient-reference": patient.reference,
            "_count": 1000,
        }
        entries = api.get(FIND, query).fhir["entry"]
        return [each["resource"]["start"] for each in entries if each["search"]["mode"] == "match"]

    next_week = instant(monday(0, days=7))
    assert starts_for(ada) == [start for start in starts_for(bo) if start >= next_week]
    assert min(starts_for(bo)) < next_week


def test_a_limit_on_new_patients_leaves_its_session_to_those_who_return(api, service, schedule):
    extension = {"url": names.NEW_PATIENT_SESSION_LIMIT, "valuePositiveInt": 1}
    reference = {"url": "service", "valueReference": {"reference": service.reference}}
    parameters = {"url": names.SCHEDULING_PARAMETERS, "extension": [reference, extension]}
    new, known = PatientFactory(), PatientFactory(returning=True)
    for_new, for_known = (proposal(api, service, schedule, at=monday(14), patient=each) for each in (new, known))
    assert parameters in write(api, schedule, parameters)["extension"]
    AppointmentFactory(service=service, patient=PatientFactory(), schedules=[schedule], start=monday(10))

    assert found(api, service, schedule) == []
    assert found(api, service, schedule, start=monday(0, days=1), end=monday(0, days=2))

    def found_for(patient):
        query = {"start": instant(monday(0)), "end": instant(monday(0, days=1)), "patient-reference": patient.reference}
        return [each for each in api.get(FIND, query).fhir["entry"] if each["search"]["mode"] == "match"]

    assert found_for(new) == []
    assert found_for(known)

    def explained(**more):
        query = {"start": instant(monday(14)), "schedule": schedule.reference, **more}
        answer = api.get(f"{service.reference}/$explain", query).fhir["parameter"]
        return [each["valueBoolean"] for each in answer if each["name"] == "result"], "new-patients-full" in str(answer)

    assert explained() == explained(patient=new.reference) == ([False], True)
    assert explained(patient=known.reference) == ([True], False)
    for operation in (HOLD, BOOK):
        response = api.post(operation, for_new)
        assert (response.status_code, codes(response)) == (422, ["business-rule"])
        assert "No more new patients are booked in that session." in texts(response)
    assert api.post(BOOK, for_known).status_code == 201
