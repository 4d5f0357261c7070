"""HealthcareService/$explain: if a service can be booked at a time, and every rule against it for who may know."""

import json

import pytest

from clinic.fhir.datatypes import instant
from clinic.models import Appointment
from tests.api.conftest import Api, api_with
from tests.factories import PatientFactory, ScheduleFactory, ServiceFactory, SlotFactory, UserFactory
from tests.scheduling.situations import book, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def service(db):
    return ServiceFactory(name="Check-up")


@pytest.fixture
def chen(service):
    return ScheduleFactory(services=[service])


def explain(api, service, at, *schedules, **more):
    asked = {"start": instant(at), "schedule": [each.reference for each in schedules], **more}
    return api.get(f"{service.reference}/$explain", asked)


def result_and_rules(response):
    """Return the result, and the code of each rule with the places that it is about."""
    assert response.status_code == 200, response.content
    given = {each["name"]: each for each in response.fhir["parameter"]}
    issues = given["outcome"]["resource"]["issue"] if "outcome" in given else []
    rules = {(json.loads(each["diagnostics"])["rule"], *each.get("expression", [])) for each in issues}
    return given["result"]["valueBoolean"], rules


def test_a_free_time_can_be_booked(api, service, chen):
    assert result_and_rules(explain(api, service, monday(10), chen)) == (True, set())
    assert result_and_rules(explain(api, service, monday(10))) == (True, set())
    assert not Appointment.objects.exists()


def test_software_reads_every_rule(api, service, chen):
    SlotFactory(schedule=chen, start=monday(16), end=monday(17))
    assert result_and_rules(explain(api, service, monday(16, 40), chen)) == (
        False,
        {("taken", chen.reference), ("off-grid", chen.reference), ("outside-hours", chen.reference)},
    )


def test_the_rules_of_the_patient_count_too(api, service, chen):
    patient = PatientFactory()
    book(wish(service, ScheduleFactory(services=[service]), at=monday(10), patient=patient))
    assert result_and_rules(explain(api, service, monday(10), chen)) == (True, set())
    assert result_and_rules(explain(api, service, monday(10), chen, patient=patient.reference)) == (
        False,
        {("patient-elsewhere",)},
    )
    assert explain(api, service, monday(10), chen, patient="Patient/nobody").status_code == 404


def test_a_patient_learns_only_what_the_search_tells(service, chen):
    SlotFactory(schedule=chen, start=monday(10), end=monday(11))
    ada = Api(user=PatientFactory(user=UserFactory()).user)
    assert result_and_rules(explain(ada, service, monday(10), chen)) == (False, set())
    assert result_and_rules(explain(ada, service, monday(12), chen)) == (True, set())
    service.bookable_by = "staff"
    service.save()
    assert result_and_rules(explain(ada, service, monday(12), chen)) == (False, set())


def test_software_without_the_scope_learns_no_reason(service, chen):
    SlotFactory(schedule=chen, start=monday(10), end=monday(11))
    assert result_and_rules(explain(api_with("system/Slot.s"), service, monday(10), chen)) == (False, set())


def test_a_request_that_cannot_be_read_is_refused(api, service, chen):
    assert api.get(f"{service.reference}/$explain").status_code == 400
    assert api.get(f"{service.reference}/$explain", {"start": "tomorrow"}).status_code == 400
    assert api.get("HealthcareService/nothing/$explain", {"start": instant(monday(10))}).status_code == 404
