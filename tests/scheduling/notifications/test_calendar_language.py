"""The language of a visit's calendar entry."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils.translation import override
from icalendar import Calendar

from clinic import translations
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


@pytest.mark.django_db
def test_each_text_says_its_language():
    """The name of the site has no Spanish, so it says English in a Spanish file; a note on blocked time says none."""
    site, other = LocationFactory(name="Main Street", timezone=NEW_YORK.key), LocationFactory(timezone=NEW_YORK.key)
    translations.translate(other.extra, "name", {"es": "Calle Mayor"})
    other.save()
    service, video = ServiceFactory(name="Check-up"), ServiceFactory(telehealth=True)
    visits = [AppointmentFactory(start=START, service=service, site=each) for each in (site, other)]
    visits.append(AppointmentFactory(start=START, service=video, site=site))
    block = notifications.CalendarBlock("b", START, START + timedelta(hours=1), NEW_YORK, "")
    with override("es"):
        file = notifications.calendar_of(
            visits,
            now=NOW,
            zones={visit.pk: NEW_YORK for visit in visits},
            feed=notifications.CalendarProperties("Citas", [block, replace(block, id="c", text="Lunch")]),
        )
    events = Calendar.from_ical(file).walk("VEVENT")
    said = [
        [event[name].params.get("LANGUAGE") if name in event else "" for name in ("SUMMARY", "DESCRIPTION", "LOCATION")]
        for event in events
    ]
    assert said == [["es", "es", "en"], ["es", "es", "es"], ["es", "es", "es"], ["es", "", ""], [None, "", ""]]
    assert {alarm["DESCRIPTION"].params["LANGUAGE"] for event in events for alarm in event.walk("VALARM")} == {"es"}
