"""Closures of the clinic or a part of it for all services at once, and public holidays."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import IntegrityError, transaction

from clinic.models import AuditEvent, Closure, ScheduleChange
from scheduling import availability, booking, opening
from scheduling.access import Caller
from scheduling.core.offers import Reason
from scheduling.errors import Forbidden, RuleBroken
from tests.factories import AppointmentFactory, LocationFactory, RoomFactory, ScheduleFactory, SubscriptionFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2027, 6, 1, 12, tzinfo=UTC)
TEN = datetime(2027, 6, 14, 14, tzinfo=UTC)  # on a Monday, 10 o'clock in New York
DAY = TEN.date()


def reasons(service, schedule, start=TEN):
    offerings = availability.offerings_of(service, [schedule.fhir_id])
    return availability.explain(service, offerings, start, now=NOW)[offerings[0]]


def close(boss, **columns):
    [closure] = opening.add_closures([Closure(**{"first": DAY, "last": DAY, **columns})], caller=boss, now=NOW)
    return closure


@pytest.mark.parametrize(
    ("columns", "start", "is_closed"),
    [
        pytest.param({}, TEN, True, id="a whole day"),
        pytest.param({}, TEN + timedelta(days=1), False, id="not the day after"),
        pytest.param({"starts": time(10, 30)}, TEN, False, id="a visit that ends when it begins"),
        pytest.param({"starts": time(10, 15)}, TEN, True, id="a visit that begins before it"),
        pytest.param({"ends": time(10)}, TEN, False, id="a visit that begins when it ends"),
        pytest.param({"first": date(2027, 6, 10), "last": date(2027, 6, 20)}, TEN, True, id="several days"),
        pytest.param({"first": date(2022, 6, 14), "last": date(2022, 6, 14)}, TEN, False, id="five years ago, once"),
        pytest.param(
            {"first": date(2022, 6, 14), "last": date(2022, 6, 14), "yearly": True}, TEN, True, id="every year"
        ),
        pytest.param(
            {"first": date(2028, 6, 14), "last": date(2028, 6, 14), "yearly": True}, TEN, False, id="from next year on"
        ),
        pytest.param(
            {"first": date(2024, 12, 20), "last": date(2025, 6, 14), "yearly": True}, TEN, True, id="over new year"
        ),
    ],
)
def test_a_closure_takes_its_time_by_the_clock_of_the_calendar(service, chen, boss, columns, start, is_closed):
    close(boss, **columns)
    assert reasons(service, chen, start) == ([Reason.CLOSED] if is_closed else [])


def test_a_closure_of_29_february_is_on_the_28th_in_other_years(service, chen, boss):
    close(boss, first=date(2024, 2, 29), last=date(2024, 2, 29), yearly=True)
    assert reasons(service, chen, datetime(2028, 2, 29, 15, tzinfo=UTC)) == [Reason.CLOSED]
    assert Reason.CLOSED in reasons(service, chen, datetime(2029, 2, 28, 15, tzinfo=UTC))


def test_a_closure_is_of_its_own_place_or_person(service, chen, boss):
    close(boss, practitioner=ScheduleFactory().bookable.practitioner)
    close(boss, location=LocationFactory())
    assert reasons(service, chen) == []


def test_a_site_is_closed_with_its_rooms(service, boss):
    room = RoomFactory(part_of=LocationFactory())
    schedule = ScheduleFactory(actor=room, services=[service])
    close(boss, location=room.part_of)
    assert reasons(service, schedule) == [Reason.CLOSED]


def test_visits_stay_booked_and_are_listed(service, chen, boss, ada):
    visit = AppointmentFactory(
        patient=ada, service=service, schedules=[chen], start=TEN, end=TEN + timedelta(minutes=30)
    )
    AppointmentFactory(
        patient=ada,
        service=service,
        schedules=[chen],
        start=TEN + timedelta(days=1),
        end=TEN + timedelta(days=1, hours=1),
    )
    closure = close(boss, practitioner=chen.bookable.practitioner)
    assert [each.appointment for each in opening.visits_in_closures([closure], boss, now=NOW)] == [visit]
    [affected] = opening.affected_visits(boss, now=NOW)
    assert (affected.appointment, affected.why) == (visit, f"{chen.bookable.practitioner} is closed at that time")
    booking.cancel(visit.fhir_id, caller=boss, now=NOW)
    assert reasons(service, chen) == [Reason.CLOSED]


def test_a_held_time_that_has_been_closed_is_not_booked(service, chen, boss, ada):
    held = AppointmentFactory(
        patient=ada, service=service, schedules=[chen], status="pending", start=TEN, end=TEN + timedelta(minutes=30),
        hold_expires_at=NOW + timedelta(minutes=5),
    )  # fmt: skip
    close(boss)
    with pytest.raises(RuleBroken):
        availability.require_still_available(held)


def test_a_closure_is_removed_and_put_back_once(service, chen, boss):
    closure = close(boss)
    assert opening.remove_closure(closure, caller=boss, now=NOW)
    assert not opening.remove_closure(closure, caller=boss, now=NOW)
    assert reasons(service, chen) == []
    assert opening.restore_closure(closure, caller=boss, now=NOW)
    assert not opening.restore_closure(closure, caller=boss, now=NOW)
    assert reasons(service, chen) == [Reason.CLOSED]
    assert list(AuditEvent.objects.order_by("pk").values_list("subtype", flat=True)) == [
        "closure", "closure removed", "closure restored"
    ]  # fmt: skip


def test_only_managers_close(chen, ada):
    with pytest.raises(Forbidden):
        close(Caller(user=ada.user))


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param({"last": DAY - timedelta(days=1)}, id="ends before it starts"),
        pytest.param({"starts": time(10), "ends": time(10)}, id="no time at all"),
        pytest.param({"last": date(2028, 6, 14), "yearly": True}, id="every year, and longer than one"),
    ],
)
def test_the_database_refuses_closures_that_mean_nothing(db, columns):
    with pytest.raises(IntegrityError), transaction.atomic():
        Closure.objects.create(**{"first": DAY, "last": DAY, **columns})


def holiday(key, year=2027, country="US", region="NY"):
    return next(each for each in opening.holidays_of(country, region, year) if each.key == key)


def test_a_holiday_that_is_observed_on_another_day_has_both_days():
    assert list(holiday("Independence Day").days) == [date(2027, 7, 4), date(2027, 7, 5)]
    assert holiday("Independence Day").days[date(2027, 7, 5)]["en"] == "Independence Day (observed)"


def test_holidays_are_those_of_the_region_in_the_languages_that_are_known():
    epiphany = holiday("Epiphany", country="DE", region="BY")
    assert epiphany.days == {date(2027, 1, 6): {"": "Epiphany", "en": "Epiphany", "de": "Heilige Drei Könige"}}
    assert "Epiphany" not in {each.key for each in opening.holidays_of("DE", "BE", 2027)}
    assert opening.holidays_of("DE", "NY", 2027) == opening.holidays_of("XX", "", 2027) == []


def test_chosen_holidays_are_closed_and_added_again_for_the_next_year_once(service, chen, boss):
    chosen = [holiday("Thanksgiving Day"), holiday("Labor Day")]
    opening.add_closures(opening.closures_for(chosen, "US", "NY", None), caller=boss, now=NOW)
    assert reasons(service, chen, datetime(2027, 9, 6, 14, tzinfo=UTC)) == [Reason.CLOSED]
    labor_day = Closure.objects.get(holiday="Labor Day")
    assert {closure.first for closure in opening.add_next_holidays(now=NOW)} == {date(2028, 11, 23), date(2028, 9, 4)}
    opening.remove_closure(Closure.objects.get(first=date(2028, 9, 4)), caller=boss, now=NOW)
    assert opening.add_next_holidays(now=NOW) == []
    assert Closure.objects.filter(by_rule=True, removed_at=None).get().name == "Thanksgiving Day"
    opening.remove_closure(labor_day, caller=boss, now=NOW)
    again = opening.add_closures(opening.closures_for(chosen, "US", "NY", None), caller=boss, now=NOW)
    assert again == [labor_day]


def test_holidays_of_a_site_are_closed_there_alone(service, chen, boss):
    site = LocationFactory()
    elsewhere = ScheduleFactory(services=[service], site=site)
    opening.add_closures(opening.closures_for([holiday("Labor Day")], "US", "NY", site), caller=boss, now=NOW)
    at = datetime(2027, 9, 6, 14, tzinfo=UTC)
    assert (reasons(service, chen, at), reasons(service, elsewhere, at)) == ([], [Reason.CLOSED])


def test_software_that_keeps_a_copy_of_free_time_is_told_of_the_days(service, chen, boss):
    SubscriptionFactory()
    other = ScheduleFactory(services=[service])
    ScheduleChange.objects.all().delete()
    close(boss, practitioner=chen.bookable.practitioner)
    change = ScheduleChange.objects.get()
    assert change.schedule == chen.pk != other.pk
    assert change.start < TEN < change.end
    close(boss, yearly=True)
    assert set(ScheduleChange.objects.filter(start=None).values_list("schedule", flat=True)) == {chen.pk, other.pk}
