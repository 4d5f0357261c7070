"""Telephone numbers in any format: stored, dialled, shown and found."""

import pytest
from django import forms
from django.core.exceptions import ImproperlyConfigured

from clinic import phones
from clinic.message_settings import check_country_code
from clinic.phone_field import PhoneField


@pytest.fixture(autouse=True)
def _in_the_united_states(settings):
    settings.CLINIC_COUNTRY = "US"


WRITINGS = [
    # the clinic's country, number as typed or pasted, as stored, as shown there
    ("US", "1-212-555-0100", "+12125550100", "(212) 555-0100"),
    ("US", "(212) 555-0100", "+12125550100", "(212) 555-0100"),
    ("US", "212.555.0100", "+12125550100", "(212) 555-0100"),
    ("US", "+1 212 555 0100", "+12125550100", "(212) 555-0100"),
    ("US", "\u202a+1 (212) 555\u20110100\u202c", "+12125550100", "(212) 555-0100"),
    ("US", "\u2060212\u00a0555\u20130100\u200b", "+12125550100", "(212) 555-0100"),
    ("US", "212 555 0100 x12", "+12125550100;ext=12", "(212) 555-0100 ext. 12"),
    ("US", "212-555-0100 ext. 12", "+12125550100;ext=12", "(212) 555-0100 ext. 12"),
    ("US", "+44 (0)20 7946 0018", "+442079460018", "+44 20 7946 0018"),
    ("US", "011 44 20 7946 0018", "+442079460018", "+44 20 7946 0018"),
    ("US", "0044 20 7946 0018", "+442079460018", "+44 20 7946 0018"),
    ("US", "44 20 7946 0018", "+442079460018", "+44 20 7946 0018"),
    ("US", "+39 06 6982 1234", "+390669821234", "+39 06 6982 1234"),  # Italy keeps its zero
    ("GB", "020 7946 0018", "+442079460018", "020 7946 0018"),
    ("GB", "+44 (0)20 7946 0018", "+442079460018", "020 7946 0018"),
    ("GB", "07700 900123", "+447700900123", "07700 900123"),
    ("GB", "00 1 212 555 0100", "+12125550100", "+1 212-555-0100"),
    ("DE", "030 901820", "+4930901820", "030 901820"),
]


@pytest.mark.parametrize(("country", "typed", "kept", "text"), WRITINGS)
def test_a_number_is_stored_in_e164_and_shown_in_the_format_of_the_country(settings, country, typed, kept, text):
    settings.CLINIC_COUNTRY = country
    assert phones.read(typed) == kept
    assert phones.display(kept) == phones.display(typed) == text
    assert phones.read(text) == kept


@pytest.mark.parametrize(
    ("typed", "reason"),
    [("555 01", "short"), ("212 555 0100 99", "long"), ("call me", "invalid"), ("112 555 0100", "invalid")],
)
def test_an_impossible_number_is_refused_with_the_reason_and_an_example(typed, reason):
    class Form(forms.Form):
        phone = PhoneField()

    form = Form({"phone": typed})
    assert not form.is_valid()
    assert form.errors.as_data()["phone"][0].code == reason
    assert "+1 212 555 0123" in form.errors["phone"][0]


def test_a_number_that_software_sent_stays_until_somebody_types_another():
    class Form(forms.Form):
        phone = PhoneField()

    sent = {"phone": "555-0100"}
    assert str(Form(initial=sent)["phone"]).count('value="555-0100"') == 1
    for typed, kept in (("555-0100", "555-0100"), ("212 555 0100", "+12125550100")):
        form = Form({"phone": typed}, initial=sent)
        assert form.is_valid()
        assert form.cleaned_data["phone"] == kept


@pytest.mark.parametrize(
    ("code", "country", "written", "to"),
    [
        ("", "US", "1-212-555-0100", "+12125550100"),
        ("", "US", "(212) 555-0100 x12", "+12125550100"),
        ("", "US", "+44 (0)20 7946 0018", "+442079460018"),
        ("", "US", "0044 20 7946 0018", "+442079460018"),
        ("", "GB", "020 7946 0018", "+442079460018"),
        ("+44", "US", "020 7946 0018", "+442079460018"),
        ("+1", "CA", "(416) 555-0123", "+14165550123"),
        ("1", "GB", "(212) 555-0123", "+12125550123"),
        ("", "US", "5", "5"),
    ],
)
def test_a_text_goes_to_the_number_with_its_countrys_code(settings, code, country, written, to):
    settings.SMS_COUNTRY_CODE, settings.CLINIC_COUNTRY = code, country
    assert phones.text_to(written) == to


def test_a_link_dials_the_extension_too():
    assert phones.link("(212) 555-0100 x12") == "tel:+12125550100;ext=12"
    assert phones.link("911") == "tel:911"


def test_any_part_of_a_number_is_the_beginning_of_one_of_its_endings():
    endings = list(phones.endings("(212) 555-0199"))
    assert endings[0] == "12125550199"
    for typed in ("2125550199", "5550199", "0199", "1255501"):
        assert any(each.startswith(typed) for each in endings)


@pytest.mark.parametrize("code", ["999", "abc", "+", "+12345"])
def test_a_code_of_no_country_stops_the_start(code):
    with pytest.raises(ImproperlyConfigured, match="SMS_COUNTRY_CODE"):
        check_country_code(code)
