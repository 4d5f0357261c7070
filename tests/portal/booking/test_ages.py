"""Age limits of services: shown on the card, checked for the patient, overridden by staff with a reason."""

from datetime import date, timedelta

import pytest
from pytest_django.asserts import assertContains, assertRedirects

from clinic import ages
from clinic.models import HealthcareService
from scheduling import booking, requirements
from scheduling.access import Caller
from scheduling.availability import offerings_of
from scheduling.errors import RuleBroken
from tests.factories import PatientFactory, RelatedPersonFactory
from tests.portal.booking.steps import hold, page_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("least", "most", "words"),
    [
        (12, None, "from 12 years"),
        (1, None, "from 1 year"),
        (None, 17, "up to 17 years"),
        (12, 17, "from 12 to 17 years"),
        (0, 17, "up to 17 years"),
        (None, None, ""),
        (0, None, ""),
    ],
)
def test_the_limits_in_words(least, most, words):
    assert ages.limits(HealthcareService(minimum_age=least, maximum_age=most)) == words


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        (date(2014, 12, 3), date(2026, 12, 2), 11),
        (date(2014, 12, 3), date(2026, 12, 3), 12),
        (date(2012, 2, 29), date(2024, 2, 29), 12),
        (date(2012, 2, 29), date(2025, 2, 28), 12),
        (date(2012, 2, 29), date(2025, 3, 1), 13),
    ],
)
def test_an_age_counts_on_the_day_of_the_visit(born, day, age):
    assert ages.age_on(born, day) == age


@pytest.mark.parametrize(
    ("age", "less", "refused"),
    [(12, 0, False), (12, 1, True), (18, 1, False), (18, 0, True), (40, 0, True)],
)
def test_the_first_and_the_last_day(checkup, ten, age, less, refused):
    """Ages last from the twelfth birthday until the day before the eighteenth; `less` days short of the age."""
    checkup.minimum_age, checkup.maximum_age = 12, 17
    day = date(2027, 6, 15)
    born = day.replace(year=day.year - age) + timedelta(days=less)
    assert bool(requirements.age_issues(checkup, PatientFactory(birth_date=born), day)) == refused


def test_an_unknown_birth_date_is_not_refused(checkup, ten):
    checkup.minimum_age = 12
    assert requirements.age_issues(checkup, PatientFactory(birth_date=None), ten.date()) == []


@pytest.mark.parametrize(
    ("born", "least", "most", "says"),
    [
        ("2016", 12, None, "is 11 years old"),
        ("2015", 12, None, ""),
        ("2015-07", 12, None, "is 11 years old"),
        ("2014-06", 13, None, ""),
        ("2014-07", 13, None, "is 12 years old"),
        ("2008", 12, 17, "is 18 years old"),
        ("2009", 12, 17, ""),
        ("", 12, 17, ""),
    ],
)
def test_as_much_as_is_known_of_a_birth_date_counts(checkup, born, least, most, says):
    """On 15 June 2027: refused if no possible birth date fits."""
    checkup.minimum_age, checkup.maximum_age = least, most
    patient = PatientFactory(birth_date=None, extra={"birthDate": born} if born else {})
    issues = requirements.age_issues(checkup, patient, date(2027, 6, 15))
    assert [says in each.text for each in issues] == ([True] if says else [])


@pytest.fixture
def from_twelve(checkup):
    checkup.minimum_age = 12
    checkup.save()
    return checkup


@pytest.fixture
def leo(ada, ten):
    """Ada's child, who is seven."""
    born = (ten - timedelta(days=7 * 366)).date()
    return RelatedPersonFactory(user=ada.user, patient=PatientFactory(given="Leo", birth_date=born)).patient


def test_the_card_says_so(client, from_twelve, schedule):
    assertContains(client.get(f"/book/{from_twelve.fhir_id}/"), "For patients from 12 years")


def test_a_child_is_refused_where_one_says_whom_it_is_for(as_ada, ada, from_twelve, leo, button_value):
    held = hold(as_ada, from_twelve, button_value)
    page = as_ada.post(page_of(held, "about"), {"who": leo.fhir_id}, follow=True)
    assertContains(page, "Check-up is for patients from 12 years. On the day of the visit the patient is ")
    held.refresh_from_db()
    assert held.patient is None
    assertRedirects(as_ada.post(page_of(held, "about"), {"who": ada.fhir_id}), page_of(held, "confirm"))


def test_a_limit_that_came_later_stops_the_booking_and_says_what_to_do(as_ada, checkup, leo, button_value):
    held = hold(as_ada, checkup, button_value)
    as_ada.post(page_of(held, "about"), {"who": leo.fhir_id})
    HealthcareService.objects.update(minimum_age=12)
    page = as_ada.post(page_of(held, "confirm"), follow=True)
    assertContains(page, "This visit cannot be booked yet")
    assertContains(page, "Choose another kind of visit, or call the clinic.")
    assertContains(page, 'href="tel:+12125550100"')
    held.refresh_from_db()
    assert held.status == "pending"


def test_staff_book_it_with_a_reason(from_twelve, leo, rana, schedule, ten):
    caller, now = Caller(user=rana), ten - timedelta(days=2)
    offerings = tuple(offerings_of(from_twelve, [schedule.fhir_id]))
    request = booking.BookingRequest(service=from_twelve, offerings=offerings, start=ten, patient=leo)
    with pytest.raises(RuleBroken, match="is for patients from 12 years"):
        booking.book(request, caller=caller, now=now)
    lifted = booking.BookingRequest(
        service=from_twelve, offerings=offerings, start=ten, patient=leo, override="Asked by the school."
    )
    assert booking.book(lifted, caller=caller, now=now).status == "booked"


def test_the_requirement_in_words(from_twelve):
    assert requirements.describe(from_twelve) == "Check-up needs a patient from 12 years."
