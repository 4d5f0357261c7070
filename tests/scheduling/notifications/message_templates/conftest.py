"""A visit in November, whose messages are composed."""

import pytest

from tests.factories import (
    AppointmentFactory,
    LocationFactory,
    PatientFactory,
    PractitionerFactory,
    ScheduleFactory,
    ServiceFactory,
)
from tests.scheduling.notifications.message_templates.letters_of_visit import START


@pytest.fixture
def visit(db):
    service = ServiceFactory(name="Colonoscopy", comment="For blood in the stool", preparation="Fast from midnight on.")
    chen = ScheduleFactory(services=[service], actor=PractitionerFactory(given="Mei", family="Chen"))
    return AppointmentFactory(
        service=service,
        patient=PatientFactory(given="Ada", family="Quinn", phone="+1 212 555 0123"),
        site=LocationFactory(name="Main Street", line="1 Main Street", city="New York", phone="+1 212 555 0100"),
        start=START,
        comment="It hurts",
        cancelation_reason={"text": "Too afraid"},
        schedules=[chen],
    )
