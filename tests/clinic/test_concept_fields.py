"""The form field for FHIR CodeableConcepts by their names."""

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import get_language

from clinic.concept_fields import ConceptsField

SKIN = {"coding": [{"system": "https://codes.example", "code": "1", "display": "Skin"}], "text": "Skin"}
FOREIGN = {"coding": [{"code": "x", "userSelected": True}], "text": "Of another system"}
NAMELESS = {"extension": [{"url": "https://example.org", "valueCode": "x"}]}


def field(stored=(), **options):
    """The field of a form with these stored concepts."""
    made = ConceptsField(known=lambda: {"Skin": SKIN}, **options)
    form = type("ConceptsForm", (forms.Form,), {"concepts": made})(initial={"concepts": list(stored)})
    bound = form["concepts"]
    bound.field.shown = bound.value()
    return bound.field


def test_names_are_shown_and_nothing_is_changed_by_them():
    stored = [FOREIGN, NAMELESS, SKIN, {**SKIN, "id": "again"}]
    shown = field(stored)

    assert shown.shown == ["Of another system", "Skin", "Skin"]
    assert shown.clean([*shown.shown, "", ""]) == stored
    assert not shown.has_changed(shown.shown, [*shown.shown, "", " "])


def test_a_name_brings_its_concept_and_those_that_are_left_stay_as_they_are():
    assert field([FOREIGN, NAMELESS]).clean([" of  another system", "skin", "Skin"]) == [FOREIGN, SKIN, NAMELESS]
    assert field([FOREIGN, SKIN]).clean(["Skin"]) == [SKIN]
    assert field([FOREIGN]).clean([]) == []


def test_an_unknown_name_is_refused_with_the_one_that_was_meant():
    with pytest.raises(ValidationError) as refused:
        field().clean(["Skim", "Teeth"])
    assert refused.value.messages == [
        "“Skim” is not on the list. Did you mean “Skin”?",
        "“Teeth” is not on the list. Choose one of its names, or leave the field empty.",
    ]


def test_an_open_list_takes_other_names():
    assert field(is_open=True).clean(["Teeth"]) == [{"text": "Teeth"}]
    for wrong in ("x" * 201, "a\0b"):
        with pytest.raises(ValidationError):
            field(is_open=True).clean([wrong])


def test_names_are_read_with_any_spaces_and_in_any_language():
    spaced = {"text": "Of  another  system"}
    assert field([spaced]).clean(["Of  another  system", "Skin"]) == [spaced, SKIN]
    twice = [SKIN, FOREIGN, {**SKIN, "id": "again"}]
    assert field(twice).clean(["Skin", "Of another system", "Skin"]) == twice

    known = ConceptsField(known=lambda: {"Piel" if get_language() == "es" else "Skin": SKIN})
    form = type("ConceptsForm", (forms.Form,), {"concepts": known})()
    assert form["concepts"].field.clean(["piel"]) == [SKIN]
