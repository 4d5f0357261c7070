"""Form fields of the administration for hours, closures and reminders."""

from datetime import timedelta

import pytest
from django import forms
from django.core.exceptions import ValidationError

from clinic.admin.fields import (
    ClosuresField,
    ElementsField,
    IdentifiersField,
    PayersField,
    RemindersField,
    WeeklyHoursField,
)


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("", None),
        ("closed", []),
        ("mon 9:00-17:00", [(["mon"], "09:00:00", "17:00:00")]),
        ("Thu, Fri 22:00 - 06:00", [(["thu", "fri"], "22:00:00", "06:00:00")]),
        ("fri-mon 08:00-12:00", [(["fri", "sat", "sun", "mon"], "08:00:00", "12:00:00")]),
        ("sat all day", [(["sat"], None, None)]),
    ],
)
def test_weekly_hours_are_read(text, entries):
    read = WeeklyHoursField(rows=1).clean(text)

    found = read and [
        (each["daysOfWeek"], each.get("availableStartTime"), each.get("availableEndTime")) for each in read
    ]
    assert found == entries


@pytest.mark.parametrize(
    "text",
    [
        "",
        "closed",
        "mon-fri 09:00-17:00\nsat sun all day",
        "mon wed fri 22:30-06:00",
        "mon 09:00-12:00 every 2 weeks of 2026-11-30 from 2026-05-01 until 2027-05-01",
        "mon 09:00-12:00 1st, 3rd, last of month\ntue all day 4th of month until 2026-12-31",
    ],
)
def test_weekly_hours_are_shown_as_they_were_typed(text):
    field = WeeklyHoursField(rows=1)

    assert field.prepare_value(field.clean(text)) == text
    assert not field.has_changed(field.clean(text), text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mon", "“mon” cannot be read. Write it like mon-fri 09:00-17:00"),
        ("mon-fri 09:00-17:00\nmonday 09:00-17:00", "Line 2: “monday” is not one of mon, tue"),
        ("mon 09:00-25:00", "“25:00” is not a time such as 09:00"),
        (
            "mon 09:00-12:00 every 2 weeks of 2026-02-30",
            "“every 2 weeks of 2026-02-30” cannot be read. Write it like every 2 weeks of",
        ),
        ("mon 09:00-12:00 every 99 weeks of 2026-02-02", "“every 99 weeks of 2026-02-02” cannot be read"),
        (
            "mon 09:00-12:00 7th of month",
            "“7th of month” cannot be read. Write it like every 2 weeks of 2026-11-30 or 1st, 3rd of month",
        ),
    ],
)
def test_wrong_hours_are_refused_with_the_line(text, message):
    with pytest.raises(ValidationError, match=message):
        WeeklyHoursField(rows=1).clean(text)


@pytest.mark.parametrize(
    "text",
    ["2026-12-25", "2026-12-24 to 2027-01-02: Winter break", "2026-12-24T13:00:00-05:00 to 2026-12-25: Eve: closed"],
)
def test_closures_are_shown_as_they_were_typed(text):
    field = ClosuresField(rows=1)

    assert field.prepare_value(field.clean(text)) == text


@pytest.mark.parametrize("text", ["Christmas", "2026-13-01", "2026-12-24T13:00", "2027-01-02 to 2026-12-24"])
def test_wrong_closures_are_refused(text):
    with pytest.raises(ValidationError, match="Line 1"):
        ClosuresField(rows=1).clean(text)


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("", [48, 2]),
        ("none", []),
        (" None ", []),
        ("2 days, 2 hours", [48, 2]),
        ("90 Minutes,1 week", [168, 1.5]),
        ("1hour, 60 minutes", [1]),
    ],
)
def test_reminders_are_read(text, hours):
    assert RemindersField(required=False).clean(text) == [timedelta(hours=each) for each in hours]


@pytest.mark.parametrize("text", ["none", "1 week, 2 days, 90 minutes, 1 hour"])
def test_reminders_are_shown_in_words(text):
    field = RemindersField(required=False)

    assert field.prepare_value(field.clean(text)) == text
    assert not field.has_changed(field.clean(text), text)


@pytest.mark.parametrize("text", ["soon", "0 hours", "2 days 2 hours", "-1 day", "53 weeks", "2 00:00:00"])
def test_wrong_reminders_are_refused(text):
    with pytest.raises(ValidationError, match=r"Write it like 2 days|is more than a year"):
        RemindersField(required=False).clean(text)


@pytest.mark.parametrize("text", ["{}", "[1]", '[{"coding": "x"}]'])
def test_elements_that_are_not_fhir_are_refused(text):
    with pytest.raises(ValidationError):
        ElementsField(element="CodeableConcept", required=False).clean(text)


def lines_of(field, stored):
    """The lines of a form with these stored elements, and the elements that other lines make of them."""
    form = type("LinesForm", (forms.Form,), {"elements": field})(initial={"elements": stored})
    bound = form["elements"]
    return bound.value(), bound.field.clean


NPI = {"system": "http://hl7.org/fhir/sid/us-npi", "value": "1234567893", "use": "official"}
LOCAL = {"value": "A 17"}
NAMELESS = {"type": {"text": "Of another kind"}}


def test_identifiers_are_lines_and_those_that_are_left_stay_as_they_are():
    text, clean = lines_of(IdentifiersField(), [NPI, NAMELESS, LOCAL])

    assert text == "http://hl7.org/fhir/sid/us-npi 1234567893\nA 17"
    assert clean("A 17\nurn:oid:1.2.3  45 b") == [LOCAL, {"system": "urn:oid:1.2.3", "value": "45 b"}, NAMELESS]
    assert clean(text + "\nA 17") == [NPI, LOCAL, LOCAL, NAMELESS]


def test_who_pays_is_a_line_each():
    stored = [{"reference": "Organization/acme", "display": "Acme"}, {"reference": "Patient/ada"}]
    text, clean = lines_of(PayersField(), stored)

    assert text == "Acme\nPatient/ada"
    assert clean(text + "\nHarbor") == [*stored, {"display": "Harbor"}]
