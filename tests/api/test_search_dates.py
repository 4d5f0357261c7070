"""Days are the clinic's: https://hl7.org/fhir/R4/search.html#date leaves the zone to the server."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings

from clinic.fhir.datatypes import instant
from clinic.models import Slot
from tests.api.conftest import ids
from tests.api.dialects import OFFICE_VISIT, matches
from tests.factories import (
    AppointmentFactory,
    CoverageFactory,
    LocationFactory,
    PatientFactory,
    ScheduleFactory,
    ServiceFactory,
)
from tests.scheduling.situations import monday

pytestmark = pytest.mark.django_db

# Visits by name, in UTC. In the clinic's zone all are on 2 December, except "before" and "after".
VISITS = {
    "America/New_York": {"before": 4.9, "early": 5, "late": 28.9, "after": 29},
    "Asia/Tokyo": {"before": -9.1, "early": -9, "late": 14.9, "after": 15},
}
SEARCHES = {
    "date=2026-12-02": ["early", "late"],
    "date=eq2026-12-02": ["early", "late"],
    "date=ne2026-12-02": ["after", "before"],
    "date=lt2026-12-02": ["before"],
    "date=le2026-12-02": ["before", "early", "late"],
    "date=ge2026-12-02": ["after", "early", "late"],
    "date=gt2026-12-02": ["after"],
    "date=sa2026-12-02": ["after"],
    "date=eb2026-12-02": ["before"],
    "date=ge2026-12-02&date=lt2026-12-03": ["early", "late"],
    "date=ge2026-12-02T00:00&date=lt2026-12-03T00:00:00": ["early", "late"],
}


@pytest.mark.parametrize("zone", VISITS)
def test_a_date_is_a_day_of_the_clinics(api, zone):
    LocationFactory(timezone=zone)
    for name, hours in VISITS[zone].items():
        start = datetime.fromtimestamp(datetime(2026, 12, 2, tzinfo=UTC).timestamp() + hours * 3600, UTC)
        AppointmentFactory(fhir_id=name, patient=PatientFactory(), start=start, schedules=[ScheduleFactory()])
    for query, found in SEARCHES.items():
        assert (query, sorted(ids(api.get(f"Appointment?{query}")))) == (query, found)
    early = datetime.fromtimestamp(datetime(2026, 12, 2, tzinfo=UTC).timestamp() + VISITS[zone]["early"] * 3600, UTC)
    assert ids(api.get("Appointment", {"date": instant(early)})) == ["early"]


def test_a_date_finds_the_instants_that_the_documentation_names(api):
    text = (Path(settings.BASE_DIR) / "docs" / "integrate.md").read_text()
    [(day, *limits)] = re.findall(r"in New York\n`date=(\S+)` finds visits from `(\S+)` to `(\S+)`", text)
    LocationFactory(timezone="America/New_York")
    first, after = map(datetime.fromisoformat, limits)
    second = timedelta(seconds=1)
    starts = {"before": first - second, "first": first, "last": after - second, "after": after}
    for name, start in starts.items():
        AppointmentFactory(fhir_id=name, patient=PatientFactory(), start=start, schedules=[ScheduleFactory()])
    assert sorted(ids(api.get(f"Appointment?date={day}"))) == ["first", "last"]


def test_the_setting_counts_before_the_sites(api, settings):
    settings.CLINIC_TIME_ZONE = "Pacific/Auckland"
    LocationFactory(timezone="America/New_York")
    start = datetime(2026, 12, 1, 11, tzinfo=UTC)  # midnight of the 2nd in Auckland
    visit = AppointmentFactory(patient=PatientFactory(), start=start, schedules=[ScheduleFactory()])
    assert ids(api.get("Appointment?date=2026-12-02")) == [visit.fhir_id]


def test_days_that_are_no_instants_have_no_zone(api):
    """A birth date is the same day all over the world; so is a period of days."""
    LocationFactory(timezone="America/New_York")
    ada = PatientFactory(birth_date="1985-04-03")
    for query in ("birthdate=1985-04-03", "birthdate=ge1985-04-03", "birthdate=le1985-04-03"):
        assert ids(api.get(f"Patient?{query}")) == [ada.fhir_id]
    assert ids(api.get("Patient?birthdate=lt1985-04-03")) == ids(api.get("Patient?birthdate=gt1985-04-03")) == []


@pytest.mark.parametrize("fraction", ["", ".1", ".123", ".1234567", ".123456789"])
def test_seconds_are_read_with_whatever_fraction(api, fraction):
    at = f"2026-12-02T14:00:00{fraction}Z"
    start = datetime(2026, 12, 2, 14, 0, 0, tzinfo=UTC)
    visit = AppointmentFactory(patient=PatientFactory(), start=start, schedules=[ScheduleFactory()])
    assert ids(api.get(f"Appointment?date=le{at}")) == [visit.fhir_id]
    assert api.get(f"Appointment?_lastUpdated=le{at}").status_code == 200
    assert api.get(f"Appointment/_history?_since={at}").status_code == 200
    assert api.get(f"Appointment?_filter=date le {at}").status_code == 200


def test_find_takes_dates_alone_in_every_dialect(api):
    """Dates last from the first midnight to the last, by the clinic's clocks."""
    service = ServiceFactory(type=[OFFICE_VISIT], duration=60, interval=60)
    site = LocationFactory(timezone="America/New_York")
    schedule = ScheduleFactory(services=[service], site=site)
    day = f"{monday(0).date()}"
    mine = {"service-type-reference": service.reference, "schedule": schedule.reference}
    for named in (mine, {"visit-type": "|".join(OFFICE_VISIT["coding"][0][name] for name in ("system", "code"))}):
        answer = api.get("Appointment/$find", {"start": day, "end": day, **named})
        starts = [_start(each) for each in matches(answer)]
        assert starts == [monday(hour) for hour in range(9, 17)], named
    answer = api.get("Slot/$prefetch", {"start": day, "end": day})
    assert len(matches(answer)) == 8


def _start(resource: dict) -> datetime:
    proposed = next((each for each in resource.get("entry", []) if "start" in each.get("resource", {})), None)
    return datetime.fromisoformat((proposed or {"resource": resource})["resource"]["start"])


def test_periods_in_days_count_in_the_same_zone(api):
    """A stored day and a searched day are read alike, so a day is found by itself."""
    LocationFactory(timezone="America/New_York")
    coverage = CoverageFactory(extra={"period": {"start": "2026-12-02", "end": "2026-12-02"}})
    assert coverage.pk
    patient = PatientFactory(extra={"deceasedDateTime": "2026-12-02"})
    assert ids(api.get("Patient?death-date=2026-12-02")) == [patient.fhir_id]
    assert ids(api.get("Patient?death-date=lt2026-12-02")) == []
    assert ids(api.get("Patient?death-date=gt2026-12-02")) == []


def test_a_leap_second_is_the_second_after_it(api):
    """https://hl7.org/fhir/R4/datatypes.html#dateTime allows 60 seconds, which no clock here shows."""
    schedule = ScheduleFactory()
    start, end = datetime(2027, 1, 1, tzinfo=UTC), "2027-01-01T00:30:00Z"
    slot = {"resourceType": "Slot", "schedule": {"reference": schedule.reference}, "status": "busy"}
    response = api.post("Slot", {**slot, "start": "2026-12-31T23:59:60Z", "end": end})
    assert response.status_code == 201
    assert Slot.objects.get().start == start
    for at in ("2026-12-31T23:59:60Z", "2027-01-01T00:00:00Z", "2026-12-31T23:59:60.5Z", "2027-01-01T00:59:60+01:00"):
        assert ids(api.get("Slot", {"start": at})) == [response.fhir["id"]], at
    assert api.get("Slot/_history?_since=2026-12-31T23:59:60Z").status_code == 200
    died = {"resourceType": "Patient", "name": [{"family": "Q"}], "deceasedDateTime": "2016-12-31T23:59:60Z"}
    patient = api.post("Patient", died).fhir
    assert patient["deceasedDateTime"] == "2016-12-31T23:59:60Z"
    assert ids(api.get("Patient?death-date=2017-01-01T00:00:00Z")) == [patient["id"]]


def test_the_last_day_of_the_calendar_is_searched_like_any_other(api):
    last = datetime(9999, 12, 31, 14, tzinfo=UTC)
    visit = AppointmentFactory(patient=PatientFactory(), start=last, schedules=[ScheduleFactory()])
    for query in ("date=9999-12-31", "date=ge9999-12-31", "date=9999-12", "date=9999", "date=le9999-12-31"):
        assert ids(api.get(f"Appointment?{query}")) == [visit.fhir_id], query
    for query in ("date=gt9999-12-31", "date=lt9999-12-31", "date=ne9999-12-31"):
        assert ids(api.get(f"Appointment?{query}")) == [], query
