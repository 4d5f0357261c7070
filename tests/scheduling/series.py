"""Requests for series of visits, every Monday from the week after next on."""

from datetime import UTC, datetime, timedelta

from django.utils import timezone

from clinic.models import Appointment
from scheduling import booking
from scheduling.booking import SeriesRequest
from tests.scheduling.situations import NEW_YORK, SOFTWARE, monday, wish


def week(number: int, hour: int = 10, minute: int = 0) -> datetime:
    """A time of the Monday of a week by the clocks of New York: week 0 is the one after next."""
    first = monday(hour, minute).astimezone(NEW_YORK).replace(tzinfo=None)
    return (first + timedelta(weeks=number)).replace(tzinfo=NEW_YORK).astimezone(UTC)


def series_wish(service, *schedules, patient=None, starts=None, count=3, **more) -> SeriesRequest:
    """A request for `count` visits at ten o'clock, or for visits at `starts`."""
    starts = starts or [week(number) for number in range(count)]
    first = wish(service, *schedules, at=starts[0], patient=patient)
    return SeriesRequest(first=first, starts=tuple(starts), zone=NEW_YORK, **more)


def book_series(request: SeriesRequest) -> tuple[Appointment, ...]:
    return booking.book_series(request, caller=SOFTWARE, now=timezone.now())
