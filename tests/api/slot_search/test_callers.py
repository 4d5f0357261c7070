"""Free times that each caller finds."""

import pytest

from tests.api.conftest import Api, api_with, ids
from tests.api.slot_search.searches import DAY, FREE_DAY, slots
from tests.factories import (
    PatientFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
    UserFactory,
)
from tests.scheduling.situations import monday

pytestmark = pytest.mark.django_db


def test_everyone_who_may_find_times_finds_what_they_could_book(api, service, chen, ada):
    for_staff = ServiceFactory(bookable_by="staff", duration=60, interval=60)
    ScheduleFactory(fhir_id="of-nurse", services=[for_staff])
    hidden = SlotFactory(schedule=chen, start=monday(9), end=monday(10))
    assert {each["schedule"]["reference"] for each in slots(api, **FREE_DAY)} == {chen.reference, "Schedule/of-nurse"}
    for reader in (
        Api(user=ada.user),
        Api(user=UserFactory()),
        api_with("system/Slot.rs"),
        api_with("system/Appointment.s"),
    ):
        found = {each["schedule"]["reference"] for each in slots(reader, **FREE_DAY)}
        assert chen.reference in found
    assert slots(Api(user=ada.user), **FREE_DAY) == [
        each for each in slots(api, **FREE_DAY) if each["schedule"]["reference"] == chen.reference
    ]
    assert hidden.fhir_id not in ids(Api(user=ada.user).get("Slot", DAY))
    assert hidden.fhir_id not in ids(api_with("system/Appointment.s").get("Slot", DAY))
    assert hidden.fhir_id in ids(api_with("system/Slot.s").get("Slot", DAY))


@pytest.mark.parametrize(
    ("scopes", "count"),
    [
        ("system/Slot.rs?status=free", 16),
        ("system/Slot.rs?status=busy", 0),
        ("system/Slot.rs?schedule=of-chen", 8),
        ("system/Slot.rs?status=busy system/Slot.rs?schedule=of-singh", 8),
        ("system/Slot.rs?schedule=of-singh system/Slot.s", 16),
        ("system/Slot.rs?colour=blue", 0),
        ("system/Slot.rs?status=busy system/Appointment.rs", 0),
    ],
)
def test_a_scope_with_search_parameters_opens_what_they_find(chen, singh, scopes, count):
    assert api_with(scopes).get("Slot", {**DAY, "_count": "0"}).fhir["total"] == count


def test_others_find_nothing(chen):
    assert Api().get("Slot", FREE_DAY).status_code == 401
    assert api_with("system/Patient.rs").get("Slot", FREE_DAY).status_code == 403
    assert api_with("system/Slot.r").get("Slot", FREE_DAY).status_code == 403
    assert api_with("system/Appointment.s").get("Slot", {**DAY, "status": "busy"}).status_code == 403


def test_a_calendar_that_is_hidden_is_found_by_nothing(service, chen, ada):
    """A patient's own calendar offers nothing here, and chains follow only to Schedules that the caller may see."""
    own = ScheduleFactory(actor=PatientFactory(), services=[service])
    assert ids(Api(user=ada.user).get("Slot", {**FREE_DAY, "schedule": own.reference})) == []
    reads_slots = api_with("system/Slot.rs")
    assert len(ids(reads_slots.get("Slot", {**FREE_DAY, "schedule": chen.reference}))) == 8
    assert ids(reads_slots.get("Slot", {**FREE_DAY, "schedule.actor": "Practitioner/dr-chen"})) == []
