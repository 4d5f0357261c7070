"""SchedulingParameters: the rows that they are read into, and their errors."""

import pytest

from clinic.available_time import AVAILABILITY_PERIOD, AVAILABILITY_RECURRENCE
from clinic.fhir import parameters as parameters_in_fhir
from clinic.fhir.codes import (
    KEPT_TIME,
    NEW_PATIENT_SESSION_LIMIT,
    SCHEDULING_PARAMETERS,
    SERVICE_TYPE_REFERENCE,
    SESSION_LIMIT,
)
from clinic.fhir.datatypes import minutes
from clinic.fhir.resources import RESOURCES, InvalidResource, References, rows_of, to_fhir
from clinic.models import HealthcareService, SchedulingParameters
from tests.factories import ScheduleFactory, ServiceFactory, save

MINUTES_30 = {"url": "duration", "valueDuration": {"value": 30, "unit": "min"}}
FOR_VISIT = {"url": "service", "valueReference": {"reference": "HealthcareService/visit"}}


def parameters(*attributes):
    return {"url": SCHEDULING_PARAMETERS, "extension": list(attributes)}


def duration(value=None, unit="min", url="duration", **more):
    given = {"value": value} if value is not None else {}
    return {"url": url, "valueDuration": {**given, "unit": unit, **more}}


def window(*days, **times):
    names = {"allDay": "valueBoolean"}
    return {
        "url": "availableTime",
        "extension": [
            *({"url": "daysOfWeek", "valueCode": day} for day in days),
            *({"url": name, names.get(name, "valueTime"): value} for name, value in times.items()),
        ],
    }


def limit(most, unit):
    repeat = {"frequency": most, "period": 1, "periodUnit": unit}
    return {"url": "bookingLimit", "valueTiming": {"repeat": repeat}}


def period(**days):
    return {"url": AVAILABILITY_PERIOD, "valuePeriod": days}


def recurrence(*parts):
    return {"url": AVAILABILITY_RECURRENCE, "extension": [{"url": url, **value} for url, value in parts]}


TWO_WEEKS = ("weekInterval", {"valuePositiveInt": 2})
THAT_WEEK = ("week", {"valueDate": "2026-11-30"})
FIRST = ("nthWeekOfMonth", {"valueCode": "first"})
NOT_A_RECURRENCE = (
    "An availability-recurrence has a weekInterval and a week with the date of a day in it, or one nthWeekOfMonth or"
    " several of first, second, third, fourth, last."
)


def hours(*windows):
    return {"url": "availability", "extension": list(windows)}


def service(*extensions, **elements):
    extended = {"extension": list(extensions)} if extensions else {}
    return {"resourceType": "HealthcareService", **extended, **elements}


def schedule(*extensions, **elements):
    actor = [{"reference": "Practitioner/chen"}]
    extended = {"extension": list(extensions)} if extensions else {}
    return {"resourceType": "Schedule", "actor": actor, **extended, **elements}


class KnowsEverybody(References):
    """References without a database. Actors have neither zone nor site."""

    def find(self, reference, *allowed_types, path):
        return len(reference)

    def actor(self, kind, pk):
        return None


def read(resource):
    return RESOURCES[resource["resourceType"]].from_fhir(resource, KnowsEverybody())


@pytest.mark.django_db
def test_a_service_has_its_parameters_and_hours_in_one_row():
    everything = parameters(
        duration(1, "h"),
        duration(5, url="bufferBefore"),
        duration(10, url="bufferAfter"),
        duration(0, url="alignmentInterval"),
        duration(5, url="alignmentOffset"),
        {"url": "alignmentTimezone", "valueCode": "Europe/London"},
        {"url": "timezone", "valueCode": "America/New_York"},
        {"url": "slotCapacity", "valuePositiveInt": 3},
        limit(8, "d"),
        limit(30, "wk"),
        {"url": SESSION_LIMIT, "valuePositiveInt": 3},
        {"url": NEW_PATIENT_SESSION_LIMIT, "valuePositiveInt": 2},
    )
    opening = [{"daysOfWeek": ["mon"], "allDay": True}]
    holiday = [{"description": "Christmas", "during": {"start": "2026-12-25", "end": "2026-12-26"}}]
    [draft] = read(service(everything, availableTime=opening, notAvailable=holiday)).parameters
    assert draft.service_id == "self"
    assert draft.fields == {
        "duration": 60,
        "buffer_before": 5,
        "buffer_after": 10,
        "alignment_interval": 60,  # 0 means an hour
        "alignment_offset": 5,
        "alignment_timezone": "Europe/London",
        "timezone": "America/New_York",
        "slot_capacity": 3,
        "day_limit": 8,
        "week_limit": 30,
        "session_limit": 3,
        "new_patient_session_limit": 2,
        "availability": opening,
        "not_available": holiday,
        "kept": [],
    }


@pytest.mark.django_db
def test_hours_alone_make_parameters_and_an_empty_service_makes_none():
    [draft] = read(service(availableTime=[{"daysOfWeek": ["mon"], "allDay": True}])).parameters
    assert draft.fields["duration"] is None
    assert read({"resourceType": "HealthcareService", "name": "Visit"}).parameters == []


def test_a_schedule_has_hours_of_its_own_for_a_service():
    week = hours(
        window("mon", "tue", availableStartTime="22:00:00", availableEndTime="06:00:00"),
        window("wed", allDay=True),
        window("thu"),
        {
            "url": "notAvailableTime",
            "extension": [
                {"url": "description", "valueString": "Away"},
                {"url": "during", "valuePeriod": {"start": "2026-08-01", "end": "2026-08-14"}},
            ],
        },
    )
    [draft] = read(schedule(parameters(FOR_VISIT, week))).parameters
    assert draft.fields["availability"] == [
        {"daysOfWeek": ["mon", "tue"], "availableStartTime": "22:00:00", "availableEndTime": "06:00:00"},
        {"daysOfWeek": ["wed"], "allDay": True},
    ]
    assert draft.fields["not_available"] == [
        {"description": "Away", "during": {"start": "2026-08-01", "end": "2026-08-14"}}
    ]


@pytest.mark.parametrize(
    ("resource", "text", "expression"),
    [
        pytest.param(
            service(parameters(MINUTES_30), parameters(MINUTES_30)),
            "HealthcareService has too many scheduling parameters extensions",
            "HealthcareService.extension[1]",
            id="two on a service",
        ),
        pytest.param(
            service(parameters(MINUTES_30, MINUTES_30)),
            "Scheduling parameter attribute 'duration' has too many values",
            "HealthcareService.extension[0].extension[1]",
            id="two durations",
        ),
        pytest.param(
            service(parameters(FOR_VISIT)),
            "Scheduling parameter attribute 'service' is not allowed on HealthcareService",
            "HealthcareService.extension[0].extension[0]",
            id="a service for a service",
        ),
        pytest.param(
            service(parameters(MINUTES_30, hours(window("mon", allDay=True)))),
            "Scheduling parameter attribute 'availability' is not allowed on HealthcareService",
            "HealthcareService.extension[0].extension[1]",
            id="hours in the wrong place",
        ),
        pytest.param(
            service(parameters(duration())),
            "Got duration without value",
            "HealthcareService.extension[0].extension[0].valueDuration",
            id="no value",
        ),
        pytest.param(
            service(parameters(duration(1, "mo"))),
            'Got unhandled duration unit "mo"',
            "HealthcareService.extension[0].extension[0].valueDuration.unit",
            id="a month",
        ),
        pytest.param(
            service(parameters(duration(0))),
            "0 minutes is not between 1 and 1440.",
            "HealthcareService.extension[0].extension[0].valueDuration.value",
            id="no time at all",
        ),
        pytest.param(
            service(parameters(duration(-5, url="bufferAfter"))),
            "-5 minutes is not between 0 and 1440.",
            "HealthcareService.extension[0].extension[0].valueDuration.value",
            id="a negative buffer",
        ),
        pytest.param(
            service(parameters({"url": "duration", "valueInteger": 30})),
            "Scheduling parameter attribute 'duration' has no valueDuration",
            "HealthcareService.extension[0].extension[0].valueDuration",
            id="a number for a duration",
        ),
        pytest.param(
            service(parameters({"url": "slotCapacity", "valuePositiveInt": 201})),
            "201 is more than 200.",
            "HealthcareService.extension[0].extension[0].valuePositiveInt",
            id="too many seats",
        ),
        pytest.param(
            service(parameters(limit(8, "mo"))),
            "A bookingLimit is a number of visits in 1 d or 1 wk.",
            "HealthcareService.extension[0].extension[0].valueTiming.repeat",
            id="a limit for a month",
        ),
        pytest.param(
            service(parameters(limit(1001, "d"))),
            "1001 is not between 1 and 1000.",
            "HealthcareService.extension[0].extension[0].valueTiming.repeat.frequency",
            id="a limit that is none",
        ),
        pytest.param(
            service(parameters(limit(8, "d"), limit(9, "d"))),
            "Scheduling parameter attribute 'bookingLimit' has too many values",
            "HealthcareService.extension[0].extension[1]",
            id="two limits for a day",
        ),
        pytest.param(
            service(parameters({"url": "timezone", "valueCode": "EDT"})),
            "'EDT' is not a time zone of the IANA database, such as America/New_York.",
            "HealthcareService.extension[0].extension[0].valueCode",
            id="no zone",
        ),
        pytest.param(
            service(availableTime=[{"daysOfWeek": ["monday"], "allDay": True}]),
            "Invalid SchedulingParameters.availability.availableTime.daysOfWeek entry",
            "HealthcareService.availableTime[0]",
            id="no day of the service",
        ),
        pytest.param(
            service(availableTime=[{"daysOfWeek": ["mon"], "availableEndTime": "17:00:00"}]),
            "availableTime has availableEndTime without availableStartTime",
            "HealthcareService.availableTime[0]",
            id="an end without a start",
        ),
        pytest.param(
            schedule(parameters(FOR_VISIT, hours(window("mon", availableStartTime="09:00:00")))),
            "availableTime has availableStartTime without availableEndTime",
            "Schedule.extension[0].extension[1].extension[0]",
            id="a start without an end",
        ),
        pytest.param(
            schedule(parameters(FOR_VISIT, hours(window("monday", allDay=True)))),
            "Invalid SchedulingParameters.availability.availableTime.daysOfWeek entry",
            "Schedule.extension[0].extension[1].extension[0]",
            id="no day of the schedule",
        ),
        pytest.param(
            schedule(
                parameters(
                    FOR_VISIT,
                    hours(
                        {
                            "url": "availableTime",
                            "extension": [
                                {"url": "allDay", "valueBoolean": True},
                                {"url": "allDay", "valueBoolean": True},
                            ],
                        }
                    ),
                )
            ),
            "Scheduling parameter attribute 'availability.availableTime.allDay' has too many values",
            "Schedule.extension[0].extension[1].extension[0].extension[1]",
            id="twice all day",
        ),
        pytest.param(
            schedule(parameters(FOR_VISIT, MINUTES_30), parameters(FOR_VISIT)),
            "Schedule has too many scheduling parameters extensions for one service",
            "Schedule.extension[1]",
            id="two for one service",
        ),
    ],
)
def test_broken_parameters_are_refused(resource, text, expression):
    with pytest.raises(InvalidResource) as refusal:
        read(resource)
    [issue] = refusal.value.issues
    assert (issue.code, issue.text, issue.expression) == ("invalid", text, expression)


UNTIL_SPRING = {"start": "2026-01-01", "end": "2026-04-30"}


@pytest.mark.django_db
def test_hours_may_count_for_some_days_only():
    of_service = [{"daysOfWeek": ["mon"], "allDay": True, "extension": [period(**UNTIL_SPRING)]}]
    [draft] = read(service(availableTime=of_service)).parameters
    assert draft.fields["availability"] == of_service
    dated = window("mon", allDay=True)
    dated["extension"].append(period(**UNTIL_SPRING))
    [draft] = read(schedule(parameters(FOR_VISIT, hours(dated)))).parameters
    assert draft.fields["availability"] == of_service


@pytest.mark.parametrize(
    ("periods", "text"),
    [
        pytest.param(
            [period(start="2026-05-01T09:00:00Z")],
            "An availability-period is in whole days: '2026-05-01T09:00:00Z' is not like 2026-05-01.",
            id="an instant",
        ),
        pytest.param(
            [period(end="2026-05")],
            "An availability-period is in whole days: '2026-05' is not like 2026-05-01.",
            id="a month",
        ),
        pytest.param(
            [period(start="2026-05-02", end="2026-05-01")],
            "An availability-period ends on its first day or later: 2026-05-01 is before 2026-05-02.",
            id="backwards",
        ),
        pytest.param(
            [{"url": AVAILABILITY_PERIOD, "valueString": "in spring"}],
            "An availability-period has a valuePeriod with a start, an end or both.",
            id="not a period",
        ),
        pytest.param(
            [period(start="2026-05-01"), period(end="2026-05-01")],
            "An availableTime has one availability-period at the most.",
            id="two of them",
        ),
        pytest.param([recurrence(TWO_WEEKS)], NOT_A_RECURRENCE, id="every two weeks from nowhere"),
        pytest.param([recurrence(TWO_WEEKS, THAT_WEEK, FIRST)], NOT_A_RECURRENCE, id="both kinds"),
        pytest.param([recurrence(("nthWeekOfMonth", {"valueCode": "sixth"}))], NOT_A_RECURRENCE, id="no such week"),
        pytest.param(
            [recurrence(("weekInterval", {"valuePositiveInt": 53}), THAT_WEEK)],
            "A weekInterval is a number from 1 to 52, not 53.",
            id="less than once a year",
        ),
        pytest.param(
            [recurrence(FIRST), recurrence(FIRST)],
            "An availableTime has one availability-recurrence at the most.",
            id="two recurrences",
        ),
    ],
)
def test_a_broken_period_of_hours_is_refused(periods, text):
    dated = window("mon", allDay=True)
    dated["extension"] += periods
    sent = [
        (service(availableTime=[{"daysOfWeek": ["mon"], "allDay": True, "extension": periods}]), "availableTime[0]"),
        (schedule(parameters(FOR_VISIT, hours(dated))), "extension[0].extension[1].extension[0]"),
    ]
    for resource, path in sent:
        with pytest.raises(InvalidResource) as refusal:
            read(resource)
        [issue] = refusal.value.issues
        assert (issue.code, issue.text) == ("value", text)
        assert issue.expression == f"{resource['resourceType']}.{path}"


@pytest.mark.parametrize("weeks", [recurrence(TWO_WEEKS, THAT_WEEK), recurrence(FIRST)])
def test_hours_in_some_weeks_are_kept_and_written_again(weeks):
    in_weeks = window("mon", allDay=True)
    in_weeks["extension"].append(weeks)
    extension = parameters(FOR_VISIT, hours(in_weeks))
    [draft] = read(schedule(extension)).parameters
    assert draft.fields["availability"] == [{"daysOfWeek": ["mon"], "allDay": True, "extension": [weeks]}]
    row = SchedulingParameters(**draft.fields, service=HealthcareService(fhir_id="visit"), schedule_id=1)
    assert parameters_in_fhir.write(row, None) == extension


def test_time_is_kept_for_the_service_of_the_extension(db):
    kept = {
        "url": KEPT_TIME,
        "extension": [
            window("mon", availableStartTime="08:00:00", availableEndTime="10:00:00"),
            {"url": "releasedBefore", "valueDuration": minutes(1440)},
        ],
    }
    extension = parameters(FOR_VISIT, kept)
    [draft] = read(schedule(extension)).parameters
    available = {"daysOfWeek": ["mon"], "availableStartTime": "08:00:00", "availableEndTime": "10:00:00"}
    assert draft.fields["kept"] == [{"availableTime": available, "releasedBefore": 1440}]
    row = SchedulingParameters(**draft.fields, service=HealthcareService(fhir_id="visit"), schedule_id=1)
    assert parameters_in_fhir.write(row, None) == extension
    with pytest.raises(InvalidResource):
        read(schedule(parameters(FOR_VISIT, {"url": KEPT_TIME})))
    of_the_service = parameters(kept)
    [draft] = read(service(of_the_service)).parameters
    assert draft.fields["kept"] == row.kept
    row = SchedulingParameters(**draft.fields, service=HealthcareService(fhir_id="visit"))
    assert parameters_in_fhir.write(row, of_the_service) == of_the_service
    assert parameters_in_fhir.write(row, None) == of_the_service


def test_an_absence_must_end_after_it_starts():
    away = {"description": "?", "during": {"start": "2026-02", "end": "2026-01"}}
    with pytest.raises(InvalidResource) as refusal:
        read(service(notAvailable=[away]))
    [issue] = refusal.value.issues
    assert (issue.code, issue.expression) == ("value", "HealthcareService.notAvailable[0].during")


def test_parameters_without_a_service_would_do_nothing_and_are_refused():
    with pytest.raises(InvalidResource) as refusal:
        read(schedule(parameters(MINUTES_30)))
    [issue] = refusal.value.issues
    assert (issue.code, issue.expression) == ("required", "Schedule.extension[0]")


@pytest.mark.django_db
def test_rows_made_elsewhere_say_the_same_when_they_are_read_again():
    visit = ServiceFactory(
        interval=60, buffer_before=5, capacity=2, timezone="Europe/London", not_available=[{"description": "Inventory"}]
    )
    written = to_fhir(rows_of(RESOURCES["HealthcareService"]).get(pk=visit.pk))
    again = save(read({**written, "id": "again"}), "HealthcareService")
    assert own(again) == own(visit)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "availability",
    [
        None,
        [],
        [{"daysOfWeek": ["sat"], "allDay": True}],
        [{"daysOfWeek": ["sat"], "allDay": True, "extension": [period(**UNTIL_SPRING)]}],
    ],
)
def test_a_schedules_own_hours_say_the_same_when_they_are_read_again(availability):
    calendar = ScheduleFactory(parameters={"availability": availability, "duration": 20})
    written = to_fhir(rows_of(RESOURCES["Schedule"]).get(pk=calendar.pk))
    draft = RESOURCES["Schedule"].from_fhir(written, References.load(References.collect([written])))
    assert [each.fields["availability"] for each in draft.parameters] == [availability]


@pytest.mark.django_db
def test_a_changed_row_is_written_and_other_attributes_stay():
    other = {"url": "waitlistLimit", "valueInteger": 8}
    visit = save(read(service(parameters(duration(1, "h"), other), id="visit")), "HealthcareService")
    assert to_fhir(visit)["extension"] == [parameters(duration(1, "h"), other)]
    visit.scheduling_parameters.update(duration=45)
    [extension] = to_fhir(rows_of(RESOURCES["HealthcareService"]).get(pk=visit.pk))["extension"]
    assert [each["url"] for each in extension["extension"]] == ["duration", "waitlistLimit"]
    assert extension["extension"][0]["valueDuration"]["value"] == 45


def own(row):
    [values] = row.scheduling_parameters.values()
    return {name: value for name, value in values.items() if name not in ("id", "service_id", "schedule_id")}


def test_service_types_name_services_by_extension():
    named = {"url": SERVICE_TYPE_REFERENCE, "valueReference": {"reference": "HealthcareService/visit"}}
    draft = read(schedule(serviceType=[{"text": "Visit", "extension": [named]}, {"text": "Other"}]))
    assert draft.many["services"] == [len("HealthcareService/visit")]
