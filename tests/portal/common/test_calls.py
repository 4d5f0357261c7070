"""Phone links in sentences that say to call: in all languages, and only once."""

import re

import pytest
from babel.messages.pofile import read_po
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import mark_safe

from portal.templatetags.portal import CALLS, with_phone_link

LINK = '<a href="tel:+12125550100">(212) 555-0100</a>'


@pytest.fixture(autouse=True)
def _phone(settings):
    settings.CLINIC_PHONE = "+12125550100"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Try again in an hour, or call the clinic.", f"Try again in an hour, or call the clinic. {LINK}"),
        ("Booked by the clinic. Please call us.", f"Booked by the clinic. Please call us. {LINK}"),
        ("Please call us: (212) 555-0100.", f"Please call us: {LINK}."),
        ("A < B. Please call us.", f"A &lt; B. Please call us. {LINK}"),
        ("Choose another time.", "Choose another time."),
        (mark_safe("<b>Call us</b>"), "<b>Call us</b>"),
    ],
)
def test_the_number_follows(text, expected):
    assert render("{{ said|with_phone_link }}", said=text) == expected


def test_a_sites_own_number_goes_before_the_clinics():
    html = with_phone_link("Please call the clinic.", "+12135550178")
    assert html == 'Please call the clinic. <a href="tel:+12135550178">(213) 555-0178</a>'


def test_without_a_number_the_sentence_stands_alone(settings):
    settings.CLINIC_PHONE = ""
    assert with_phone_link("Please call the clinic.") == "Please call the clinic."


def test_the_translations_of_sentences_that_say_to_call_are_known():
    path = settings.BASE_DIR / "locale/es/LC_MESSAGES/django.po"
    with path.open("rb") as file:
        catalog = [(entry.id, entry.string) for entry in read_po(file) if isinstance(entry.id, str)]
    translations = [
        (sentence, there)
        for sentence, there in catalog
        if re.search(r"(?<!also )call (the clinic|us)\b(?!.*phone)", sentence, re.I)
    ]
    assert len(translations) > 10
    with translation.override("es"):
        calls = [str(call) for call in CALLS]
    for sentence, there in translations:
        assert any(call in there.casefold() for call in calls), sentence


def render(template, **context):
    from django.template import engines

    return engines["django"].from_string("{% load portal %}" + template).render(context)


def test_a_message_and_an_error_have_the_link():
    from django import forms

    class Empty(forms.Form):
        """A form without fields to type in."""

    form = Empty({})
    form.add_error(None, "Please call the clinic.")
    assert LINK in render_to_string("forms/_errors.html", {"form": form, "clinic_phone": "(212) 555-0100"})
