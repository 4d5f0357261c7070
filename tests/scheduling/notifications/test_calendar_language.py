"""The language of a visit's calendar entry."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils.translation import override
from icalendar import Calendar

from scheduling import notifications
from tests.factories import AppointmentFactory, LocationFactory, ServiceFactory

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")
START = datetime(2026, 6, 9, 14, tzinfo=UTC)


@pytest.mark.django_db
def test_the_entry_is_written_in_the_readers_language(settings):
    settings.CLINIC_NAME, settings.CLINIC_PHONE = "Riverside Clinic", "+12125550100"
    site = LocationFactory(name="Main Street", timezone=NEW_YORK.key, phone="+12125550123")
    service = ServiceFactory(name="Check-up", cancellation_notice=timedelta(hours=24))
    visit = AppointmentFactory(start=START, service=service, site=site)

    def entry(language):
        with override(language):
            file = notifications.calendar_of(
                [visit], now=NOW, zones={visit.pk: NEW_YORK}, page=lambda _visit: "https://c/"
            )
        [event] = Calendar.from_ical(file).walk("VEVENT")
        [alarm] = event.walk("VALARM")
        assert alarm["DESCRIPTION"] == event["SUMMARY"]
        return str(event["SUMMARY"]), str(event["DESCRIPTION"]).splitlines()

    assert entry("en")[0] == "Visit at Riverside Clinic"
    summary, lines = entry("es")
    assert summary == "Cita en Riverside Clinic"
    assert lines[0] == "https://c/"
    assert lines[1].startswith("Referencia: ")
    assert "hasta el lun, 8 de jun, 10:00 a.m. (hora de Nueva York)." in lines[2]
    assert lines[-1] == "Teléfono: (212) 555-0123"
