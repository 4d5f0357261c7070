"""Messages about a visit in November, as their templates make them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from icalendar import Calendar

from clinic.message_kinds import WITHOUT_TEMPLATE
from clinic.models import Event
from scheduling.notifications import letters
from tests.factories import CommunicationFactory

LANGUAGES = [code for code, _name in settings.LANGUAGES]
NEW_YORK = ZoneInfo("America/New_York")
WITH_WORDS = [event for event in Event if event not in WITHOUT_TEMPLATE]
START = datetime(2026, 11, 24, 14, 20, tzinfo=UTC)  # 09:20 in New York
NOW = START - timedelta(days=3)


def letter(visit, event="confirmation", medium="email", language="en"):
    message = CommunicationFactory.build(
        appointment=visit,
        patient=visit.patient,
        event=event,
        medium=medium,
        language=language,
        address="ada@example.com",
    )
    return letters.compose(message, NEW_YORK, now=NOW)


UNTIL = "You can cancel until 24 hours before the visit, that is until Mon, Nov 23, 9:20 AM (New York time)."


def read(content: bytes):
    calendar = Calendar.from_ical(content)
    [event] = calendar.walk("VEVENT")
    return calendar, event
