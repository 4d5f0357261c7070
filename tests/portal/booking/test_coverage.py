"""The coverage of a visit."""

from datetime import date, timedelta

import pytest
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import Appointment, Coverage
from tests.factories import CoverageFactory
from tests.portal.booking.steps import hold, later, page_of, prove, say_who

pytestmark = pytest.mark.django_db

CARD = {"payor": "Acme Health", "member": "M-12345", "kind": "PUBLICPOL", "plan": "Gold"}


@pytest.fixture
def dear(checkup):
    checkup.requires_coverage = True
    checkup.save()
    return checkup


@pytest.fixture
def held(as_ada, dear, button_value):
    return hold(as_ada, dear, button_value)


def noted(held):
    held.refresh_from_db()
    return [each["reference"] for each in held.extra.get("supportingInformation", [])]


def test_it_is_asked_only_where_it_is_required(as_ada, checkup, button_value):
    answer = as_ada.post(f"/book/{checkup.fhir_id}/hold/", {"time": button_value})
    assert answer.url.endswith("/confirm/")


def test_one_that_the_clinic_knows_is_chosen(as_ada, ada, held):
    first, second = CoverageFactory(beneficiary=ada), CoverageFactory(beneficiary=ada)
    page = as_ada.get(page_of(held, "coverage"))
    assertContains(page, first.subscriber_id)
    answer = as_ada.post(page_of(held, "coverage"), {"coverage": second.fhir_id})
    assertRedirects(answer, page_of(held, "confirm"))
    assert noted(held) == [second.reference]
    assertContains(as_ada.get(page_of(held, "confirm")), second.subscriber_id)


def test_another_choice_takes_its_place(as_ada, ada, held):
    first, second = CoverageFactory(beneficiary=ada), CoverageFactory(beneficiary=ada)
    for each in (first, second):
        as_ada.post(page_of(held, "coverage"), {"coverage": each.fhir_id})
    assert noted(held) == [second.reference]


def test_a_patient_without_coverage_enters_a_card(as_ada, ada, held):
    assertRedirects(as_ada.get(page_of(held, "coverage")), f"{page_of(held, 'coverage')}new/")
    end = {"end_day": "31", "end_month": "12", "end_year": "2090"}
    assertRedirects(as_ada.post(f"{page_of(held, 'coverage')}new/", {**CARD, **end}), page_of(held, "confirm"))
    made = Coverage.objects.get()
    assert (made.beneficiary, made.status, str(made), made.end) == (
        ada, "active", "Acme Health M-12345", date(2090, 12, 31)
    )  # fmt: skip
    assert made.type["coding"][0]["code"] == "PUBLICPOL"
    assert made.extra["class"][0]["value"] == "Gold"
    assert noted(held) == [made.reference]


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"payor": ""}, "Enter the name of the insurer."),
        ({"member": ""}, "Enter the member number."),
        (
            {"end_day": "1", "end_month": "1", "end_year": "2020"},
            "The insurance must be valid on the day of the visit.",
        ),
        ({"end_day": "31", "end_month": "2", "end_year": "2090"}, "There is no such date."),
        ({"kind": "gold"}, "not one of the available choices"),
    ],
)
def test_errors_of_a_card_are_shown_and_typed_text_stays(as_ada, held, wrong, text):
    page = as_ada.post(f"{page_of(held, 'coverage')}new/", {**CARD, "plan": "Silver", **wrong})
    assertContains(page, text)
    assertContains(page, 'value="Silver"')
    assert not Coverage.objects.exists()


def test_the_same_card_is_the_same_coverage(as_ada, held):
    for _ in range(2):
        as_ada.post(f"{page_of(held, 'coverage')}new/", CARD)
    assert Coverage.objects.count() == 1


def test_one_that_ends_before_the_visit_is_no_choice(as_ada, ada, held):
    over = CoverageFactory(beneficiary=ada, end=timezone.now().date() - timedelta(days=2))
    answer = as_ada.post(page_of(held, "coverage"), {"coverage": over.fhir_id})
    assertRedirects(answer, f"{page_of(held, 'coverage')}new/")


def test_another_patients_is_no_choice(as_ada, ada, bo, held):
    CoverageFactory(beneficiary=ada)
    theirs = CoverageFactory(beneficiary=bo)
    assertContains(as_ada.post(page_of(held, "coverage"), {"coverage": theirs.fhir_id}), "There is a problem")
    assert noted(held) == []


def test_another_one_can_be_added(as_ada, ada, held):
    CoverageFactory(beneficiary=ada)
    answer = as_ada.post(page_of(held, "coverage"), {"coverage": "another"})
    assertRedirects(answer, f"{page_of(held, 'coverage')}new/?another")


def test_the_entered_card_is_there_on_return(as_ada, held):
    new = f"{page_of(held, 'coverage')}new/"
    end = {"end_day": "31", "end_month": "12", "end_year": "2090"}
    as_ada.post(new, {**CARD, **end})
    page = as_ada.get(new)
    for value in ("Acme Health", "M-12345", "Gold", "31", "12", "2090"):
        assertContains(page, f'value="{value}"')
    assertContains(page, '<option value="PUBLICPOL" selected>')
    assertNotContains(as_ada.get(f"{new}?another"), "M-12345")


def test_it_is_said_before_who_the_visit_is_for(client, dear, button_value):
    page = client.post(f"/book/{dear.fhir_id}/hold/", {"time": button_value}, follow=True)
    assertContains(page, "Health insurance that is valid on the day.")


def test_a_guest_enters_theirs_after_the_proof_and_sees_no_other(client, dear, button_value):
    client.post(f"/book/{dear.fhir_id}/hold/", {"time": button_value})
    held = Appointment.objects.get()
    new = f"{page_of(held, 'coverage')}new/"
    assertRedirects(client.get(new), page_of(held, "about"))
    say_who(client, held)
    assert prove(client, held).url == page_of(held, "coverage")
    held.refresh_from_db()
    old = CoverageFactory(beneficiary=held.patient, subscriber_id="SECRET-1")
    assertNotContains(client.get(page_of(held, "coverage"), follow=True), old.subscriber_id)
    assertRedirects(client.post(new, CARD), page_of(held, "confirm"))
    assertRedirects(client.post(page_of(held, "confirm")), page_of(held, "booked"))


def test_it_goes_on_to_another_time(as_ada, ada, dear, held, button_value):
    mine = CoverageFactory(beneficiary=ada)
    as_ada.post(page_of(held, "coverage"), {"coverage": mine.fhir_id})
    answer = as_ada.post(f"/book/{dear.fhir_id}/hold/", {"time": later(button_value)})
    after = Appointment.objects.get(status="pending")
    assert noted(after) == [mine.reference]
    assertRedirects(answer, page_of(after, "confirm"))
