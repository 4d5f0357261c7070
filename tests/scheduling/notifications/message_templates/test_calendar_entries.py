"""Entries for calendars that messages bring."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from icalendar import Calendar

from scheduling import notifications
from scheduling.notifications import links
from tests.factories import (
    AppointmentFactory,
    CommunicationFactory,
    PractitionerFactory,
    ScheduleFactory,
)
from tests.scheduling.notifications.message_templates.letters_of_visit import NEW_YORK, NOW, UNTIL, letter, read
from tests.scheduling.notifications.messages import deliver

pytestmark = pytest.mark.django_db


def test_an_email_brings_the_visit_to_the_patients_calendar(visit):
    CommunicationFactory(appointment=visit, address="ada@example.com", due=NOW)
    visit.patient.email = "ada@example.com"
    visit.patient.save()
    deliver(NOW)

    [sent] = mail.outbox
    [part] = [each for each in sent.message().walk() if each.get_content_type() == "text/calendar"]
    assert part.get_param("method") == "REQUEST"
    calendar, event = read(part.get_payload(decode=True))
    assert calendar["METHOD"] == "REQUEST"
    assert event["UID"] == f"{visit.fhir_id}@example.com"
    assert event["SEQUENCE"] == 0
    assert event["STATUS"] == "CONFIRMED"
    assert event["LOCATION"] == "Main Street, 1 Main Street, New York"
    assert event["URL"] == links.manage_link(visit)
    assert event["ATTENDEE"] == "mailto:ada@example.com"
    assert event["ORGANIZER"] == "mailto:clinic@example.com"


def test_a_move_and_a_cancellation_follow_in_the_calendar(visit):
    visit.sequence = 1
    _, moved = read(letter(visit, "change").calendar)
    visit.sequence, visit.status = 2, "cancelled"
    calendar, cancelled = read(letter(visit, "cancellation").calendar)

    assert moved["UID"] == cancelled["UID"]
    assert (moved["SEQUENCE"], cancelled["SEQUENCE"]) == (1, 2)
    assert calendar["METHOD"] == "CANCEL"
    assert cancelled["STATUS"] == "CANCELLED"


@pytest.mark.parametrize(
    "start",
    [
        datetime(2026, 3, 7, 15, tzinfo=UTC),  # the day before the clocks go forward in New York
        datetime(2026, 3, 8, 6, 30, tzinfo=UTC),
        datetime(2026, 3, 8, 7, 30, tzinfo=UTC),
        datetime(2026, 10, 31, 14, tzinfo=UTC),
        datetime(2026, 11, 1, 14, tzinfo=UTC),  # the day they go back
    ],
)
def test_a_calendar_shows_the_right_instant_around_a_clock_change(visit, start):
    visit.start, visit.end = start, start + timedelta(minutes=30)

    calendar, event = read(notifications.calendar_of([visit], now=NOW))

    assert event["DTSTART"].params["TZID"] == "America/New_York"
    assert event.start.astimezone(UTC) == start
    assert event.end.astimezone(UTC) == visit.end
    [zone] = calendar.walk("VTIMEZONE")
    assert zone["TZID"] == "America/New_York"
    assert zone.to_tz().utcoffset(event.start.replace(tzinfo=None)) == start.astimezone(NEW_YORK).utcoffset()


def test_a_time_that_the_clocks_show_twice_is_told_in_utc(visit):
    for hour in (5, 6):
        visit.start = datetime(2026, 11, 1, hour, 30, tzinfo=UTC)  # half past one, before and after the change
        visit.end = visit.start + timedelta(minutes=30)
        _, event = read(notifications.calendar_of([visit], now=NOW))
        assert event.start == visit.start
        assert "TZID" not in event["DTSTART"].params


def test_an_entry_describes_what_matters_and_reminds_and_says_no_secrets(visit):
    visit.service.cancellation_notice = timedelta(days=1)
    _, event = read(notifications.calendar_of([visit], now=NOW))
    for line in (links.manage_link(visit), visit.fhir_id.replace("-", "")[:8].upper(), UNTIL, "(212) 555-0100"):
        assert line in str(event["DESCRIPTION"])
    [alarm] = event.walk("VALARM")
    assert alarm["TRIGGER"].dt == -timedelta(hours=2)
    visit.status = "cancelled"
    _, event = read(notifications.calendar_of([visit], now=NOW))
    assert event["STATUS"] == "CANCELLED"
    assert not event.walk("VALARM")


def test_a_calendar_of_many_visits_asks_once_for_their_zones(django_assert_num_queries, visit):
    other = AppointmentFactory(
        service=visit.service, schedules=[ScheduleFactory(actor=PractitionerFactory(timezone="Europe/Berlin"))]
    )
    with django_assert_num_queries(1):
        content = notifications.calendar_of([visit, other], now=NOW)

    calendar = Calendar.from_ical(content)
    assert calendar["METHOD"] == "PUBLISH"
    zones = {event["UID"]: event["DTSTART"].params["TZID"] for event in calendar.walk("VEVENT")}
    assert set(zones.values()) == {"America/New_York", "Europe/Berlin"}
