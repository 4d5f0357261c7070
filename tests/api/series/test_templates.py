"""Templates of series that are refused, and local times that the clocks skip."""

from datetime import date, datetime, timedelta

import pytest

from clinic.fhir import codes as fhir_codes
from clinic.models import Appointment
from tests.api.conftest import codes, texts
from tests.api.series.visits_of_series import extension, parts, series, visits
from tests.api.visits import BOOK, found
from tests.factories import (
    ScheduleFactory,
    ServiceFactory,
)
from tests.scheduling.situations import NEW_YORK

pytestmark = pytest.mark.django_db


UNSUPPORTED = {
    "two templates": lambda wanted: wanted["extension"].append(wanted["extension"][0]),
    "an offset for a zone": lambda wanted: replace_part(wanted, "timezone", zone("+05:00")),
    "no such zone": lambda wanted: replace_part(wanted, "timezone", zone("America/Nowhere")),
    "every day": lambda wanted: replace_part(wanted, "recurrenceType", {"coding": [{"system": UCUM, "code": "d"}]}),
    "one visit": lambda wanted: replace_part(wanted, "occurrenceCount", 1),
    "53 visits": lambda wanted: replace_part(wanted, "occurrenceCount", 53),
    "another weekday": lambda wanted: replace_part(
        wanted, "weeklyTemplate", [{"url": "tuesday", "valueBoolean": True}]
    ),
    "two weekdays": lambda wanted: replace_part(
        wanted,
        "weeklyTemplate",
        [{"url": "monday", "valueBoolean": True}, {"url": "tuesday", "valueBoolean": True}],
    ),
    "more than two years": lambda wanted: replace_part(
        wanted,
        "weeklyTemplate",
        [{"url": "monday", "valueBoolean": True}, {"url": "weekInterval", "valuePositiveInt": 26}],
    ),
    "an excluded date": lambda wanted: wanted["extension"][0]["extension"].append(
        {"url": "excludingDate", "valueDate": "2027-01-04"}
    ),
    "no zone": lambda wanted: wanted["extension"][0]["extension"].pop(0),
    "an identifier of a series": lambda wanted: wanted.update(
        identifier=[{"system": fhir_codes.SERIES, "value": "mine"}]
    ),
    "a number in a series": lambda wanted: wanted["extension"].append(
        {"url": fhir_codes.RECURRENCE_ID, "valuePositiveInt": 1}
    ),
    "a start without an offset": lambda wanted: wanted.update(start=wanted["start"].removesuffix("Z")),
    "a choice for the first visit": lambda wanted: wanted["extension"].append(
        {
            "url": fhir_codes.SERIES_OCCURRENCE,
            "extension": [
                {"url": "recurrenceId", "valuePositiveInt": 1},
                {"url": "start", "valueInstant": wanted["start"]},
            ],
        }
    ),
}


UCUM = "http://unitsofmeasure.org"


def zone(name):
    return {"coding": [{"system": "https://www.iana.org/time-zones", "code": name}]}


def replace_part(wanted, url, value):
    [part] = [each for each in wanted["extension"][0]["extension"] if each["url"] == url]
    [name] = [each for each in part if each != "url"]
    part[name] = value


@pytest.mark.parametrize("change", UNSUPPORTED.values(), ids=UNSUPPORTED)
def test_templates_that_are_refused(api, service, chen, change):
    wanted = series(api, service, chen)
    change(wanted)
    answer = api.post(BOOK, wanted)
    assert answer.status_code == 400
    assert all(issue["expression"][0].startswith("Parameters.appointment.") for issue in answer.fhir["issue"])
    assert Appointment.objects.count() == 0


def test_a_local_time_that_the_clocks_skip_is_refused_or_chosen_otherwise(api):
    """The spring day in New York three years on, when 02:30 is skipped; the search is for the Sunday before."""
    service = ServiceFactory(hours=[{"daysOfWeek": ["sat", "sun"], "allDay": True}], booking_horizon_days=None)
    schedule = ScheduleFactory(services=[service])
    year = datetime.now(NEW_YORK).year + 3
    second_sunday = next(day for day in range(8, 15) if date(year, 3, day).weekday() == 6)
    sunday = datetime(year, 3, second_sunday, 2, 30, tzinfo=NEW_YORK) - timedelta(days=7)
    window = {"start": sunday, "end": sunday + timedelta(minutes=30)}
    assert found(api, service, schedule, **{"occurrence-count": "2"}, **window) == []
    [wanted] = found(api, service, schedule, **{"occurrence-count": "2"}, **window, conflicts="include")
    answer = api.post(BOOK, wanted)
    assert (answer.status_code, codes(answer)) == (422, ["business-rule"])
    assert "Appointment 2 of 2: the clocks skip its local time" in texts(answer)
    [conflict] = extension(wanted, fhir_codes.SERIES_OCCURRENCE)
    conflict["extension"].append({"url": "start", "valueInstant": parts(conflict)["alternative"][0]})
    assert len(visits(api.post(BOOK, wanted))) == 2
