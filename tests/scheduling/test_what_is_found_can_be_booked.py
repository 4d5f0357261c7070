"""Promise 2: every time that is found can be booked, and every other time is refused."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinic.models import Appointment, Slot
from scheduling import availability, booking
from scheduling.availability import TimeQuery, as_datetime
from scheduling.booking import BookingRequest
from scheduling.errors import SchedulingError
from tests.factories import PractitionerFactory, ScheduleFactory, ServiceFactory
from tests.scheduling.situations import SOFTWARE

pytestmark = pytest.mark.django_db(transaction=True)

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# A weekend of each kind of clock change, still to come when this was written, and an ordinary one.
WEEKENDS = [
    ("America/New_York", datetime(2030, 3, 9, 12, tzinfo=UTC)),
    ("America/New_York", datetime(2030, 11, 2, 12, tzinfo=UTC)),
    ("Europe/London", datetime(2030, 3, 30, 12, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2030, 4, 6, 6, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2030, 10, 5, 6, tzinfo=UTC)),
    ("Asia/Kathmandu", datetime(2030, 6, 1, 12, tzinfo=UTC)),
]
clock = st.builds("{:02}:{:02}:00".format, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
windows = st.lists(
    st.one_of(
        st.fixed_dictionaries(
            {
                "daysOfWeek": st.lists(st.sampled_from(DAYS), min_size=3, unique=True),
                "availableStartTime": clock,
                "availableEndTime": clock,
            }
        ),
        st.just({"daysOfWeek": list(DAYS), "allDay": True}),
    ),
    min_size=1,
    max_size=2,
)
parameters = st.fixed_dictionaries(
    {
        "duration": st.sampled_from([15, 20, 30, 50, 60, 90]),
        "interval": st.sampled_from([5, 15, 20, 40, 45, 60, 90, 120]),
        "offset": st.sampled_from([0, 5, -10, 70]),
        "buffer_before": st.sampled_from([0, 5, 15]),
        "buffer_after": st.sampled_from([0, 10]),
        "capacity": st.sampled_from([1, 1, 2]),
        "hours": windows,
    }
)


def attempt(service, offerings, start):
    """Book the time, found or not. Returns the booking or the refusal."""
    request = BookingRequest(service=service, offerings=offerings, start=start)
    try:
        return booking.book(request, caller=SOFTWARE, now=timezone.now())
    except SchedulingError as refusal:
        return refusal


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    weekend=st.sampled_from(WEEKENDS),
    given_so=parameters,
    schedules=st.integers(1, 2),
    busy=st.lists(st.tuples(st.integers(0, 47), st.integers(10, 180)), max_size=4),
    probes=st.lists(st.integers(0, 48 * 12 - 1), min_size=12, max_size=12),
)
def test_found_times_book_and_others_do_not(weekend, given_so, schedules, busy, probes):
    zone, start = weekend
    service = ServiceFactory(**given_so)
    calendars = [
        ScheduleFactory(services=[service], actor=PractitionerFactory(timezone=zone)) for _ in range(schedules)
    ]
    taken = [
        Slot(
            schedule=calendars[0],
            status="busy",
            start=start + timedelta(hours=hour),
            end=start + timedelta(hours=hour, minutes=minutes),
            last_updated=timezone.now(),
        )
        for hour, minutes in busy
    ]
    with booking.all_or_nothing():
        booking.write_slots(taken)
    offerings = tuple(availability.offerings_of(service, [each.fhir_id for each in calendars]))
    query = TimeQuery(
        ways=availability.ways_of(service, [tuple((each,) for each in offerings)]),
        start=start,
        end=start + timedelta(hours=48),
    )
    found = [as_datetime(time.start) for time in availability.find_times(query, now=timezone.now())]

    last = query.end - timedelta(minutes=given_so["duration"])
    for probe in {start + timedelta(minutes=5 * number) for number in probes} - set(found):
        if probe <= last:  # the search is only for visits that end within the window
            assert isinstance(attempt(service, offerings, probe), SchedulingError), (zone, probe)
    for time in found[:: max(1, len(found) // 6)]:
        made = attempt(service, offerings, time)
        assert isinstance(made, Appointment), (zone, time, made)
        booking.cancel(made.fhir_id, caller=SOFTWARE, now=timezone.now())


def test_a_night_that_began_yesterday_is_found_and_booked_today():
    nights = [{"daysOfWeek": ["tue"], "availableStartTime": "22:00:00", "availableEndTime": "06:00:00"}]
    service = ServiceFactory(duration=60, interval=60, hours=nights)
    schedule = ScheduleFactory(services=[service])
    offerings = tuple(availability.offerings_of(service, [schedule.fhir_id]))
    wednesday = datetime(2030, 1, 9, 0, 0, tzinfo=ZoneInfo("America/New_York"))
    query = TimeQuery(
        ways=availability.ways_of(service, [(offerings,)]),
        start=wednesday.astimezone(UTC),
        end=(wednesday + timedelta(hours=24)).astimezone(UTC),
    )
    found = [
        as_datetime(time.start).astimezone(wednesday.tzinfo).hour
        for time in availability.find_times(query, now=timezone.now())
    ]
    assert found == [0, 1, 2, 3, 4, 5]
    assert isinstance(attempt(service, offerings, wednesday.astimezone(UTC) + timedelta(hours=1)), Appointment)
