"""Changes of a service's rules by staff: versions of weekly hours, and previews of rules that are not saved."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.models import SchedulingParameters, Slot
from scheduling import availability, opening
from scheduling.access import Caller
from scheduling.core.hours import open_spans
from scheduling.core.recurrence import EVERY_WEEK, Recurrence
from scheduling.errors import Forbidden, NotFound, RuleBroken, VersionConflict
from scheduling.opening import ALL_DAY, CLOSED, Change, OpenSpan, Version
from tests.factories import (
    NEW_YORK,
    WORKING_HOURS,
    LocationFactory,
    PatientFactory,
    PractitionerFactory,
    ScheduleFactory,
    ServiceFactory,
    UserFactory,
)

NEW_YEAR = datetime(2027, 1, 1, 12, tzinfo=UTC)
NINE_TO_FIVE = OpenSpan(time(9), time(17))
NIGHT = OpenSpan(time(22), time(6))
OFFICE = ((NINE_TO_FIVE,),) * 5 + ((), ())
NIGHTS = ((NIGHT,),) * 7
MAY, JUNE = date(2026, 5, 1), date(2026, 6, 1)
PERIOD = "https://clinic.example/fhir/StructureDefinition/availability-period"

RECURRENCES = [EVERY_WEEK, Recurrence(2, 0), Recurrence(2, 1), Recurrence(5, 3), Recurrence(nth=(-1, 2))]
spans = st.builds(
    lambda span, recurrence: span._replace(recurrence=recurrence),
    st.sampled_from([NINE_TO_FIVE, NIGHT, ALL_DAY, OpenSpan(time(8), time(9, 30))]),
    st.sampled_from(RECURRENCES),
)
weeks = st.tuples(*(st.lists(spans, max_size=2, unique=True).map(sorted).map(tuple) for _day in range(7)))
days = st.dates(date(2026, 1, 1), date(2026, 12, 31))


@st.composite
def histories(draw):
    """Lists of versions in which no two neighbours are equal."""
    versions = [Version(None, draw(weeks))]
    for first in sorted(draw(st.sets(days, max_size=4))):
        week = draw(weeks)
        if week != versions[-1].week:
            versions.append(Version(first, week))
    return versions


@given(histories())
def test_versions_that_are_written_are_read_again(versions):
    assert opening.read(opening.write(versions)) == versions


@given(histories(), days)
def test_the_engine_opens_what_the_version_in_force_says(versions, day):
    windows = availability.weekly_windows(opening.write(versions))
    noon = int(datetime.combine(day, time(12), UTC).timestamp())
    is_open = bool(open_spans(windows, ZoneInfo("UTC"), noon, noon + 1))
    week = opening.in_force(versions, day).week
    assert is_open == any(
        span.recurrence.includes(day) and (span.opens <= time(12) < span.closes or span.is_all_day)
        for span in week[day.weekday()]
    )


def test_the_version_before_ends_the_day_before():
    assert opening.write([Version(None, OFFICE), Version(MAY, NIGHTS)]) == [
        {"extension": [{"url": PERIOD, "valuePeriod": {"end": "2026-04-30"}}], **WORKING_HOURS[0]},
        {
            "extension": [{"url": PERIOD, "valuePeriod": {"start": "2026-05-01"}}],
            "daysOfWeek": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
            "availableStartTime": "22:00:00",
            "availableEndTime": "06:00:00",
        },
    ]


def test_windows_that_overlap_in_time_make_a_version_for_each_stretch():
    always = {"daysOfWeek": ["mon"], "availableStartTime": "09:00:00", "availableEndTime": "17:00:00"}
    in_may = {
        "extension": [{"url": PERIOD, "valuePeriod": {"start": "2026-05-01", "end": "2026-05-31"}}],
        "daysOfWeek": ["tue"],
        "allDay": True,
    }
    monday = ((NINE_TO_FIVE,), *((),) * 6)
    both = ((NINE_TO_FIVE,), (ALL_DAY,), *((),) * 5)
    assert opening.read([always, in_may]) == [Version(None, monday), Version(MAY, both), Version(JUNE, monday)]


def test_a_version_is_put_between_others_and_removed():
    history = [Version(None, OFFICE), Version(JUNE, CLOSED)]
    assert opening.put(history, Version(MAY, NIGHTS)) == [history[0], Version(MAY, NIGHTS), history[1]]
    assert opening.put(history, Version(JUNE, NIGHTS)) == [history[0], Version(JUNE, NIGHTS)]
    assert opening.put(history, Version(MAY, OFFICE)) == history
    assert opening.remove(history, JUNE) == history[:1]
    assert opening.remove(history, None) == [Version(None, CLOSED)]


ROWS = [
    {},
    {"duration": 45, "buffer_before": 0, "buffer_after": 20, "slot_capacity": 4},
    {"alignment_interval": 10, "alignment_offset": 5, "alignment_timezone": "Europe/London"},
    {"availability": []},
    {
        "availability": opening.write([Version(None, OFFICE), Version(MAY, NIGHTS)]),
        "not_available": [{"description": "Away", "during": {"start": "2026-08-01", "end": "2026-08-14"}}],
        "timezone": "Europe/Berlin",
    },
]


@pytest.mark.django_db
@pytest.mark.parametrize("own", ROWS)
@pytest.mark.parametrize("general", ROWS)
def test_supposed_rules_are_those_that_the_same_rows_have_once_they_are_saved(own, general):
    service = ServiceFactory(duration=30, hours=None)
    service.scheduling_parameters.update(**{"duration": 30, **general})
    schedule = ScheduleFactory(services=[service], parameters=own)
    [offering] = availability.offerings_of(service, [schedule.fhir_id])
    rows = SchedulingParameters.objects.filter(service=service)
    supposed = availability.hypothetical_rules(
        rows.filter(schedule=schedule).first(), rows.get(schedule=None), offering.rules
    )
    assert supposed == offering.rules


@pytest.fixture
def at_desk(db):
    site = LocationFactory()
    service = ServiceFactory()
    schedule = ScheduleFactory(services=[service], site=site)
    return Caller(user=UserFactory(desk_locations=[site])), service, schedule


def test_callers_who_may_set_the_hours_of_a_calendar(at_desk):
    caller, service, schedule = at_desk
    practitioner = PractitionerFactory(user=UserFactory())
    own = ScheduleFactory(actor=practitioner, services=[service])
    patient = PatientFactory(user=UserFactory())
    may = {
        caller: {schedule},
        Caller(user=practitioner.user): {own},
        Caller(user=UserFactory(is_superuser=True)): {schedule, own, None},
        Caller(user=patient.user): set(),
    }
    for who, theirs in may.items():
        for each in (schedule, own, None):
            assert _may(who, service, each) == (each in theirs)


def _may(caller, service, schedule):
    try:
        opening.terms_of(caller, service.fhir_id, schedule and schedule.fhir_id)
    except (NotFound, Forbidden):
        return False
    return True


def test_the_second_change_of_one_version_is_refused(at_desk):
    caller, service, schedule = at_desk
    terms = opening.terms_of(caller, service.fhir_id, schedule.fhir_id)
    now = datetime.now(UTC)
    opening.save(terms, Change(parameters={"duration": 45}), version=1, caller=caller, now=now)
    with pytest.raises(VersionConflict):
        opening.save(terms, Change(parameters={"duration": 60}), version=1, caller=caller, now=now)
    assert SchedulingParameters.objects.get(schedule=schedule).duration == 45


def test_extra_time_lasts_over_midnight(at_desk):
    caller, service, schedule = at_desk
    terms = opening.terms_of(caller, service.fhir_id, schedule.fhir_id)
    day = date(2027, 1, 31)
    opening.add_extra(terms, opening.extra_hours(day, time(22), time(2)), "Night", caller=caller, now=NEW_YEAR)
    slot = Slot.objects.get()
    local = [moment.astimezone(ZoneInfo(NEW_YORK)).replace(tzinfo=None) for moment in (slot.start, slot.end)]
    assert local == [datetime.combine(day, time(22)), datetime.combine(day + timedelta(days=1), time(2))]


def test_extra_time_that_the_clocks_skip_is_refused(at_desk):
    caller, service, schedule = at_desk
    terms = opening.terms_of(caller, service.fhir_id, schedule.fhir_id)
    skipped = opening.extra_hours(date(2027, 3, 14), time(2, 30), time(3, 15))
    with pytest.raises(RuleBroken, match="clocks go forward"):
        opening.add_extra(terms, skipped, "", caller=caller, now=NEW_YEAR)
