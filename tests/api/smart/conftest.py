from datetime import timedelta

import pytest

from tests.api.smart.apps import App
from tests.factories import MONDAY_9, AppointmentFactory, PatientFactory, RelatedPersonFactory, ScheduleFactory


@pytest.fixture
def app(db):
    return App()


@pytest.fixture
def leo(ada):
    """Ada's son, for whom she books."""
    patient = PatientFactory(given="Leo", family="Quinn")
    RelatedPersonFactory(patient=patient, user=ada.user)
    return patient


@pytest.fixture
def visits(site, ada, leo, bo, chen):
    """One visit of each of them."""
    schedule = ScheduleFactory(actor=chen, site=site)
    for hour, (name, patient) in enumerate({"ada": ada, "leo": leo, "bo": bo}.items()):
        start = MONDAY_9 + timedelta(hours=hour)
        AppointmentFactory(fhir_id=f"of-{name}", patient=patient, schedules=[schedule], site=site, start=start)
