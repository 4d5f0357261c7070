"""$find of series, with R5's recurrenceTemplate: https://www.medplum.com/docs/scheduling"""

from datetime import datetime

import pytest

from clinic.fhir import codes as fhir_codes
from clinic.fhir.datatypes import instant
from tests.api.conftest import codes, links
from tests.api.series.visits_of_series import SERIES, busy, extension, parts, week
from tests.api.visits import FIND, find_query, found, issues_of, starts
from tests.factories import (
    PractitionerFactory,
    ScheduleFactory,
)
from tests.scheduling.situations import NEW_YORK, monday

pytestmark = pytest.mark.django_db


def test_the_first_visit_has_the_template(api, service, chen):
    proposed = found(api, service, chen, **SERIES)
    first = proposed[0]
    assert first["start"] == instant(monday(9))
    assert extension(first, fhir_codes.RECURRENCE_TEMPLATE) == [
        {
            "url": "http://hl7.org/fhir/5.0/StructureDefinition/extension-Appointment.recurrenceTemplate",
            "extension": [
                {
                    "url": "timezone",
                    "valueCodeableConcept": {
                        "coding": [{"system": "https://www.iana.org/time-zones", "code": "America/New_York"}]
                    },
                },
                {
                    "url": "recurrenceType",
                    "valueCodeableConcept": {
                        "coding": [{"system": "http://unitsofmeasure.org", "code": "wk", "display": "week"}]
                    },
                },
                {"url": "occurrenceCount", "valuePositiveInt": 6},
                {
                    "url": "weeklyTemplate",
                    "extension": [
                        {"url": "monday", "valueBoolean": True},
                        {"url": "weekInterval", "valuePositiveInt": 1},
                    ],
                },
            ],
        }
    ]
    alone = found(api, service, chen)
    assert starts(proposed) == starts(alone)
    assert {name: value for name, value in first.items() if name != "extension"} == alone[0]


def test_only_series_whose_weeks_can_all_be_booked(api, service, chen):
    busy(chen, number=3)
    alone, proposed = found(api, service, chen), found(api, service, chen, **SERIES)
    missing = [instant(monday(9, 30)), instant(monday(9, 45))] + [instant(monday(10, each)) for each in (0, 15)]
    assert [each for each in starts(alone) if each not in starts(proposed)] == missing
    assert len(found(api, service, chen, **{"occurrence-count": "3"})) == len(alone)


def test_every_second_week(api, service, chen):
    busy(chen, number=1)
    proposed = found(api, service, chen, **SERIES, **{"week-interval": "2"})
    assert starts(proposed) == starts(found(api, service, chen))
    template = parts(extension(proposed[0], fhir_codes.RECURRENCE_TEMPLATE)[0])
    assert template["weeklyTemplate"][0][-1] == {"url": "weekInterval", "valuePositiveInt": 2}


def test_conflicts_are_shown_with_the_nearest_times(api, service, chen):
    busy(chen, number=3)
    proposed = found(api, service, chen, **SERIES, conflicts="include")
    assert starts(proposed) == starts(found(api, service, chen))
    ten = next(each for each in proposed if each["start"] == instant(monday(10)))
    [conflict] = extension(ten, fhir_codes.SERIES_OCCURRENCE)
    assert parts(conflict) == {
        "recurrenceId": [4],
        "conflict": [instant(week(10, number=3))],
        "alternative": [instant(week(*each, number=3)) for each in ((9, 15), (10, 30), (10, 45))],
    }
    assert not extension(proposed[0], fhir_codes.SERIES_OCCURRENCE)


def test_at_most_a_third_of_the_visits_is_in_conflict(api, service, chen):
    for number in (1, 3):
        busy(chen, number=number)
    at_ten = {"start": monday(10), "end": monday(10, 30)}
    assert len(found(api, service, chen, **{**SERIES, **at_ten}, conflicts="include")) == 1
    busy(chen, number=4)
    assert found(api, service, chen, **{**SERIES, **at_ten}, conflicts="include") == []


def test_the_horizon_counts_for_the_last_visit(api, service, chen):
    service.booking_horizon_days = (week(12, number=5) - datetime.now(NEW_YORK)).days
    service.save()
    assert found(api, service, chen, **{"occurrence-count": "5"})
    assert found(api, service, chen, **{"occurrence-count": "7"}) == []


def test_the_planning_horizon_counts_for_the_last_visit(api, service, chen):
    chen.planning_start, chen.planning_end = monday(0), week(9, 35, number=5)
    chen.save()
    assert starts(found(api, service, chen, **SERIES)) == [instant(monday(9))]


def test_pages_have_each_series_once(api, service, chen):
    query = find_query(service, chen, **SERIES, **{"_count": "10", "week-interval": "2", "conflicts": "include"})
    answer = api.get(FIND, query)
    pages = [answer]
    while "next" in links(pages[-1]):
        pages.append(api.get(links(pages[-1])["next"]))
    each = [entry["resource"]["start"] for page in pages for entry in page.fhir["entry"]]
    assert each == starts(found(api, service, chen))


def test_nothing_found(api, service, chen):
    busy(chen, number=2, hour=9, minutes=480)
    answer = api.get(FIND, find_query(service, chen, **SERIES))
    [entry] = answer.fhir["entry"]
    assert entry["search"]["mode"] == "outcome"
    assert "No series begins in this window" in entry["resource"]["issue"][0]["details"]["text"]


def test_schedules_share_one_zone(api, service, chen):
    london = ScheduleFactory(services=[service], actor=PractitionerFactory(timezone="Europe/London"))
    answer = api.get(FIND, find_query(service, chen, london, **SERIES))
    assert answer.status_code == 400
    text = "All schedules must share one timezone to find a recurring series"
    assert issues_of(answer) == {(text, "Parameters.schedule")}


def test_too_many_schedules(api, service):
    for _ in range(51):
        ScheduleFactory(services=[service])
    answer = api.get(FIND, find_query(service, **SERIES))
    assert codes(answer) == ["too-costly"]


def test_without_a_schedule_each_series_is_with_one_person(api, service, chen):
    okafor = ScheduleFactory(services=[service])
    for number, schedule in enumerate((chen, okafor), 1):
        busy(schedule, number=number)
    busy(chen, number=1, hour=11)
    proposed = {each["start"]: each for each in found(api, service, **SERIES)}
    assert instant(monday(10)) not in proposed
    eleven = proposed[instant(monday(11))]
    assert {slot["schedule"]["reference"] for slot in eleven["contained"]} == {okafor.reference}


def test_it_is_found_in_xml_and_by_post_too(api, service, chen):
    query = find_query(service, chen, **SERIES)
    page = api.get(FIND, {**query, "_format": "xml"})
    assert page["Content-Type"].startswith("application/fhir+xml")
    assert page.content.count(b'url="weekInterval"') == 20
    assert api.post(FIND, query).fhir["entry"] == api.get(FIND, query).fhir["entry"]


def test_two_statements_however_many_weeks(api, service, chen, django_assert_num_queries):
    api.get(FIND, find_query(service, chen))
    for count in ("2", "52"):
        with django_assert_num_queries(2):
            api.get(FIND, find_query(service, chen, **{"occurrence-count": count}, conflicts="include"))
