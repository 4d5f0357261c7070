"""Telephone numbers: read in any format, stored in E.164 with the extension, shown in the format of the country.

A number typed on a page is stored as `+12125550100;ext=12` (https://www.rfc-editor.org/rfc/rfc3966#section-5.3). A
number that software sent is stored as it was sent, and is read when it is dialled, searched or compared.
"""

import re
import unicodedata
from collections.abc import Iterator

import phonenumbers
from django.conf import settings
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, ValidationResult

from clinic.country import clinic_country

LEAST_DIGITS = 4  # of a part of a number that can be searched
INTERNATIONAL = ("00", "011")  # dialled before a country code
AMERICAN = re.compile(r"[2-9][0-9]{2}[2-9][0-9]{6}")  # area code and exchange begin with neither 0 nor 1
ANY = re.compile(r"[0-9]+")
LENGTHS = {
    ValidationResult.TOO_SHORT: "short",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "short",
    ValidationResult.TOO_LONG: "long",
}


class NotANumber(ValueError):
    """The text is not a telephone number. `reason` is `short`, `long` or `invalid`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def read(text: str, country: str = "") -> str:
    """Return a typed number in its stored form. Raises NotANumber if it cannot be a number."""
    number = _parsed(text, country or clinic_country())
    if number is None:
        raise NotANumber("invalid")
    if not _is_plausible(number):
        raise NotANumber(LENGTHS.get(phonenumbers.is_possible_number_with_reason(number), "invalid"))
    return _kept(number)


def dialled(text: str, country: str = "") -> str:
    """Return a number in E.164, such as `+12125550100`, without its extension; empty if it is not a number."""
    number = _parsed(text, country or clinic_country())
    if number is None or not _is_plausible(number):
        return ""
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def text_to(text: str) -> str:
    """Return a number in the form for the text message service; its default country is that of SMS_COUNTRY_CODE."""
    return dialled(text, _country_of_texts()) or text


def display(text: str, country: str = "") -> str:
    """Return a number in the format of the clinic's country; a text that is not a number is returned unchanged."""
    home = country or clinic_country()
    number = _parsed(text, home)
    if number is None or not _is_plausible(number):
        return text
    code = number.country_code or 0
    country_of_number = phonenumbers.region_code_for_number(number) or phonenumbers.region_code_for_country_code(code)
    is_home = country_of_number == home
    return phonenumbers.format_number(
        number, PhoneNumberFormat.NATIONAL if is_home else PhoneNumberFormat.INTERNATIONAL
    )


def link(text: str) -> str:
    """Return the link that dials a number, such as `tel:+12125550100;ext=12`."""
    number = _parsed(text, clinic_country())
    if number is None or not _is_plausible(number):
        return "tel:" + "".join(character for character in text if character.isdigit() or character == "+")
    return f"tel:{_kept(number)}"


def endings(text: str) -> Iterator[str]:
    """Yield each ending of a number with LEAST_DIGITS digits or more, so that a prefix search finds any part of it."""
    number = _parsed(text, clinic_country())
    if number is None or not _is_plausible(number):
        digits = "".join(filter(str.isdigit, clean(text)))
    else:
        digits = phonenumbers.format_number(number, PhoneNumberFormat.E164).removeprefix("+")
    for first in range(max(len(digits) - LEAST_DIGITS + 1, 0)):
        yield digits[first:]


def example(country: str = "") -> str:
    """Return an example of a number in the clinic's country."""
    home = country or clinic_country()
    number = phonenumbers.example_number(home)
    return (
        "+1 212 555 0123"
        if number is None or home == "US"
        else phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    )


def clean(text: str) -> str:
    """Return a text without invisible characters, which are often copied with a number, and with plain hyphens."""
    plain = unicodedata.normalize("NFKC", text)
    categories = ((character, unicodedata.category(character)) for character in plain)
    visible = ("-" if category == "Pd" else character for character, category in categories if category != "Cf")
    return " ".join("".join(visible).split())


def _parsed(text: str, country: str) -> PhoneNumber | None:
    """Return the first reading of the text that is a valid number, else the first that can be parsed, or None."""
    first = None
    for writing in _writings(clean(text)):
        try:
            number = phonenumbers.parse(writing, country)
        except NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return number
        first = first or number
    return first


def _writings(text: str) -> Iterator[str]:
    """Yield the text, and its readings as an international number: with a dialling prefix, or without the plus."""
    yield text
    for prefix in INTERNATIONAL:
        if text.startswith(prefix):
            yield f"+{text.removeprefix(prefix)}"
    if sum(map(str.isdigit, text)) > 10 and text[:1] not in "+0":
        yield f"+{text}"


def _is_plausible(number: PhoneNumber) -> bool:
    """True if a number has a length of its country. The library's tables lack new ranges, so they are not required."""
    pattern = AMERICAN if number.country_code == 1 else ANY
    is_whole = phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE
    return is_whole and pattern.fullmatch(str(number.national_number)) is not None


def _kept(number: PhoneNumber) -> str:
    whole = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return f"{whole};ext={number.extension}" if number.extension else whole


def _country_of_texts() -> str:
    """Return the country of SMS_COUNTRY_CODE: the clinic's own, if that has this code."""
    digits = settings.SMS_COUNTRY_CODE.removeprefix("+")
    home = clinic_country()
    if not digits or str(phonenumbers.country_code_for_region(home)) == digits:
        return home
    return phonenumbers.region_code_for_country_code(int(digits))
