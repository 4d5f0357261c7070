"""A future visit cannot be fulfilled, whether an Appointment, an Encounter or a Bundle says so."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.models import Appointment, Encounter
from tests.api.conftest import codes
from tests.factories import AppointmentFactory, PatientFactory, ScheduleFactory, SlotFactory

BEGUN = ("arrived", "triaged", "in-progress", "onleave", "finished")
AHEAD = timedelta(days=3)


@pytest.fixture
def coming(db):
    start = timezone.now().replace(microsecond=0) + AHEAD
    return AppointmentFactory(patient=PatientFactory(), start=start, schedules=[ScheduleFactory()])


@pytest.fixture
def past(db):
    start = timezone.now().replace(microsecond=0) - AHEAD
    return AppointmentFactory(patient=PatientFactory(), start=start, schedules=[ScheduleFactory()])


def encounter(visit, status, **more):
    return {
        "resourceType": "Encounter",
        "status": status,
        "class": {"code": "AMB"},
        "appointment": [{"reference": visit.reference}],
        **more,
    }


def made_elsewhere(status):
    start = timezone.now().replace(microsecond=0) + AHEAD
    slot = SlotFactory(schedule=ScheduleFactory(), start=start, end=start + timedelta(minutes=30))
    return {
        "resourceType": "Appointment",
        "status": status,
        "start": slot.start.isoformat(),
        "end": slot.end.isoformat(),
        "slot": [{"reference": slot.reference}],
        "participant": [{"actor": {"reference": PatientFactory().reference}, "status": "accepted"}],
    }


def bundle(kind, resource, method="POST", url=""):
    request = {"method": method, "url": url or resource["resourceType"]}
    return {"resourceType": "Bundle", "type": kind, "entry": [{"resource": resource, "request": request}]}


@pytest.mark.parametrize("status", BEGUN)
def test_its_encounter_has_not_begun(api, coming, past, status):
    response = api.post("Encounter", encounter(coming, status))
    assert (response.status_code, codes(response)) == (422, ["business-rule"])
    assert response.fhir["issue"][0]["expression"] == ["Encounter.status"]
    planned = api.post("Encounter", encounter(coming, "planned"))
    assert planned.status_code == 201
    put = api.put(f"Encounter/{planned.fhir['id']}", {**planned.fhir, "status": status})
    assert (put.status_code, codes(put)) == (422, ["business-rule"])
    patch = [{"op": "replace", "path": "/status", "value": status}]
    assert api.patch(f"Encounter/{planned.fhir['id']}", patch).status_code == 422
    assert api.post("Encounter", encounter(past, status)).status_code == 201
    assert Encounter.objects.get(appointment=coming).status == "planned"


def test_an_encounter_of_the_past_is_not_given_to_a_visit_to_come(api, coming, past):
    made = api.post("Encounter", encounter(past, "finished")).fhir
    moved = api.put(f"Encounter/{made['id']}", {**made, "appointment": [{"reference": coming.reference}]})
    assert (moved.status_code, codes(moved)) == (422, ["business-rule"])
    assert api.put(f"Encounter/{made['id']}", {**made, "language": "en"}).status_code == 200


@pytest.mark.parametrize("status", ["arrived", "checked-in", "fulfilled", "noshow"])
def test_a_future_visit_from_elsewhere_is_refused(api, status):
    for response in (
        api.post("Appointment", made_elsewhere(status)),
        api.put("Appointment/one", {**made_elsewhere(status), "id": "one"}),
        api.post("", bundle("transaction", made_elsewhere(status))),
    ):
        assert (response.status_code, codes(response)) == (422, ["business-rule"])
    result = api.post("", bundle("batch", made_elsewhere(status))).fhir["entry"][0]["response"]
    assert result["status"].startswith("422")
    assert not Appointment.objects.exists()


def test_an_update_in_a_bundle_is_refused(api, coming):
    changed = {**api.get(coming.reference).fhir, "status": "fulfilled"}
    assert api.post("", bundle("transaction", changed, "PUT", coming.reference)).status_code == 422
    result = api.post("", bundle("batch", changed, "PUT", coming.reference)).fhir["entry"][0]["response"]
    assert result["status"].startswith("422")
    assert Appointment.objects.get().status == "booked"
