"""Dr Chen and Dr Singh, whose free times clients search for."""

import pytest

from tests.api.dialects import OFFICE_VISIT
from tests.api.slot_search.searches import NPI
from tests.factories import (
    LocationFactory,
    PractitionerFactory,
    ScheduleFactory,
    ServiceFactory,
)


@pytest.fixture
def service():
    return ServiceFactory(name="Office visit", type=[OFFICE_VISIT], duration=60, interval=60)


@pytest.fixture
def chen(service):
    actor = PractitionerFactory(fhir_id="dr-chen", identifier=[{"system": NPI, "value": "3234567893"}])
    site = LocationFactory(fhir_id="napa", name="Napa Office")
    return ScheduleFactory(fhir_id="of-chen", services=[service], actor=actor, site=site)


@pytest.fixture
def singh(service):
    return ScheduleFactory(fhir_id="of-singh", services=[service], actor=PractitionerFactory(fhir_id="dr-singh"))
