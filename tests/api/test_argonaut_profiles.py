"""Profiles of Argonaut Scheduling and IHE for Appointments, Slots and the Bundles that hold them.

http://fhir.org/guides/argonaut-scheduling/profiles.html, https://profiles.ihe.net/ITI/Scheduling/artifacts.html
"""

import pytest

from api.operations.argonaut.find import PARAMETERS as OPENINGS
from api.operations.argonaut.prefetch import PARAMETERS as PREFETCHED
from api.operations.dialects import Dialect
from api.operations.medplum.find import PARAMETERS as ON_SCHEDULES
from api.operations.registry import OPERATIONS
from clinic.fhir.datatypes import instant
from tests.api.dialects import DERMATOLOGY, OFFICE_VISIT, matches, offer, parameters, reference, window
from tests.api.visits import BOOK, FIND, HOLD
from tests.factories import (
    DeviceFactory,
    LocationFactory,
    RoleFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
)
from tests.scheduling.situations import monday

pytestmark = pytest.mark.django_db
ACTORS = {"Location", "Patient", "Practitioner", "HealthcareService"}
SLOT_STATUS = {"busy", "free", "busy-unavailable", "entered-in-error"}
# Cardinality of each element: minimum and maximum.
APPOINTMENT = {
    "id": (1, 1),
    "status": (1, 1),
    "start": (1, 1),
    "end": (1, 1),
    "appointmentType": (0, 1),
    "participant": (1, 99),
    "requestedPeriod": (1, 1),
}
SLOT = {"id": (1, 1), "schedule": (1, 1), "status": (1, 1), "start": (1, 1), "end": (1, 1)}
BUNDLE = {"type": (1, 1), "total": (1, 1), "entry": (1, 9999)}


@pytest.fixture
def service():
    return ServiceFactory(
        type=[OFFICE_VISIT], specialty=[DERMATOLOGY], requires=["Practitioner", "Location", "Device"], duration=60
    )


@pytest.fixture
def role(service):
    """A practitioner in a role, a room and a device."""
    site = LocationFactory()
    ScheduleFactory(services=[service], actor=RoomFactory(part_of=site), site=site)
    ScheduleFactory(services=[service], actor=DeviceFactory(location=site), site=site)
    return ScheduleFactory(services=[service], actor=RoleFactory(), site=site)


def fits(element, cardinalities):
    for name, (least, most) in cardinalities.items():
        value = element.get(name, [])
        assert least <= (len(value) if isinstance(value, list) else 1) <= most, name


def fits_profiles(answer):
    """Every resource of the Bundle, and the Bundle."""
    bundle = answer.fhir
    fits(bundle, BUNDLE)
    assert bundle["type"] == "searchset"
    assert bundle["total"] >= len(matches(answer))
    assert {entry["resource"]["resourceType"]: entry["search"]["mode"] for entry in bundle["entry"]}.items() <= {
        ("Appointment", "match"),
        ("Slot", "match"),
        ("OperationOutcome", "outcome"),
    }
    for resource in matches(answer):
        (fits_slot if resource["resourceType"] == "Slot" else fits_appointment)(resource)


def fits_appointment(appointment):
    fits(appointment, APPOINTMENT)
    for each in appointment["participant"]:
        assert each["actor"]["reference"].partition("/")[0] in ACTORS
        assert each["status"] in ("accepted", "declined", "tentative", "needs-action")


def fits_slot(slot):
    fits(slot, SLOT)
    assert slot["status"] in SLOT_STATUS


def test_every_answer_on_the_way_to_a_visit(api, role, ada):
    fits_profiles(api.get(FIND, window(_count=5)))
    proposed = offer(api)
    held = api.post(HOLD, parameters(appt_id=reference(proposed)))
    fits_profiles(held)
    fits_profiles(api.post(BOOK, parameters(appt_id=reference(proposed), patient_id=ada.reference)))
    fits_profiles(api.post(BOOK, {**matches(held)[0], "status": "cancelled"}))


def test_every_refusal(api, role, ada):
    proposed = offer(api)
    SlotFactory(schedule=role, start=monday(10), end=monday(11))
    for body in (
        parameters(appt_id=reference(proposed)),
        parameters(appt_resource=proposed),
        parameters(appointment_reference={"reference": reference(proposed)}),
    ):
        fits_profiles(api.post(BOOK, body))


def test_nothing_found(api, role):
    fits_profiles(api.get(FIND, window(start=instant(monday(22)))))


def test_free_slots(api, role):
    free = api.get("Slot/$prefetch", window())
    assert matches(free)
    fits_profiles(free)


@pytest.mark.parametrize(
    ("operation", "read"),
    [
        ("find", {*ON_SCHEDULES, *OPENINGS} - {"_page"}),
        ("hold", {name for dialect in Dialect for name in dialect.value[0]}),
        ("book", {name for dialect in Dialect for name in dialect.value[1]}),
        ("prefetch", set(PREFETCHED)),
    ],
)
def test_the_declared_parameters_are_those_that_are_read(operation, read):
    declared = next(each for each in OPERATIONS if each.name == operation).parameters
    assert {each.name for each in declared if each.use == "in"} == read
