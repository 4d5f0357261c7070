"""Managers close the clinic or a part of it on a page, see what is booked then, and take it back."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from clinic.models import Closure
from tests.factories import AppointmentFactory

pytestmark = pytest.mark.django_db
CLOSURES = "/staff/setup/closures/"
HOLIDAYS = f"{CLOSURES}holidays/"


@pytest.fixture
def visit(checkup, schedule, ada, ten):
    return AppointmentFactory(
        patient=ada, service=checkup, schedules=[schedule], start=ten, end=ten + timedelta(minutes=30)
    )


def test_a_closure_is_saved_after_a_look_at_what_is_booked_then(client, as_administrator, schedule, visit, ten):
    entered = {"actor": schedule.bookable.practitioner.reference, "first": str(ten.date()), "reason": "Training"}
    preview = client.post(CLOSURES, entered).content.decode()
    assert reverse("portal:staff-visit", args=[visit.fhir_id]) in preview
    assert not Closure.objects.exists()

    assert "Training" in client.post(CLOSURES, {**entered, "step": "change"}).content.decode()
    page = client.post(CLOSURES, {**entered, "step": "save"}).content.decode()
    closure = Closure.objects.get()
    assert (closure.practitioner, closure.first, closure.last) == (
        schedule.bookable.practitioner, ten.date(), ten.date(),
    )  # fmt: skip
    assert "Training" in page
    assert reverse("portal:staff-visit", args=[visit.fhir_id]) in page
    assert str(visit.patient) in client.get(reverse("portal:hours")).content.decode()


def test_a_closure_is_removed_and_the_removal_taken_back(client, as_administrator):
    tomorrow = timezone.now().date() + timedelta(days=1)
    closure = Closure.objects.create(first=tomorrow, last=tomorrow, reason="Moving house")
    page = client.post(f"{CLOSURES}{closure.pk}/remove/", follow=True).content.decode()
    assert "Moving house" not in page
    assert f"{CLOSURES}{closure.pk}/restore/" in page
    assert "Moving house" in client.post(f"{CLOSURES}{closure.pk}/restore/", follow=True).content.decode()
    assert client.post(f"{CLOSURES}0/remove/").status_code == 404
    assert client.get(f"{CLOSURES}?undo=x").status_code == 200


@pytest.mark.parametrize(
    ("first", "last", "others", "error"),
    [
        (None, None, {}, "Enter the first day of the closure."),
        (2, 1, {}, "The closure must end after it starts."),
        (1, 1, {"starts": "10:00", "ends": "10:00"}, "The closure must end after it starts."),
        (1, 400, {"yearly": "on"}, "A closure of every year must be shorter than a year."),
        (-3, -3, {}, "This day has passed."),
    ],
)
def test_what_cannot_be_is_refused_in_words_and_kept(client, as_administrator, first, last, others, error):
    today = timezone.now().date()
    days = {
        name: str(today + timedelta(days=number)) for name, number in (("first", first), ("last", last))
        if number is not None
    }  # fmt: skip
    page = client.post(CLOSURES, {**days, **others, "reason": "Stocktaking", "step": "save"}).content.decode()
    assert error in page
    assert "Stocktaking" in page
    assert not Closure.objects.exists()


def test_chosen_holidays_are_closed(client, as_administrator):
    year = timezone.now().year + 1
    page = client.get(HOLIDAYS, {"country": "DE", "region": "BY"}, headers={"accept-language": "de"}).content.decode()
    assert "Heilige Drei Könige" in page
    client.post(HOLIDAYS, {"country": "DE", "region": "BY", "holiday": [f"{year} Epiphany", "1999 Epiphany"]})
    closure = Closure.objects.get()
    assert (str(closure.first), closure.country, closure.region) == (f"{year}-01-06", "DE", "BY")
    assert "closed already" in client.get(HOLIDAYS, {"country": "DE", "region": "BY"}).content.decode()
    assert "No public holidays" in client.get(HOLIDAYS, {"country": "XX"}).content.decode()


def test_patients_read_the_reason_if_it_is_for_them(client, checkup, schedule, ten):
    closure = Closure.objects.create(first=ten.date(), last=ten.date(), reason="Founding day", is_public=True)
    shown = {"date": str(ten.date())}
    assert "Founding day" in client.get(f"/book/{checkup.fhir_id}/", shown).content.decode()
    Closure.objects.filter(pk=closure.pk).update(is_public=False)
    assert "Founding day" not in client.get(f"/book/{checkup.fhir_id}/", shown).content.decode()


def test_the_page_takes_as_many_statements_for_many_closures(
    client, as_administrator, visit, ten, django_assert_max_num_queries
):
    Closure.objects.bulk_create(Closure(first=ten.date(), last=ten.date(), reason=str(n)) for n in range(20))
    with django_assert_max_num_queries(25):
        client.get(CLOSURES)
