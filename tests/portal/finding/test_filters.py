"""Filters of free times."""

from datetime import UTC, datetime, time

import pytest
from django.http import QueryDict
from pytest_django.asserts import assertContains, assertNotContains

from clinic import time_text
from clinic.models import Practitioner
from portal.finding import filters, starts
from portal.finding.positions import Position
from portal.finding.times import read_menu
from tests.factories import (
    EVERY_DAY,
    LocationFactory,
    PatientFactory,
    PractitionerFactory,
    RoleFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
    concept,
)

pytestmark = pytest.mark.django_db

DERMATOLOGY, FAMILY = concept("derm", "Dermatology"), concept("family", "Family practice")
ENGLISH, SPANISH = concept("en", "English"), {"coding": [{"system": "urn:ietf:bcp:47", "code": "es"}]}
MORNINGS = [{"daysOfWeek": ["mon", "tue"], "availableStartTime": "08:00:00", "availableEndTime": "12:00:00"}]
NIGHTS = [{"daysOfWeek": ["sat"], "availableStartTime": "22:00:00", "availableEndTime": "06:00:00"}]


@pytest.fixture
def park(db):
    return LocationFactory(name="Riverside Park", latitude=40.80, longitude=-73.97)


@pytest.fixture
def visit(site, park):
    """A service with Chen and Silva at Main Street and Okafor at the park, who differ in all traits."""
    site.latitude, site.longitude = 40.70, -74.01
    site.save()
    service = ServiceFactory(hours=EVERY_DAY)
    for family, gender, languages, specialty, where in (
        ("Chen", "female", [ENGLISH], FAMILY, site),
        ("Silva", "male", [ENGLISH, SPANISH], DERMATOLOGY, site),
        ("Okafor", "female", [SPANISH], DERMATOLOGY, park),
    ):
        person = PractitionerFactory(fhir_id=family.lower(), family=family, gender=gender, communication=languages)
        RoleFactory(practitioner=person, specialty=[specialty])
        ScheduleFactory(actor=person, services=[service], site=where)
    return service


def read(service, query="", position=None):
    return filters.read_filters(read_menu(service), QueryDict(query), position)


def options(read_filters, name):
    return [option.label for option in read_filters.each[name].options]


@pytest.mark.parametrize(
    ("query", "who"),
    [
        ("", {"Chen", "Silva", "Okafor"}),
        ("practitioner=silva", {"Silva"}),
        ("location={park}", {"Okafor"}),
        ("specialty=derm", {"Silva", "Okafor"}),
        ("language=es", {"Silva", "Okafor"}),
        ("gender=female", {"Chen", "Okafor"}),
        ("gender=female&language=es", {"Okafor"}),
        ("gender=male&location={park}", set()),
        ("language=xx&gender=&specialty=none", {"Chen", "Silva", "Okafor"}),
    ],
)
def test_remaining_practitioners(visit, park, query, who):
    menu = read(visit, query.format(park=park.fhir_id)).narrowed()
    assert {each.actor_name.split()[-1] for each in menu.all_offerings} == who


@pytest.mark.parametrize(
    ("query", "hours", "days"),
    [
        ("part=morning", range(9, 12), range(7)),
        ("part=afternoon", range(12, 17), range(7)),
        ("part=morning&part=afternoon", range(9, 17), range(7)),
        ("weekday=tue&weekday=sat", range(9, 17), (1, 5)),
        ("part=morning&weekday=wed", range(9, 12), (2,)),
    ],
)
def test_when_is_left(client, visit, query, hours, days):
    free_days = client.get(f"/book/{visit.fhir_id}/?{query}").context["free_days"]
    starts = [choice.start for choice in (*free_days.opened.times, *free_days.first_available)]
    assert {start.hour for start in starts} <= set(hours)
    assert {start.weekday() for start in starts} <= set(days)
    assert {day.date.weekday() for day in free_days.days if day.count} <= set(days)


def test_the_first_times_are_those_asked_for_however_far_away(client, visit):
    """Times on Sundays only."""
    free_days = client.get(f"/book/{visit.fhir_id}/?weekday=sun").context["free_days"]
    assert [choice.start.weekday() for choice in free_days.first_available] == [6, 6, 6]


def test_each_offers_what_there_is(visit):
    found = read(visit)
    assert options(found, "practitioner") == ["Dr. Mei Chen", "Dr. Mei Okafor", "Dr. Mei Silva"]
    assert options(found, "location") == ["Riverside Main Street", "Riverside Park"]
    assert options(found, "specialty") == ["Dermatology", "Family practice"]
    assert options(found, "language") == ["English", "Spanish"]
    assert options(found, "gender") == ["A man", "A woman"]
    assert options(found, "part") == ["Morning", "Afternoon"]
    assert len(options(found, "weekday")) == 7


def test_where_there_is_no_choice_nothing_is_asked(client, site):
    alone = ServiceFactory(hours=[{**MORNINGS[0], "daysOfWeek": ["mon"]}])
    ScheduleFactory(services=[alone], site=site)
    assert read(alone).visible == []
    page = client.get(f"/book/{alone.fhir_id}/")
    assertNotContains(page, 'id="filters"')


@pytest.mark.parametrize(
    ("hours", "parts", "days"),
    [
        (MORNINGS, ["Morning"], ["Monday", "Tuesday"]),
        (NIGHTS, ["Morning", "Afternoon", "Evening"], ["Sunday", "Saturday"]),  # as weeks begin in the US
    ],
)
def test_only_parts_and_days_with_hours_are_offered(site, hours, parts, days):
    service = ServiceFactory(hours=hours)
    ScheduleFactory(services=[service], site=site)
    found = read(service)
    assert (options(found, "part"), options(found, "weekday")) == (parts, days)


def test_a_role_has_its_own_specialty_and_its_practitioner_every_one(site):
    service = ServiceFactory()
    person = PractitionerFactory()
    skin, rest = (RoleFactory(practitioner=person, specialty=[each]) for each in (DERMATOLOGY, FAMILY))
    ScheduleFactory(actor=skin, services=[service], site=site)
    assert options(read(service), "specialty") == ["Dermatology"]
    ScheduleFactory(actor=rest, services=[service], site=site)
    [left] = read(service, "specialty=family").narrowed().all_offerings
    assert left.actor == rest.reference


def test_a_room_is_not_asked_for_its_languages(visit, site):
    visit.requires = ["Practitioner", "Location"]
    visit.save()
    ScheduleFactory(actor=RoomFactory(part_of=site), services=[visit], site=site)
    [arrangement] = read(visit, "language=es").narrowed().arrangements
    assert [len(pool) for pool in arrangement] == [1, 1]


def test_sites_stand_by_distance_where_one_said_where_one_is(visit):
    near_the_park = Position(40.79, -73.97)
    assert options(read(visit, position=near_the_park), "location") == [
        "Riverside Park, less than 1 mile away",
        "Riverside Main Street, 7 miles away",
    ]


def test_active_filters_can_be_removed_singly_or_all_at_once(client, visit):
    page = client.get(f"/book/{visit.fhir_id}/?gender=female&weekday=mon&weekday=tue&month=2027-01")
    assertContains(page, "2 in use")
    removals = {each.label: each.query for each in page.context["filters"].removals}
    assert removals["A woman"] == "?weekday=mon&weekday=tue&month=2027-01"
    assert removals["Monday"] == "?gender=female&weekday=tue&month=2027-01"
    assert page.context["filters"].query_without_any == "?month=2027-01"
    assertContains(page, "Clear all")


def test_a_search_without_times_can_be_widened(client, visit, park):
    page = client.get(f"/book/{visit.fhir_id}/", {"gender": "male", "location": park.fhir_id})
    assertContains(page, "There is no free time with these filters")
    assertContains(page, "Without “A man”")
    assertContains(page, "Search everywhere, with anyone, at any time")


def test_filters_stay_chosen(client, visit):
    page = client.get(f"/book/{visit.fhir_id}/?practitioner=silva&part=morning")
    assertContains(page, '<option value="silva" selected>')
    assertContains(page, 'name="part" value="morning" checked')


@pytest.mark.parametrize("hour", range(24))
def test_the_parts_of_the_day_are_those_of_the_headings(hour):
    at = datetime.combine(datetime(2026, 1, 5, tzinfo=UTC), time(hour), UTC)
    assert time_text.part_of_day(at).lower() == starts.part_code(at)


def test_a_question_whose_every_answer_is_true_of_everyone_is_not_asked(visit):
    """Everyone here speaks the same two languages."""
    Practitioner.objects.update(communication=[ENGLISH, SPANISH])
    assert "language" not in [each.name for each in read(visit).visible]
    assert "gender" in [each.name for each in read(visit).visible]


@pytest.mark.parametrize(
    ("query", "idle"),
    [
        ("language=es", []),
        ("gender=female&practitioner=chen", ["A woman"]),
        ("part=morning&part=afternoon", ["Morning", "Afternoon"]),
        ("part=morning", []),
    ],
)
def test_an_answer_that_changes_nothing_says_so(client, visit, query, idle):
    page = client.get(f"/book/{visit.fhir_id}/?{query}")
    assert page.context["filters"].idle == idle
    for label in idle:
        assertContains(page, f"“{label}” makes no difference")


# Access


@pytest.fixture
def accessible(visit, park, site):
    """The service takes a room too. The park is step-free; at Main Street one of two rooms has an induction loop."""
    visit.requires = ["Practitioner", "Location"]
    visit.save()
    park.features = ["step-free"]
    park.save()
    for name, where, features in (("Loop", site, ["induction-loop"]), ("Plain", site, []), ("Green", park, [])):
        room = RoomFactory(name=name, part_of=where, features=features)
        ScheduleFactory(actor=room, services=[visit], site=where)
    return visit


@pytest.mark.parametrize(
    ("query", "who"),
    [
        ("access=step-free", {"Okafor", "Green"}),
        ("access=induction-loop", {"Chen", "Silva", "Loop"}),
        ("access=induction-loop&language=es", {"Silva", "Loop"}),
        ("access=lift", {"Chen", "Silva", "Okafor", "Loop", "Plain", "Green"}),
    ],
)
def test_places_with_what_a_patient_needs(accessible, query, who):
    menu = read(accessible, query).narrowed()
    assert {each.actor_name.split()[-1] for each in menu.all_offerings} == who


def test_what_places_offer_is_no_filter_where_all_offer_the_same(visit, site, park):
    for place in (site, park):
        place.features = ["step-free"]
        place.save()
    assert "access" not in [each.name for each in read(visit).visible]


def test_rooms_cost_one_query_more(accessible, django_assert_num_queries):
    menu = read_menu(accessible)
    with django_assert_num_queries(4):
        filters.read_filters(menu, QueryDict(), None)


@pytest.mark.parametrize(
    ("needs", "query", "labels"),
    [
        ({"interpreter_required": True, "interpreter_language": "es"}, "", ["Spanish"]),
        ({"interpreter_required": True, "interpreter_language": "es"}, "language=es", []),
        ({"interpreter_required": True, "interpreter_language": "uk"}, "", []),
        ({"needs": ["step-free", "quiet"]}, "week=2026-11-02", ["Step-free access"]),
        ({}, "", []),
    ],
)
def test_a_filter_that_suits_the_patient_is_suggested(accessible, needs, query, labels):
    suggestions = read(accessible, query).suggestions(PatientFactory.build(**needs))
    assert [each.label for each in suggestions] == labels
    assert all(query in each.query for each in suggestions)
