"""Dates and times as people type them: in the order of the clinic's country, and on either clock."""

import re
from datetime import date, time

import pytest
from django import forms
from django.utils.translation import override

from portal.common.fields import BornField, ClockField, DatePartsField
from portal.common.forms import PatientDetailsForm
from portal.details.forms import CoverageForm
from portal.staff.calendar.block_forms import BlockForm
from portal.staff.hours import descriptions
from scheduling.opening import OpenSpan

COUNTRIES = [
    ("US", "month day year", "3 27 1985", "12 31 2027", "Sunday"),
    ("GB", "day month year", "27 3 1985", "31 12 2027", "Monday"),
    ("JP", "year month day", "1985 3 27", "2027 12 31", "Sunday"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("country", "order", "born", "end", "first"), COUNTRIES)
def test_dates_are_asked_in_the_order_of_the_country(settings, country, order, born, end, first):
    settings.CLINIC_COUNTRY = country
    form = PatientDetailsForm({"birth_date_day": "31", "birth_date_month": "2", "birth_date_year": "1985"})
    assert re.findall(r'name="birth_date_(\w+)"', str(form["birth_date"])) == order.split()
    assert re.findall(r' id="([^"]+)"', str(form["birth_date"]))[0] == form["birth_date"].id_for_label
    assert str(form.fields["birth_date"].help_text) == f"For example, {born}"
    assert form.errors["birth_date"] == [f"There is no such date. Enter it in numbers, such as {born}."]
    card = CoverageForm(day=date(2026, 5, 15))
    assert str(card.fields["end"].help_text) == f"For example, {end}"
    with override("es"):  # CLDR's Spanish of the United States has the day first
        assert str(card.fields["end"].help_text) == f"Por ejemplo, {'31 12 2027' if country == 'US' else end}"


@pytest.mark.parametrize(("country", "order", "born", "end", "first"), COUNTRIES)
def test_weeks_are_listed_from_their_first_day(settings, country, order, born, end, first):
    settings.CLINIC_COUNTRY = country
    choices = [str(label) for _code, label in BlockForm(schedules=[]).fields["weekdays"].choices]
    assert (choices[0], len(set(choices))) == (first, 7)
    week, today = ((), *[(OpenSpan(time(9), time(17)),)] * 4, (), ()), date(2026, 5, 1)
    assert descriptions.in_words(week, today)[0][0].startswith(first)
    assert descriptions.in_words(((),) * 7, today) == [("Every day", "closed")]


class Asked(forms.Form):
    """A form with one field of each kind."""

    day = DatePartsField(required=False)
    born = BornField(required=False)
    at = ClockField(required=False)


@pytest.mark.parametrize(("typed", "read"), [("14:30", time(14, 30)), ("2:30 pm", time(14, 30)), ("", None)])
def test_a_time_is_read_on_either_clock(typed, read):
    form = Asked({"at": typed})
    assert form.is_valid()
    assert form.cleaned_data["at"] == read


def test_an_invalid_time_is_refused():
    assert list(Asked({"at": "half past two"}).errors) == ["at"]


@pytest.mark.parametrize(
    ("day", "month", "year", "born"),
    [
        ("27", "3", "1985", "1985-03-27"),
        ("", "3", "1985", "1985-03"),
        ("", "", "1985", "1985"),
        ("", "", "", None),
    ],
)
def test_a_birth_date_is_kept_as_far_as_it_is_known_and_shown_so_again(day, month, year, born):
    form = Asked({"born_day": day, "born_month": month, "born_year": year})
    assert form.is_valid()
    assert form.cleaned_data["born"] == born
    html = str(Asked(initial={"born": born})["born"])
    assert re.findall(r'name="born_(\w+)" value="(\w+)"', html) == [
        (part, text) for part, text in (("month", month), ("day", day), ("year", year)) if text
    ]


@pytest.mark.parametrize(
    "parts", [("27", "", "1985"), ("27", "3", ""), ("", "3", ""), ("", "13", "1985"), ("", "", "0")]
)
def test_an_invalid_date_part_is_refused(parts):
    day, month, year = parts
    assert list(Asked({"born_day": day, "born_month": month, "born_year": year}).errors) == ["born"]
